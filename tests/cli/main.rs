//! The real binary in a temporary home and workspace: what it prints, and how it exits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod api_server;
mod bad_files;
mod charts_on_disk;
mod cluster;
mod colours;
mod containers;
mod containers_beside;
mod contract;
mod dead_ends;
mod demo;
mod dist;
mod docker_faults;
mod environments;
mod error_examples;
#[cfg(target_os = "linux")]
mod full_disk;
mod generate;
mod install;
mod interrupts;
mod kept;
mod manifests;
mod misnamed;
mod narrow_terminal;
mod new_workspace;
mod own_blueprint;
mod published;
mod questions;
mod release_names;
mod renamed;
mod scaffold;
#[path = "../published/schemas.rs"]
mod schemas;
mod stack;
mod terminal;
mod two_at_once;
mod upgrade;
mod usage;
mod ways_out;
mod words_of_yaml;
mod workspace;
