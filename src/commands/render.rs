//! `gantline render`.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;

use crate::actions::render_environment::{RenderRequest, Rendered, render, text, write};
use crate::app::App;
use crate::config::yaml::shown_path;
use crate::error::Result;
use crate::model::name::Name;
use crate::model::release::ReleaseSpec;
use crate::report::{Answer, Style};

/// Print what would be deployed to an environment, without a cluster.
///
/// Images are named by the tag of their source, so the result depends on files alone; with
/// --digests the registry is asked, and they are named by digest as a deployment names them.
/// Secrets of resources are no part of it: a deployment makes them once, in the cluster.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: Name,
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Write a file for each release into this folder, and remove those of releases that are gone
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Ask the registry for the digests of the images
    #[arg(long)]
    digests: bool,
}

/// Renders.
///
/// # Errors
/// When a file or a chart is wrong, or an image is missing that the registry is asked for.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let events = app.events();
    let rendered = render(&RenderRequest {
        start: &app.settings().directory,
        environment: &args.environment,
        services: &args.services,
        digests: args.digests,
        events: &*events,
    })
    .await?;
    for resource in &rendered.resources {
        if !resource.keeps_data {
            events.note(format!(
                "the data of {} goes with its pod: no `storage` is asked for",
                resource.spec.name
            ));
        }
    }
    let mut files = None;
    if let Some(folder) = &args.output {
        let written = write(&rendered, &app.settings().directory.join(folder))?;
        for path in &written.removed {
            let shown = shown_path(path);
            events.note(format!(
                "removed {}: there is no such release any more",
                shown.display()
            ));
        }
        files = Some(written.files);
    }
    app.answer(&RenderedAnswer::of(&rendered, files))
}

/// The answer of `render`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct RenderedAnswer<'a> {
    /// The environment.
    environment: &'a Name,
    /// The namespace that everything goes to.
    namespace: &'a str,
    /// Each release.
    releases: Vec<RenderedRelease<'a>>,
    /// The files that were written, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<PathBuf>>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct RenderedRelease<'a> {
    /// Its name.
    name: &'a str,
    /// `service` or `resource`.
    kind: &'static str,
    /// The objects, as the cluster gets them.
    objects: Vec<&'a Value>,
    /// The objects that run at a moment of its life, such as migrations.
    hooks: Vec<&'a Value>,
    #[serde(skip)]
    text: String,
}

impl<'a> RenderedAnswer<'a> {
    fn of(rendered: &'a Rendered, files: Option<Vec<PathBuf>>) -> Self {
        let resources = rendered.resources.iter().map(|resource| &resource.spec);
        let resources = resources.map(|spec| release(spec, "resource"));
        let services = rendered
            .services
            .iter()
            .map(|spec| release(spec, "service"));
        Self {
            environment: &rendered.environment.name,
            namespace: &rendered.environment.namespace,
            releases: resources.chain(services).collect(),
            files: files.map(|files| files.iter().map(|file| shown_path(file)).collect()),
        }
    }
}

fn release<'a>(spec: &'a ReleaseSpec, kind: &'static str) -> RenderedRelease<'a> {
    let rendered = &spec.rendered;
    RenderedRelease {
        name: &spec.name,
        kind,
        objects: rendered
            .objects
            .iter()
            .map(|object| &object.value)
            .collect(),
        hooks: rendered
            .hooks
            .iter()
            .map(|hook| &hook.object.value)
            .collect(),
        text: text(spec),
    }
}

impl Answer for RenderedAnswer<'_> {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let Some(files) = &self.files else {
            let mut releases = self.releases.iter();
            return releases.try_for_each(|release| write!(out, "{}", release.text));
        };
        for file in files {
            writeln!(
                out,
                "{} {}",
                style.good("Wrote"),
                style.name(file.display())
            )?;
        }
        Ok(())
    }
}
