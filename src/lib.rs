//! gantline takes a Go team from an empty folder to resilient services in Kubernetes.
//!
//! Data flows one way: `config` reads files into the `model`, `render` turns the model into
//! files and specifications, an action compares them with what is there and makes a plan,
//! `engine` carries it out, and `report` tells people and machines what happened.
//! `docs/architecture.md` explains the folders and which may use which.

#[cfg(test)]
mod architecture;

pub mod actions;
pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod contract;
pub mod engine;
pub mod error;
pub mod model;
pub mod render;
pub mod report;
