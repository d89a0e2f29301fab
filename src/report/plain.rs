//! Progress without a terminal: a timestamped line for each event.

use std::io::{self, Write};

use super::printable::printable;
use super::{Style, Verbosity};
use crate::model::event::{Event, EventSink};

/// Writes timestamped lines to stderr.
#[derive(Debug)]
pub struct PlainReporter {
    style: Style,
    verbosity: Verbosity,
}

impl PlainReporter {
    /// A reporter that leaves out what the verbosity does.
    pub const fn new(style: Style, verbosity: Verbosity) -> Self {
        Self { style, verbosity }
    }
}

impl EventSink for PlainReporter {
    fn emit(&self, event: Event) {
        if let Some(line) = line_of(&event, &self.style, self.verbosity) {
            // A reader that went away must not stop the work.
            let _ = writeln!(io::stderr().lock(), "{} {line}", time_of_day());
        }
    }
}

/// The line that an event deserves at this verbosity. What it says may come from anywhere, so
/// control characters are replaced.
pub(super) fn line_of(event: &Event, style: &Style, verbosity: Verbosity) -> Option<String> {
    let normal = verbosity >= Verbosity::Normal;
    match event {
        Event::Started { label, after, .. } => normal.then(|| {
            let after = match after.is_empty() {
                true => String::new(),
                false => style.dim(format!(", after {}", printable(&after.join(", ")))),
            };
            format!("… {}{after}", printable(label))
        }),
        Event::Progressed { id, message } => (verbosity == Verbosity::Verbose)
            .then(|| style.dim(format!("  {id}: {}", printable(message)))),
        Event::Finished {
            id,
            message,
            elapsed,
        } => normal.then(|| {
            let elapsed = style.dim(format!("({})", seconds(*elapsed)));
            let separator = if message.is_empty() { "" } else { ": " };
            let message = printable(message);
            format!("{} {id}{separator}{message} {elapsed}", style.good("✓"))
        }),
        Event::Failed { id, message } => {
            Some(format!("{} {id}: {}", style.bad("✗"), printable(message)))
        }
        Event::Noted { message } => normal.then(|| printable(message)),
        Event::Warned { message } => Some(format!(
            "{} {}",
            style.caution("warning:"),
            printable(message)
        )),
        Event::Logged { thing, line } => Some(format!(
            "{} {}",
            style.name(format!("{thing} |")),
            printable(line)
        )),
    }
}

/// `0.4 s`, `12.3 s`, `2 min 5 s`.
pub(super) fn seconds(elapsed: std::time::Duration) -> String {
    let whole = elapsed.as_secs();
    if whole >= 60 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

fn time_of_day() -> String {
    let now = time::OffsetDateTime::now_utc();
    format!("{:02}:{:02}:{:02}Z", now.hour(), now.minute(), now.second())
}
