//! `gantline add`: grow a workspace.

pub(super) mod answer;
pub(super) mod client;
pub(super) mod environment;
mod questions;
pub(super) mod resource;
mod service;

use crate::app::App;
use crate::error::Result;

/// Add a service, a client, a resource or an environment to the workspace
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    thing: Thing,
}

#[derive(Debug, clap::Subcommand)]
enum Thing {
    Service(service::Args),
    Client(client::Args),
    // `--version` is the resource's.
    #[command(disable_version_flag = true)]
    Resource(resource::Args),
    Environment(environment::Args),
}

impl Args {
    /// Whether it shall write anything.
    pub(super) fn writes(&self) -> bool {
        !match &self.thing {
            Thing::Service(args) => args.dry_run,
            Thing::Client(args) => args.dry_run,
            Thing::Resource(args) => args.dry_run,
            Thing::Environment(args) => args.dry_run,
        }
    }

    /// Whether it may ask something.
    pub(super) fn may_ask(&self) -> bool {
        !matches!(self.thing, Thing::Environment(_))
    }
}

/// Adds it.
///
/// # Errors
/// The subcommand's.
pub async fn run(args: Args, app: &App) -> Result<()> {
    match args.thing {
        Thing::Service(args) => service::run(args, app).await,
        Thing::Client(args) => client::run(args, app).await,
        Thing::Resource(args) => resource::run(args, app).await,
        Thing::Environment(args) => environment::run(args, app).await,
    }
}
