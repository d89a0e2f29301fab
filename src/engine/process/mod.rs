//! The runtime `process`: servers and services as processes of the host, for a machine without
//! Docker.
//!
//! A supervisor per checkout (the program itself again) owns the processes and their logs; the
//! commands ask it over a private socket. What it knows is on disk too, and each process carries
//! the stack's id in its environment, so that the next command cleans up after any crash.

mod child;
mod client;
mod folders;
mod identity;
mod log_file;
mod log_stream;
mod obtain;
mod orphans;
mod process_table;
mod protocol;
mod recipe;
mod removal;
mod service_program;
mod supervision;
pub mod supervisor;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nix::sys::signal::Signal;

use self::client::{Connection, saved_state, unless_gone};
use self::folders::{Folders, PREPARING, VERSION, write_private};
use self::identity::Identity;
pub use self::obtain::{Availability, availability};
use self::obtain::{Cache, Obtained, Wanted, obtain, obtained_before};
use self::process_table::{INSTANCE_VARIABLE, STACK_VARIABLE};
use self::protocol::ChildSpec;
use self::recipe::{ServerRun, base_environment, data_version, recipe_of};
use self::removal::remove;
use super::runtime::{
    Artifact, ClearScope, Cleared, Inside, Launch, LogRequest, LogStream, Progress, Runtime,
    RuntimeContext,
};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::resource_type::StopSignal;
use crate::model::stack::{Address, Instance, Observed, Program, ServerProgram};

/// Runs a stack as processes of the host.
pub struct ProcessRuntime {
    context: RuntimeContext,
    events: Option<Arc<dyn EventSink>>,
    program: Option<PathBuf>,
    /// Servers whose data was not there before.
    made: Mutex<BTreeSet<String>>,
}

impl ProcessRuntime {
    /// A runtime for the stack of one checkout; nothing is touched before it is used.
    pub fn new(context: RuntimeContext) -> Self {
        Self {
            context,
            events: None,
            program: None,
            made: Mutex::default(),
        }
    }

    /// Says here what was found of an earlier, killed supervisor.
    #[must_use]
    pub fn reporting_to(mut self, events: Arc<dyn EventSink>) -> Self {
        self.events = Some(events);
        self
    }

    /// The program that becomes the supervisor, when it is not the running one; for tests.
    #[must_use]
    pub fn with_program(mut self, program: PathBuf) -> Self {
        self.program = Some(program);
        self
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folders(&self) -> Result<Folders> {
        let identity = Identity::instead_of_root(&self.context.root)?;
        Ok(Folders::new(
            &self.context.run,
            &self.context.stack,
            identity,
        ))
    }

    async fn prepare_server(
        &self,
        instance: &str,
        server: &ServerProgram,
        progress: &Progress,
    ) -> Result<Artifact> {
        let folders = self.folders()?;
        let cache = Cache::new(folders.identity().cloned())?;
        let obtained = obtain(&wanted(instance, server, &folders)?, &cache, progress).await?;
        if let (Some(folder), Some(user)) = (folders.elsewhere(), folders.identity()) {
            progress.warn(format!(
                "servers run as {}, who cannot enter the workspace: their data is in {}",
                user.name,
                folder.display()
            ));
        }
        Ok(artifact_of(obtained))
    }

    /// What the supervisor is asked to start.
    async fn child(&self, launch: &Launch, folders: &Folders) -> Result<ChildSpec> {
        let name = &launch.instance.name;
        let work = folders.work(name);
        let (program, arguments, stop) = match &launch.instance.program {
            Program::Service { arguments, .. } => {
                folders.make_private(&work)?;
                let program = PathBuf::from(&launch.artifact.location);
                (program, arguments.clone(), StopSignal::Terminate)
            }
            Program::Server(server) => {
                if !folders.data(name).exists() {
                    self.made().insert(name.clone());
                }
                let run = ServerRun::new(folders, &self.context.stack, launch, server)?;
                run.prepare().await?;
                let (program, arguments) = run.serve()?;
                (program, arguments, recipe_of(server)?.stop)
            }
            Program::Container(container) => {
                return Err(without_images(container.service.as_str()));
            }
        };
        Ok(ChildSpec {
            name: name.clone(),
            role: launch.instance.role,
            fingerprint: launch.fingerprint.clone(),
            program,
            arguments,
            environment: self.environment(launch, &work),
            directory: work,
            owner: folders.identity().map(|user| (user.user, user.group)),
            log: folders.log(name),
            stop,
            endpoints: endpoints(launch),
        })
    }

    fn environment(&self, launch: &Launch, work: &Path) -> BTreeMap<String, String> {
        let mut environment = base_environment(work);
        for (name, value) in &launch.environment {
            environment.insert(name.clone(), value.reveal().to_owned());
        }
        environment.insert(STACK_VARIABLE.to_owned(), self.context.stack.clone());
        environment.insert(INSTANCE_VARIABLE.to_owned(), launch.instance.name.clone());
        environment
    }
}

fn wanted<'a>(instance: &str, server: &'a ServerProgram, folders: &Folders) -> Result<Wanted<'a>> {
    Ok(Wanted {
        server,
        recipe: recipe_of(server)?,
        data_version: data_version(folders, instance),
    })
}

fn artifact_of(obtained: Obtained) -> Artifact {
    Artifact {
        identity: format!("{} {}", obtained.version, obtained.location),
        outcome: format!("version {}, {}", obtained.version, obtained.source),
        location: obtained.location,
    }
}

/// Removes the data of a server. Whoever finds it half removed makes it anew.
async fn remove_data(folders: &Folders, server: &str) -> Result<()> {
    let mark = folders.beside_data(server, PREPARING);
    write_private(&mark, b"", None).map_err(|error| {
        Error::failed(format!("cannot write {}", mark.display())).because(error)
    })?;
    remove(&folders.data(server)).await?;
    remove(&folders.beside_data(server, VERSION)).await?;
    remove(&mark).await
}

/// Ends an instance at once, where it runs.
async fn kill(folders: &Folders, instance: &str) -> Result<()> {
    let Some(mut connection) = Connection::open(folders).await? else {
        return Ok(());
    };
    let records = unless_gone(folders, connection.observe().await).await?;
    let mut records = records.into_iter().flatten();
    if let Some(record) = records.find(|it| it.observed.name == instance) {
        record.process.signal_group(Signal::SIGKILL);
    }
    Ok(())
}

/// The error of services that have an image and nothing else.
pub fn without_images(services: &str) -> Error {
    Error::missing(format!("{services} cannot run as processes of this host"))
        .since("Docker alone runs what is made from an image or a Dockerfile")
        .hint("Start everything in Docker: `--runtime docker`")
        .hint("Or only services that do not need it: `gantline up SERVICE... --runtime process`")
}

fn endpoints(launch: &Launch) -> BTreeMap<String, Address> {
    let address = |port: u16| Address {
        host: "127.0.0.1".to_owned(),
        port,
    };
    let ports = launch.ports.iter();
    ports
        .map(|(name, port)| (name.clone(), address(*port)))
        .collect()
}

#[async_trait]
impl Inside for ProcessRuntime {
    async fn ask(&self, _instance: &str, _program: &[String]) -> Result<(), String> {
        Err("a process of this host has no inside".to_owned())
    }
}

#[async_trait]
impl Runtime for ProcessRuntime {
    async fn observe(&self) -> Result<Vec<Observed>> {
        let folders = self.folders()?;
        if let Some(mut connection) = Connection::open(&folders).await?
            && let Some(records) = unless_gone(&folders, connection.observe().await).await?
        {
            return Ok(records.into_iter().map(|record| record.observed).collect());
        }
        self.clean_up(&folders).await?;
        let records = saved_state(&folders).map_or_else(Vec::new, |state| state.instances);
        let ended = records.into_iter().map(|record| Observed {
            running: false,
            ..record.observed
        });
        Ok(ended.collect())
    }

    async fn prepare(&self, instance: &Instance, progress: &Progress) -> Result<Artifact> {
        let folders = self.folders()?;
        match &instance.program {
            Program::Service {
                service, directory, ..
            } => service_program::build(service, directory, &folders, progress).await,
            Program::Server(server) => self.prepare_server(&instance.name, server, progress).await,
            Program::Container(container) => Err(without_images(container.service.as_str())),
        }
    }

    async fn at_hand(&self, instance: &Instance) -> Result<Option<Artifact>> {
        let folders = self.folders()?;
        match &instance.program {
            Program::Service {
                service, directory, ..
            } => service_program::at_hand(service, directory, &folders).await,
            Program::Server(server) => {
                let wanted = wanted(&instance.name, server, &folders)?;
                let cache = Cache::new(folders.identity().cloned())?;
                let found = obtained_before(&wanted, &cache).await?;
                Ok(found.map(artifact_of))
            }
            Program::Container(container) => Err(without_images(container.service.as_str())),
        }
    }

    fn builds_with_go(&self) -> bool {
        true
    }

    /// Little goes before a process.
    async fn make(&self, _launch: &Launch) -> Result<()> {
        Ok(())
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        let folders = self.folders()?;
        // Held open while the server is prepared, so that the supervisor waits for it.
        let mut connection = self.supervisor(&folders).await?;
        let child = self.child(launch, &folders).await?;
        connection.start(child).await.map_err(Error::from)
    }

    async fn wait_exit(&self, instance: &str) -> Result<i32> {
        let folders = self.folders()?;
        let answer = match Connection::open(&folders).await? {
            Some(mut connection) => unless_gone(&folders, connection.wait(instance).await).await?,
            None => None,
        };
        let ended = match answer {
            Some(ended) => ended,
            None => saved_state(&folders).and_then(|state| {
                let records = state.instances.into_iter();
                let mut named = records.filter(|record| record.observed.name == instance);
                named.next()?.observed.exit_code
            }),
        };
        ended.ok_or_else(|| Error::failed(format!("{instance} does not run")))
    }

    async fn stop(&self, instance: &str) -> Result<()> {
        let folders = self.folders()?;
        let stopped = match Connection::open(&folders).await? {
            Some(mut connection) => unless_gone(&folders, connection.stop(instance).await).await?,
            None => None,
        };
        if stopped.is_none() {
            self.clean_up(&folders).await?;
        }
        remove(&folders.work(instance)).await
    }

    async fn abandon(&self, instance: &str) -> Result<()> {
        let folders = self.folders()?;
        if !self.made().remove(instance) {
            return self.stop(instance).await;
        }
        kill(&folders, instance).await?;
        self.stop(instance).await?;
        remove_data(&folders, instance).await
    }

    async fn logs(&self, instance: &str, request: LogRequest) -> Result<LogStream> {
        let folders = self.folders()?;
        log_stream::open(folders, instance, request)
    }

    async fn clear(&self, scope: ClearScope) -> Result<Cleared> {
        let folders = self.folders()?;
        let instances = self.end_everything(&folders).await?;
        remove(&folders.socket()).await?;
        remove(&folders.control()).await?;
        remove(&folders.all_work()).await?;
        let mut data = Vec::new();
        if scope == ClearScope::Everything {
            data = folders.names_of_data();
            for path in folders.everything() {
                remove(&path).await?;
            }
        }
        Ok(Cleared { instances, data })
    }
}
