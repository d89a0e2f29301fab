//! The supervisor of a checkout: owns the processes of its stack and their logs, and serves the
//! commands. It is the program itself, started in a session of its own, and ends when nothing
//! runs any more.

mod connections;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::child;
use super::folders::write_private;
use super::process_table::{ProcessKey, await_end, members, stop_signal};
use super::protocol::{ChildSpec, Record, Request, Response, SavedState};
use crate::engine::files::{lock_within, open_lock};
use crate::error::{Error, Result};
use crate::model::stack::Role;

/// How long a process may take to end after it was asked to: the 20 s that a service gives its
/// requests, and some.
pub const GRACE: Duration = Duration::from_secs(25);
/// How long a process may take to vanish after SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// A supervisor with nothing to own and nobody to serve ends after this time.
const IDLE: Duration = Duration::from_secs(3);
/// How long one that is about to end may hold the lock of its checkout.
const PREDECESSOR: Duration = Duration::from_secs(2);
/// How soon is listened again when the system gives no connection.
const LISTEN_AGAIN: Duration = Duration::from_millis(100);

/// What a supervisor needs to know.
#[derive(Debug, Clone)]
pub struct SupervisorSettings {
    /// The stack's id.
    pub stack: String,
    /// The private folder of its lock and its state.
    pub control: PathBuf,
    /// Its socket.
    pub socket: PathBuf,
}

/// Where a supervisor keeps what survives it.
pub fn state_file(control: &Path) -> PathBuf {
    control.join("state.json")
}

/// Runs the supervisor until nothing is left to own, or it is told to end.
///
/// # Errors
/// When another supervisor of the checkout runs, or the socket cannot be made.
pub async fn run(settings: SupervisorSettings) -> Result<()> {
    // Away from the terminal: its Ctrl-C and its hang-up are not meant for the stack.
    let _already_leader = nix::unistd::setsid();
    let failed = |what: &str, error: io::Error| {
        Error::failed(format!("the supervisor cannot {what}")).because(error)
    };
    let Some(_lock) = lock(&settings.control).map_err(|error| failed("lock its folder", error))?
    else {
        return Ok(());
    };
    let _left_over = std::fs::remove_file(&settings.socket);
    let listener =
        UnixListener::bind(&settings.socket).map_err(|error| failed("make its socket", error))?;
    let supervisor = Arc::new(Supervisor::new(settings));
    supervisor.save();
    let ended = Arc::clone(&supervisor).serve(listener).await;
    supervisor.stop_all().await;
    let _gone = std::fs::remove_file(&supervisor.settings.socket);
    ended.map_err(|error| failed("listen for signals", error))
}

/// The lock that makes the supervisor the only one; `None` when another one holds it.
fn lock(control: &Path) -> io::Result<Option<File>> {
    let file = open_lock(&control.join("lock"))?;
    Ok(lock_within(&file, PREDECESSOR)?.then_some(file))
}

/// What it owns and whom it serves.
struct Supervisor {
    settings: SupervisorSettings,
    own: ProcessKey,
    instances: Mutex<Instances>,
    changed: watch::Sender<()>,
    ending: watch::Sender<bool>,
    connections: AtomicUsize,
}

#[derive(Default)]
struct Instances {
    records: BTreeMap<String, Record>,
    /// Exit codes of those that were stopped, for whoever still waits for them.
    departed: BTreeMap<String, i32>,
}

impl Supervisor {
    fn new(settings: SupervisorSettings) -> Self {
        let id = i32::try_from(std::process::id()).unwrap_or_default();
        let own = ProcessKey::of(id).unwrap_or(ProcessKey {
            id,
            started: String::new(),
        });
        Self {
            settings,
            own,
            instances: Mutex::default(),
            changed: watch::Sender::new(()),
            ending: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
        }
    }

    fn instances(&self) -> MutexGuard<'_, Instances> {
        self.instances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self, name: &str) -> bool {
        let instances = self.instances();
        let record = instances.records.get(name);
        record.is_some_and(|record| record.observed.running)
    }

    /// Accepts connections until it is told to end, or nothing has run for a while.
    async fn serve(self: Arc<Self>, listener: UnixListener) -> io::Result<()> {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut ending = self.ending.subscribe();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, _address)) => self.welcome(stream),
                        // Such as too many open files: it is there again at once.
                        Err(error) => {
                            tracing::warn!("a connection cannot be taken: {error}");
                            tokio::time::sleep(LISTEN_AGAIN).await;
                        }
                    }
                }
                () = self.idle() => return Ok(()),
                _ = terminated.recv() => return Ok(()),
                _ = interrupted.recv() => return Ok(()),
                _ = ending.wait_for(|ending| *ending) => return Ok(()),
            }
        }
    }

    /// Returns after a while in which nothing ran and nobody was connected.
    async fn idle(&self) {
        let mut quiet = Duration::ZERO;
        let step = Duration::from_millis(100);
        while quiet < IDLE {
            tokio::time::sleep(step).await;
            let busy = self.connections.load(Ordering::Relaxed) > 0
                || self
                    .instances()
                    .records
                    .values()
                    .any(|record| record.observed.running);
            quiet = if busy { Duration::ZERO } else { quiet + step };
        }
    }

    async fn answer(self: &Arc<Self>, request: Request) -> Response {
        match request {
            Request::Start(spec) => match self.start(*spec) {
                Ok(()) => Response::Done,
                Err(error) => Response::Failed(error.to_string()),
            },
            Request::Observe => {
                Response::Instances(self.instances().records.values().cloned().collect())
            }
            Request::Wait { name, milliseconds } => {
                self.wait(&name, Duration::from_millis(milliseconds)).await
            }
            Request::Stop { name } => {
                self.stop(&name).await;
                Response::Done
            }
            Request::End => {
                self.stop_all().await;
                self.ending.send_replace(true);
                Response::Done
            }
        }
    }

    fn start(self: &Arc<Self>, spec: ChildSpec) -> io::Result<()> {
        if self.runs(&spec.name) {
            return Err(io::Error::other(format!("{} runs already", spec.name)));
        }
        let name = spec.name.clone();
        let (record, process) = child::spawn(spec)?;
        {
            let mut instances = self.instances();
            instances.departed.remove(&name);
            instances.records.insert(name.clone(), record);
        }
        self.save();
        let supervisor = Arc::clone(self);
        tokio::spawn(async move {
            let code = process.wait().await;
            supervisor.end_left_over(&name).await;
            supervisor.ended(&name, code);
        });
        Ok(())
    }

    /// Ends what an instance started and left behind, as a container's end does.
    async fn end_left_over(&self, name: &str) {
        let left: Vec<ProcessKey> = members(&self.settings.stack)
            .into_iter()
            .filter(|member| member.instance.as_deref() == Some(name))
            .map(|member| member.key)
            .collect();
        for process in &left {
            process.signal(Signal::SIGKILL);
        }
        await_end(&left, AFTER_KILL).await;
    }

    fn ended(&self, name: &str, code: i32) {
        if let Some(record) = self.instances().records.get_mut(name) {
            record.observed.running = false;
            record.observed.exit_code = Some(code);
            record.observed.since = child::now();
        }
        self.save();
        self.changed.send_replace(());
    }

    /// Answers when an instance has ended, or after a time.
    async fn wait(&self, name: &str, patience: Duration) -> Response {
        let mut changed = self.changed.subscribe();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let response = self.state_of(name);
            if !matches!(response, Response::Runs) {
                return response;
            }
            match tokio::time::timeout_at(deadline, changed.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Response::Runs,
            }
        }
    }

    fn state_of(&self, name: &str) -> Response {
        let instances = self.instances();
        match instances.records.get(name) {
            Some(record) if record.observed.running => Response::Runs,
            Some(record) => Response::Ended(record.observed.exit_code.unwrap_or_default()),
            None => match instances.departed.get(name) {
                Some(code) => Response::Ended(*code),
                None => Response::Absent,
            },
        }
    }

    /// Asks an instance to end, makes it end after its grace, and forgets it.
    async fn stop(&self, name: &str) {
        let Some((process, stop)) = self
            .instances()
            .records
            .get(name)
            .map(|record| (record.process.clone(), record.stop))
        else {
            return;
        };
        if self.runs(name) {
            process.signal_group(stop_signal(stop));
            if matches!(self.wait(name, GRACE).await, Response::Runs) {
                process.signal_group(Signal::SIGKILL);
                self.end_left_over(name).await;
                self.wait(name, AFTER_KILL).await;
            }
        }
        {
            let mut instances = self.instances();
            if let Some(record) = instances.records.remove(name) {
                let code = record.observed.exit_code.unwrap_or_default();
                instances.departed.insert(name.to_owned(), code);
            }
        }
        self.save();
        self.changed.send_replace(());
    }

    /// Stops everything: services and jobs first, since they use the servers.
    async fn stop_all(&self) {
        for servers in [false, true] {
            let names: Vec<String> = self
                .instances()
                .records
                .iter()
                .filter(|(_, record)| (record.observed.role == Role::Resource) == servers)
                .map(|(name, _)| name.clone())
                .collect();
            futures::future::join_all(names.iter().map(|name| self.stop(name))).await;
        }
    }

    /// Writes what a later command needs after a crash. A full disk must stop nothing: what is
    /// on disk is then older, and start times show it.
    fn save(&self) {
        let state = SavedState {
            supervisor: self.own.clone(),
            instances: self.instances().records.values().cloned().collect(),
        };
        let path = state_file(&self.settings.control);
        let written = serde_json::to_vec(&state)
            .map_err(io::Error::from)
            .and_then(|bytes| write_private(&path, &bytes, None));
        if let Err(error) = written {
            tracing::warn!("the state cannot be kept in {}: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests;
