//! Tests that need programs, a daemon or time: one module for each tier, run by `tests/run TIER`.

mod lint;
