//! From a folder to a stack: manifests, checkout and runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::down::{Removed, down};
use super::env::write_private;
use super::lock::{StackLock, is_held, lock, lock_when_free, was_left};
use super::{Failures, Stack};
use crate::config::local_env;
use crate::config::project::{Selection, find, load};
use crate::engine::checkout::{Checkout, checkout, existing};
pub use crate::engine::docker::Builder;
use crate::engine::docker::connection::DockerEnvironment;
use crate::engine::docker::{DockerOptions, DockerRuntime};
use crate::engine::process::{ProcessRuntime, without_images};
use crate::engine::readiness::LiveServers;
use crate::engine::runtime::{ClearScope, Runtime, RuntimeContext};
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::secret::Secret;
use crate::model::stack::{Program, RuntimeKind};
use crate::render::stack::{StackInput, stack as describe};

/// The file that remembers how the stack was started last.
const LAST_START: &str = "start.json";
/// The file that remembers why parts of the stack did not come up.
const FAILURES: &str = "failures.json";

/// Which stack, and for what.
#[derive(Clone)]
pub struct Opening {
    /// A folder of the workspace.
    pub directory: PathBuf,
    /// The runtime that the user named.
    pub runtime: Option<RuntimeKind>,
    /// How images are built, when the user said so.
    pub builder: Option<Builder>,
    /// The services that the user named; all when empty.
    pub services: Vec<Name>,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
}

impl Opening {
    /// The stack, to be started: every secret needs a value.
    ///
    /// # Errors
    /// All problems of the manifests.
    pub fn to_start(&self) -> Result<Opened> {
        let root = find(&self.directory)?;
        let secrets = local_env::read(&root)?;
        let opened = self.open(&root, self.runtime.unwrap_or_default(), |_| secrets)?;
        opened.refuse_images_as_processes()?;
        Ok(opened)
    }

    /// The same on the runtime, and with the builder, that were used last unless the user named
    /// others.
    ///
    /// # Errors
    /// All problems of the manifests.
    pub fn to_start_again(&self) -> Result<Opened> {
        let root = find(&self.directory)?;
        let last = existing(&root)?.and_then(|checkout| last_start(&checkout.run));
        let opening = Self {
            runtime: self.runtime.or(last.map(|last| last.runtime)),
            builder: self.builder.or(last.map(|last| last.builder)),
            ..self.clone()
        };
        opening.to_start()
    }

    /// The stack as it is, on the runtime that was used last unless the user named one.
    ///
    /// # Errors
    /// All problems of the manifests.
    pub fn as_it_is(&self) -> Result<Opened> {
        let root = find(&self.directory)?;
        let last = existing(&root)?.and_then(|checkout| last_start(&checkout.run));
        // Where nothing was ever started, the host's processes can be asked without Docker.
        let used = last.map_or(RuntimeKind::Process, |last| last.runtime);
        let kind = self.runtime.unwrap_or(used);
        let opening = Self {
            builder: self.builder.or(last.map(|last| last.builder)),
            ..self.clone()
        };
        let mut secrets = local_env::read(&root)?;
        opening.open(&root, kind, |names| {
            for name in names {
                secrets.entry(name).or_default();
            }
            secrets
        })
    }

    /// Clears the stack from these runtimes, as [`down()`] does, while nobody else changes it.
    ///
    /// # Errors
    /// As [`down()`], or when another command is changing the stack.
    pub async fn clear(
        &self,
        runtimes: &[(RuntimeKind, Arc<dyn Runtime>)],
        scope: ClearScope,
    ) -> Result<Removed> {
        let Some(checkout) = existing(&find(&self.directory)?)? else {
            return Ok(Removed::default());
        };
        let killed = was_left(&checkout.run);
        let held = lock(&checkout.run)?;
        let removed = down(runtimes, scope, killed).await;
        if removed.is_err() && killed {
            held.leave_marked();
        }
        removed
    }

    /// Every runtime that has or may have parts of the stack, and of its data when that counts; none
    /// when it was never started. Needs no valid manifest.
    ///
    /// # Errors
    /// When the folder is in no workspace.
    pub async fn everywhere(
        &self,
        scope: ClearScope,
    ) -> Result<Vec<(RuntimeKind, Arc<dyn Runtime>)>> {
        let root = find(&self.directory)?;
        let Some(checkout) = existing(&root)? else {
            return Ok(Vec::new());
        };
        let last = last_start(&checkout.run);
        let mut runtimes = Vec::new();
        for kind in [RuntimeKind::Process, RuntimeKind::Docker] {
            let runtime = self.runtime_of(kind, &root, &checkout);
            let counts = match self.runtime {
                Some(wanted) => wanted == kind,
                None if last.is_some_and(|last| last.runtime == kind) => true,
                None => match (has_instances(&runtime).await?, scope) {
                    (Some(has_instances), ClearScope::KeepData) => has_instances,
                    (Some(_), ClearScope::Everything) => true,
                    (None, scope) => {
                        if scope == ClearScope::Everything && last.is_some_and(|last| last.both) {
                            self.events.warn(left_data(kind));
                        }
                        false
                    }
                },
            };
            if counts {
                runtimes.push((kind, runtime));
            }
        }
        Ok(runtimes)
    }

    fn open(
        &self,
        root: &Path,
        kind: RuntimeKind,
        secrets: impl FnOnce(Vec<String>) -> std::collections::BTreeMap<String, Secret>,
    ) -> Result<Opened> {
        let project = load(root, &Selection::All)?;
        let checkout = checkout(&project.root, project.workspace.name.as_str())?;
        let services = project.services.values();
        let names = services.flat_map(|service| service.secrets.keys().cloned());
        let spec = describe(&StackInput {
            project: &project,
            id: &checkout.stack,
            key: &checkout.key,
            secrets: &secrets(names.collect()),
            selected: &self.services,
        })?;
        let servers = LiveServers::new()
            .map_err(|error| Error::failed("cannot make an HTTP client").because(error))?;
        Ok(Opened {
            stack: Stack {
                spec,
                kind,
                runtime: self.runtime_of(kind, &project.root, &checkout),
                servers: Arc::new(servers),
                failures: Failures::in_file(checkout.run.join(FAILURES)),
                events: Arc::clone(&self.events),
            },
            opening: self.clone(),
            root: project.root,
            checkout,
        })
    }

    fn runtime_of(&self, kind: RuntimeKind, root: &Path, checkout: &Checkout) -> Arc<dyn Runtime> {
        let context = RuntimeContext {
            stack: checkout.stack.clone(),
            root: root.to_path_buf(),
            run: checkout.run.clone(),
        };
        let builder = self.builder.unwrap_or_default();
        runtime(kind, context, builder, Arc::clone(&self.events))
    }
}

/// A runtime for a stack; nothing is touched before it is used.
pub(in crate::actions) fn runtime(
    kind: RuntimeKind,
    context: RuntimeContext,
    builder: Builder,
    events: Arc<dyn EventSink>,
) -> Arc<dyn Runtime> {
    match kind {
        RuntimeKind::Process => Arc::new(ProcessRuntime::new(context).reporting_to(events)),
        RuntimeKind::Docker => {
            let options = DockerOptions {
                environment: DockerEnvironment::of_process(),
                builder,
                scratch: context.run.join("build"),
                workspace: context.root.clone(),
            };
            Arc::new(DockerRuntime::new(context, options))
        }
    }
}

/// A stack that was opened.
pub struct Opened {
    /// The stack.
    pub stack: Stack,
    opening: Opening,
    root: PathBuf,
    checkout: Checkout,
}

impl Opened {
    /// What has an image and nothing else is named before anything starts.
    fn refuse_images_as_processes(&self) -> Result<()> {
        let services = self.stack.spec.services.iter();
        let images = services.filter(|it| matches!(it.program, Program::Container(_)));
        let names: Vec<String> = images.map(|it| format!("`{}`", it.name)).collect();
        match names.is_empty() || self.stack.kind != RuntimeKind::Process {
            true => Ok(()),
            false => Err(without_images(&names.join(", "))),
        }
    }

    /// Takes the stack's lock until the guard is dropped, so that two commands never change it
    /// at the same time.
    ///
    /// # Errors
    /// When another command holds it.
    pub fn lock(&self) -> Result<StackLock> {
        lock(&self.checkout.run)
    }

    /// The same once nobody else holds it, which is waited for.
    ///
    /// # Errors
    /// When another command holds it for long.
    pub(super) async fn lock_when_free(&self) -> Result<StackLock> {
        lock_when_free(&self.checkout.run, &*self.stack.events).await
    }

    /// Whether another command is changing the stack now.
    pub fn is_being_changed(&self) -> bool {
        is_held(&self.checkout.run)
    }

    /// Refuses to start where the other runtime still runs the stack, and remembers this one.
    ///
    /// # Errors
    /// When the other runtime runs parts of it.
    pub async fn claim(&self) -> Result<()> {
        let kind = self.stack.kind;
        let other = match kind {
            RuntimeKind::Docker => RuntimeKind::Process,
            RuntimeKind::Process => RuntimeKind::Docker,
        };
        let last = last_start(&self.checkout.run);
        if last.is_some_and(|last| last.runtime == other) {
            let runtime = self.opening.runtime_of(other, &self.root, &self.checkout);
            if has_instances(&runtime).await? == Some(true) {
                return Err(
                    Error::invalid(format!("the stack runs already, with `{other}`"))
                        .hint("Stop it first: `gantline down`")
                        .hint(format!("Or go on with it: `--runtime {other}`")),
                );
            }
        }
        let path = self.checkout.run.join(LAST_START);
        let start = LastStart {
            runtime: kind,
            builder: self.opening.builder.unwrap_or_default(),
            both: last.is_some_and(|last| last.both || last.runtime == other),
        };
        let text = serde_json::to_string(&start).map_err(|error| {
            Error::failed(format!("cannot write {}", path.display())).because(error)
        })?;
        // Whole or not at all: `down` learns from it what to clear.
        write_private(&path, &text)
    }
}

/// How a stack was started last.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct LastStart {
    runtime: RuntimeKind,
    builder: Builder,
    /// Whether the other runtime was started earlier, and may keep data.
    #[serde(default)]
    both: bool,
}

fn last_start(run: &Path) -> Option<LastStart> {
    let bytes = fs::read(run.join(LAST_START)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether a runtime runs anything of the stack; `None` when it is missing.
async fn has_instances(runtime: &Arc<dyn Runtime>) -> Result<Option<bool>> {
    match runtime.observe().await {
        Ok(observed) => Ok(Some(!observed.is_empty())),
        Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is said of a runtime that cannot be asked for the data that it may keep.
fn left_data(kind: RuntimeKind) -> String {
    format!(
        "the runtime `{kind}` cannot be asked: data of an earlier start stays there until \
         `gantline down --volumes --runtime {kind}`"
    )
}
