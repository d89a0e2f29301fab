//! `contract`: what services promise each other.

mod check;
mod verify;

use std::path::Path;

use crate::app::App;
use crate::error::{Error, Result};

/// Hold services to what they promise each other
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do with contracts.
#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Verify(verify::Args),
}

/// Runs the command.
///
/// # Errors
/// The command's.
pub async fn run(args: Args, app: &App) -> Result<()> {
    match args.command {
        Command::Check(args) => check::run(args, app),
        Command::Verify(args) => verify::run(args, app).await,
    }
}

/// Writes a JUnit document.
fn write_junit<E: std::error::Error>(path: &Path, text: Result<String, E>) -> Result<()> {
    let failed = || Error::failed(format!("cannot write {}", path.display()));
    let text = text.map_err(|error| failed().because(error))?;
    std::fs::write(path, text).map_err(|error| failed().because(error))
}
