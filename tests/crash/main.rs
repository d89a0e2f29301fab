//! A command that is stopped at any write leaves the old tree or the new one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failing_storage;
mod killed;
mod scenario;
mod stopped;
