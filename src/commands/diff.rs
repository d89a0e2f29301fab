//! `diff`: how an environment differs from what the workspace says.

use std::io::{self, Write};

use super::cluster::{Selected, write_plans};
use super::interrupt;
use crate::actions::deploy::{MissingImages, ReleasePlan};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::report::{Answer, Style};

/// Show how an environment differs from what a deployment would make of it
///
/// The cluster itself says what would come of each object. Values of Secrets are hidden. Exits
/// with 3 when something differs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selected: Selected,
}

/// The differences.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Differences {
    /// The environment.
    environment: Name,
    /// What a deployment would make of each release.
    releases: Vec<ReleasePlan>,
}

/// Runs the command.
///
/// # Errors
/// When something differs, or something needed is missing.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let environment = args.selected.environment.clone();
    let opening = args.selected.opening(app, interrupts.signal());
    let opened = interrupts.leave(opening.open()).await?;
    let wanted = opened.releases(MissingImages::Refuse);
    let wanted = interrupts.leave(wanted).await?;
    let releases = interrupts.leave(opened.plan(&wanted)).await?;
    let differs = releases.iter().any(ReleasePlan::changes_something);
    let message = format!("{environment} differs from the workspace");
    app.answer(&Differences {
        environment,
        releases,
    })?;
    match differs {
        true => Err(Error::differences(message)),
        false => Ok(()),
    }
}

impl Answer for Differences {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        write_plans(out, style, &self.releases, true)
    }
}
