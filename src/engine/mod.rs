//! Carries out what actions decide: files, processes, containers. Each part is a narrow trait
//! with the real thing and a fake; none knows manifests or blueprints.

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
pub mod readiness;
pub mod registry;
pub mod runtime;
pub mod source;
