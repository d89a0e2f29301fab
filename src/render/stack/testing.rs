//! What the tests of services need: servers of their own, and where these are.

use std::collections::BTreeMap;

use super::StackInput;
use super::servers::plan;
use super::services::variables;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::Service;
use crate::model::stack::{StackSpec, Template};

/// What every variable for tests begins with.
const PREFIX: &str = "TEST_";

/// Servers, and what the tests of each service find in their environment.
#[derive(Debug, Clone, PartialEq)]
pub struct TestStack {
    /// Servers alone: tests make what they need on them.
    pub spec: StackSpec,
    /// Variables such as `TEST_STORE_URI`, by service.
    pub environments: BTreeMap<Name, BTreeMap<String, Template>>,
}

/// Describes what the tests of the selected services need, of all when none is selected. Tests
/// stand in for services that are called, so those are no part of it.
///
/// # Errors
/// When a selected service is unknown, or a resource type is faulty.
pub fn test_stack(input: &StackInput<'_>) -> Result<TestStack> {
    let chosen = chosen(input)?;
    let mut plans = plan(input, &chosen)?;
    plans.retain(|plan| {
        let mut used = chosen.iter().flat_map(|service| service.uses.values());
        used.any(|name| plan.serves(name))
    });
    let mut environments = BTreeMap::new();
    for service in &chosen {
        let mut environment = BTreeMap::new();
        for (role, resource) in &service.uses {
            let server = plans.iter().find(|plan| plan.serves(resource));
            let server = server.ok_or_else(|| {
                Error::invalid(format!("the workspace has no resource `{resource}`"))
                    .hint(format!("Add it: gantline add resource {resource}"))
            })?;
            let exports = variables(role, server.test_exports(resource)?);
            environment.extend(exports.map(|(name, value)| (format!("{PREFIX}{name}"), value)));
        }
        environments.insert(service.name.clone(), environment);
    }
    let servers = plans.iter().map(|plan| plan.instance());
    Ok(TestStack {
        spec: StackSpec {
            id: input.id.to_owned(),
            workspace: input.project.workspace.name.clone(),
            servers: servers.collect::<Result<_>>()?,
            provisions: BTreeMap::new(),
            jobs: Vec::new(),
            services: Vec::new(),
        },
        environments,
    })
}

fn chosen<'a>(input: &StackInput<'a>) -> Result<Vec<&'a Service>> {
    let services = &input.project.services;
    match input.selected.is_empty() {
        true => Ok(services.values().collect()),
        false => input
            .selected
            .iter()
            .map(|name| input.project.service(name))
            .collect(),
    }
}
