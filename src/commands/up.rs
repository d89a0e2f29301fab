//! `up`: start services and what they need.

use std::io::{self, Write};

use super::interrupt;
use super::stack::{DryRunFlag, Foretold, opening, write_no_services};
use crate::actions::stack::follow::follow;
use crate::actions::stack::opened::{Builder, Opening};
use crate::actions::stack::preview::before_up;
use crate::actions::stack::up::{AfterFailure, Arrived, UpRequest, up};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::model::stack::{Role, RuntimeKind};
use crate::report::{Answer, Style, write_table};

/// Start services and what they need
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services to start, with all that they need; every service when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Where the stack runs
    #[arg(long, value_enum, default_value_t)]
    runtime: RuntimeKind,
    /// How images are built: by BuildKit from the Dockerfile, or by Go of this host
    #[arg(long, value_enum, default_value_t)]
    builder: Builder,
    /// Return as soon as all is ready, and leave it running
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    preview: DryRunFlag,
}

/// What runs now.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Running {
    /// Where.
    runtime: RuntimeKind,
    /// Each part, in the order of its kind.
    things: Vec<Arrived>,
    /// Whether it stays after the program's end.
    detached: bool,
}

/// Runs the command.
///
/// # Errors
/// When a part does not come up.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let opened = Opening {
        runtime: Some(args.runtime),
        builder: Some(args.builder),
        services: args.services.clone(),
        ..opening(app, None)
    }
    .to_start()?;
    let request = UpRequest {
        after_failure: match args.detach {
            true => AfterFailure::Keep,
            false => AfterFailure::Stop,
        },
        stop_others: args.services.is_empty(),
        force: Vec::new(),
        only: None,
    };
    if args.preview.dry_run {
        let foretold = interrupts.leave(before_up(&opened.stack, &request)).await?;
        return app.answer(&Foretold::new(foretold));
    }
    let lock = opened.lock()?;
    interrupts.leave(opened.claim()).await?;
    let things = up(&opened.stack, &request, interrupts.signal()).await?;
    drop(lock);
    let nothing_runs = things.is_empty();
    app.answer(&Running {
        runtime: args.runtime,
        things,
        detached: args.detach,
    })?;
    match args.detach || nothing_runs {
        true => Ok(()),
        false => follow(&opened, interrupts.signal()).await,
    }
}

impl Answer for Running {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.things.is_empty() {
            return write_no_services(out);
        }
        let shown = self.things.iter().filter(|thing| thing.kind != Role::Job);
        let rows: Vec<[String; 3]> = shown
            .map(|thing| {
                let public = thing.endpoints.get("http").map(|it| format!("http://{it}"));
                let admin = thing
                    .endpoints
                    .get("admin")
                    .map(|it| format!("admin http://{it}"));
                let mut others = thing.endpoints.iter().filter(|(name, _)| *name != "admin");
                let other = others.next().map(|(_, address)| address.to_string());
                let main = thing.endpoints.get("main").map(ToString::to_string);
                let place = public
                    .or(main)
                    .or(other)
                    .or_else(|| admin.clone())
                    .unwrap_or_default();
                let beside = admin.filter(|admin| *admin != place).unwrap_or_default();
                [thing.name.clone(), place, beside]
            })
            .collect();
        write_table((out, style), &rows, |column, cell| match column {
            0 => style.name(cell),
            2 => style.dim(cell),
            _ => cell.to_owned(),
        })?;
        match self.detached {
            true => writeln!(
                out,
                "{}",
                style.dim(
                    "It runs on: `gantline logs --follow`, `gantline status`, `gantline down`"
                )
            ),
            false => writeln!(out, "{}", style.dim("Ctrl-C stops it; data stays")),
        }
    }
}
