//! The stack as containers, through the Docker Engine API (1.41, Docker 20.10, and newer).
//!
//! Labels on containers, the network and volumes are the only state.

mod archive;
mod body;
pub mod build;
pub mod connection;
mod containers;
pub mod context;
pub mod dockerfile;
mod images;
mod inside;
mod launcher;
mod logins;
mod logs;
mod native;
mod starts;
pub mod transfer;

use std::borrow::Cow;
use std::path::PathBuf;

use async_trait::async_trait;
use bollard::Docker;
use futures::StreamExt;
use futures::future::try_join_all;
use tokio::sync::OnceCell;

use self::connection::{DockerEnvironment, WAY_OUT, connect};
use self::containers::Names;
use self::launcher::{Launcher, Made};
use self::starts::Starts;
use super::runtime::{
    Artifact, ClearScope, Cleared, Inside, Launch, LogRequest, LogStream, Progress, Runtime,
    RuntimeContext,
};
use super::source::plain_source;
use crate::error::{Error, ErrorKind, Result};
use crate::model::name::Name;
use crate::model::stack::{ContainerImage, Instance, Observed, Program, Role};

/// How the image of a service is built.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Builder {
    /// BuildKit builds the service's Dockerfile.
    #[default]
    Docker,
    /// Go of this host builds the program, and its image is the last stage of the Dockerfile.
    Native,
}

impl std::fmt::Display for Builder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Docker => "docker",
            Self::Native => "native",
        })
    }
}

/// What a Docker runtime is made with, besides what every runtime is.
#[derive(Debug, Clone, Default)]
pub struct DockerOptions {
    /// Which daemon.
    pub environment: DockerEnvironment,
    /// How images are built.
    pub builder: Builder,
    /// A folder for build outputs, outside the workspace's source.
    pub scratch: PathBuf,
    /// The workspace, whose base tells whether a Dockerfile is as generated.
    pub workspace: PathBuf,
}

/// The containers of one stack.
pub struct DockerRuntime {
    names: Names,
    options: DockerOptions,
    client: OnceCell<Docker>,
    made: Made,
    starts: Starts,
    questions: inside::Questions,
}

/// Where an image comes from.
enum ImageSource<'a> {
    /// A registry has it under this name.
    Named(&'a str),
    /// It is built.
    Built(build::Build<'a>),
}

impl DockerRuntime {
    /// A runtime that reaches for Docker at its first use.
    pub fn new(context: RuntimeContext, options: DockerOptions) -> Self {
        Self {
            names: Names::new(context),
            options,
            client: OnceCell::new(),
            made: Made::default(),
            starts: Starts::default(),
            questions: inside::Questions::default(),
        }
    }

    async fn client(&self) -> Result<&Docker> {
        self.client
            .get_or_try_init(|| connect(&self.options.environment))
            .await
    }

    async fn launcher(&self) -> Result<Launcher> {
        Ok(Launcher {
            client: self.client().await?.clone(),
            names: self.names.clone(),
            made: self.made.clone(),
        })
    }

    /// Where the image comes from that an instance runs.
    fn image_of<'a>(&'a self, program: &'a Program) -> ImageSource<'a> {
        let build = |service: &'a Name, image: &'a str, source| build::Build {
            service: service.as_str(),
            source,
            image,
            builder: self.options.builder,
            options: &self.options,
        };
        match program {
            Program::Server(server) => ImageSource::Named(&server.image),
            Program::Service {
                service,
                directory,
                image,
                ..
            } => ImageSource::Built(build(service, image, Cow::Owned(plain_source(directory)))),
            Program::Container(container) => match &container.image {
                ContainerImage::Named(name) => ImageSource::Named(name),
                // A Dockerfile that gantline did not write means what BuildKit makes of it.
                ContainerImage::Built { repository, source } => ImageSource::Built(build::Build {
                    builder: Builder::Docker,
                    ..build(&container.service, repository, Cow::Borrowed(source))
                }),
            },
        }
    }

    async fn stop_all(&self, client: &Docker, instances: &[&Observed]) -> Result<()> {
        let stops = instances
            .iter()
            .map(|observed| containers::stop(client, self.names.container(&observed.name)));
        try_join_all(stops).await.map(drop)
    }
}

#[async_trait]
impl Inside for DockerRuntime {
    async fn ask(&self, instance: &str, program: &[String]) -> Result<(), String> {
        let client = self.client().await.map_err(|error| error.to_string())?;
        let container = self.names.container(instance);
        inside::ask((client, &self.questions), &container, program).await
    }
}

#[async_trait]
impl Runtime for DockerRuntime {
    async fn observe(&self) -> Result<Vec<Observed>> {
        let client = self.client().await?;
        containers::observe(client, &self.names).await
    }

    async fn prepare(&self, instance: &Instance, progress: &Progress) -> Result<Artifact> {
        let client = self.client().await?;
        let obtained = match self.image_of(&instance.program) {
            ImageSource::Named(image) => {
                let wanted = images::Wanted {
                    client,
                    image,
                    environment: &self.options.environment,
                    progress,
                };
                wanted.obtain().await
            }
            ImageSource::Built(build) => build.run(client, progress).await,
        };
        obtained.map_err(|error| match (&instance.program, error.kind()) {
            // Where its image is missing, it can run as a process, which needs none.
            (Program::Server(_) | Program::Service { .. }, ErrorKind::Missing) => {
                error.hint(WAY_OUT)
            }
            _ => error,
        })
    }

    async fn at_hand(&self, instance: &Instance) -> Result<Option<Artifact>> {
        let client = self.client().await?;
        match self.image_of(&instance.program) {
            ImageSource::Named(image) => images::at_hand(client, image).await,
            ImageSource::Built(build) => build.at_hand(client).await,
        }
    }

    fn builds_with_go(&self) -> bool {
        self.options.builder == Builder::Native
    }

    async fn make(&self, launch: &Launch) -> Result<()> {
        let (launcher, launch) = (self.launcher().await?, launch.clone());
        let instance = launch.instance.name.clone();
        let make = async move { launcher.make(&launch).await };
        self.starts.run(&instance, make).await
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        let (launcher, launch) = (self.launcher().await?, launch.clone());
        let instance = launch.instance.name.clone();
        let start = async move { launcher.start(&launch).await };
        self.starts.run(&instance, start).await
    }

    async fn wait_exit(&self, instance: &str) -> Result<i32> {
        let client = self.client().await?;
        containers::wait_exit(client, &self.names.container(instance)).await
    }

    async fn stop(&self, instance: &str) -> Result<()> {
        let client = self.client().await?;
        self.starts.settle(instance).await;
        containers::stop(client, self.names.container(instance)).await
    }

    async fn abandon(&self, instance: &str) -> Result<()> {
        let client = self.client().await?;
        self.starts.settle(instance).await;
        let container = self.names.container(instance);
        match self.made.take_volume(instance) {
            true => {
                containers::remove(client, &container).await?;
                containers::remove_volume(client, &self.names.volume(instance)).await
            }
            false => containers::stop(client, container).await,
        }
    }

    async fn logs(&self, instance: &str, request: LogRequest) -> Result<LogStream> {
        let client = self.client().await?.clone();
        Ok(logs::stream(client, self.names.container(instance), request).boxed())
    }

    async fn clear(&self, scope: ClearScope) -> Result<Cleared> {
        let client = self.client().await?;
        self.starts.settle_all().await;
        let observed = containers::observe(client, &self.names).await?;
        // Services first, so that none logs that its server went away.
        for role in [Role::Service, Role::Job, Role::Resource] {
            let of_role: Vec<&Observed> = observed.iter().filter(|it| it.role == role).collect();
            self.stop_all(client, &of_role).await?;
        }
        containers::remove_network(client, &self.names).await?;
        let data = match scope {
            ClearScope::KeepData => Vec::new(),
            ClearScope::Everything => containers::remove_volumes(client, &self.names).await?,
        };
        Ok(Cleared {
            instances: observed.into_iter().map(|it| it.name).collect(),
            data,
        })
    }
}

/// An answer of the daemon as an error: what was being done, and what it said.
fn failure(doing: impl Into<String>, error: bollard::errors::Error) -> Error {
    use bollard::errors::Error as Docker;
    match error {
        Docker::DockerResponseServerError { message, .. } => Error::failed(doing).since(message),
        Docker::DockerStreamError { error } => Error::failed(doing).since(error),
        unreachable => Error::missing(doing)
            .since(root_cause(&unreachable))
            .hint("See whether the Docker daemon still runs: `docker info`"),
    }
}

/// What lies under an error of the client, whose own layers mean nothing to people: the system's
/// words, such as `Connection refused`.
fn root_cause(error: &bollard::errors::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Whether the daemon says that something does not exist.
fn is_absent(error: &bollard::errors::Error) -> bool {
    has_status(error, 404)
}

fn has_status(error: &bollard::errors::Error, status: u16) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError { status_code, .. }
            if *status_code == status
    )
}
