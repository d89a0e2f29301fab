//! The real binary in a temporary home and workspace: what it prints, and how it exits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod containers;
mod contract;
mod environments;
mod generate;
mod install;
mod manifests;
mod new_workspace;
mod published;
mod scaffold;
mod stack;
mod workspace;
