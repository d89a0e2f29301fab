//! `deploy`: bring services to an environment, each as one release.

use std::io::{self, Write};

use super::cluster::{ContractionFlag, Selected, TimeoutFlag, write_creations, write_plans};
use super::interrupt;
use super::question::confirm;
use crate::actions::deploy::{
    AfterFailure, Change, DeployRequest, MissingImages, ObjectKey, Opening, Outcome, ReleasePlan,
    error_of, refusal_of,
};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::report::{Answer, Style, write_table};

/// Bring services to an environment
///
/// Each service is one Helm release: recorded, migrated, applied on the server's side, pruned, and
/// waited for. One that fails is rolled back by itself, and the others stay. Nothing is deployed
/// when a migration would take away what the running version uses.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selected: Selected,
    /// Change nothing; show what would change, and exit with 3 when something would
    #[arg(long)]
    plan: bool,
    /// As --plan, and exit with 0 whatever it shows
    #[arg(long, conflicts_with = "plan")]
    dry_run: bool,
    /// Build and push the images that the registry does not have
    #[arg(long, conflicts_with_all = ["plan", "dry_run"])]
    build: bool,
    /// Take all of this run back when one service fails
    #[arg(long)]
    atomic: bool,
    /// Leave a first install that fails as it is, to look into it
    #[arg(long, conflicts_with = "atomic")]
    keep_failed: bool,
    #[command(flatten)]
    contraction: ContractionFlag,
    #[command(flatten)]
    timeout: TimeoutFlag,
}

/// What became of the services.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Deployed {
    /// The environment.
    environment: Name,
    /// What was created before any release, since it was not there yet: CustomResourceDefinitions, the
    /// namespace, and the Secrets of resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    created: Vec<ObjectKey>,
    /// Each release.
    releases: Vec<Outcome>,
    /// Releases of the environment that the workspace has no more, when no service was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leftovers: Vec<String>,
}

/// What would become of the services.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Planned {
    /// Where.
    pub environment: Name,
    /// What would be created before any release, where it is not there yet: CustomResourceDefinitions,
    /// the namespace, and the Secrets of resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<ObjectKey>,
    /// Each service's release.
    pub releases: Vec<ReleasePlan>,
    /// Releases of the environment that the workspace has no more, when no service was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When something needed is missing, or a service is not deployed.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let environment = args.selected.environment.clone();
    let opening = Opening {
        timeout: args.timeout.timeout,
        allow_contraction: args.contraction.allow_contraction,
        ..args.selected.opening(app, interrupts.signal())
    };
    let opened = interrupts.leave(opening.open()).await?;
    let only_shows = args.plan || args.dry_run;
    if opened.environment.protected && !only_shows {
        let question = format!("deploying to {environment}, which is protected,");
        confirm(app, &question)?;
    }
    let missing = match args.build {
        true => MissingImages::Build,
        false => MissingImages::Refuse,
    };
    let wanted = interrupts.leave(opened.releases(missing)).await?;
    if only_shows {
        let plan = interrupts.leave(opened.plan(&wanted)).await?;
        let changes = plan.changes_something();
        let refusal = refusal_of(plan.releases.iter().map(|plan| &plan.schema));
        app.answer(&Planned {
            environment,
            creates: plan.creates,
            releases: plan.releases,
            leftovers: opened.leftovers,
        })?;
        return match (refusal, changes) {
            (Some(refusal), _) if args.plan => Err(refusal),
            (None, true) if args.plan => {
                Err(Error::differences("a deployment would change something"))
            }
            _ => Ok(()),
        };
    }
    opened.site.judge_schemas(&wanted).await?;
    let request = DeployRequest {
        after: match args.keep_failed {
            true => AfterFailure::KeepFirst,
            false => AfterFailure::TakeBack,
        },
        atomic: args.atomic,
    };
    let deployment = opened.site.deploy_all(&wanted, request).await?;
    let error = error_of(&deployment.outcomes);
    app.answer(&Deployed {
        environment,
        created: deployment.created,
        releases: deployment.outcomes,
        leftovers: opened.leftovers,
    })?;
    error.map_or(Ok(()), Err)
}

impl Answer for Deployed {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for key in &self.created {
            writeln!(out, "created {key}")?;
        }
        write_outcomes(out, style, &self.releases)
    }
}

/// Writes a line for each release.
pub fn write_outcomes(out: &mut dyn Write, style: &Style, outcomes: &[Outcome]) -> io::Result<()> {
    let rows: Vec<[String; 3]> = outcomes
        .iter()
        .map(|outcome| {
            let took = format!("{:.1} s", outcome.seconds);
            [outcome.release.clone(), outcome.message(), took]
        })
        .collect();
    let failed = |cell: &str| {
        outcomes.iter().any(|outcome| {
            outcome.message() == cell
                && matches!(
                    outcome.change,
                    Change::Failed | Change::TakenBack | Change::Removed
                )
        })
    };
    write_table((out, style), &rows, |column, cell| match column {
        0 => style.name(cell),
        1 if failed(cell) => style.bad(cell),
        2 => style.dim(cell),
        _ => cell.to_owned(),
    })
}

impl Answer for Planned {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        write_creations(out, style, &self.creates)?;
        write_plans(out, style, &self.releases, false)
    }
}
