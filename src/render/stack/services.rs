//! Services, the jobs before them, and what both find in their environment.

use std::collections::BTreeMap;

use super::StackInput;
use super::containers;
use super::servers::{ServerPlan, service_readiness};
use crate::error::{Error, Result};
use crate::model::container::Container;
use crate::model::name::Name;
use crate::model::project::{Service, address_variable, role_variable};
use crate::model::stack::{Endpoint, Instance, Piece, Program, Role, StackSpec, Template};

/// How long a migration may take.
const JOB_DEADLINE_SECONDS: u64 = 300;
/// How long a service may take to become ready.
const SERVICE_DEADLINE_SECONDS: u64 = 60;

/// Adds the chosen services and their jobs to a stack that has its servers.
pub(super) fn add(
    spec: &mut StackSpec,
    input: &StackInput<'_>,
    chosen: &[&Service],
    servers: &[ServerPlan<'_>],
) -> Result<()> {
    refuse_missing_secrets(input, chosen)?;
    let maker = Maker { input, servers };
    for service in chosen {
        spec.jobs.extend(maker.migration(service)?);
    }
    let before: Vec<String> = spec
        .servers
        .iter()
        .chain(&spec.jobs)
        .map(|instance| instance.name.clone())
        .collect();
    for service in chosen {
        spec.services.push(maker.service(service, &before)?);
    }
    Ok(())
}

fn refuse_missing_secrets(input: &StackInput<'_>, chosen: &[&Service]) -> Result<()> {
    let missing: Vec<Error> = chosen
        .iter()
        .flat_map(|service| service.secrets.keys().map(move |name| (service, name)))
        .filter(|(_, variable)| !input.secrets.contains_key(*variable))
        .map(|(service, variable)| {
            Error::invalid(format!(
                "the secret `{variable}` of the service `{}` has no local value",
                service.name
            ))
            .hint(format!(
                "Add a line `{variable}=...` to .gantline/local.env"
            ))
        })
        .collect();
    let message = |count| format!("{count} secrets have no local value");
    Error::none_of(message, missing)
}

struct Maker<'a> {
    input: &'a StackInput<'a>,
    servers: &'a [ServerPlan<'a>],
}

impl Maker<'_> {
    /// The job that migrates a service's store, when it has one whose schema has an owner.
    fn migration(&self, service: &Service) -> Result<Option<Instance>> {
        let mut environment = BTreeMap::new();
        let mut after = Vec::new();
        // A container has no such job: what owns a schema changes it by itself.
        let uses = service.uses.iter();
        for (role, resource) in uses.filter(|_| service.container.is_none()) {
            let server = self.server(resource)?;
            if server.has_owner() {
                let exports = server.owner_exports(resource)?;
                environment.extend(variables(role, exports));
                after.push(server.name.clone());
            }
        }
        if after.is_empty() {
            return Ok(None);
        }
        let name = format!("{}-migrate", service.name);
        environment.insert("OTEL_SERVICE_NAME".to_owned(), Template::text(&name));
        environment.extend(plain(&service.env));
        Ok(Some(Instance {
            role: Role::Job,
            program: self.program(service, &["migrate"]),
            environment,
            endpoints: Vec::new(),
            ready: None,
            after,
            deadline_seconds: JOB_DEADLINE_SECONDS,
            name,
        }))
    }

    fn service(&self, service: &Service, before: &[String]) -> Result<Instance> {
        let waited_for = service.needs.iter().filter(|need| need.wait);
        let after = before
            .iter()
            .cloned()
            .chain(waited_for.map(|need| need.service.to_string()))
            .collect();
        Ok(Instance {
            name: service.name.to_string(),
            role: Role::Service,
            program: match &service.container {
                Some(container) => containers::program(self.input.project, service, container),
                None => self.program(service, &["serve"]),
            },
            environment: self.environment(service)?,
            endpoints: endpoints(service),
            ready: Some(match &service.container {
                Some(container) => containers::readiness(container),
                None => service_readiness(),
            }),
            after,
            deadline_seconds: SERVICE_DEADLINE_SECONDS,
        })
    }

    /// What a service finds; what its manifest says wins over what is derived.
    fn environment(&self, service: &Service) -> Result<BTreeMap<String, Template>> {
        let mut environment = BTreeMap::new();
        let name = Template::text(service.name.as_str());
        environment.insert("OTEL_SERVICE_NAME".to_owned(), name);
        for (role, resource) in &service.uses {
            let server = self.server(resource)?;
            let owns = |container: &Container| container.owns.contains(role);
            let exports = match service.container.as_ref().is_some_and(owns) {
                true if server.has_owner() => server.owner_exports(resource)?,
                _ => server.exports(resource)?,
            };
            environment.extend(variables(role, exports));
        }
        for need in &service.needs {
            let peer = &need.service;
            let services = &self.input.project.services;
            let called = services.get(peer).and_then(|it| it.ports.called());
            let port = called.map_or("http", |(name, _)| name);
            environment.insert(address_variable(peer), url_of(peer, port));
        }
        environment.extend(plain(&service.env));
        for variable in service.secrets.keys() {
            let secret = self.input.secrets.get(variable).cloned();
            let piece = Piece::Secret(secret.unwrap_or_default());
            environment.insert(variable.clone(), Template(vec![piece]));
        }
        Ok(environment)
    }

    fn program(&self, service: &Service, arguments: &[&str]) -> Program {
        let project = self.input.project;
        Program::Service {
            service: service.name.clone(),
            directory: project.root.join(service.directory.as_str()),
            image: service.image(&project.workspace),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn server(&self, resource: &Name) -> Result<&ServerPlan<'_>> {
        self.servers
            .iter()
            .find(|server| server.serves(resource))
            .ok_or_else(|| {
                Error::invalid(format!("the workspace has no resource `{resource}`"))
                    .hint(format!("Add it: gantline add resource {resource}"))
            })
    }
}

/// `STORE_URI`, `STORE_HOST` and so on: a variable for each export.
pub(super) fn variables(
    role: &str,
    exports: BTreeMap<String, Template>,
) -> impl Iterator<Item = (String, Template)> {
    exports
        .into_iter()
        .map(move |(name, value)| (role_variable(role, &name), value))
}

fn plain(variables: &BTreeMap<String, String>) -> impl Iterator<Item = (String, Template)> {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), Template::text(value)))
}

/// The address of a service by what its port speaks: `http://HOST:PORT`.
fn url_of(peer: &Name, port: &str) -> Template {
    let instance = peer.to_string();
    Template(vec![
        Piece::Text(format!("{port}://")),
        Piece::Host {
            instance: instance.clone(),
        },
        Piece::Text(":".to_owned()),
        Piece::Port {
            instance,
            endpoint: port.to_owned(),
        },
    ])
}

/// Only what is made from a blueprint can be told where to listen.
fn endpoints(service: &Service) -> Vec<Endpoint> {
    let is_told = service.container.is_none();
    let ports = service.ports.named().into_iter();
    ports
        .map(|(name, port)| Endpoint {
            name: name.to_owned(),
            port,
            variable: is_told.then(|| format!("{}_ADDR", name.to_ascii_uppercase())),
        })
        .collect()
}
