//! What the commands of the local stack share: flags, and how things are shown.

use std::io::{self, Write};

use crate::actions::stack::opened::Opening;
use crate::actions::stack::preview::{Foreseen, Step};
use crate::app::App;
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Style, write_table};

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
        write_table((out, style), &rows, |column, cell| match column {
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

/// A state in its colour.
pub fn painted_state(style: &Style, state: &str) -> String {
    match state {
        "ready" | "done" => style.good(state),
        "failed" => style.bad(state),
        "starting" | "waiting" => style.caution(state),
        _ => style.dim(state),
    }
}
