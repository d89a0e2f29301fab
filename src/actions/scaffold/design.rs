//! A request turned into a manifest: every choice made, checked, and fitted into the workspace.

use std::collections::BTreeMap;

use super::request::{ServiceRequest, name as name_of, unknown};
use crate::config::options::{self, OptionProblem, RelationCounts, WantedResource};
use crate::config::{reserved, workspace as workspace_rules};
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, OptionDefinition, OptionValues};
use crate::model::name::Name;
use crate::model::project::{BlueprintReference, Project, Resource, Service};
use crate::model::suggest;

/// The role of the broker: consumer and provider meet there.
const MESSAGING: &str = "messaging";

/// What a design is made from.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The workspace with all its services.
    pub project: &'a Project,
    /// What the service is made from.
    pub blueprint: &'a Blueprint,
}

/// What the manifest of a new service says, and the resources that come with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Its name.
    pub name: Name,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is made from.
    pub blueprint: BlueprintReference,
    /// Every option with its value, in the blueprint's order.
    pub options: Vec<(String, String)>,
    /// Resources by role.
    pub uses: BTreeMap<String, Name>,
    /// Services that it calls.
    pub needs: Vec<Name>,
    /// Events that it publishes.
    pub publishes: Vec<Name>,
    /// Events that it consumes, and who publishes each.
    pub consumes: BTreeMap<Name, Name>,
    /// Resources that the workspace does not have yet.
    pub resources: Vec<Resource>,
}

impl Ground<'_> {
    /// The design that a request asks for.
    ///
    /// # Errors
    /// When a name is taken, a choice is missing or unknown, or the combination is refused.
    pub fn design(&self, request: &ServiceRequest) -> Result<Design> {
        check_name(self.project, &request.name)?;
        let options = self.options(&request.options)?;
        self.check_combination(request, &options)?;
        let needs = self.needs(request)?;
        self.check_events(request)?;
        let (uses, resources) = self.uses(request, &options)?;
        let order = self.blueprint.options.iter();
        let ordered = order.filter_map(|option| options.get_key_value(&option.name));
        Ok(Design {
            name: request.name.clone(),
            owner: request.owner.clone(),
            blueprint: request.blueprint.clone(),
            options: ordered
                .map(|(option, value)| (option.clone(), value.clone()))
                .collect(),
            uses,
            needs,
            publishes: request.publishes.clone(),
            consumes: request.consumes.clone(),
            resources,
        })
    }

    /// The value of every option: given, or by default.
    fn options(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        options::resolve(self.blueprint, given).map_err(|problems| {
            let flagged = problems
                .into_iter()
                .map(|problem| self.flagged(problem, given));
            let summary = |count| format!("{count} options are wrong or missing");
            let error = Error::all_of(summary, flagged.collect());
            error.unwrap_or_else(|| Error::invalid("the options are wrong"))
        })
    }

    /// A problem in the words of the flags.
    fn flagged(&self, problem: OptionProblem, given: &BTreeMap<String, String>) -> Error {
        let Some(option) = &problem.option else {
            return self.first_missing(problem.error);
        };
        let (Some(definition), Some(text)) = (self.blueprint.option(option), given.get(option))
        else {
            return problem.error;
        };
        let nearest = match &definition.values {
            OptionValues::Name => Name::nearest(text).map(|name| name.to_string()),
            OptionValues::Choices(choices) => {
                suggest::nearest(text, choices.iter().map(|choice| &*choice.name))
                    .map(str::to_owned)
            }
        };
        let Some(nearest) = nearest.filter(|nearest| nearest != text) else {
            return problem.error;
        };
        let told = [
            format!("Write `{nearest}`"),
            format!("Did you mean `{nearest}`?"),
        ];
        let told = told.each_ref().map(String::as_str);
        let hint = format!("Write `--with {option}={nearest}`");
        problem.error.without_hints(&told).hint(hint)
    }

    fn first_missing(&self, error: Error) -> Error {
        let required = self.blueprint.options.iter();
        let flags: Vec<String> = required
            .filter(|option| option.default.is_none())
            .map(flag_of)
            .collect();
        Error::invalid("an option is missing")
            .since(error.message())
            .hint(format!("Add {}", flags.join(" and ")))
    }

    fn check_combination(
        &self,
        request: &ServiceRequest,
        options: &BTreeMap<String, String>,
    ) -> Result<()> {
        let relations = RelationCounts {
            publishes: request.publishes.len(),
            consumes: request.consumes.len(),
            needs: request.needs.len(),
        };
        if let Some(refusal) = options::refusal(self.blueprint, options, relations) {
            let mut nearest = options.clone();
            nearest.extend(refusal.nearest.clone());
            let flags: Vec<String> = nearest
                .iter()
                .map(|(option, value)| format!("--with {option}={value}"))
                .collect();
            let hint = format!("The nearest that goes: `{}`", flags.join(" "));
            return Err(options::refused(refusal).hint(hint));
        }
        let problems = options::relation_problems(self.blueprint, relations);
        let allowed = self.blueprint.relations;
        let problems = problems.into_iter().map(|(relation, error)| {
            let (flag, count, given) = match relation {
                "publishes" => ("publishes EVENT", allowed.publishes, relations.publishes),
                "consumes" => (
                    "consumes EVENT=PROVIDER",
                    allowed.consumes,
                    relations.consumes,
                ),
                _ => ("needs SERVICE", allowed.needs, relations.needs),
            };
            error.hint(match (given < count.at_least, count.at_most) {
                (true, _) => format!("Add `--{flag}`"),
                (false, Some(most)) if most > 0 => {
                    format!("Give `--{relation}` at most {most} times")
                }
                (false, _) => format!("Leave out `--{relation}`"),
            })
        });
        let summary = |count| format!("{count} relations are wrong");
        Error::none_of(summary, problems.collect())
    }

    fn needs(&self, request: &ServiceRequest) -> Result<Vec<Name>> {
        let mut packages: BTreeMap<String, &Name> = BTreeMap::new();
        let mut needs = Vec::new();
        for peer in &request.needs {
            if peer == &request.name {
                return Err(Error::invalid(format!("`{peer}` cannot need itself")));
            }
            callable(self.project, peer)?;
            match packages.insert(peer.package(), peer) {
                Some(same) if same == peer => {}
                Some(other) => {
                    return Err(Error::invalid(format!(
                        "`{other}` and `{peer}` would have one Go package, `{}`",
                        peer.package()
                    )));
                }
                None => needs.push(peer.clone()),
            }
        }
        Ok(needs)
    }

    fn check_events(&self, request: &ServiceRequest) -> Result<()> {
        let events = request.publishes.iter().chain(request.consumes.keys());
        let events: Vec<&Name> = events.collect();
        for event in &events {
            if let Some(problem) = options::event_problem(self.blueprint, event, &events) {
                return Err(problem);
            }
        }
        for (event, provider) in &request.consumes {
            let service = self.project.service(provider)?;
            if !service.publishes.contains(event) {
                let known = service.publishes.iter().map(Name::as_str);
                let what = format!("`{provider}` publishes no event `{event}`");
                return Err(unknown(what, event.as_str(), known));
            }
        }
        Ok(())
    }

    fn uses(
        &self,
        request: &ServiceRequest,
        options: &BTreeMap<String, String>,
    ) -> Result<(BTreeMap<String, Name>, Vec<Resource>)> {
        let wanted = options::resources(self.blueprint, options, &request.name);
        for role in request.uses.keys() {
            if !wanted.iter().any(|want| want.role == *role) {
                let known = wanted.iter().map(|want| want.role.as_str());
                let what = format!("with these options, the service has no role `{role}` to fill");
                return Err(unknown(what, role, known));
            }
        }
        let mut uses = BTreeMap::new();
        let mut resources = Vec::new();
        for want in wanted {
            let resource = self.resource_for(request, &want)?;
            uses.insert(want.role, resource.name.clone());
            if !self
                .project
                .workspace
                .resources
                .contains_key(&resource.name)
            {
                resources.push(resource);
            }
        }
        Ok((uses, resources))
    }

    /// The resource for a role: the one asked for, the provider's, or one by the choice's name.
    fn resource_for(&self, request: &ServiceRequest, want: &WantedResource) -> Result<Resource> {
        let existing = &self.project.workspace.resources;
        let role = want.role.as_str();
        let kind = name_of("the resource type", &want.kind)?;
        if let Some(name) = request.uses.get(role) {
            let resource = existing.get(name).ok_or_else(|| {
                let what = format!("gantline.yaml has no resource `{name}`");
                unknown(what, name.as_str(), existing.keys().map(Name::as_str)).hint(format!(
                    "Add it first: `gantline add resource {name} --type {kind}`"
                ))
            })?;
            return of_kind(resource, &kind);
        }
        if let Some(resource) = self.resource_of_provider(request, role, &kind) {
            return Ok(resource.clone());
        }
        let name = name_of(&format!("the resource for {role}"), &want.name)?;
        let Some(resource) = existing.get(&name) else {
            return self.new_resource(name, &kind, request);
        };
        // A resource named after the service is its own.
        let is_own = name.as_str().contains(request.name.as_str());
        let mut services = self.project.services.values();
        let user = services.find(|other| other.uses.values().any(|used| *used == name));
        match user.filter(|_| is_own) {
            Some(user) => Err(Error::invalid(format!(
                "the resource `{name}` belongs to `{}` already",
                user.name
            ))
            .hint(format!("Name another one: `--use {role}=RESOURCE`"))),
            None => of_kind(resource, &kind),
        }
    }

    /// A consumer listens where its provider speaks.
    fn resource_of_provider(
        &self,
        request: &ServiceRequest,
        role: &str,
        kind: &Name,
    ) -> Option<&Resource> {
        let providers = request.consumes.values();
        providers
            .filter_map(|provider| self.project.services.get(provider)?.uses.get(role))
            .filter_map(|name| self.project.workspace.resources.get(name))
            .find(|resource| resource.kind == *kind)
            .filter(|_| role == MESSAGING)
    }

    fn new_resource(&self, name: Name, kind: &Name, request: &ServiceRequest) -> Result<Resource> {
        if self.project.services.contains_key(&name) || name == request.name {
            return Err(Error::invalid(format!(
                "a resource cannot have the name of the service `{name}`"
            )));
        }
        let types = &self.project.types;
        let resource_type = types
            .get(kind)
            .ok_or_else(|| workspace_rules::unknown_type(kind.as_str(), types))?;
        Ok(Resource {
            name,
            kind: kind.clone(),
            version: workspace_rules::version_of(resource_type, None)?,
            owner: request.owner.clone(),
            dedicated: false,
        })
    }
}

/// Whether a new service may have this name.
///
/// # Errors
/// When it means something already.
pub fn check_name(project: &Project, name: &Name) -> Result<()> {
    if let Some(reason) = reserved::service_reason(name, project.types.keys()) {
        return Err(reserved::refused(name, reason));
    }
    let taken_by = match project.services.get(name) {
        Some(taken) => format!("`{}/service.yaml` has it", taken.directory),
        None if project.workspace.resources.contains_key(name) => {
            "a resource in gantline.yaml has it".to_owned()
        }
        None => return Ok(()),
    };
    Err(Error::invalid(format!("the name `{name}` is taken"))
        .since(taken_by)
        .hint("Choose another name"))
}

/// The service of this name, which others can call.
///
/// # Errors
/// When there is none, or it has no public listener.
pub fn callable<'a>(project: &'a Project, name: &Name) -> Result<&'a Service> {
    let service = project.service(name)?;
    if service.ports.called().is_none() {
        let error = Error::invalid(format!("`{name}` cannot be called"));
        return Err(match service.container {
            Some(_) => error
                .since(format!(
                    "{}/service.yaml gives it no port but `admin`",
                    service.directory
                ))
                .hint("Add `http: 8080`, or where else it listens, to its `ports`"),
            None => error
                .since(format!(
                    "it is made from {}, which has no public listener",
                    service.blueprint
                ))
                .hint("Consume its events instead: `--consumes EVENT=PROVIDER`"),
        });
    }
    Ok(service)
}

fn of_kind(resource: &Resource, kind: &Name) -> Result<Resource> {
    if resource.kind == *kind {
        return Ok(resource.clone());
    }
    Err(Error::invalid(format!(
        "the resource `{}` is {}, and {kind} is needed",
        resource.name, resource.kind
    ))
    .hint("Name one of the right type with `--use ROLE=RESOURCE`"))
}

/// The flag of an option, once for each choice.
fn flag_of(option: &OptionDefinition) -> String {
    let flag = |value: &str| format!("`--with {}={value}`", option.name);
    match &option.values {
        OptionValues::Name => flag("NAME"),
        OptionValues::Choices(choices) => {
            let flags: Vec<String> = choices.iter().map(|choice| flag(&choice.name)).collect();
            flags.join(" or ")
        }
    }
}
