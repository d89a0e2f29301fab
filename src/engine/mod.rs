//! Carries out what actions decide: files, processes, containers. What tests cannot have at hand is
//! behind a narrow trait with a fake beside it; no part knows manifests or blueprints.

pub mod checkout;
pub mod docker;
pub mod files;
pub mod git;
pub mod go;
pub mod harness;
pub mod http;
pub mod image;
pub mod kubernetes;
pub mod ports;
pub mod process;
pub mod program;
pub mod random;
pub mod readiness;
pub mod registry;
pub mod runtime;
pub mod source;
