//! Reads workspace, service and blueprint files and the catalogue into the model; the only
//! parser. Every problem of a file is reported in one run, with its place.

mod archive;
pub mod blueprint_file;
pub mod catalog;
pub mod lock_file;
pub mod raw;
pub mod reserved;
pub mod resource_file;
mod schema_check;
mod shelf;
pub mod suggest;
mod tree;
pub mod workspace;
pub mod yaml;
