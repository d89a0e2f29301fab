//! `gantline add resource`.

use std::io::{self, Write};

use dialoguer::{Confirm, FuzzySelect};

use crate::actions::workspace::{ResourcePlan, ResourceRequest, add_resource, plan_resource};
use crate::app::App;
use crate::commands::agreement::still;
use crate::commands::question;
use crate::config::catalog;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::report::{Answer, ColorChoice, Style};

/// Add a backing service that services use.
///
/// It becomes an entry of `resources` in gantline.yaml; the rest of the file stays as it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, such as `orders-db`
    name: Name,
    /// Which resource type it is, such as `postgres`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Its version; the newest known one when not given
    #[arg(long = "version", value_name = "VERSION")]
    release: Option<String>,
    /// Who answers for it
    #[arg(long)]
    owner: Option<String>,
    /// Give it a server of its own in the local stack
    #[arg(long)]
    dedicated: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Adds the resource.
///
/// # Errors
/// When the type or version is unknown, or the name is taken.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interactive = app.settings().interactive;
    let asked = args.kind.is_none();
    let kind = match args.kind {
        Some(kind) => kind,
        None if interactive => ask_kind(app.settings().color)?,
        None => return Err(missing_kind()?),
    };
    let request = ResourceRequest {
        name: args.name,
        kind,
        version: args.release,
        owner: args.owner,
        dedicated: args.dedicated,
    };
    let planned = || plan_resource(&app.settings().directory, request.clone());
    let plan = planned()?;
    let mut answer = Added::of(&plan);
    answer.dry_run = args.dry_run;
    if args.dry_run {
        return app.answer(&answer);
    }
    if interactive && asked {
        confirm(&answer)?;
    }
    let _alone = still(app, &plan, async || planned()).await?;
    add_resource(&plan).await?;
    app.answer(&answer)
}

fn ask_kind(color: ColorChoice) -> Result<String> {
    let types = catalog::resource_types()?;
    let items: Vec<String> = types
        .values()
        .map(|kind| format!("{:<10} {}", kind.name, kind.summary))
        .collect();
    let select = FuzzySelect::new()
        .with_prompt("Type")
        .items(&items)
        .highlight_matches(color.applies_to(true))
        .default(0);
    let chosen = question::answered(|| select.interact_opt())?;
    let chosen = types.keys().nth(chosen).map(Name::to_string);
    chosen.ok_or_else(|| Error::failed("there is no type to choose from"))
}

fn confirm(answer: &Added) -> Result<()> {
    let prompt = format!("Add `{}` to gantline.yaml?", answer.line);
    question::agreed(Confirm::new().with_prompt(prompt).default(true))
}

fn missing_kind() -> Result<Error> {
    let types = catalog::resource_types()?;
    let words: Vec<&str> = types.keys().map(Name::as_str).collect();
    Ok(Error::invalid("`--type` is missing")
        .hint(format!("Add `--type` with one of: {}", words.join(", "))))
}

/// The answer of `add resource`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(in crate::commands) struct Added {
    /// Its name.
    name: Name,
    /// Its type, such as `postgres`.
    #[serde(rename = "type")]
    kind: Name,
    /// The version of its server.
    resource_version: String,
    /// Whether nothing was written.
    dry_run: bool,
    #[serde(skip)]
    line: String,
}

impl Added {
    fn of(plan: &ResourcePlan) -> Self {
        let resource = &plan.resource;
        Self {
            name: resource.name.clone(),
            kind: resource.kind.clone(),
            resource_version: resource.version.clone(),
            dry_run: false,
            line: crate::config::edit::resource_entry(resource),
        }
    }
}

impl Answer for Added {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let said = match self.dry_run {
            true => "gantline.yaml would have, under `resources`:",
            false => "gantline.yaml has, under `resources`:",
        };
        writeln!(out, "{said}")?;
        writeln!(out, "  {}", style.good(&self.line))?;
        if self.dry_run {
            return Ok(());
        }
        writeln!(out)?;
        writeln!(out, "A service uses it by a line of its service.yaml:")?;
        writeln!(
            out,
            "  {}",
            style.name(format!("uses: {{ROLE: {}}}", self.name))
        )
    }
}
