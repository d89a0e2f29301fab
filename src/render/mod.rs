//! Pure rendering: the model turned into files and specifications. Same input, same bytes.

pub mod chart;
pub mod code;
pub mod condition;
pub mod container;
pub mod context;
pub mod environment_values;
pub mod go_module;
pub mod imports;
mod made_once;
pub mod merge;
pub mod names;
#[cfg(test)]
mod properties;
pub mod resource_release;
pub mod slots;
pub mod stack;
pub mod template;
pub mod yaml;
