//! `contract`: what services promise each other.

mod verify;

use crate::app::App;
use crate::error::Result;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do with contracts.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Hold every provider to what its consumers count on
    Verify(verify::Args),
}

/// Runs the command.
///
/// # Errors
/// The command's.
pub async fn run(args: Args, app: &App) -> Result<()> {
    match args.command {
        Command::Verify(args) => verify::run(args, app).await,
    }
}
