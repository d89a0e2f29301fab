//! `manual`: the man pages of this very program, for whoever packages it.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::app::App;
use crate::cli::Cli;
use crate::error::{Error, Result};

/// Write the man pages; run by `make dist`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that the pages are written into; it is made when it is absent
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes a page for each command that is shown in the help: `gantline.1`, `gantline-add.1`,
/// `gantline-add-service.1`.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(args: Args, app: &App) -> Result<()> {
    let folder = app.settings().directory.join(args.folder);
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder))
        .map_err(|cause| {
            Error::failed(format!("{} cannot be written", folder.display())).because(cause)
        })
}
