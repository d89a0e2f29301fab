//! A command that is stopped at any write leaves the old tree or the new one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and may say how much it tried"
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod commands;
mod failing_storage;
mod killed;
mod scenario;
mod stopped;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;
mod upgrade;
