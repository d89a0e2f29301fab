//! `gantline add`: grow a workspace.

mod resource;

use crate::app::App;
use crate::error::Result;

/// What to add.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    thing: Thing,
}

#[derive(Debug, clap::Subcommand)]
enum Thing {
    /// Add a backing service that services use
    // `--version` is the resource's.
    #[command(disable_version_flag = true)]
    Resource(resource::Args),
}

/// Adds it.
///
/// # Errors
/// The subcommand's.
pub async fn run(args: Args, app: &App) -> Result<()> {
    match args.thing {
        Thing::Resource(args) => resource::run(args, app).await,
    }
}
