//! What services promise each other, compared without I/O.

pub mod document;
pub mod http;
mod json_place;
mod media;
pub mod message;
mod mismatch;
pub mod pact_file;
mod response_check;
pub mod schema;
mod state_values;
pub mod static_check;
