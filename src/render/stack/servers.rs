//! Backing servers: resources of one type and version share one, dedicated ones have their own.

use std::collections::BTreeMap;

use super::StackInput;
use super::passwords::derive;
use super::placeholder::{Origin, fill, fill_text};
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::{Resource, Service};
use crate::model::resource_type::{Provision, ReadyCheck, ResourceType};
use crate::model::secret::Secret;
use crate::model::stack::{
    Endpoint, Instance, Piece, Program, Readiness, Role, ServerProgram, Template, TenantProvision,
};

/// The endpoint of a server's own protocol.
const MAIN: &str = "main";
/// How long a server may take to answer; the first start makes its data folder.
const DEADLINE_SECONDS: u64 = 120;

/// One server and the resources on it.
pub(super) struct ServerPlan<'a> {
    /// The server's name: `postgres-17`.
    pub name: String,
    kind: &'a ResourceType,
    version: &'a str,
    image: &'a str,
    tenants: Vec<&'a Resource>,
    key: &'a Secret,
}

/// The servers of the chosen services; of all resources when no service was selected.
///
/// A server's resources are all that the workspace has of its type and version, so that
/// selecting other services next time does not change the server.
pub(super) fn plan<'a>(input: &StackInput<'a>, chosen: &[&Service]) -> Result<Vec<ServerPlan<'a>>> {
    let mut plans: BTreeMap<String, ServerPlan<'a>> = BTreeMap::new();
    for resource in input.project.workspace.resources.values() {
        let name = server_name(resource);
        match plans.get_mut(&name) {
            Some(plan) => plan.tenants.push(resource),
            None => {
                plans.insert(name.clone(), new_plan(input, name, resource)?);
            }
        }
    }
    let mut plans: Vec<ServerPlan<'a>> = plans.into_values().collect();
    if !input.selected.is_empty() {
        plans.retain(|plan| {
            let mut used = chosen.iter().flat_map(|service| service.uses.values());
            used.any(|name| plan.serves(name))
        });
    }
    Ok(plans)
}

fn server_name(resource: &Resource) -> String {
    // A version's dot would end the first label of the host name.
    let version = resource.version.replace('.', "-");
    match resource.dedicated {
        false => format!("{}-{version}", resource.kind),
        true => format!("{}-{version}-{}", resource.kind, resource.name),
    }
}

fn new_plan<'a>(
    input: &StackInput<'a>,
    name: String,
    resource: &'a Resource,
) -> Result<ServerPlan<'a>> {
    let kind = input.project.types.get(&resource.kind).ok_or_else(|| {
        Error::invalid(format!(
            "the resource `{}` has the unknown type `{}`",
            resource.name, resource.kind
        ))
    })?;
    let version = kind
        .versions
        .iter()
        .find(|version| version.version == resource.version)
        .ok_or_else(|| {
            Error::invalid(format!(
                "the resource `{}` has the version {}, which the type `{}` does not know",
                resource.name, resource.version, kind.name
            ))
        })?;
    Ok(ServerPlan {
        name,
        kind,
        version: &version.version,
        image: &version.image,
        tenants: vec![resource],
        key: input.key,
    })
}

impl ServerPlan<'_> {
    /// Whether a resource lives on this server.
    pub fn serves(&self, resource: &Name) -> bool {
        self.tenants.iter().any(|tenant| tenant.name == *resource)
    }

    /// Whether the schema of a resource on it is changed by another role than the user's, and so
    /// by a job.
    pub fn has_owner(&self) -> bool {
        !self.kind.owner_exports.is_empty()
    }

    /// The server as an instance.
    pub fn instance(&self) -> Result<Instance> {
        let password = derive(self.key, &self.name, &self.kind.administrator);
        let environment = self.filled("environment", &self.kind.environment, None)?;
        Ok(Instance {
            name: self.name.clone(),
            role: Role::Resource,
            program: Program::Server(ServerProgram {
                kind: self.kind.name.clone(),
                version: self.version.to_owned(),
                image: self.image.to_owned(),
                arguments: self.kind.arguments.clone(),
                files: self.files()?,
                data: self.kind.data.clone(),
                process: self.kind.process.clone(),
                administrator: self.kind.administrator.clone(),
                administrator_password: password.clone(),
            }),
            environment,
            endpoints: self.endpoints(),
            ready: Some(Readiness {
                check: self.kind.ready.clone(),
                user: self.kind.administrator.clone(),
                password,
            }),
            after: Vec::new(),
            deadline_seconds: DEADLINE_SECONDS,
        })
    }

    /// What makes the server ready for each of its resources.
    pub fn provisions(&self) -> Result<Vec<TenantProvision>> {
        self.tenants
            .iter()
            .filter(|_| !self.kind.provision.is_empty())
            .map(|tenant| {
                let steps = self.kind.provision.iter();
                Ok(TenantProvision {
                    resource: tenant.name.clone(),
                    steps: steps
                        .map(|step| self.provision_step(step, tenant))
                        .collect::<Result<_>>()?,
                })
            })
            .collect()
    }

    /// What a user of a resource finds, by the export's name: `uri`, `host`.
    pub fn exports(&self, resource: &Name) -> Result<BTreeMap<String, Template>> {
        self.filled("exports", &self.kind.exports, self.tenant(resource))
    }

    /// What the job that changes a resource's schema finds.
    pub fn owner_exports(&self, resource: &Name) -> Result<BTreeMap<String, Template>> {
        self.filled(
            "owner_exports",
            &self.kind.owner_exports,
            self.tenant(resource),
        )
    }

    /// What the tests of a service that uses a resource find.
    pub fn test_exports(&self, resource: &Name) -> Result<BTreeMap<String, Template>> {
        match self.kind.test_exports.is_empty() {
            true => self.exports(resource),
            false => self.filled(
                "test_exports",
                &self.kind.test_exports,
                self.tenant(resource),
            ),
        }
    }

    fn tenant(&self, resource: &Name) -> Option<&Resource> {
        self.tenants
            .iter()
            .copied()
            .find(|tenant| tenant.name == *resource)
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        let endpoint = |name: &str, port: u16| Endpoint {
            name: name.to_owned(),
            port,
            variable: None,
        };
        let further = self.kind.ports.iter();
        std::iter::once(endpoint(MAIN, self.kind.port))
            .chain(further.map(|(name, port)| endpoint(name, *port)))
            .collect()
    }

    fn files(&self) -> Result<BTreeMap<String, Template>> {
        let mut filled = BTreeMap::new();
        for (path, text) in &self.kind.files {
            let mut tenants = BTreeMap::new();
            for (name, section) in &self.kind.tenants {
                tenants.insert(format!("tenants.{name}"), self.repeated(name, section)?);
            }
            let template = fill(text, self.origin("files"), |name| {
                tenants
                    .get(name)
                    .cloned()
                    .or_else(|| self.lookup(name, None))
            })?;
            filled.insert(path.clone(), template);
        }
        Ok(filled)
    }

    fn repeated(&self, name: &str, section: &str) -> Result<Vec<Piece>> {
        let key = format!("tenants.{name}");
        let mut pieces = Vec::new();
        for tenant in &self.tenants {
            let lookup = |name: &str| self.lookup(name, Some(tenant));
            pieces.extend(fill(section, self.origin(&key), lookup)?.0);
        }
        Ok(pieces)
    }

    fn filled(
        &self,
        key: &str,
        texts: &BTreeMap<String, String>,
        tenant: Option<&Resource>,
    ) -> Result<BTreeMap<String, Template>> {
        texts
            .iter()
            .map(|(name, text)| {
                let key = format!("{key}.{name}");
                let lookup = |placeholder: &str| self.lookup(placeholder, tenant);
                Ok((name.clone(), fill(text, self.origin(&key), lookup)?))
            })
            .collect()
    }

    fn provision_step(&self, step: &Provision, tenant: &Resource) -> Result<Provision> {
        let filled = |text: &str| {
            fill_text(text, self.origin("provision"), |name| {
                self.lookup(name, Some(tenant))
            })
        };
        let Provision::Sql {
            database,
            unless,
            statement,
        } = step;
        Ok(Provision::Sql {
            database: filled(database)?,
            unless: unless.as_deref().map(filled).transpose()?,
            statement: filled(statement)?,
        })
    }

    /// What a placeholder stands for; those of a resource need to know which.
    fn lookup(&self, placeholder: &str, tenant: Option<&Resource>) -> Option<Vec<Piece>> {
        let piece = match (placeholder, tenant) {
            ("host", _) => Piece::Host {
                instance: self.name.clone(),
            },
            ("port", _) => self.port(MAIN),
            ("admin.user", _) => Piece::Text(self.kind.administrator.clone()),
            ("admin.password", _) => self.password(&self.kind.administrator),
            ("resource", Some(tenant)) => Piece::Text(tenant.name.to_string()),
            ("user" | "database", Some(tenant)) => Piece::Text(tenant.name.snake()),
            ("password", Some(tenant)) => self.password(&tenant.name.snake()),
            ("owner.user", Some(tenant)) => Piece::Text(owner(tenant)),
            ("owner.password", Some(tenant)) => self.password(&owner(tenant)),
            _ => {
                let name = placeholder.strip_prefix("port.")?;
                self.kind
                    .ports
                    .contains_key(name)
                    .then(|| self.port(name))?
            }
        };
        Some(vec![piece])
    }

    fn password(&self, user: &str) -> Piece {
        Piece::Secret(derive(self.key, &self.name, user))
    }

    fn port(&self, endpoint: &str) -> Piece {
        Piece::Port {
            instance: self.name.clone(),
            endpoint: endpoint.to_owned(),
        }
    }

    fn origin<'a>(&'a self, key: &'a str) -> Origin<'a> {
        Origin {
            kind: self.kind.name.as_str(),
            key,
        }
    }
}

/// The role that changes the schema.
fn owner(tenant: &Resource) -> String {
    format!("{}_owner", tenant.name.snake())
}

/// The check of a service's admin listener.
pub(super) fn service_readiness() -> Readiness {
    Readiness {
        check: ReadyCheck::Http {
            port: "admin".to_owned(),
            path: "/health/ready".to_owned(),
        },
        user: String::new(),
        password: Secret::default(),
    }
}
