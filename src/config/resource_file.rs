//! Catalogue files of resource types, `templates/resources/*.yaml`.

mod cluster;
mod process;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use self::cluster::{ClusterFields, cluster};
use self::process::{ProcessFields, process};
use super::raw::{NameText, WordText};
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::resource_type::{Provision, ReadyCheck, ResourceType, ResourceVersion, Support};

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

/// Turns the document of a catalogue file into the model.
///
/// # Errors
/// All problems of the file at once.
pub fn parse(document: &Document) -> Result<ResourceType> {
    assemble(document, document.decode()?)
}

/// The same of a file inside the program, which a test checks against the schema.
///
/// # Errors
/// The first problem of the file.
pub(super) fn parse_embedded(document: &Document) -> Result<ResourceType> {
    assemble(document, document.decode_checked()?)
}

fn assemble(document: &Document, file: ResourceTypeFile) -> Result<ResourceType> {
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

#[cfg(test)]
mod tests;
