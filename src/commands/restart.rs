//! `restart`: start services, or other parts of the stack, again.

use std::io::{self, Write};

use super::interrupt;
use super::stack::{DryRunFlag, Foretold, RuntimeFlag, opening};
use crate::actions::stack::opened::{Opened, Opening};
use crate::actions::stack::preview::before_up;
use crate::actions::stack::restart::{request, restart};
use crate::actions::stack::up::{Arrived, Change};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::report::{Answer, Style};

/// Start services, or other parts of the stack, again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Services, servers or jobs; every service when none is named
    #[arg(value_name = "THING")]
    things: Vec<String>,
    #[command(flatten)]
    place: RuntimeFlag,
    #[command(flatten)]
    preview: DryRunFlag,
}

/// What was started again.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Restarted {
    /// Each part that was started again, and what it needs.
    things: Vec<Arrived>,
}

/// Runs the command.
///
/// # Errors
/// When a name is unknown, or a part does not come up again.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let opened = opened(&args, app)?;
    if args.preview.dry_run {
        let request = request(&opened.stack, &args.things)?;
        let foretold = interrupts.leave(before_up(&opened.stack, &request)).await?;
        return app.answer(&Foretold::new(foretold));
    }
    let _lock = opened.lock()?;
    interrupts.leave(opened.claim()).await?;
    let things = restart(&opened.stack, &args.things, interrupts.signal()).await?;
    app.answer(&Restarted { things })
}

/// The stack as far as the named services need it; all of it where something else is named, too.
fn opened(args: &Args, app: &App) -> Result<Opened> {
    let opening = opening(app, args.place.runtime);
    let whole = opening.to_start_again()?;
    let services = whole.stack.spec.services.iter();
    let named: Vec<Name> = services
        .filter(|service| args.things.contains(&service.name))
        .filter_map(|service| Name::new(service.name.as_str()).ok())
        .collect();
    let is_all = args
        .things
        .iter()
        .all(|thing| named.iter().any(|it| it.as_str() == thing));
    match is_all && !named.is_empty() {
        true => Opening {
            services: named,
            ..opening
        }
        .to_start_again(),
        false => Ok(whole),
    }
}

impl Answer for Restarted {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for thing in &self.things {
            let done = match thing.change {
                Change::Unchanged => continue,
                Change::Started => "started",
                Change::Replaced => "restarted",
            };
            writeln!(out, "{} {}", style.good(done), style.name(&thing.name))?;
        }
        Ok(())
    }
}
