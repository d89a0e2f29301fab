//! `env`: what a service finds in its environment, as dotenv.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use super::stack::{RuntimeFlag, opening};
use crate::actions::stack::env::{dotenv, environment, write_private};
use crate::app::App;
use crate::error::Result;
use crate::report::{Answer, Style};

/// Print what a service finds in its environment, as dotenv
///
/// Addresses are as this host reaches them: for an editor or a debugger that runs the service
/// outside the stack. Passwords are shown, since that is its purpose.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Write to this file, which only you can read, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    place: RuntimeFlag,
}

/// The environment, passwords revealed.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Environment {
    /// What the service finds in its environment, by name.
    environment: BTreeMap<String, String>,
    #[serde(skip)]
    dotenv: String,
}

/// Runs the command.
///
/// # Errors
/// When there is no such service, or the file cannot be written.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let opened = opening(app, args.place.runtime).as_it_is()?;
    let variables = environment(&opened.stack, &args.service).await?;
    let text = dotenv(&variables);
    if let Some(path) = args.output {
        write_private(&path, &text)?;
        app.events().note(format!("wrote {}", path.display()));
        return Ok(());
    }
    let revealed = variables
        .into_iter()
        .map(|(name, value)| (name, value.reveal().to_owned()));
    app.answer(&Environment {
        environment: revealed.collect(),
        dotenv: text,
    })
}

impl Answer for Environment {
    fn human(&self, out: &mut dyn Write, _style: &Style) -> io::Result<()> {
        out.write_all(self.dotenv.as_bytes())
    }
}
