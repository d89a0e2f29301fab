//! `destroy`: remove services from an environment.

use std::io::{self, Write};

use super::cluster::{Selected, confirm};
use super::interrupt;
use super::stack::write_table;
use crate::actions::deploy::Destroyed;
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::report::{Answer, Style};

/// Remove services from an environment, with all that their releases own
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selected: Selected,
    /// Remove nothing; say what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// What was removed.
#[derive(Debug, serde::Serialize)]
struct Removed {
    environment: Name,
    dry_run: bool,
    releases: Vec<Destroyed>,
}

/// Runs the command.
///
/// # Errors
/// When it is not confirmed, or the cluster refuses.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupted = interrupt::listen()?;
    let environment = args.selected.environment.clone();
    let opened = args.selected.opening(app, interrupted()).open().await?;
    let releases = match args.dry_run {
        true => opened.would_destroy().await?,
        false => {
            let names: Vec<&str> = opened.services.iter().map(Name::as_str).collect();
            let question = format!("removing {} from {environment}", names.join(", "));
            confirm(app, &question)?;
            opened.destroy_all().await?
        }
    };
    app.answer(&Removed {
        environment,
        dry_run: args.dry_run,
        releases,
    })
}

impl Answer for Removed {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let rows: Vec<[String; 2]> = self
            .releases
            .iter()
            .map(|it| [it.release.clone(), told(it, self.dry_run)])
            .collect();
        write_table(out, &rows, |column, cell| match column {
            0 => style.name(cell),
            _ => cell.to_owned(),
        })
    }
}

fn told(destroyed: &Destroyed, dry_run: bool) -> String {
    match (destroyed.existed, dry_run, destroyed.kept.as_slice()) {
        (false, _, _) => "was not there".to_owned(),
        (true, true, _) => "would be removed".to_owned(),
        (true, false, []) => "removed".to_owned(),
        (true, false, kept) => format!("removed; kept: {}", kept.join(", ")),
    }
}
