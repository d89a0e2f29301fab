//! One instance on its way: waits for what comes before it, starts unless it runs as wanted, and
//! is ready or done by proof.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};

use super::launches::{Difference, difference};
use super::stages::Stage;
use super::up::{Arrivals, Obtained, Run};
use crate::engine::readiness::Query;
use crate::engine::runtime::{Artifact, Launch};
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::resource_type::ReadyCheck;
use crate::model::stack::{Instance, Observed, Program, Readiness, Role, TenantProvision};

/// How long after the first question whether something is ready the second one is asked.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest time between two such questions, and the only one where each of them starts a
/// program.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// How often a wait is reported as progress.
const REPORT: Duration = Duration::from_secs(1);
/// For how many resources a server is made ready at the same time.
const PROVISIONED_AT_ONCE: usize = 4;
/// Every how many seconds a wait is worth a line of its own.
const NOTE_SECONDS: u64 = 10;

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It did not run.
    Started,
    /// It ran, but not as wanted.
    Replaced,
    /// It ran as wanted, or was done.
    Unchanged,
}

/// Why an instance is not there.
#[derive(Debug, Clone)]
pub enum Absence {
    /// It failed.
    Failed(Box<Error>),
    /// It was not started, and why: something that comes before it is not there.
    Skipped(String),
}

impl From<Error> for Absence {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// One instance and what it waits for.
pub struct Traveller<'a> {
    /// The run that it belongs to.
    pub run: &'a Run,
    /// The instance.
    pub instance: &'a Instance,
    /// What it runs.
    pub artifact: Obtained<'a>,
    /// What comes before it.
    pub before: Arrivals<'a>,
}

impl Traveller<'_> {
    /// Brings the instance up, and reports it.
    pub async fn arrive(self) -> Result<Change, Absence> {
        let id = self.instance.name.clone();
        let events = &self.run.stack.events;
        events.emit(Event::Started {
            id: id.clone(),
            label: label(self.instance),
            after: self.instance.after.clone(),
        });
        let prepared = self.prepared().await;
        let began = Instant::now();
        let arrived = match prepared {
            Ok(artifact) => self.travel(artifact).await,
            Err(absence) => Err(absence),
        };
        match &arrived {
            Ok((_, message)) => events.emit(Event::Finished {
                id,
                message: message.clone(),
                elapsed: began.elapsed(),
            }),
            Err(Absence::Failed(error)) => events.emit(Event::Failed {
                id,
                message: error.message().to_owned(),
            }),
            Err(Absence::Skipped(reason)) => events.emit(Event::Failed {
                id,
                message: reason.clone(),
            }),
        }
        arrived.map(|(change, _)| change)
    }

    /// What it runs, once that and everything that comes before it is there.
    async fn prepared(&self) -> Result<Artifact, Absence> {
        let (artifact, waited) = tokio::join!(self.obtained(), self.wait());
        let artifact = artifact
            .map_err(|error| Absence::Skipped(format!("not started: {}", error.message())))?;
        if waited.is_err() {
            self.take_back_made().await;
        }
        waited?;
        Ok(artifact)
    }

    async fn travel(&self, artifact: Artifact) -> Result<(Change, String), Absence> {
        let launch = self.run.resolver.launch(self.instance, artifact)?;
        let observed = self.run.observed.get(&self.instance.name);
        let arrived = match self.instance.role {
            Role::Job => self.job(&launch, observed).await?,
            Role::Resource | Role::Service => self.server(&launch, observed).await?,
        };
        Ok(arrived)
    }

    /// Waits for everything that comes before, and says what is still missing.
    async fn wait(&self) -> Result<(), Absence> {
        let mut missing: Vec<&str> = self.before.iter().map(|(name, _)| name.as_str()).collect();
        let mut waits: futures::stream::FuturesUnordered<_> = self
            .before
            .iter()
            .map(|(name, arrival)| async move { (name, arrival.clone().await) })
            .collect();
        while !missing.is_empty() {
            self.say(format!("waiting for {}", missing.join(", ")));
            match futures::StreamExt::next(&mut waits).await {
                Some((name, Ok(_))) => missing.retain(|it| it != name),
                Some((name, Err(_))) => {
                    let reason = format!("not started: it needs {name}, which did not come up");
                    return Err(Absence::Skipped(reason));
                }
                None => break,
            }
        }
        Ok(())
    }

    /// A job is done once; again when it changed, or a server behind it was started anew.
    async fn job(&self, launch: &Launch, found: Option<&Observed>) -> Result<(Change, String)> {
        let same = found.filter(|it| it.fingerprint == launch.fingerprint);
        let done = same.is_some_and(|it| !it.running && it.exit_code == Some(0));
        if done && !self.run.has_started_any_of(&self.instance.after) {
            return Ok((Change::Unchanged, "done before, and unchanged".to_owned()));
        }
        if same.is_none_or(|it| !it.running) {
            self.start(launch, found).await?;
        }
        self.say("running");
        let name = &self.instance.name;
        let deadline = Duration::from_secs(self.instance.deadline_seconds);
        let exit = tokio::time::timeout(deadline, self.run.stack.runtime.wait_exit(name)).await;
        match exit {
            Ok(Ok(0)) => Ok((Change::Started, "done".to_owned())),
            Ok(Ok(code)) => Err(self
                .failed(format!("{name} failed with exit code {code}"))
                .await),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self
                .failed(format!("{name} is not done after {} s", deadline.as_secs()))
                .await),
        }
    }

    async fn server(&self, launch: &Launch, found: Option<&Observed>) -> Result<(Change, String)> {
        let differs = found.and_then(|it| difference(&launch.fingerprint, &it.fingerprint));
        let runs = found.is_some_and(|it| it.running);
        let change = match (runs, differs) {
            (true, None) => Change::Unchanged,
            (true, Some(difference)) => {
                self.replace(launch, difference).await?;
                Change::Replaced
            }
            (false, _) => {
                self.start(launch, found).await?;
                Change::Started
            }
        };
        if let Some(readiness) = &self.instance.ready {
            self.until_ready(readiness).await?;
            if change != Change::Unchanged {
                self.run.stages.note(&self.instance.name, Stage::Ready);
            }
            self.provision(readiness).await?;
        }
        let place = self.place();
        let message = match (change, differs) {
            (Change::Unchanged, _) => format!("runs already, unchanged{place}"),
            (Change::Replaced, Some(difference)) => format!("ready{place}; {difference}"),
            _ => format!("ready{place}"),
        };
        Ok((change, message))
    }

    async fn replace(&self, launch: &Launch, difference: Difference) -> Result<()> {
        self.say(format!("stopping the running one: {difference}"));
        self.run.stack.runtime.stop(&self.instance.name).await?;
        self.start(launch, None).await
    }

    async fn start(&self, launch: &Launch, found: Option<&Observed>) -> Result<()> {
        let runtime = &self.run.stack.runtime;
        if found.is_some_and(|it| it.running) {
            runtime.stop(&self.instance.name).await?;
        }
        self.say("starting");
        let name = &self.instance.name;
        self.run.stages.note(name, Stage::Begun);
        runtime.start(launch).await?;
        self.run.stages.note(name, Stage::Running);
        Ok(())
    }

    /// Asks until the instance serves; ends early when it ends, and at its deadline.
    async fn until_ready(&self, readiness: &Readiness) -> Result<()> {
        let name = &self.instance.name;
        let deadline = Duration::from_secs(self.instance.deadline_seconds);
        let mut reason = "not asked yet".to_owned();
        tokio::select! {
            () = self.poll(readiness, &mut reason) => return Ok(()),
            exit = self.run.stack.runtime.wait_exit(name) => {
                let code = exit?;
                let message = format!("{name} ended with exit code {code} before it was ready");
                return Err(self.failed(message).await);
            }
            () = tokio::time::sleep(deadline) => {}
        }
        let message = format!("{name} is not ready after {} s", deadline.as_secs());
        let error = self.failed(message).await.since(reason);
        Err(match self.port_to_listen_on(readiness) {
            Some(port) => error.hint(format!(
                "It has to listen on port {port}, as its service.yaml says, and not on 127.0.0.1 alone"
            )),
            None => error,
        })
    }

    /// The port on which somebody else's program was asked in vain: nobody told it where to listen.
    fn port_to_listen_on(&self, readiness: &Readiness) -> Option<u16> {
        let (Program::Container(_), ReadyCheck::Http { port, .. } | ReadyCheck::Tcp { port }) =
            (&self.instance.program, &readiness.check)
        else {
            return None;
        };
        let mut endpoints = self.instance.endpoints.iter();
        let endpoint = endpoints.find(|endpoint| endpoint.name == *port)?;
        Some(endpoint.port)
    }

    async fn poll(&self, readiness: &Readiness, reason: &mut String) {
        let query = self.query(readiness);
        let began = Instant::now();
        let mut reported = Instant::now();
        let mut pause = match readiness.check {
            ReadyCheck::Exec(_) => LONGEST_PAUSE,
            _ => FIRST_PAUSE,
        };
        loop {
            match self.run.stack.probe(&query).await {
                Ok(()) => return,
                Err(answer) => *reason = answer,
            }
            if reported.elapsed() >= REPORT {
                reported = Instant::now();
                let seconds = began.elapsed().as_secs();
                let message = format!("not ready after {seconds} s: {reason}");
                if seconds.is_multiple_of(NOTE_SECONDS) {
                    let name = &self.instance.name;
                    self.run.stack.events.note(format!("{name}: {message}"));
                }
                self.say(message);
            }
            tokio::time::sleep(pause).await;
            pause = longer(pause);
        }
    }

    async fn provision(&self, readiness: &Readiness) -> Result<()> {
        let tenants = self.run.stack.spec.provisions.get(&self.instance.name);
        let provisioning: Vec<_> = tenants
            .into_iter()
            .flatten()
            .map(|tenant| self.provision_one(readiness, tenant))
            .collect();
        stream::iter(provisioning)
            .buffer_unordered(PROVISIONED_AT_ONCE)
            .try_collect()
            .await
    }

    async fn provision_one(&self, readiness: &Readiness, tenant: &TenantProvision) -> Result<()> {
        self.say(format!("provisioning {}", tenant.resource));
        let query = self.query(readiness);
        let provisioned = self.run.stack.servers.provision(&query, tenant).await;
        provisioned.map_err(|reason| {
            let name = &self.instance.name;
            let message = format!("{name} cannot be provisioned for {}", tenant.resource);
            Error::failed(message)
                .since(reason)
                .hint("When its data is of another checkout, remove it: `gantline down --volumes`")
        })
    }

    fn query<'q>(&'q self, readiness: &'q Readiness) -> Query<'q> {
        Query {
            instance: &self.instance.name,
            readiness,
            addresses: &self.run.outside,
        }
    }

    /// An error with the last lines of the instance's log.
    async fn failed(&self, message: String) -> Error {
        let lines = self.run.stack.last_lines(&self.instance.name).await;
        let error = Error::failed(message);
        match lines.is_empty() {
            true => error.since("it wrote nothing to its log"),
            false => error.since(format!("the last lines of its log:\n{}", lines.join("\n"))),
        }
    }

    fn place(&self) -> String {
        let name = &self.instance.name;
        let http = self.run.outside.get(name, Some("http"));
        let main = self.run.outside.get(name, Some("main"));
        match (http, main) {
            (Some(address), _) => format!(" at http://{address}"),
            (None, Some(address)) => format!(" at {address}"),
            (None, None) => String::new(),
        }
    }

    fn say(&self, message: impl Into<String>) {
        self.run.stack.events.progress(&self.instance.name, message);
    }
}

/// A quarter longer, so that what is ready soon is seen soon, and what is not costs little.
fn longer(pause: Duration) -> Duration {
    (pause + pause / 4).min(LONGEST_PAUSE)
}

fn label(instance: &Instance) -> String {
    match instance.role {
        Role::Job => format!("run {}", instance.name),
        Role::Resource | Role::Service => format!("start {}", instance.name),
    }
}

/// Stops those of these instances that the run asked for, at the same time.
pub async fn take_back_together<'a>(
    run: &Run,
    instances: impl Iterator<Item = &'a Instance>,
) -> Vec<Error> {
    let runtime = &run.stack.runtime;
    let stops = instances.filter_map(|instance| {
        let stage = run.stages.of(&instance.name)?;
        Some(async move {
            match (instance.role, stage) {
                (Role::Resource, Stage::Begun | Stage::Running) => {
                    runtime.abandon(&instance.name).await
                }
                _ => runtime.stop(&instance.name).await,
            }
        })
    });
    join_all(stops)
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect()
}
