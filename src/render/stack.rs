//! The local stack from the manifests: which servers, jobs and services, and what each finds in
//! its environment. Pure: addresses and passwords come in or stay placeholders.

mod containers;
mod passwords;
pub(in crate::render) mod placeholder;
mod servers;
mod services;
mod testing;

use std::collections::{BTreeMap, BTreeSet};

pub use self::testing::{TestStack, test_stack};

use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::{Project, Service};
use crate::model::secret::Secret;
use crate::model::stack::StackSpec;

/// What a stack is made from.
#[derive(Debug, Clone, Copy)]
pub struct StackInput<'a> {
    /// The workspace with all its services.
    pub project: &'a Project,
    /// The stack's id: `shop-3f2a91c4`.
    pub id: &'a str,
    /// What passwords are derived from; known to this checkout alone.
    pub key: &'a Secret,
    /// Values of the services' secrets, by variable.
    pub secrets: &'a BTreeMap<String, Secret>,
    /// The services that are wanted; all when empty.
    pub selected: &'a [Name],
}

/// Describes the stack of a project: the selected services with all that they need.
///
/// # Errors
/// When a selected service is unknown, a secret has no local value, a resource type is faulty,
/// or two things would have one name.
pub fn stack(input: &StackInput<'_>) -> Result<StackSpec> {
    let chosen = choose(input)?;
    let plans = servers::plan(input, &chosen)?;
    let mut spec = StackSpec {
        id: input.id.to_owned(),
        workspace: input.project.workspace.name.clone(),
        servers: Vec::new(),
        provisions: BTreeMap::new(),
        jobs: Vec::new(),
        services: Vec::new(),
    };
    for plan in &plans {
        spec.servers.push(plan.instance()?);
        spec.provisions
            .insert(plan.name.clone(), plan.provisions()?);
    }
    services::add(&mut spec, input, &chosen, &plans)?;
    refuse_taken_names(&spec)?;
    Ok(spec)
}

/// The selected services with all services that they call, directly or not.
fn choose<'a>(input: &StackInput<'a>) -> Result<Vec<&'a Service>> {
    let services = &input.project.services;
    if input.selected.is_empty() {
        return Ok(services.values().collect());
    }
    let mut names = BTreeSet::new();
    let mut open: Vec<&Name> = input.selected.iter().collect();
    while let Some(name) = open.pop() {
        let service = input.project.service(name);
        let service = service.map_err(|error| named_resource(error, input.project, name))?;
        if names.insert(&service.name) {
            open.extend(service.needs.iter().map(|need| &need.service));
        }
    }
    Ok(services
        .values()
        .filter(|service| names.contains(&service.name))
        .collect())
}

/// The error where a resource was named in place of a service; another one as it is.
fn named_resource(error: Error, project: &Project, name: &Name) -> Error {
    if !project.workspace.resources.contains_key(name) {
        return error;
    }
    let users: Vec<String> = project
        .services
        .values()
        .filter(|service| service.uses.values().any(|used| used == name))
        .map(|service| format!("`{}`", service.name))
        .collect();
    let error = Error::invalid(format!("`{name}` is a resource, not a service"))
        .since("resources start with the services that use them");
    match users.is_empty() {
        true => error.hint("No service uses it: `gantline up` starts it with everything else"),
        false => error.hint(format!("Name a service that uses it: {}", users.join(", "))),
    }
}

fn refuse_taken_names(spec: &StackSpec) -> Result<()> {
    let mut names = BTreeSet::new();
    match spec
        .instances()
        .find(|instance| !names.insert(instance.name.as_str()))
    {
        None => Ok(()),
        Some(instance) => Err(Error::invalid(format!(
            "two things of the local stack would be called `{}`",
            instance.name
        ))
        .hint("Rename the service: servers are called TYPE-VERSION, and jobs SERVICE-migrate")),
    }
}

#[cfg(test)]
mod tests;
