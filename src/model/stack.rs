//! The local stack as data: servers, jobs and services, the same for every runtime.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::container::{BuildSource, User, WritableFolder};
use super::name::Name;
use super::resource_type::{ProcessRecipe, Provision, ReadyCheck};
use super::secret::Secret;

/// Where a stack runs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    schemars::JsonSchema,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeKind {
    /// Containers of the Docker Engine API.
    #[default]
    Docker,
    /// Processes of this host.
    Process,
}

impl std::fmt::Display for RuntimeKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Docker => "docker",
            Self::Process => "process",
        })
    }
}

/// Everything that `up` starts, before a runtime has given it addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSpec {
    /// Scopes names, volumes and ports to one checkout: `shop-3f2a91c4`.
    pub id: String,
    /// The workspace's name.
    pub workspace: Name,
    /// Backing servers; they start first.
    pub servers: Vec<Instance>,
    /// What makes each server ready for its resources, by the server's name.
    pub provisions: BTreeMap<String, Vec<TenantProvision>>,
    /// One-shot jobs (migrations); each starts when its servers are provisioned.
    pub jobs: Vec<Instance>,
    /// Services; all start when the jobs are done.
    pub services: Vec<Instance>,
}

impl StackSpec {
    /// All instances: servers, jobs, services.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.servers.iter().chain(&self.jobs).chain(&self.services)
    }
}

/// The provisioning of one resource on a server, placeholders resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantProvision {
    /// The resource.
    pub resource: Name,
    /// The steps; statements may hold passwords.
    pub steps: Vec<Provision>,
}

/// What an instance is to its users.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    schemars::JsonSchema,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A backing server.
    Resource,
    /// Runs once, to its end.
    Job,
    /// A service of the workspace.
    Service,
}

/// One thing to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Unique within the stack: `postgres-17`, `orders-migrate`, `orders`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// What runs.
    pub program: Program,
    /// Its environment.
    pub environment: BTreeMap<String, Template>,
    /// Where it listens.
    pub endpoints: Vec<Endpoint>,
    /// What proves that it serves; jobs have none.
    pub ready: Option<Readiness>,
    /// Names of instances that must be ready or done before it starts.
    pub after: Vec<String>,
    /// How long it may take to become ready or done, in seconds.
    pub deadline_seconds: u64,
}

/// What an instance runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// A service of the workspace, built from its folder.
    Service {
        /// The service.
        service: Name,
        /// Its folder, absolute.
        directory: PathBuf,
        /// The image's repository, without a tag.
        image: String,
        /// The arguments after the program's name.
        arguments: Vec<String>,
    },
    /// A backing server.
    Server(ServerProgram),
    /// A service without a blueprint: its image as it is.
    Container(ContainerProgram),
}

impl Program {
    /// Whether it is made from the workspace's source, which uses this machine.
    pub fn is_built(&self) -> bool {
        match self {
            Self::Service { .. } => true,
            Self::Server(_) => false,
            Self::Container(container) => matches!(container.image, ContainerImage::Built { .. }),
        }
    }
}

/// What a service without a blueprint runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerProgram {
    /// The service.
    pub service: Name,
    /// Where its image comes from.
    pub image: ContainerImage,
    /// What runs in place of the image's entry point; its own when empty.
    pub command: Vec<String>,
    /// The arguments in place of the image's own; those when empty.
    pub arguments: Vec<String>,
    /// Who it runs as.
    pub user: User,
    /// Folders that it can write to, besides `/tmp`.
    pub writable: Vec<WritableFolder>,
}

/// Where the image of a container comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerImage {
    /// A registry has it under this name.
    Named(String),
    /// BuildKit makes it.
    Built {
        /// The repository, without a tag.
        repository: String,
        /// What it is made from; the context is absolute here.
        source: BuildSource,
    },
}

/// A backing server: as an image, and as processes.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerProgram {
    /// The resource type, for messages.
    pub kind: Name,
    /// The version asked for.
    pub version: String,
    /// The image.
    pub image: String,
    /// The arguments of its container.
    pub arguments: Vec<String>,
    /// Files by absolute path inside its container; a process finds them under `${files}/NAME`.
    pub files: BTreeMap<String, Template>,
    /// The folder of its data inside its container.
    pub data: Option<String>,
    /// How it runs without Docker. Its texts may hold `${data}`, `${run}`, `${files}`,
    /// `${port}`, `${port.NAME}`, `${admin.user}` and `${admin.password_file}`.
    pub process: Option<ProcessRecipe>,
    /// The user who administers it.
    pub administrator: String,
    /// That user's password.
    pub administrator_password: Secret,
}

/// A port that an instance listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http`, `admin`, `main`, `monitor`.
    pub name: String,
    /// The port inside a container.
    pub port: u16,
    /// The variable that tells a service where to listen (`HTTP_ADDR`), given as `HOST:PORT`.
    pub variable: Option<String>,
}

/// What proves that an instance serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The check.
    pub check: ReadyCheck,
    /// Who asks, where the protocol needs a user.
    pub user: String,
    /// That user's password.
    pub password: Secret,
}

/// A text made of pieces, some known only once addresses are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// Text that must not be shown.
    Secret(Secret),
    /// The host under which an instance is reached.
    Host {
        /// The instance.
        instance: String,
    },
    /// The port under which an endpoint of an instance is reached.
    Port {
        /// The instance.
        instance: String,
        /// The endpoint.
        endpoint: String,
    },
}

impl Template {
    /// A template of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// The text, with addresses from `addresses`; `None` when one is unknown.
    pub fn resolve(&self, addresses: &Addresses) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Secret(secret) => text.push_str(secret.reveal()),
                Piece::Host { instance } => text.push_str(&addresses.get(instance, None)?.host),
                Piece::Port { instance, endpoint } => {
                    text.push_str(&addresses.get(instance, Some(endpoint))?.port.to_string());
                }
            }
        }
        Some(text)
    }
}

/// Host and port of an endpoint, from one point of view.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, serde::Deserialize,
)]
pub struct Address {
    /// A host name or an IP address.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// Addresses by instance and endpoint, as seen from one side: by peers inside the stack, or
/// from the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(pub BTreeMap<String, BTreeMap<String, Address>>);

impl Addresses {
    /// The address of an endpoint, or of an instance's first one.
    pub fn get(&self, instance: &str, endpoint: Option<&str>) -> Option<&Address> {
        let endpoints = self.0.get(instance)?;
        match endpoint {
            Some(name) => endpoints.get(name),
            None => endpoints.values().next(),
        }
    }
}

/// The state of one thing, as `status` shows it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not started yet: something else must be ready first.
    Waiting,
    /// Started, not ready yet.
    Starting,
    /// Serves.
    Ready,
    /// A job that ended well.
    Done,
    /// Ended, or never became ready.
    Failed,
    /// Was stopped.
    Stopped,
}

impl std::fmt::Display for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        })
    }
}

/// What a runtime sees of one instance.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Observed {
    /// The instance's name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The fingerprint of what it was started from; another one means that it must be replaced.
    pub fingerprint: String,
    /// Whether it runs.
    pub running: bool,
    /// The exit code, when it ended.
    pub exit_code: Option<i32>,
    /// When it started or ended, RFC 3339 in UTC; empty when it was made and never started.
    pub since: String,
    /// Its endpoints as seen from the host.
    pub endpoints: BTreeMap<String, Address>,
}

impl Observed {
    /// Whether it runs or ran: one that was made and never started has no end and no log.
    pub fn has_run(&self) -> bool {
        self.running || !self.since.is_empty()
    }
}
