//! `kubernetes`: how a server runs in a cluster.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::HttpFields;
use crate::config::raw::{CpuText, MemoryText, WordText};
use crate::config::yaml::Document;
use crate::error::{Error, Result};
use crate::model::resource_type::{ClusterProbe, ClusterRecipe};

/// How a server runs in a cluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterFields {
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

/// The recipe; `ports` are those that a probe may name.
///
/// # Errors
/// When a probe is none, or names no port.
pub(super) fn cluster(
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
