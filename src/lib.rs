//! gantline
