//! From an instance to a launch: everything resolved, and a fingerprint of it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::addresses::{HostPorts, listen};
use crate::engine::runtime::{Artifact, Launch};
use crate::error::{Error, Result};
use crate::model::secret::Secret;
use crate::model::stack::{Addresses, Instance, Program, RuntimeKind, StackSpec, Template};

/// Digits of each half of a fingerprint: 64 bits.
const DIGITS: usize = 16;

/// What launches are made with.
#[derive(Debug, Clone)]
pub struct Resolver {
    kind: RuntimeKind,
    ports: HostPorts,
    inside: Addresses,
}

/// What of an instance differs from what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Nothing; the user wants it started again.
    Asked,
    /// Its program.
    Program,
    /// Its environment, arguments or files.
    Configuration,
}

impl Resolver {
    /// A resolver for a stack whose ports are assigned.
    pub fn new(kind: RuntimeKind, spec: &StackSpec, ports: HostPorts) -> Self {
        Self {
            inside: ports.inside(kind, spec),
            kind,
            ports,
        }
    }

    /// Addresses from the host's view.
    pub fn outside(&self) -> Addresses {
        self.ports.outside()
    }

    /// The launch of an instance.
    ///
    /// # Errors
    /// When it refers to an address that nothing has.
    pub fn launch(&self, instance: &Instance, artifact: Artifact) -> Result<Launch> {
        let ports = self.ports.of(&instance.name);
        let mut environment = self.resolved(instance, &instance.environment)?;
        for endpoint in &instance.endpoints {
            if let (Some(variable), Some(port)) = (&endpoint.variable, ports.get(&endpoint.name)) {
                let address = listen(self.kind, endpoint, *port);
                environment.insert(variable.clone(), Secret::new(address));
            }
        }
        let files = match &instance.program {
            Program::Server(server) => self.resolved(instance, &server.files)?,
            Program::Service { .. } | Program::Container(_) => BTreeMap::new(),
        };
        let mut launch = Launch {
            instance: instance.clone(),
            artifact,
            environment,
            files,
            ports,
            fingerprint: String::new(),
        };
        launch.fingerprint = fingerprint(&launch);
        Ok(launch)
    }

    fn resolved(
        &self,
        instance: &Instance,
        templates: &BTreeMap<String, Template>,
    ) -> Result<BTreeMap<String, Secret>> {
        templates
            .iter()
            .map(|(name, template)| {
                let value = template.resolve(&self.inside).ok_or_else(|| {
                    Error::invalid(format!(
                        "`{name}` of {} needs an address that nothing in the stack has",
                        instance.name
                    ))
                    .hint("A service that is called needs a public port: `ports: {http: 8080}`")
                })?;
                Ok((name.clone(), Secret::new(value)))
            })
            .collect()
    }
}

/// Two halves: what runs, and how. Not the ports on the host: what runs keeps them.
fn fingerprint(launch: &Launch) -> String {
    let mut how = Sha256::new();
    for part in [&launch.environment, &launch.files] {
        for (name, value) in part {
            how.update(format!("{}\0{}\0", name, value.reveal()));
        }
        how.update([1]);
    }
    for endpoint in &launch.instance.endpoints {
        how.update(format!("{}={}\0", endpoint.name, endpoint.port));
    }
    match &launch.instance.program {
        Program::Service { arguments, .. } => how.update(arguments.join("\0")),
        Program::Server(server) => {
            how.update(server.arguments.join("\0"));
            how.update(format!("\0{:?}\0{:?}", server.data, server.process));
        }
        Program::Container(container) => {
            let words = (&container.command, &container.arguments);
            let rights = (container.user, &container.writable);
            how.update(format!("{words:?}\0{rights:?}"));
        }
    }
    let what = Sha256::digest(launch.artifact.identity.as_bytes());
    format!("{}-{}", digits(&what), digits(&how.finalize()))
}

fn digits(digest: &[u8]) -> String {
    let bytes = digest.iter().take(DIGITS / 2);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// What differs between two fingerprints; `None` when nothing does.
pub fn difference(wanted: &str, found: &str) -> Option<Difference> {
    if wanted == found {
        return None;
    }
    if found.is_empty() {
        return Some(Difference::Asked);
    }
    let program = |fingerprint: &str| fingerprint.split('-').next().map(str::to_owned);
    match program(wanted) == program(found) {
        true => Some(Difference::Configuration),
        false => Some(Difference::Program),
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Asked => "started again, as asked",
            Self::Program => "its program changed",
            Self::Configuration => "its configuration changed",
        })
    }
}
