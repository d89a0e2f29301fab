//! actions

pub mod blueprints;
