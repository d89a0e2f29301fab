//! Progress for programs: one JSON object a line on stderr.

use std::io::{self, Write};

use super::Verbosity;
use crate::model::event::{Event, EventSink};

/// Writes events as JSON lines to stderr.
#[derive(Debug)]
pub struct JsonReporter {
    verbosity: Verbosity,
}

impl JsonReporter {
    /// A reporter that leaves out what the verbosity does.
    pub const fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }
}

impl EventSink for JsonReporter {
    fn emit(&self, event: Event) {
        let urgent = matches!(event, Event::Warned { .. } | Event::Failed { .. });
        if self.verbosity == Verbosity::Quiet && !urgent {
            return;
        }
        if let Ok(line) = serde_json::to_string(&event) {
            // A reader that went away must not stop the work.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
}
