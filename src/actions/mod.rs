//! actions

pub mod blueprints;
pub mod generate;
pub mod supervise;
