//! Reads workspace, service and blueprint files and the catalogue into the model; the only
//! parser. Every problem of a file is reported in one run, with its place.

mod archive;
pub mod blueprint_file;
mod blueprint_folder;
pub mod catalog;
mod container;
mod container_file;
pub mod contexts;
pub mod edit;
pub mod edit_blueprint;
pub mod edit_list;
pub mod environment;
mod exposures;
pub mod local_env;
pub mod lock_file;
pub mod new_workspace;
mod node;
pub mod options;
pub mod overlay;
mod port_map;
pub mod project;
#[cfg(test)]
mod properties;
pub mod raw;
mod references;
pub mod reserved;
pub mod resource_file;
pub mod schema;
mod schema_check;
pub mod service;
pub mod service_file;
mod shelf;
mod text_file;
mod tree;
mod uses;
mod waits;
pub mod workspace;
pub mod yaml;
