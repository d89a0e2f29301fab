//! `up`: servers ready by a real query, provisioned, migrated; then all services at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, join_all};
use tokio::sync::Semaphore;

use super::Stack;
use super::addresses::HostPorts;
pub use super::arrival::Change;
use super::arrival::{Absence, Traveller, take_back_together};
use super::launches::Resolver;
use super::stages::Stages;
use crate::engine::go;
use crate::engine::runtime::{Artifact, ClearScope, Progress};
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::stack::{Address, Addresses, ContainerImage, Instance, Observed, Program, Role};

/// What the user can do after a failure that left running what had started.
pub const GOES_ON: [&str; 2] = [
    "What started goes on: `gantline status` shows it, `gantline logs` its logs",
    "`gantline up` starts only what is missing, `gantline down` stops all",
];

/// What happens to instances that this run started when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// They are stopped: the user stays with the program, which ends.
    Stop,
    /// They go on: the user asked for a stack in the background, and looks into it.
    Keep,
}

/// What `up` is asked to do.
#[derive(Debug, Clone)]
pub struct UpRequest {
    /// What happens to what was started when something fails. An interrupted run always stops
    /// what it started.
    pub after_failure: AfterFailure,
    /// Whether instances that the stack no longer has are stopped: not when only some services
    /// were selected.
    pub stop_others: bool,
    /// Names of instances that are started again even when nothing changed.
    pub force: Vec<String>,
    /// When given, the only instances that this run cares for.
    pub only: Option<Vec<String>>,
}

/// What became of one instance.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Arrived {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Role,
    /// What was done.
    pub change: Change,
    /// Its endpoints from the host's view.
    pub endpoints: BTreeMap<String, Address>,
}

/// An artifact on its way; shared by all instances of one program.
pub type Obtained<'a> = Shared<BoxFuture<'a, Result<Artifact>>>;
/// An instance on its way; shared by all that wait for it.
pub type Arrival<'a> = Shared<BoxFuture<'a, Result<Change, Absence>>>;
/// Instances on their way, by name.
pub type Arrivals<'a> = Vec<(String, Arrival<'a>)>;

/// One run of `up`.
pub struct Run {
    /// The stack.
    pub stack: Stack,
    /// What existed before.
    pub observed: BTreeMap<String, Observed>,
    /// Makes launches.
    pub resolver: Resolver,
    /// Addresses from the host's view.
    pub outside: Addresses,
    /// How far what it starts has come.
    pub stages: Stages,
    only: Option<Vec<String>>,
    builds: Semaphore,
}

/// Brings a stack up, or stops what it started when `interrupt` is done first.
///
/// # Errors
/// What failed, all of it; or that it was interrupted.
pub async fn up(
    stack: &Stack,
    request: &UpRequest,
    interrupt: impl Future<Output = ()>,
) -> Result<Vec<Arrived>> {
    tokio::pin!(interrupt);
    let begin = Run::begin(stack, request);
    let run = tokio::select! {
        run = begin => run?,
        () = &mut interrupt => return Err(Error::interrupted()),
    };
    let outcome = tokio::select! {
        outcome = run.all(request) => outcome,
        () = interrupt => Err(Error::interrupted()),
    };
    let Err(error) = outcome else {
        return outcome;
    };
    let interrupted = error.kind() == crate::error::ErrorKind::Interrupted;
    if !interrupted && request.after_failure == AfterFailure::Keep {
        return Err(error.with_hints(GOES_ON));
    }
    Err(run.take_back(error).await)
}

impl Run {
    async fn begin(stack: &Stack, request: &UpRequest) -> Result<Self> {
        let observed = stack.runtime.observe().await?;
        let mut observed: BTreeMap<String, Observed> = observed
            .into_iter()
            .map(|it| (it.name.clone(), it))
            .collect();
        let ports = HostPorts::assign(&stack.spec, &observed)?;
        for name in &request.force {
            if let Some(found) = observed.get_mut(name) {
                found.fingerprint.clear();
            }
        }
        let outside = ports.outside();
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            resolver: Resolver::new(stack.kind, &stack.spec, ports),
            stack: stack.clone(),
            observed,
            outside,
            only: request.only.clone(),
            stages: Stages::default(),
            builds: Semaphore::new(cores.max(2)),
        })
    }

    /// Whether this run started one of these.
    pub fn has_started_any_of(&self, instances: &[String]) -> bool {
        let mut instances = instances.iter();
        instances.any(|name| self.stages.of(name).is_some())
    }

    fn instances(&self) -> impl Iterator<Item = &Instance> {
        let is_wanted = |instance: &&Instance| match &self.only {
            Some(names) => names.contains(&instance.name),
            None => true,
        };
        self.stack.spec.instances().filter(is_wanted)
    }

    async fn all(&self, request: &UpRequest) -> Result<Vec<Arrived>> {
        self.require_go().await?;
        if request.stop_others {
            self.stop_others().await?;
        }
        let artifacts = self.artifacts();
        let arrivals = self.arrivals(&artifacts)?;
        let obtained = join_all(artifacts.values().cloned());
        let arrived = join_all(arrivals.iter().map(|(_, arrival)| arrival.clone()));
        let (obtained, outcomes) = tokio::join!(obtained, arrived);
        let names = arrivals.iter().map(|(name, _)| name.as_str());
        let arrived: BTreeMap<&str, Result<Change, Absence>> = names.zip(outcomes).collect();
        self.stack.failures.update(&arrived);
        let failed = arrived.values().filter_map(|outcome| match outcome {
            Err(Absence::Failed(error)) => Some((**error).clone()),
            _ => None,
        });
        let errors = obtained.into_iter().filter_map(Result::err).chain(failed);
        let message = |count| format!("{count} parts of the stack did not come up");
        Error::none_of(message, errors.collect())?;
        Ok(self.arrived(&arrived))
    }

    /// Go is looked for before anything starts, where something has to be built with it.
    async fn require_go(&self) -> Result<()> {
        let runtime = &self.stack.runtime;
        let (true, Err(absent)) = (runtime.builds_with_go(), go::require()) else {
            return Ok(());
        };
        for instance in self.instances() {
            let is_service = matches!(instance.program, Program::Service { .. });
            if is_service && runtime.at_hand(instance).await?.is_none() {
                return Err(absent);
            }
        }
        Ok(())
    }

    /// What every program runs, each obtained once and only when something has to be started.
    fn artifacts(&self) -> BTreeMap<String, Obtained<'_>> {
        let mut artifacts = BTreeMap::new();
        for instance in self.instances() {
            artifacts
                .entry(program_key(instance))
                .or_insert_with(|| self.obtain(instance).boxed().shared());
        }
        artifacts
    }

    async fn obtain(&self, instance: &Instance) -> Result<Artifact> {
        let (id, label) = match &instance.program {
            Program::Server(server) => {
                let id = format!("obtain {}", instance.name);
                (id, format!("obtain {} {}", server.kind, server.version))
            }
            Program::Service { service, .. } => {
                let id = format!("build {service}");
                (id.clone(), id)
            }
            Program::Container(container) => {
                let id = match container.image {
                    ContainerImage::Named(_) => format!("obtain {}", container.service),
                    ContainerImage::Built { .. } => format!("build {}", container.service),
                };
                (id.clone(), id)
            }
        };
        let events = &self.stack.events;
        let began = Instant::now();
        events.emit(Event::Started {
            id: id.clone(),
            label,
            after: Vec::new(),
        });
        let progress = Progress::new(Arc::clone(events), &id);
        // Only builds use the machine; a server must not wait for one.
        let place = match instance.program.is_built() {
            true => Some(self.builds.acquire().await),
            false => None,
        };
        let obtained = self.stack.runtime.prepare(instance, &progress).await;
        drop(place);
        events.emit(match &obtained {
            Ok(artifact) => Event::Finished {
                id,
                message: artifact.outcome.clone(),
                elapsed: began.elapsed(),
            },
            Err(error) => Event::Failed {
                id,
                message: error.message().to_owned(),
            },
        });
        obtained
    }

    /// All instances on their way, each after those that it waits for.
    fn arrivals<'a>(&'a self, artifacts: &BTreeMap<String, Obtained<'a>>) -> Result<Arrivals<'a>> {
        let mut arrivals: Arrivals<'a> = Vec::new();
        let mut open: Vec<&Instance> = self.instances().collect();
        while !open.is_empty() {
            let is_known = |name: &String| arrivals.iter().any(|(known, _)| known == name);
            let next = open.iter().position(|it| it.after.iter().all(is_known));
            let Some(next) = next else {
                return Err(cycle(&open));
            };
            let instance = open.remove(next);
            let Some(artifact) = artifacts.get(&program_key(instance)) else {
                continue;
            };
            let before = arrivals
                .iter()
                .filter(|(name, _)| instance.after.contains(name));
            let traveller = Traveller {
                run: self,
                instance,
                artifact: artifact.clone(),
                before: before.cloned().collect(),
            };
            let arrival = traveller.arrive().boxed().shared();
            arrivals.push((instance.name.clone(), arrival));
        }
        Ok(arrivals)
    }

    fn arrived(&self, outcomes: &BTreeMap<&str, Result<Change, Absence>>) -> Vec<Arrived> {
        let arrived = self.instances().filter_map(|instance| {
            let endpoints = self.outside.0.get(&instance.name).cloned();
            Some(Arrived {
                name: instance.name.clone(),
                kind: instance.role,
                change: outcomes
                    .get(instance.name.as_str())?
                    .as_ref()
                    .ok()
                    .copied()?,
                endpoints: endpoints.unwrap_or_default(),
            })
        });
        arrived.collect()
    }

    /// Stops what exists but is no part of the stack any more.
    async fn stop_others(&self) -> Result<()> {
        let known: Vec<&str> = self
            .stack
            .spec
            .instances()
            .map(|it| it.name.as_str())
            .collect();
        for name in self.observed.keys() {
            if !known.contains(&name.as_str()) {
                let events = &self.stack.events;
                events.note(format!(
                    "stopping {name}: the workspace has no such thing any more"
                ));
                self.stack.runtime.stop(name).await?;
            }
        }
        Ok(())
    }

    /// Stops what this run started, services first; all of the stack when nothing ran before.
    async fn take_back(&self, error: Error) -> Error {
        if self.stages.is_empty() {
            return error;
        }
        self.stack.events.note("stopping what was started");
        let mut left = Vec::new();
        for role in [Role::Service, Role::Job, Role::Resource] {
            let instances = self.stack.spec.instances();
            let of_role = instances.filter(|it| it.role == role);
            left.extend(take_back_together(self, of_role).await);
        }
        if self.observed.is_empty()
            && let Err(error) = self.stack.runtime.clear(ClearScope::KeepData).await
        {
            left.push(error);
        }
        match left.is_empty() {
            true => error,
            false => error
                .with_related(left)
                .hint("Something may be left: stop it with `gantline down`"),
        }
    }
}

/// Instances with the same key run the same program.
fn program_key(instance: &Instance) -> String {
    match &instance.program {
        Program::Server(server) => format!("{} {}", server.kind, server.image),
        Program::Service { service, .. } => service.to_string(),
        Program::Container(container) => container.service.to_string(),
    }
}

fn cycle(open: &[&Instance]) -> Error {
    let names: Vec<&str> = open.iter().map(|it| it.name.as_str()).collect();
    Error::invalid(format!(
        "these services wait for one another: {}",
        names.join(", ")
    ))
    .hint("Take `wait: true` from one of their needs: services start together and retry")
}
