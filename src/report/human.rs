//! Progress at a terminal: a spinner for each running step, a line for each that ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plain::line_of;
use super::printable::printable;
use super::{Style, Verbosity};
use crate::model::event::{Event, EventSink};

/// At most this many spinners at once; further steps show only when they end.
const MOST_SPINNERS: usize = 12;

/// Draws running steps at the bottom of the terminal.
#[derive(Debug)]
pub struct TerminalReporter {
    style: Style,
    verbosity: Verbosity,
    bars: MultiProgress,
    running: Mutex<BTreeMap<String, Step>>,
}

#[derive(Debug)]
struct Step {
    label: String,
    bar: ProgressBar,
}

impl TerminalReporter {
    /// A reporter that draws on stderr.
    pub fn new(style: Style, verbosity: Verbosity) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self {
            style,
            verbosity,
            bars,
            running: Mutex::default(),
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Step>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: &str, label: &str) {
        let mut running = self.running();
        if self.verbosity == Verbosity::Quiet || running.len() >= MOST_SPINNERS {
            return;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(template) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(template.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_message(printable(label));
        bar.enable_steady_tick(Duration::from_millis(120));
        running.insert(
            id.to_owned(),
            Step {
                label: label.to_owned(),
                bar,
            },
        );
    }

    fn print(&self, event: &Event) {
        if let Some(line) = line_of(event, &self.style, self.verbosity) {
            // A terminal that went away must not stop the work.
            let _ = self.bars.println(line);
        }
    }
}

impl EventSink for TerminalReporter {
    fn emit(&self, event: Event) {
        match &event {
            Event::Started { id, label, .. } => self.begin(id, label),
            Event::Progressed { id, message } => {
                if let Some(step) = self.running().get(id) {
                    let said = printable(message);
                    step.bar.set_message(format!("{}: {said}", step.label));
                }
            }
            Event::Finished { id, .. } | Event::Failed { id, .. } => {
                if let Some(step) = self.running().remove(id) {
                    step.bar.finish_and_clear();
                    self.bars.remove(&step.bar);
                }
                self.print(&event);
            }
            Event::Noted { .. } | Event::Warned { .. } | Event::Logged { .. } => self.print(&event),
        }
    }
}
