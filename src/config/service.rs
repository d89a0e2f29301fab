//! A service from its manifest: everything that the manifest, its blueprint and the workspace
//! decide together. What concerns other services is checked by `references`.

mod blueprints;

use std::collections::BTreeMap;
use std::path::Path;

pub use self::blueprints::Blueprints;
use self::blueprints::Chosen;
use super::options::{self, RelationCounts};
use super::port_map::OF_BLUEPRINTS;
use super::service_file::ServiceFile;
use super::yaml::Document;
use super::{catalog, container, reserved, uses};
use crate::error::{Error, Place, Result};
use crate::model::blueprint::Blueprint;
use crate::model::container::Container;
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::{Service, Workspace, address_variable, role_variable};
use crate::model::resource_type::ResourceType;
use crate::model::suggest;

/// Variables that gantline gives every service; `LOG_LEVEL` and the like may be set.
const OWN_VARIABLES: [&str; 1] = ["OTEL_SERVICE_NAME"];
/// Those that tell a service made from a blueprint where to listen, what it may take, and how it is
/// stopped.
const OF_BLUEPRINTS_ALONE: [&str; 6] = [
    "HTTP_ADDR",
    "ADMIN_ADDR",
    "GRPC_ADDR",
    "MEMORY_LIMIT_BYTES",
    SHUTDOWN_TIMEOUT,
    DRAIN_DELAY,
];
/// How long a stop takes, which the chart says together with the pod's grace period.
const SHUTDOWN_TIMEOUT: &str = "SHUTDOWN_TIMEOUT";
const DRAIN_DELAY: &str = "DRAIN_DELAY";
/// The exports of each resource that a service is told; one that is made from a blueprint reads
/// the first alone.
const OF_RESOURCES: [&str; 6] = ["uri", "host", "port", "user", "password", "database"];

/// A manifest that was read, before it is checked against anything else.
#[derive(Debug)]
pub struct Manifest {
    /// The folder, relative to the workspace.
    pub directory: TreePath,
    /// The file as written.
    pub file: ServiceFile,
    /// The same with positions.
    pub document: Document,
}

/// What a manifest is checked against.
pub struct Surroundings<'a> {
    /// The workspace's folder.
    pub root: &'a Path,
    /// The blueprints of the workspace.
    pub blueprints: &'a Blueprints<'a>,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The catalogue.
    pub types: &'a BTreeMap<Name, ResourceType>,
}

impl Manifest {
    /// The service and the blueprint that it is made from.
    ///
    /// # Errors
    /// All problems of the manifest at once.
    pub fn service(&self, around: &Surroundings<'_>) -> Result<Service, Vec<Error>> {
        let mut problems = Vec::new();
        let name = keep(self.name(around), &mut problems);
        let container = container::read(self, around.root, &mut problems);
        let chosen = keep(self.blueprint(around), &mut problems).flatten();
        self.check_variables(&mut problems);
        self.check_scale(&mut problems);
        let mut checked = None;
        if let Some(Chosen { blueprint, .. }) = &chosen {
            checked = self.options(blueprint, &mut problems);
            self.check_events(blueprint, &mut problems);
            match (&checked, &name) {
                _ if blueprint.container => uses::check_container(self, around, &mut problems),
                (Some(options), Some(name)) => {
                    self.check_ports(blueprint, &mut problems);
                    let wanted = options::resources(blueprint, options, name);
                    uses::check(self, around, (&wanted, options), &mut problems);
                }
                _ => self.check_ports(blueprint, &mut problems),
            }
        }
        match (name, &chosen, checked) {
            (Some(name), Some(chosen), Some(options)) if problems.is_empty() => {
                Ok(self.assemble(name, chosen, (options, container)))
            }
            _ => Err(problems),
        }
    }

    fn assemble(
        &self,
        name: Name,
        chosen: &Chosen,
        (options, container): (BTreeMap<String, String>, Option<Container>),
    ) -> Service {
        let file = &self.file;
        Service {
            name,
            directory: self.directory.clone(),
            owner: file.owner.clone(),
            blueprint: chosen.reference.clone(),
            ports: match container {
                Some(_) => file.ports.of_container(),
                None => file.ports.of_blueprint(&chosen.blueprint.ports),
            },
            container,
            options,
            uses: file
                .uses
                .iter()
                .map(|(role, used)| (role.0.clone(), used.resource().clone()))
                .collect(),
            needs: file.needs.iter().map(|entry| entry.need()).collect(),
            publishes: file.publishes.iter().map(|event| event.0.clone()).collect(),
            consumes: file
                .consumes
                .iter()
                .map(|(event, from)| (event.0.clone(), from.0.clone()))
                .collect(),
            env: file
                .env
                .iter()
                .map(|(variable, value)| (variable.0.clone(), value.clone()))
                .collect(),
            secrets: file.secrets(),
            compute: file.compute(),
            scale: file.scale(),
            expose: file.expose(),
        }
    }

    fn name(&self, around: &Surroundings<'_>) -> Result<Name> {
        let place = || self.document.place(&["name"]);
        let name = &self.file.name.0;
        let folder = self.directory.file_name();
        if folder != name.as_str() {
            return Err(Error::invalid(format!(
                "the service in the folder `{folder}` calls itself `{name}`"
            ))
            .at(place())
            .hint(format!(
                "Rename the folder to `{name}`, or write `name: {folder}`"
            )));
        }
        match reserved::service_reason(name, around.types.keys()) {
            Some(reason) => Err(reserved::refused(name, reason).at(place())),
            None => Ok(name.clone()),
        }
    }

    /// Events whose names the blueprint's code cannot be made with.
    fn check_events(&self, blueprint: &Blueprint, problems: &mut Vec<Error>) {
        let published = self.file.publishes.iter();
        let published = published.map(|event| (event, self.document.key_place(&["publishes"])));
        let consumed = self.file.consumes.keys();
        let consumed = consumed.map(|event| {
            let place = self.document.key_place(&["consumes", event.0.as_str()]);
            (event, place)
        });
        let events: Vec<(Name, Place)> = published
            .chain(consumed)
            .map(|(event, place)| (event.0.clone(), place))
            .collect();
        let all: Vec<&Name> = events.iter().map(|(name, _)| name).collect();
        for (name, place) in &events {
            let problem = options::event_problem(blueprint, name, &all);
            problems.extend(problem.map(|error| error.at(place.clone())));
        }
    }

    /// What its files are made from; `None` where the manifest does not say what it is made from.
    fn blueprint(&self, around: &Surroundings<'_>) -> Result<Option<Chosen>> {
        let place = || self.document.place(&["blueprint"]);
        let file = &self.file;
        let text = match (&file.blueprint, &file.image, &file.build) {
            (Some(text), None, None) => text.0.as_str(),
            (None, Some(_), None) | (None, None, Some(_)) => catalog::CONTAINER,
            _ => return Ok(None),
        };
        let found = around.blueprints.get(text);
        let chosen = found.map_err(|error| error.at_when_missing(place()))?;
        match (chosen.blueprint.container, file.blueprint.is_some()) {
            (true, true) => Err(container::without_origin(text).at(place())),
            (false, false) => Err(container::taken_name(self, &chosen.reference)),
            _ => Ok(Some(chosen)),
        }
    }

    fn options(
        &self,
        blueprint: &Blueprint,
        problems: &mut Vec<Error>,
    ) -> Option<BTreeMap<String, String>> {
        let file = &self.file;
        // Those of a container are refused as a whole.
        let stated = file.options.iter().filter(|_| !blueprint.container);
        let given = stated
            .map(|(option, value)| (option.0.clone(), value.0.to_string()))
            .collect();
        let resolved = match options::resolve(blueprint, &given) {
            Ok(resolved) => Some(resolved),
            Err(found) => {
                problems.extend(found.into_iter().map(|problem| self.placed(problem)));
                None
            }
        };
        let counts = RelationCounts {
            publishes: file.publishes.len(),
            consumes: file.consumes.len(),
            needs: file.needs.len(),
        };
        for (key, error) in options::relation_problems(blueprint, counts) {
            problems.push(error.at(self.document.key_place(&[key])));
        }
        let refused = resolved
            .as_ref()
            .and_then(|options| options::refusal(blueprint, options, counts));
        if let Some(refusal) = refused {
            let place = self.refusal_place(refusal.when.keys());
            problems.push(options::refused(refusal).at(place));
        }
        resolved
    }

    fn placed(&self, problem: options::OptionProblem) -> Error {
        let place = match (&problem.option, problem.is_value) {
            (Some(option), true) => self.document.place(&["options", option]),
            (Some(option), false) => self.document.key_place(&["options", option]),
            (None, _) => self.document.key_place(&["options"]),
        };
        problem.error.at(place)
    }

    /// The first of these options or relations that the file states, else its blueprint.
    fn refusal_place<'a>(&self, whats: impl Iterator<Item = &'a String>) -> Place {
        let stated = whats
            .map(|what| what.split('.').next().unwrap_or(what))
            .find_map(|what| {
                [vec!["options", what], vec![what]]
                    .into_iter()
                    .find(|path| self.document.has(path))
            });
        match stated {
            Some(path) => self.document.key_place(&path),
            None => self.document.place(&["blueprint"]),
        }
    }

    fn check_ports(&self, blueprint: &Blueprint, problems: &mut Vec<Error>) {
        let file = &self.file;
        for name in file.ports.names() {
            if OF_BLUEPRINTS.contains(&name) {
                continue;
            }
            let error = Error::invalid(format!("unknown key `{name}`"))
                .at(self.document.key_place(&["ports", name]));
            problems.push(match suggest::hint(name, OF_BLUEPRINTS) {
                Some(hint) => error.hint(hint),
                None => error,
            });
        }
        let made_from = file.blueprint.as_ref().map_or("", |text| text.0.as_str());
        if file.ports.get("http").is_some() && !blueprint.ports.contains_key("http") {
            problems.push(
                Error::invalid(format!(
                    "a service made from {made_from} has no `http` port"
                ))
                .at(self.document.key_place(&["ports", "http"]))
                .hint("Remove the line"),
            );
        }
        let ports = file.ports.of_blueprint(&blueprint.ports);
        if let Some(admin) = ports.admin.filter(|admin| ports.http == Some(*admin)) {
            let key = match file.ports.get("admin") {
                Some(_) => "admin",
                None => "http",
            };
            problems.push(
                Error::invalid(format!("`http` and `admin` are both port {admin}"))
                    .at(self.document.place(&["ports", key]))
                    .hint("Give one of them another port"),
            );
        }
    }

    fn check_variables(&self, problems: &mut Vec<Error>) {
        let file = &self.file;
        let peers = file.needs.iter();
        let peers = peers.map(|entry| address_variable(entry.service()));
        let is_made = file.blueprint.is_some();
        let told = &OF_RESOURCES[..if is_made { 1 } else { OF_RESOURCES.len() }];
        let resources = file.uses.keys().flat_map(|role| {
            let exports = told.iter();
            exports.map(|export| role_variable(&role.0, export))
        });
        let alone = OF_BLUEPRINTS_ALONE.iter().filter(|_| is_made);
        let own = OWN_VARIABLES.iter().chain(alone);
        let own = own.map(|name| (*name).to_owned());
        let given: Vec<String> = own.chain(peers).chain(resources).collect();
        let stated = [
            ("env", file.env.keys().collect::<Vec<_>>()),
            ("secrets", file.secrets.keys().collect()),
        ];
        for (section, variables) in stated {
            for variable in variables {
                let plain = variable.0.strip_suffix("_FILE").unwrap_or(&variable.0);
                if given.iter().any(|name| name == plain) {
                    problems.push(
                        Error::invalid(format!("`{}` is set by gantline", variable.0))
                            .at(self.document.key_place(&[section, &variable.0]))
                            .hint(self.way_to_set(plain)),
                    );
                }
                if section == "secrets" && file.env.contains_key(variable) {
                    problems.push(
                        Error::invalid(format!(
                            "`{}` stands in `env` and in `secrets`",
                            variable.0
                        ))
                        .at(self.document.key_place(&[section, &variable.0]))
                        .hint("Keep it in one of them"),
                    );
                }
            }
        }
    }

    /// What to do instead of setting a variable that is set by gantline.
    fn way_to_set(&self, variable: &str) -> String {
        match variable {
            SHUTDOWN_TIMEOUT | DRAIN_DELAY => format!(
                "Remove `{variable}`, and change `shutdown` in {}/chart/values.yaml: the pod's grace \
                 period follows from it, too",
                self.directory
            ),
            _ => format!("Remove `{variable}`"),
        }
    }

    fn check_scale(&self, problems: &mut Vec<Error>) {
        if self.file.scale_is_empty() {
            let scale = self.file.scale();
            problems.push(
                Error::invalid(format!(
                    "`min` is {}, which is more than `max`, {}",
                    scale.min, scale.max
                ))
                .at(self.document.place(&["scale", "min"])),
            );
        }
    }
}

fn keep<T>(result: Result<T>, problems: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| problems.push(error)).ok()
}
