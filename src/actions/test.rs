//! `test`: the Go tests of services, with servers that are theirs alone.
//!
//! The servers are a stack of their own beside the checkout's, with new data, so that a stack that
//! runs is not touched; they are gone afterwards. Tests of earlier runs that were killed are found
//! by the same name.

mod arguments;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::arguments::{shared_file, with_packages};
use super::stack::lock;
use super::stack::opened::{Builder, runtime};
use super::stack::up::{AfterFailure, UpRequest, up};
use super::stack::{Failures, Stack};
use crate::config::project::{Selection, find, load};
use crate::engine::checkout::checkout;
use crate::engine::go;
use crate::engine::program::Streams;
use crate::engine::readiness::LiveServers;
use crate::engine::runtime::{ClearScope, RuntimeContext, clean_line};
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::{Event, EventSink};
use crate::model::name::Name;
use crate::model::project::Project;
use crate::model::secret::Secret;
use crate::model::stack::{Addresses, RuntimeKind};
use crate::render::stack::{StackInput, TestStack, test_stack};

/// How long all tests of a service may take. Go ends each package after ten minutes by itself.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// The folder of the test's stack, below the checkout's own.
const FOLDER: &str = "test";

/// What `test` is asked to do.
#[derive(Clone)]
pub struct TestRequest {
    /// A folder of the workspace.
    pub directory: PathBuf,
    /// The services; all when empty.
    pub services: Vec<Name>,
    /// Where the servers run.
    pub runtime: RuntimeKind,
    /// Arguments of `go test`.
    pub arguments: Vec<String>,
    /// Whether standard output is left to the answer: then each line that Go writes is an event.
    pub quiet_output: bool,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
}

/// How the tests of one service ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Tested {
    /// The service.
    pub service: Name,
    /// Whether all passed.
    pub passed: bool,
    /// The exit code of `go test`.
    pub exit_code: i32,
    /// How long they took, in seconds.
    pub seconds: f64,
    /// The variables that told the tests where their servers are.
    pub variables: Vec<String>,
}

impl TestRequest {
    /// Whether standard output is given to the documents that Go is asked for with `-json`.
    pub fn is_json_of_go(&self) -> bool {
        !self.quiet_output && arguments::is_json(&self.arguments)
    }
}

/// Runs the tests of services, one service after the other.
///
/// # Errors
/// When Go or a server cannot be had, or `interrupt` is done first. Tests that fail are no error
/// here.
pub async fn test(
    request: &TestRequest,
    interrupt: impl Future<Output = ()>,
) -> Result<Vec<Tested>> {
    tokio::pin!(interrupt);
    let root = find(&request.directory)?;
    let project = load(&root, &Selection::named(&request.services))?;
    if let Some(name) = request
        .services
        .iter()
        .find(|it| !has_go_tests(&project, it))
    {
        return Err(Error::invalid(format!("`{name}` has no Go tests"))
            .since("it is made from no blueprint, and its folder holds no go.mod")
            .hint("Leave it out"));
    }
    refuse_shared_file(request, &project)?;
    // Before any server is started for it.
    go::require()?;
    let checkout = checkout(&project.root, project.workspace.name.as_str())?;
    let context = RuntimeContext {
        stack: format!("{}-test", checkout.stack),
        root: project.root.clone(),
        run: checkout.run.join(FOLDER),
    };
    let described = test_stack(&StackInput {
        project: &project,
        id: &context.stack,
        key: &checkout.key,
        secrets: &BTreeMap::new(),
        selected: &request.services,
    })?;
    if described.spec.servers.is_empty() {
        return run_all(
            request,
            &project,
            &described,
            &Addresses::default(),
            interrupt,
        )
        .await;
    }
    let folder = context.run.clone();
    std::fs::create_dir_all(&folder).map_err(|error| {
        Error::failed(format!("cannot make {}", folder.display())).because(error)
    })?;
    let _lock = lock(&folder)?;
    let builder = Builder::default();
    let events = Arc::clone(&request.events);
    let runtime = runtime(request.runtime, context, builder, events);
    // Data of a run that was killed would be found by this one.
    tokio::select! {
        cleared = runtime.clear(ClearScope::Everything) => drop(cleared.map_err(without_runtime)?),
        () = &mut interrupt => return Err(Error::interrupted()),
    }
    let servers = LiveServers::new()
        .map_err(|error| Error::failed("cannot make an HTTP client").because(error))?;
    let stack = Stack {
        spec: described.spec.clone(),
        kind: request.runtime,
        runtime: Arc::clone(&runtime),
        servers: Arc::new(servers),
        failures: Failures::default(),
        events: Arc::clone(&request.events),
    };
    let outcome = with_servers(request, &project, &described, &stack, interrupt).await;
    let cleared = runtime.clear(ClearScope::Everything).await;
    // What is left of it is an empty folder and a lock that nobody holds.
    let _kept = std::fs::remove_dir_all(&folder);
    match (outcome, cleared) {
        (Ok(tested), Ok(_)) => Ok(tested),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(left)) => Err(error.with_related(vec![left])),
    }
}

async fn with_servers(
    request: &TestRequest,
    project: &Project,
    described: &TestStack,
    stack: &Stack,
    mut interrupt: impl Future<Output = ()> + Unpin,
) -> Result<Vec<Tested>> {
    let wanted = UpRequest {
        after_failure: AfterFailure::Stop,
        stop_others: false,
        force: Vec::new(),
        only: None,
    };
    let arrived = up(stack, &wanted, &mut interrupt).await?;
    let addresses = arrived.into_iter().map(|it| (it.name, it.endpoints));
    let addresses = Addresses(addresses.collect());
    run_all(request, project, described, &addresses, interrupt).await
}

async fn run_all(
    request: &TestRequest,
    project: &Project,
    described: &TestStack,
    addresses: &Addresses,
    interrupt: impl Future<Output = ()>,
) -> Result<Vec<Tested>> {
    let work = async {
        let mut all = Vec::new();
        let environments = described.environments.iter();
        for (service, templates) in environments.filter(|(name, _)| has_go_tests(project, name)) {
            let mut environment = BTreeMap::new();
            for (name, template) in templates {
                let value = template.resolve(addresses).ok_or_else(|| {
                    Error::failed(format!("`{name}` needs an address that no server has"))
                })?;
                environment.insert(name.clone(), Secret::new(value));
            }
            let folder = project
                .services
                .get(service)
                .map(|it| it.directory.as_str());
            let directory = project.root.join(folder.unwrap_or_default());
            all.push(run_one(request, service, &directory, environment).await?);
        }
        Ok(all)
    };
    tokio::select! {
        outcome = work => outcome,
        () = interrupt => Err(Error::interrupted()),
    }
}

/// Refuses a file that each of several services would write in place of the one before.
fn refuse_shared_file(request: &TestRequest, project: &Project) -> Result<()> {
    let names = project.services.keys();
    let wanted = |name: &&Name| request.services.is_empty() || request.services.contains(name);
    let tested: Vec<&Name> = names
        .filter(wanted)
        .filter(|it| has_go_tests(project, it))
        .collect();
    match (shared_file(&request.arguments), tested.as_slice()) {
        (Some((flag, path)), [_, _, ..]) => Err(Error::invalid(format!(
            "`-{flag}` names one place for the tests of {} services: `{path}`",
            tested.len()
        ))
        .since("each would overwrite what the one before it wrote there")
        .hint(
            "Name it without a folder outside of the service's, where Go runs: each writes its own",
        )
        .hint(format!(
            "Or test one service: `gantline test {}`",
            tested[0]
        ))),
        _ => Ok(()),
    }
}

/// Whether a service is a Go module; one made from an image or a Dockerfile need not be.
fn has_go_tests(project: &Project, service: &Name) -> bool {
    project.services.get(service).is_none_or(|found| {
        let module = project.root.join(found.directory.as_str()).join("go.mod");
        found.container.is_none() || module.is_file()
    })
}

async fn run_one(
    request: &TestRequest,
    service: &Name,
    directory: &Path,
    environment: BTreeMap<String, Secret>,
) -> Result<Tested> {
    let arguments = with_packages(&request.arguments);
    request.events.note(format!(
        "{service}: go test {} in {}",
        arguments.join(" "),
        directory.display()
    ));
    let ignored = go::warning_of_ignored(service.as_str(), directory, "./...").await;
    if let Some(warning) = ignored {
        request.events.warn(warning);
    }
    let began = Instant::now();
    let variables = environment.keys().cloned().collect();
    let run = go::TestRun {
        directory: directory.to_path_buf(),
        arguments,
        environment,
        streams: match request.quiet_output {
            true => Streams::Lines,
            false => Streams::PassedOn,
        },
        patience: LONGEST,
    };
    let on_line = |line: &str| {
        request.events.emit(Event::Logged {
            thing: service.to_string(),
            line: clean_line(line.as_bytes()),
        });
    };
    let exit_code = go::test(&run, on_line).await?;
    Ok(Tested {
        service: service.clone(),
        passed: exit_code == 0,
        exit_code,
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        variables,
    })
}

fn without_runtime(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Missing => error.hint(
            "Or run `go test ./...` in the service's folder: tests that need a server are skipped",
        ),
        _ => error,
    }
}
