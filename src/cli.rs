//! The command line: global flags, resolved once, and the commands.

mod usage;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Parser;

pub use self::usage::usage_error;

use crate::app::{App, Settings};
use crate::commands::Command;
use crate::error::{Error, Result};
use crate::report::{ColorChoice, Format, Verbosity};

/// From an empty folder to resilient Go services in Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "gantline",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
struct GlobalArgs {
    /// Work on the workspace that holds this folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".",
        hide_default_value = true
    )]
    project: PathBuf,
    /// Print for people or for programs
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t)]
    color: ColorChoice,
    /// Show the answer, warnings and failures, and nothing of the way there
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show more of what happens
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Ask nothing: take the defaults, confirm plans
    #[arg(short, long, global = true)]
    yes: bool,
}

impl Cli {
    /// The app that these flags describe.
    ///
    /// # Errors
    /// When the folder of `--project` cannot be named absolutely.
    pub fn app(&self) -> Result<App> {
        let global = &self.global;
        let directory = std::path::absolute(&global.project).map_err(|error| {
            Error::invalid(format!(
                "`--project {}` is no folder",
                global.project.display()
            ))
            .because(error)
        })?;
        let at_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Ok(App::new(Settings {
            directory,
            format: global.format,
            color: global.color,
            verbosity: match (global.quiet, global.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
            yes: global.yes,
            interactive: at_terminal && !global.yes && global.format == Format::Human,
        }))
    }

    /// Whom everything is printed for, also what is wrong with these flags.
    pub const fn format(&self) -> Format {
        self.global.format
    }

    /// Runs the command.
    ///
    /// # Errors
    /// The command's.
    pub async fn run(self, app: &App) -> Result<()> {
        self.command.run(app).await
    }
}

#[cfg(test)]
mod tests;
