//! `history`: the revisions of a service in an environment.

use std::io::{self, Write};

use super::cluster::ClusterFlags;
use super::interrupt;
use crate::actions::deploy::{Opening, Revision, Scope};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::report::{Answer, Style, write_table};

/// Show the revisions of a service, oldest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment
    environment: Name,
    /// The service, or a resource in the cluster
    service: Name,
    #[command(flatten)]
    cluster: ClusterFlags,
}

/// The revisions.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct History {
    /// The environment.
    environment: Name,
    /// The service.
    service: Name,
    /// Its revisions, oldest first.
    revisions: Vec<Revision>,
}

/// Runs the command.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let environment = args.environment.clone();
    let opening = Opening {
        services: vec![args.service.clone()],
        scope: Scope::Releases,
        ..args
            .cluster
            .opening(app, args.environment, interrupts.signal())
    };
    let opened = interrupts.leave(opening.open()).await?;
    let revisions = opened.site.history(args.service.as_str());
    let revisions = interrupts.leave(revisions).await?;
    app.answer(&History {
        environment,
        service: args.service,
        revisions,
    })
}

impl Answer for History {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.revisions.is_empty() {
            let (service, environment) = (&self.service, &self.environment);
            return writeln!(out, "{service} was never deployed to {environment}");
        }
        let rows: Vec<[String; 4]> = self.revisions.iter().map(row).collect();
        write_table((out, style), &rows, |column, cell| match (column, cell) {
            (0, _) => style.name(cell),
            (2, "deployed") => style.good(cell),
            (2, "failed") => style.bad(cell),
            (1, _) => style.dim(cell),
            _ => cell.to_owned(),
        })
    }
}

fn row(revision: &Revision) -> [String; 4] {
    // Seconds are enough for people.
    let updated = revision.updated.split('.').next().unwrap_or_default();
    let updated = updated.trim_end_matches('Z').replace('T', " ");
    [
        revision.revision.to_string(),
        updated,
        revision.status.to_string(),
        revision.description.clone(),
    ]
}
