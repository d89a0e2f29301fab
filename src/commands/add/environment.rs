//! `gantline add environment`.

use std::io::{self, Write};

use crate::actions::environment::{EnvironmentPlan, EnvironmentRequest, apply, plan};
use crate::app::App;
use crate::error::Result;
use crate::model::environment::ClusterIdentity;
use crate::model::name::Name;
use crate::report::{Answer, Style};

use super::answer::written;

/// Add an environment to deploy to
///
/// The cluster is asked which one it is, and that is recorded: another one is refused later.
/// The name of the context is kept for you alone, in ~/.config/gantline/contexts.yaml.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, such as `staging`
    name: Name,
    /// The kube context that it is reached through
    #[arg(long)]
    context: String,
    /// The namespace that everything goes to
    #[arg(long)]
    namespace: String,
    /// The host under which exposed services are reached
    #[arg(long)]
    domain: Option<String>,
    /// The Gateway that exposed services are attached to
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    gateway: Option<String>,
    /// Resources that run in the cluster, or `all`; the others live outside
    #[arg(long, value_name = "RESOURCE", value_delimiter = ',')]
    in_cluster: Vec<String>,
    /// The prefix of images, where it is not the workspace's
    #[arg(long)]
    registry: Option<String>,
    /// Write nothing; show what would change
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Adds the environment.
///
/// # Errors
/// When the name is taken, a value is wrong, or the cluster cannot be asked.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let request = EnvironmentRequest {
        name: args.name,
        context: args.context,
        namespace: args.namespace,
        domain: args.domain,
        gateway: args.gateway,
        in_cluster: args.in_cluster,
        registry: args.registry,
    };
    let plan = plan(&app.settings().directory, request).await?;
    if !args.dry_run {
        apply(&plan).await?;
    }
    app.answer(&Added::of(&plan, args.dry_run))
}

/// The answer of `add environment`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(in crate::commands) struct Added {
    /// Its name.
    environment: Name,
    /// The namespace that everything goes to.
    namespace: String,
    /// The context through which its cluster is reached.
    context: String,
    /// What tells its cluster from any other.
    cluster: ClusterIdentity,
    /// Files that were written, relative to the workspace.
    files: Vec<String>,
    /// Whether nothing was written.
    dry_run: bool,
}

impl Added {
    fn of(plan: &EnvironmentPlan, dry_run: bool) -> Self {
        let own = std::iter::once(plan.path.to_string());
        Self {
            environment: plan.environment.name.clone(),
            namespace: plan.environment.namespace.clone(),
            context: plan.context.clone(),
            cluster: plan.environment.cluster.clone(),
            files: own.chain(written(&plan.plan)).collect(),
            dry_run,
        }
    }
}

impl Answer for Added {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let verb = if self.dry_run { "Would add" } else { "Added" };
        let name = style.name(&self.environment);
        writeln!(
            out,
            "{} {name} in the namespace {}",
            style.good(verb),
            self.namespace
        )?;
        let known = self.cluster.uid.as_ref().or(self.cluster.ca.as_ref());
        let known = known.map(String::as_str).unwrap_or_default();
        writeln!(
            out,
            "  its cluster is {known}, reached through the context {}",
            self.context
        )?;
        for file in &self.files {
            writeln!(out, "  {}", style.good(file))?;
        }
        if self.dry_run {
            return Ok(());
        }
        writeln!(out, "\nNext:")?;
        writeln!(out, "  gantline render {}", self.environment)?;
        writeln!(out, "  gantline deploy {} --plan", self.environment)
    }
}
