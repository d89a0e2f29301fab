//! What people and machines see: progress on stderr, the answer on stdout, errors in one form.
//!
//! Nothing else in the program prints. Questions, help and the programs that it starts, such as Go,
//! write to the terminal themselves.

pub mod contract_check;
mod diagnostic;
pub mod file_plan;
mod human;
mod json;
mod plain;
mod printable;
mod recording;
pub mod schema;
mod style;
mod table;
pub mod verification;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

pub use diagnostic::{ErrorDocument, render_error};
pub use human::TerminalReporter;
pub use json::JsonReporter;
pub use plain::PlainReporter;
pub use recording::RecordingReporter;
pub use style::Style;
pub use table::write_table;

use self::printable::for_terminal;
use crate::model::event::EventSink;

/// The version of every JSON document that gantline prints; grows only when one changes in a
/// way that breaks its readers.
pub const JSON_VERSION: u32 = 1;

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// People.
    #[default]
    Human,
    /// Programs: one document, or one object a line where the command streams.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    /// At a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a stream.
    pub fn applies_to(self, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                is_terminal && !refused && !dumb
            }
        }
    }
}

/// How much of the progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Warnings and failures only.
    Quiet,
    /// Steps and notes.
    #[default]
    Normal,
    /// Everything, also what a step is doing.
    Verbose,
}

/// The result of a command: text for people, a document for programs.
pub trait Answer: serde::Serialize + schemars::JsonSchema {
    /// Writes the text for people.
    ///
    /// # Errors
    /// What the stream says.
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()>;
}

/// The reporter that fits the format and the terminal.
pub fn reporter(format: Format, color: ColorChoice, verbosity: Verbosity) -> Arc<dyn EventSink> {
    let is_terminal = io::stderr().is_terminal();
    let style = Style::new(color.applies_to(is_terminal));
    match format {
        Format::Json => Arc::new(JsonReporter::new(verbosity)),
        // On a terminal that cannot draw, lines would be lost with what is drawn.
        Format::Human if is_terminal && !console::is_dumb() => {
            Arc::new(TerminalReporter::new(style, verbosity))
        }
        Format::Human => Arc::new(PlainReporter::new(style, verbosity)),
    }
}

/// Prints a command's answer to stdout.
///
/// # Errors
/// What the stream says; a reader who went away (`| head`) is no error.
pub fn print_answer(answer: &impl Answer, format: Format, color: ColorChoice) -> io::Result<()> {
    match print(answer, (format, color), write_document) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints an answer to stdout: the text for people, or what `document` writes for programs.
fn print<T: Answer>(
    answer: &T,
    (format, color): (Format, ColorChoice),
    document: fn(&T, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let stdout = io::stdout();
    let at_terminal = stdout.is_terminal();
    let columns = console::Term::stdout().size_checked();
    let columns = columns.map(|(_, columns)| usize::from(columns));
    let style = Style::new(color.applies_to(at_terminal));
    let style = style.within(columns.filter(|_| at_terminal));
    let mut out = io::BufWriter::new(stdout.lock());
    match format {
        Format::Human if at_terminal => safely(answer, &mut out, &style)?,
        Format::Human => answer.human(&mut out, &style)?,
        Format::Json => document(answer, &mut out)?,
    }
    out.flush()
}

/// Writes the text for people so that nothing in it drives the terminal.
fn safely(answer: &impl Answer, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    answer.human(&mut text, style)?;
    out.write_all(for_terminal(&text).as_bytes())
}

fn write_document(answer: &impl Answer, out: &mut dyn Write) -> io::Result<()> {
    let mut document = serde_json::Map::new();
    document.insert("version".to_owned(), JSON_VERSION.into());
    match serde_json::to_value(answer)? {
        serde_json::Value::Object(fields) => document.extend(fields),
        other => {
            document.insert("result".to_owned(), other);
        }
    }
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Prints one object of a stream to stdout: a JSON line, or the text for people.
///
/// # Errors
/// What the stream says.
pub fn print_line(answer: &impl Answer, format: Format, color: ColorChoice) -> io::Result<()> {
    print(answer, (format, color), |answer, out| {
        serde_json::to_writer(&mut *out, answer)?;
        writeln!(out)
    })
}

/// Prints the text of an error to stderr.
pub fn print_error_text(text: &str) {
    // Nothing can be done about a stderr that went away.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
