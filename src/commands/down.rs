//! `down`: stop the stack, and leave nothing behind.

use std::io::{self, Write};

use super::stack::{DryRunFlag, Foretold, opening};
use crate::actions::stack::down::{Removed, Scope};
use crate::actions::stack::preview::before_down;
use crate::app::App;
use crate::error::Result;
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Style};

/// Stop the stack, and leave nothing behind
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove the data of databases and brokers, too, whichever runtime keeps it
    #[arg(long)]
    volumes: bool,
    /// Stop only what runs there; without it, whatever runs anywhere
    #[arg(long, value_enum)]
    runtime: Option<RuntimeKind>,
    #[command(flatten)]
    preview: DryRunFlag,
}

/// Runs the command.
///
/// # Errors
/// When something cannot be stopped.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let opening = opening(app, args.runtime);
    let scope = match args.volumes {
        true => Scope::Everything,
        false => Scope::KeepData,
    };
    let runtimes = opening.everywhere(scope).await?;
    if args.preview.dry_run {
        return app.answer(&Foretold::new(before_down(&runtimes, scope).await?));
    }
    let removed = opening.clear(&runtimes, scope).await?;
    app.answer(&removed)
}

impl Answer for Removed {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.stopped.is_empty() && self.data.is_empty() {
            return writeln!(out, "Nothing ran");
        }
        if !self.stopped.is_empty() {
            writeln!(out, "{} {}", style.good("stopped"), self.stopped.join(", "))?;
        }
        if !self.data.is_empty() {
            writeln!(
                out,
                "{} {}",
                style.bad("removed the data of"),
                self.data.join(", ")
            )?;
        }
        Ok(())
    }
}
