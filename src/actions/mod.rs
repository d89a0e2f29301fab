//! Use cases: each compares what is wanted with what is there, plans, and has it carried out.

pub mod blueprints;
pub mod build;
pub mod check;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod environment;
pub mod generate;
mod pacts;
pub mod release;
pub mod render_environment;
pub mod scaffold;
pub mod stack;
pub mod supervise;
pub mod test;
pub mod upgrade;
pub mod verify;
pub mod workspace;
