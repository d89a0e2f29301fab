//! Looking at blueprints: what each offers, and whether one is sound.

pub mod check;
pub mod samples;

#[cfg(test)]
mod chart_tests;
