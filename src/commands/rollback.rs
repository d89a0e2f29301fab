//! `rollback`: an earlier revision of a service runs again.

use std::io::{self, Write};

use super::cluster::{ClusterFlags, ContractionFlag, TimeoutFlag};
use super::deploy::{Planned, write_outcomes};
use super::interrupt;
use super::question::confirm;
use crate::actions::deploy::{Opening, Outcome, Scope};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::report::{Answer, Style};

/// Bring an earlier revision of a service back
///
/// One that uses what a migration took away since is refused.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment
    environment: Name,
    /// The service, or a resource in the cluster
    service: Name,
    /// The revision, as `history` shows it; without it, the one that ran before
    #[arg(value_parser = revision)]
    revision: Option<u32>,
    /// Change nothing; show what would change
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    contraction: ContractionFlag,
    #[command(flatten)]
    timeout: TimeoutFlag,
    #[command(flatten)]
    cluster: ClusterFlags,
}

/// Reads the number of a revision.
fn revision(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a revision is a number, as `gantline history` shows it".to_owned())
}

/// What runs now.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct RolledBack {
    /// The environment.
    environment: Name,
    /// The release: one.
    releases: Vec<Outcome>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such revision, or it does not become ready.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let environment = args.environment.clone();
    let opening = Opening {
        services: vec![args.service.clone()],
        scope: Scope::Releases,
        timeout: args.timeout.timeout,
        allow_contraction: args.contraction.allow_contraction,
        ..args
            .cluster
            .opening(app, args.environment, interrupts.signal())
    };
    let opened = interrupts.leave(opening.open()).await?;
    if args.dry_run {
        let plan = opened
            .site
            .plan_rollback(args.service.as_str(), args.revision);
        return app.answer(&Planned {
            environment,
            creates: Vec::new(),
            releases: vec![interrupts.leave(plan).await?],
            leftovers: Vec::new(),
        });
    }
    if opened.environment.protected {
        let service = &args.service;
        confirm(
            app,
            &format!("rolling {service} back in {environment}, which is protected,"),
        )?;
    }
    let outcome = opened
        .site
        .rollback(args.service.as_str(), args.revision)
        .await;
    let error = outcome.error.clone();
    app.answer(&RolledBack {
        environment,
        releases: vec![outcome],
    })?;
    error.map_or(Ok(()), Err)
}

impl Answer for RolledBack {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        write_outcomes(out, style, &self.releases)
    }
}
