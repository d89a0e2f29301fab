//! `status`: show what runs, in what state, and why.

use std::io::{self, Write};

use super::stack::{RuntimeFlag, opening, painted_state, write_no_services};
use crate::actions::stack::status::{Thing, status};
use crate::app::App;
use crate::error::Result;
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Style, write_table};

/// Show what runs, in what state, and why
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: RuntimeFlag,
}

/// The state of the stack.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Status {
    /// Where the stack runs.
    runtime: RuntimeKind,
    /// Each part of it.
    things: Vec<Thing>,
}

/// Runs the command.
///
/// # Errors
/// When the runtime cannot be asked.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let opened = opening(app, args.place.runtime).as_it_is()?;
    let things = status(&opened.stack, opened.is_being_changed()).await?;
    app.answer(&Status {
        runtime: opened.stack.kind,
        things,
    })
}

impl Answer for Status {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.things.is_empty() {
            return write_no_services(out);
        }
        let rows: Vec<[String; 4]> = self.things.iter().map(row).collect();
        write_table((out, style), &rows, |column, cell| match column {
            0 => style.name(cell),
            1 => painted_state(style, cell),
            3 => style.dim(cell),
            _ => cell.to_owned(),
        })
    }
}

fn row(thing: &Thing) -> [String; 4] {
    let endpoint = |name: &str| thing.endpoints.get(name).cloned();
    let place = endpoint("http").or_else(|| endpoint("main"));
    // A worker has no public address: what is shown instead says what it is.
    let admin = endpoint("admin").map(|address| format!("admin {address}"));
    let place = place.or(admin).unwrap_or_default();
    let waiting = match thing.waiting_for.is_empty() {
        true => None,
        false => Some(format!("waits for {}", thing.waiting_for.join(", "))),
    };
    let why = thing.reason.clone().or(waiting).unwrap_or_default();
    [thing.name.clone(), thing.state.to_string(), place, why]
}
