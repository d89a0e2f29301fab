//! actions

pub mod blueprints;
pub mod generate;
