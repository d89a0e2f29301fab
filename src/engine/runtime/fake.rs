//! A runtime without processes: records what is asked of it and plays back what tests script.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use tokio::sync::Notify;

use super::{
    Artifact, ClearScope, Cleared, Inside, Launch, LogRequest, LogStream, Progress, Runtime,
};
use crate::engine::readiness::{Query, Servers};
use crate::error::{Error, Result};
use crate::model::stack::{Address, Instance, Observed, TenantProvision};

/// What an instance of the fake does once started.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// It ends at once with this code; otherwise it runs until it is stopped.
    pub exits: Option<i32>,
    /// Why it never becomes ready; otherwise it is ready at once.
    pub unready: Option<String>,
    /// What it logs.
    pub log: Vec<String>,
    /// Why it cannot be prepared.
    pub unavailable: Option<Error>,
    /// Why its resources cannot be provisioned.
    pub refuses: Option<String>,
    /// What its program is; another one means that it changed.
    pub identity: String,
}

/// What was asked of the fake, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// [`Runtime::prepare`] of this instance.
    Prepare(String),
    /// [`Runtime::make`] of this instance.
    Make(String),
    /// [`Runtime::start`] of this instance.
    Start(String),
    /// [`Runtime::stop`] of this instance.
    Stop(String),
    /// [`Runtime::abandon`] of this instance.
    Abandon(String),
    /// [`Servers::provision`] of this resource.
    Provision(String),
    /// [`Runtime::clear`].
    Clear(ClearScope),
}

#[derive(Default)]
struct Inner {
    behaviours: BTreeMap<String, Behaviour>,
    calls: Vec<Call>,
    running: BTreeMap<String, Observed>,
    launches: BTreeMap<String, Launch>,
}

/// The fake. Also answers for the servers that it pretends to run.
#[derive(Default)]
pub struct FakeRuntime {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl FakeRuntime {
    /// Scripts what an instance does.
    pub fn behave(&self, instance: &str, behaviour: Behaviour) {
        self.lock()
            .behaviours
            .insert(instance.to_owned(), behaviour);
    }

    /// Everything asked so far; forgets it.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    /// The last launch of an instance.
    pub fn launch(&self, instance: &str) -> Option<Launch> {
        self.lock().launches.get(instance).cloned()
    }

    /// Lets an instance that runs end by itself.
    pub fn end(&self, instance: &str, exit_code: i32) {
        if let Some(observed) = self.lock().running.get_mut(instance) {
            observed.running = false;
            observed.exit_code = Some(exit_code);
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, instance: &str, call: Call) {
        let mut inner = self.lock();
        inner.calls.push(call);
        inner.running.remove(instance);
        drop(inner);
        self.changed.notify_waiters();
    }

    fn behaviour(&self, instance: &str) -> Behaviour {
        self.lock()
            .behaviours
            .get(instance)
            .cloned()
            .unwrap_or_default()
    }
}

/// A launch as what runs of it.
fn observed(launch: &Launch) -> Observed {
    let endpoints = launch.ports.iter().map(|(endpoint, port)| {
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: *port,
        };
        (endpoint.clone(), address)
    });
    Observed {
        name: launch.instance.name.clone(),
        role: launch.instance.role,
        fingerprint: launch.fingerprint.clone(),
        running: true,
        exit_code: None,
        since: "2026-01-01T00:00:00Z".to_owned(),
        endpoints: endpoints.collect(),
    }
}

#[async_trait]
impl Inside for FakeRuntime {
    async fn ask(&self, instance: &str, _program: &[String]) -> Result<(), String> {
        self.behaviour(instance).unready.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    async fn observe(&self) -> Result<Vec<Observed>> {
        Ok(self.lock().running.values().cloned().collect())
    }

    async fn prepare(&self, instance: &Instance, _progress: &Progress) -> Result<Artifact> {
        self.lock().calls.push(Call::Prepare(instance.name.clone()));
        let behaviour = self.behaviour(&instance.name);
        match behaviour.unavailable {
            Some(error) => Err(error),
            None => Ok(Artifact {
                location: format!("fake/{}", instance.name),
                identity: behaviour.identity,
                outcome: "prepared".to_owned(),
            }),
        }
    }

    async fn at_hand(&self, instance: &Instance) -> Result<Option<Artifact>> {
        let behaviour = self.behaviour(&instance.name);
        Ok(behaviour.unavailable.is_none().then(|| Artifact {
            location: format!("fake/{}", instance.name),
            identity: behaviour.identity,
            outcome: "prepared".to_owned(),
        }))
    }

    fn builds_with_go(&self) -> bool {
        false
    }

    async fn make(&self, launch: &Launch) -> Result<()> {
        let name = launch.instance.name.clone();
        let made = Observed {
            running: false,
            since: String::new(),
            ..observed(launch)
        };
        let mut inner = self.lock();
        inner.calls.push(Call::Make(name.clone()));
        inner.running.insert(name, made);
        Ok(())
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        let name = launch.instance.name.clone();
        let exits = self.behaviour(&name).exits;
        let started = Observed {
            running: exits.is_none(),
            exit_code: exits,
            ..observed(launch)
        };
        let mut inner = self.lock();
        inner.calls.push(Call::Start(name.clone()));
        inner.running.insert(name.clone(), started);
        inner.launches.insert(name, launch.clone());
        Ok(())
    }

    async fn wait_exit(&self, instance: &str) -> Result<i32> {
        loop {
            let changed = self.changed.notified();
            match self.lock().running.get(instance) {
                Some(observed) if observed.running => {}
                Some(observed) => return Ok(observed.exit_code.unwrap_or(0)),
                None => return Ok(143),
            }
            changed.await;
        }
    }

    async fn stop(&self, instance: &str) -> Result<()> {
        self.remove(instance, Call::Stop(instance.to_owned()));
        Ok(())
    }

    async fn abandon(&self, instance: &str) -> Result<()> {
        self.remove(instance, Call::Abandon(instance.to_owned()));
        Ok(())
    }

    async fn logs(&self, instance: &str, request: LogRequest) -> Result<LogStream> {
        let lines = self.behaviour(instance).log;
        let skipped = lines.len() - request.tail.unwrap_or(lines.len()).min(lines.len());
        Ok(futures::stream::iter(lines.into_iter().skip(skipped).map(Ok)).boxed())
    }

    async fn clear(&self, scope: ClearScope) -> Result<Cleared> {
        let mut inner = self.lock();
        inner.calls.push(Call::Clear(scope));
        let instances = std::mem::take(&mut inner.running).into_keys().collect();
        drop(inner);
        self.changed.notify_waiters();
        Ok(Cleared {
            instances,
            data: Vec::new(),
        })
    }
}

#[async_trait]
impl Servers for FakeRuntime {
    async fn probe(&self, query: &Query<'_>) -> Result<(), String> {
        match self.behaviour(query.instance).unready {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }

    async fn provision(
        &self,
        query: &Query<'_>,
        provision: &TenantProvision,
    ) -> Result<(), String> {
        self.lock()
            .calls
            .push(Call::Provision(provision.resource.to_string()));
        match self.behaviour(query.instance).refuses {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }
}
