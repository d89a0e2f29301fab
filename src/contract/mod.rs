//! What services promise each other, compared without I/O.

pub mod http;
mod json_place;
pub mod message;
mod mismatch;
pub mod openapi;
pub mod pact_file;
pub mod response_check;
mod state_values;
