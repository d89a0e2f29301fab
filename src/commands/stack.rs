//! What the commands of the local stack share: flags, and how things are shown.

use std::io::{self, Write};

use crate::actions::stack::opened::Opening;
use crate::actions::stack::preview::{Foreseen, Step};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Style};

/// Where the stack runs.
#[derive(Debug, Clone, clap::Args)]
pub struct RuntimeFlag {
    /// Where the stack runs; without it, where it was started last
    #[arg(long, value_enum)]
    pub runtime: Option<RuntimeKind>,
}

/// Whether only to say what would happen.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct DryRunFlag {
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What would happen to the stack.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Foretold {
    /// Always true: nothing was done.
    dry_run: bool,
    /// Each part, in the order of its kind.
    things: Vec<Foreseen>,
}

impl Foretold {
    /// An answer that nothing was done for.
    pub fn new(things: Vec<Foreseen>) -> Self {
        Self {
            dry_run: true,
            things,
        }
    }
}

/// Says that there is nothing to run, and what makes something.
pub fn write_no_services(out: &mut dyn Write) -> io::Result<()> {
    let way = "`gantline add service NAME --blueprint go-service` makes one";
    writeln!(out, "The workspace has no services: {way}")
}

impl Answer for Foretold {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.things.is_empty() {
            return writeln!(out, "Nothing would happen");
        }
        let rows: Vec<[String; 2]> = self
            .things
            .iter()
            .map(|thing| [thing.name.clone(), foretold(thing.step).to_owned()])
            .collect();
        write_table(out, &rows, |column, cell| match column {
            0 => style.name(cell),
            _ => cell.to_owned(),
        })
    }
}

fn foretold(step: Step) -> &'static str {
    match step {
        Step::Start => "would be started",
        Step::Restart => "would be started again",
        Step::Replace => "changed, and would be replaced",
        Step::Keep => "would stay as it is",
        Step::Stop => "would be stopped",
        Step::Remove => "would be stopped, and its data removed",
    }
}

/// An opening of the stack of the folder that the user is in.
pub fn opening(app: &App, runtime: Option<RuntimeKind>) -> Opening {
    Opening {
        directory: app.settings().directory.clone(),
        runtime,
        builder: None,
        services: Vec::new(),
        events: app.events(),
    }
}

/// Names as typed.
///
/// # Errors
/// When one is no name.
pub fn names(texts: &[String]) -> Result<Vec<Name>> {
    texts
        .iter()
        .map(|text| {
            Name::new(text.as_str())
                .map_err(|error| Error::invalid(format!("`{text}` is no name")).because(error))
        })
        .collect()
}

/// Writes rows in columns as wide as their longest cell; `paint` colours the cells of a column,
/// after their width is known.
pub fn write_table<const COLUMNS: usize>(
    out: &mut dyn Write,
    rows: &[[String; COLUMNS]],
    paint: impl Fn(usize, &str) -> String,
) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let missing = width(column).unwrap_or(0) - cell.chars().count();
            line.push_str(&paint(column, cell));
            if column + 1 < COLUMNS {
                line.push_str(&" ".repeat(missing + 2));
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A state in its colour.
pub fn painted_state(style: &Style, state: &str) -> String {
    match state {
        "ready" | "done" => style.good(state),
        "failed" => style.bad(state),
        "starting" | "waiting" => style.caution(state),
        _ => style.dim(state),
    }
}
