//! `build`: the images of services.

use std::io::{self, Write};

use regex::Regex;

use super::interrupt;
use crate::actions::build::{BuildRequest, Builder, Built, Outcome, build};
use crate::app::App;
use crate::config::project::{Selection, find, load};
use crate::config::raw::RegistryText;
use crate::error::Result;
use crate::model::name::Name;
use crate::model::project::Service;
use crate::report::{Answer, Style, write_table};

/// Build the images of services
///
/// An image is named by the hash of its source, so one that is there already is not built again:
/// in the registry with `--push`, in the local Docker without. Go of this host builds it, as a
/// layer upon the base that the Dockerfile names, while the Dockerfile is as generated; that needs
/// no Docker to push. BuildKit builds an edited Dockerfile.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Push the images to their registry, for every platform of the workspace
    #[arg(long)]
    push: bool,
    /// What builds; native where the Dockerfile is as generated, else docker (BuildKit)
    #[arg(long, value_enum)]
    builder: Option<Builder>,
    /// The prefix of images instead of the workspace's, such as an environment's
    #[arg(long, value_name = "PREFIX", requires = "push", value_parser = prefix)]
    registry: Option<String>,
    /// Build nothing; show what would be built
    #[arg(long)]
    dry_run: bool,
}

/// A prefix of images, as manifests take it.
fn prefix(text: &str) -> Result<String, String> {
    let (pattern, expected) = RegistryText::RULE;
    let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
    match pattern.is_match(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("expected {expected}")),
    }
}

/// The images.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Images {
    /// Whether nothing was built, and all of this would be.
    dry_run: bool,
    /// The image of each service.
    images: Vec<Built>,
}

/// Runs the command.
///
/// # Errors
/// When something needed is missing, or an image cannot be built.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let root = find(&app.settings().directory)?;
    let project = load(&root, &Selection::named(&args.services))?;
    let is_wanted = |service: &&Service| match args.services.is_empty() {
        true => service.has_source(),
        false => args.services.contains(&service.name),
    };
    let services = project.services.values().filter(is_wanted);
    let services: Vec<Name> = services.map(|service| service.name.clone()).collect();
    let request = BuildRequest {
        project: &project,
        services: &services,
        registry: args.registry.as_deref(),
        push: args.push,
        builder: args.builder,
        dry_run: args.dry_run,
    };
    let images = interrupts.leave(build(&request, app.events())).await?;
    app.answer(&Images {
        dry_run: args.dry_run,
        images,
    })
}

impl Answer for Images {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.images.is_empty() {
            return writeln!(out, "The workspace has no images to build");
        }
        let rows: Vec<[String; 4]> = self.images.iter().map(row).collect();
        write_table((out, style), &rows, |column, cell| match column {
            0 => style.name(cell),
            1 if cell.starts_with("unchanged") => style.dim(cell),
            1 => style.good(cell),
            3 => style.dim(cell),
            _ => cell.to_owned(),
        })
    }
}

fn row(built: &Built) -> [String; 4] {
    let outcome = match built.outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Built => "built",
        Outcome::Pushed => "pushed",
        Outcome::WouldBuild => "would be built",
        Outcome::WouldPush => "would be pushed",
    };
    let outcome = match built.builder {
        Some(builder) => format!("{outcome} ({builder})"),
        None => outcome.to_owned(),
    };
    let digest = built.digest.as_ref().map(ToString::to_string);
    let name = format!("{}:{}", built.image, built.tag);
    [
        built.service.to_string(),
        outcome,
        name,
        digest.unwrap_or_default(),
    ]
}
