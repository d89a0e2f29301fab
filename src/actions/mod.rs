//! actions

pub mod blueprints;
pub mod doctor;
pub mod generate;
pub mod scaffold;
pub mod stack;
pub mod supervise;
pub mod workspace;
