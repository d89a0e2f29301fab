//! What gantline works on: plain types without I/O, which every other folder shares.

pub mod base;
pub mod blueprint;
pub mod container;
pub mod contract_check;
#[cfg(test)]
pub mod damaged;
pub mod environment;
pub mod event;
pub mod exchange;
pub mod file_set;
pub mod image;
pub mod json_pointer;
pub mod kubernetes_yaml;
pub mod name;
pub mod plan;
pub mod project;
pub mod release;
pub mod resource_type;
pub mod schema;
pub mod schema_effort;
pub mod secret;
pub mod shell;
pub mod stack;
pub mod suggest;
pub mod verification;
