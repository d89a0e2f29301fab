//! What every command works with: the settings of this run, the reporter, the answer's form.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::report::{self, Answer, ColorChoice, Format, Style, Verbosity};

/// The global flags, resolved once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder in which the workspace is looked for, upwards; absolute.
    pub directory: PathBuf,
    /// For whom the output is.
    pub format: Format,
    /// When to use colour.
    pub color: ColorChoice,
    /// How much of the progress is shown.
    pub verbosity: Verbosity,
    /// Take the defaults and confirm plans.
    pub yes: bool,
    /// Whether questions may be asked: a terminal on both sides, the human format, and not `--yes`.
    pub interactive: bool,
}

/// One run of the program.
pub struct App {
    settings: Settings,
    events: Arc<dyn EventSink>,
    answers: bool,
}

impl App {
    /// An app with the reporter that fits the settings.
    pub fn new(settings: Settings) -> Self {
        let events = report::reporter(settings.format, settings.color, settings.verbosity);
        Self {
            settings,
            events,
            answers: true,
        }
    }

    /// An app that reports elsewhere; for tests.
    pub fn with_events(settings: Settings, events: Arc<dyn EventSink>) -> Self {
        Self {
            settings,
            events,
            answers: true,
        }
    }

    /// An app for a command that this one runs in another folder: it asks nothing, and leaves the
    /// answer for programs to this one.
    #[must_use]
    pub fn within(&self, directory: PathBuf) -> Self {
        let settings = Settings {
            directory,
            yes: true,
            interactive: false,
            ..self.settings.clone()
        };
        let answers = settings.format == Format::Human;
        Self {
            settings,
            events: self.events(),
            answers,
        }
    }

    /// The global flags.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where progress goes.
    pub fn events(&self) -> Arc<dyn EventSink> {
        Arc::clone(&self.events)
    }

    /// Prints the command's result to stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn answer(&self, answer: &impl Answer) -> Result<()> {
        if !self.answers {
            return Ok(());
        }
        report::print_answer(answer, self.settings.format, self.settings.color)
            .map_err(|error| Error::failed("cannot write to standard output").because(error))
    }

    /// Prints one object of a streaming result to stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn answer_line(&self, answer: &impl Answer) -> Result<()> {
        report::print_line(answer, self.settings.format, self.settings.color)
            .map_err(|error| Error::failed("cannot write to standard output").because(error))
    }

    /// Prints an error to stderr.
    pub fn report_error(&self, error: &Error) {
        let color = self
            .settings
            .color
            .applies_to(std::io::stderr().is_terminal());
        let text = report::render_error(error, self.settings.format, &Style::new(color));
        report::print_error_text(&text);
    }
}
