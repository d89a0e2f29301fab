//! What services promise each other, compared without I/O.

pub mod openapi;
