//! `gantline completions`.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::app::App;
use crate::cli::Cli;
use crate::error::Result;
use crate::report::{Answer, Style};

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Completions {
    /// The shell.
    shell: String,
    /// The script that it reads.
    script: String,
}

impl Answer for Completions {
    fn human(&self, out: &mut dyn Write, _: &Style) -> io::Result<()> {
        out.write_all(self.script.as_bytes())
    }
}

/// Prints the script.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: Args, app: &App) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gantline", &mut script);
    app.answer(&Completions {
        shell: args.shell.to_string(),
        script: String::from_utf8_lossy(&script).into_owned(),
    })
}
