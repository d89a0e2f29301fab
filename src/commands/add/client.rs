//! `gantline add client`.

use std::io::{self, Write};

use crate::actions::scaffold::{client, request};
use crate::app::App;
use crate::config::project::{self, Selection};
use crate::error::Result;
use crate::report::{Answer, Style};

use super::answer::{write_examples, written};

/// Let a service call another one
///
/// The client is generated from the provider's own OpenAPI document, with time-outs, retries and
/// a circuit breaker around it, and wired into the service. This needs Go.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service to call, such as `orders`
    provider: String,
    /// The service that calls it
    #[arg(long = "in", value_name = "SERVICE")]
    service: String,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds the client.
///
/// # Errors
/// When the provider cannot be called, Go is absent, or the files cannot be written.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let provider = request::name("the service to call", &args.provider)?;
    let service = request::name("--in", &args.service)?;
    let project = project::load(&app.settings().directory, &Selection::All)?;
    let events = app.events();
    events.note(format!(
        "generating the client of {provider} with oapi-codegen"
    ));
    let prepared = client::prepare(&project, &provider, &service).await?;
    if !args.dry_run {
        prepared.apply(&project, &*events).await?;
    }
    let manifest = format!("{}/service.yaml", prepared.service.directory);
    let conflicts = prepared
        .plan
        .conflicts()
        .map(|change| change.path.to_string());
    app.answer(&AddedClient {
        provider: provider.to_string(),
        service: service.to_string(),
        files: std::iter::once(manifest)
            .chain(written(&prepared.plan))
            .collect(),
        conflicts: conflicts.collect(),
        examples: prepared.examples.clone(),
        next: vec![format!(
            "cd {} && go test ./...",
            prepared.service.directory
        )],
        dry_run: args.dry_run,
    })
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(in crate::commands) struct AddedClient {
    /// The service that is called.
    provider: String,
    /// The service that calls it.
    service: String,
    /// Files that were written, relative to the workspace.
    files: Vec<String>,
    /// Those among them that hold conflict markers.
    conflicts: Vec<String>,
    /// How the service's own code uses what was generated.
    examples: Vec<String>,
    /// Commands to try next.
    next: Vec<String>,
    /// Whether nothing was written.
    dry_run: bool,
}

impl Answer for AddedClient {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let verb = if self.dry_run { "Would add" } else { "Added" };
        writeln!(
            out,
            "{} a client of {} to {}",
            style.good(verb),
            style.name(&self.provider),
            style.name(&self.service)
        )?;
        for file in &self.files {
            writeln!(out, "  {file}")?;
        }
        for file in &self.conflicts {
            writeln!(
                out,
                "  {file}  {}",
                style.caution("needs you: both changed the same lines")
            )?;
        }
        write_examples(out, &self.examples, style)?;
        if !self.dry_run {
            writeln!(out, "\nNext:")?;
            for command in &self.next {
                writeln!(out, "  {}", style.name(command))?;
            }
        }
        Ok(())
    }
}
