//! Tests that need programs, a daemon or time: one module for each tier, run by `tests/run TIER`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and may say why it took long"
)]

mod cluster;
mod contract;
mod demo;
mod docker;
mod go;
mod image;
mod kills;
mod lint;
mod process;
mod registry;
#[path = "../published/schemas.rs"]
mod schemas;
mod shop;
