//! `gantline add client`.

use std::io::{self, Write};

use crate::actions::scaffold::client::PreparedClient;
use crate::actions::scaffold::{client, request};
use crate::app::App;
use crate::commands::agreement::still;
use crate::commands::interrupt;
use crate::config::project::{self, Selection};
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::Project;
use crate::report::{Answer, Style};

use super::answer::{write_examples, written};
use super::questions::Questions;

/// Let a service call another one
///
/// The client is generated from the provider's own OpenAPI document, with time-outs, retries and
/// a circuit breaker around it, and wired into the service. This needs Go. At a terminal, what is
/// not given is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service to call, such as `orders`
    provider: Option<String>,
    /// The service that calls it
    #[arg(long = "in", value_name = "SERVICE")]
    service: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Adds the client.
///
/// # Errors
/// When the provider cannot be called, Go is absent, or the files cannot be written.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let given = Given::parse(&args)?;
    let settings = app.settings();
    let read = || project::load(&settings.directory, &Selection::All);
    let project = read()?;
    let questions = settings
        .interactive
        .then(|| Questions::new(&project, settings.color));
    let (provider, service) = match &questions {
        Some(questions) => given.asked(&project, questions)?,
        None => given.complete()?,
    };
    let events = app.events();
    let prepare = async |project: &Project| {
        let preparing = client::prepare(project, (&provider, &service), &*events);
        interrupt::listen()?.leave(preparing).await
    };
    let prepared = match &questions {
        // Others may have changed something since the questions were made.
        Some(_) => prepare(&read()?).await?,
        None => prepare(&project).await?,
    };
    let mut answer = AddedClient::of(&prepared);
    if args.dry_run {
        answer.dry_run = true;
        return app.answer(&answer);
    }
    if let Some(questions) = questions.filter(Questions::were_asked) {
        questions.confirm(&answer.summary())?;
    }
    let _alone = still(app, &prepared, async || prepare(&read()?).await).await?;
    prepared.apply(&project, &*events).await?;
    app.answer(&answer)
}

/// What the command line gave.
struct Given {
    provider: Option<Name>,
    service: Option<Name>,
}

impl Given {
    fn parse(args: &Args) -> Result<Self> {
        let name = |what: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| request::name(what, text)).transpose()
        };
        Ok(Self {
            provider: name("the service to call", &args.provider)?,
            service: name("--in", &args.service)?,
        })
    }

    /// The provider and the service that calls it, where nobody can be asked.
    fn complete(self) -> Result<(Name, Name)> {
        match (self.provider, self.service) {
            (Some(provider), Some(service)) => Ok((provider, service)),
            (None, _) => Err(Error::invalid("the service to call is missing")
                .hint("Write `gantline add client PROVIDER --in SERVICE`")),
            (Some(provider), None) => Err(Error::invalid("`--in` is missing").hint(format!(
                "Add `--in SERVICE`, the service that calls `{provider}`"
            ))),
        }
    }

    /// The same, with what is missing asked: only what goes together is offered.
    fn asked(self, project: &Project, questions: &Questions<'_>) -> Result<(Name, Name)> {
        let service = match self.service {
            Some(service) => service,
            None => {
                let callers = client::callers(project, self.provider.as_ref());
                questions.service("Service that calls", some(callers)?)?
            }
        };
        let provider = match self.provider {
            Some(provider) => provider,
            None => {
                let caller = project.service(&service)?;
                let providers = client::providers(project, caller);
                questions.service("Service to call", some(providers)?)?
            }
        };
        Ok((provider, service))
    }
}

fn some(names: Vec<Name>) -> Result<Vec<Name>> {
    match names.is_empty() {
        false => Ok(names),
        true => Err(Error::invalid("there are no services to choose from")
            .since("a client is made in a service from a blueprint, of another one that describes what it offers in api/openapi.yaml and is not called yet")
            .hint("Add one with `gantline add service`")),
    }
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

impl AddedClient {
    fn of(prepared: &PreparedClient) -> Self {
        let directory = &prepared.service.directory;
        let conflicts = prepared.plan.conflicts();
        Self {
            provider: prepared.provider.to_string(),
            service: prepared.service.name.to_string(),
            files: std::iter::once(format!("{directory}/service.yaml"))
                .chain(written(&prepared.plan))
                .collect(),
            conflicts: conflicts.map(|change| change.path.to_string()).collect(),
            examples: prepared.examples.clone(),
            next: vec![format!("cd {directory} && go test ./...")],
            dry_run: false,
        }
    }

    /// One line on what is about to be written.
    fn summary(&self) -> String {
        let of = format!("for the client of {}", self.provider);
        format!("{} files in {} {of}", self.files.len(), self.service)
    }
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
