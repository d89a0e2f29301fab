//! `diff`: how an environment differs from what the workspace says.

use std::io::{self, Write};

use super::cluster::{Selected, write_creations, write_plans};
use super::interrupt;
use crate::actions::deploy::{MissingImages, ObjectKey, ReleasePlan};
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
    /// What would be created before any release, where it is not there yet: CustomResourceDefinitions,
    /// the namespace, and the Secrets of resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    creates: Vec<ObjectKey>,
    /// What a deployment would make of each release.
    releases: Vec<ReleasePlan>,
    /// Releases of the environment that the workspace has no more, when no service was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leftovers: Vec<String>,
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
    let plan = interrupts.leave(opened.plan(&wanted)).await?;
    let differs = plan.changes_something();
    let message = format!("{environment} differs from the workspace");
    app.answer(&Differences {
        environment,
        creates: plan.creates,
        releases: plan.releases,
        leftovers: opened.leftovers,
    })?;
    match differs {
        true => Err(Error::differences(message)),
        false => Ok(()),
    }
}

impl Answer for Differences {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        write_creations(out, style, &self.creates)?;
        write_plans(out, style, &self.releases, true)
    }
}
