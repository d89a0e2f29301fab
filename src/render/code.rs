//! A service's files out of its blueprint and its manifest.

mod assembly;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::assembly::{Work, text_of};
use super::condition::{Condition, Each};
use super::context;
use super::template::{Template, Variables};
use crate::error::Result;
use crate::model::blueprint::Blueprint;
use crate::model::file_set::{FileSet, MergeKind, TreePath};
use crate::model::name::Name;
use crate::model::project::{Project, Service, Workspace};

/// The suffix of files that are rendered.
pub const TEMPLATE_SUFFIX: &str = ".tera";
/// The folder of a folder's contributions to files of others.
pub const PARTS: &str = "parts/";
/// A folder's example of use, such as a call of a peer from a handler: shown, and no file of the
/// service.
pub const EXAMPLE: &str = "example.tera";

/// Everything that a service's files are made from.
#[derive(Debug, Clone)]
pub struct CodeInput<'a> {
    /// What it is made from.
    pub blueprint: &'a Blueprint,
    /// The workspace.
    pub project: &'a Project,
    /// The service.
    pub service: &'a Service,
    /// What it calls.
    pub peers: BTreeMap<Name, Peer>,
}

/// What a caller's code has to know of a service that it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// What the service keeps.
    pub entity: Option<Name>,
    /// Its Go module.
    pub module: String,
    /// The port that is called, and what it speaks; a worker has none.
    pub called: Option<(String, u16)>,
    /// Whether it is made from a blueprint, so that a caller's code can be made for it.
    pub is_made: bool,
    /// What was chosen for it.
    pub options: BTreeMap<String, String>,
}

impl Peer {
    /// What callers of this service have to know.
    ///
    /// # Errors
    /// When its entity is no name.
    pub fn of(service: &Service, workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            entity: context::entity_of(service)?,
            module: service.module(workspace),
            called: service
                .ports
                .called()
                .map(|(scheme, port)| (scheme.to_owned(), port)),
            is_made: service.container.is_none(),
            options: service.options.clone(),
        })
    }
}

impl<'a> CodeInput<'a> {
    /// The input for a service whose peers are all loaded.
    ///
    /// # Errors
    /// When a peer is not among the project's services.
    pub fn of(
        blueprint: &'a Blueprint,
        project: &'a Project,
        service: &'a Service,
    ) -> Result<Self> {
        let mut peers = BTreeMap::new();
        for need in &service.needs {
            if let Some(peer) = project.services.get(&need.service) {
                let described = Peer::of(peer, &project.workspace)?;
                peers.insert(need.service.clone(), described);
            }
        }
        Ok(Self {
            blueprint,
            project,
            service,
            peers,
        })
    }
}

/// The files of a service, by path relative to its folder.
///
/// # Errors
/// When a folder's condition is wrong, a template cannot be rendered, two folders own one path,
/// or fragments of go.mod disagree.
pub fn service_files(input: &CodeInput<'_>) -> Result<FileSet> {
    let scopes = Scopes::of(input)?;
    let mut work = Work::new(input.blueprint);
    for folder in &input.blueprint.folders {
        let condition = Condition::of(folder, input.blueprint)?;
        for own in scopes.chosen(&condition, input) {
            work.add(folder, (own, condition.each))?;
        }
    }
    work.finish(&input.service.module(&input.project.workspace))
}

/// Examples of how a service's own code uses what was generated: the chosen folders', in order.
///
/// # Errors
/// As [`service_files`].
pub fn examples(input: &CodeInput<'_>) -> Result<Vec<String>> {
    let scopes = Scopes::of(input)?;
    let mut examples = Vec::new();
    for folder in &input.blueprint.folders {
        let condition = Condition::of(folder, input.blueprint)?;
        let mut files = folder.files.iter();
        let Some((_, file)) = files.find(|(path, _)| path.as_str() == EXAMPLE) else {
            continue;
        };
        let name = format!("{}/{}/{EXAMPLE}", folder.blueprint, folder.name);
        let text = text_of(&name, &file.bytes)?;
        for own in scopes.chosen(&condition, input) {
            let template = Template { name: &name, text };
            examples.push(template.render(own)?);
        }
    }
    Ok(examples)
}

/// The variables of one service: its own, and those for each peer or event.
struct Scopes(Vec<(Option<Each>, Vec<Variables>)>);

impl Scopes {
    fn of(input: &CodeInput<'_>) -> Result<Self> {
        let context = context::of_service(input)?;
        let kinds = [None].into_iter().chain(Each::ALL.map(Some));
        let scopes = kinds.map(|each| {
            let contexts = context::each(&context, each).into_iter();
            Ok((each, contexts.map(Variables::new).collect::<Result<_>>()?))
        });
        Ok(Self(scopes.collect::<Result<_>>()?))
    }

    /// Those that a folder is rendered with: none when its condition does not hold.
    fn chosen<'s>(
        &'s self,
        condition: &'s Condition,
        input: &CodeInput<'_>,
    ) -> impl Iterator<Item = &'s Variables> + use<'s> {
        let holds = condition.holds(input.blueprint, &input.service.options);
        let scope = self
            .0
            .iter()
            .find(|(each, _)| *each == condition.each && holds);
        let variables = scope.into_iter().flat_map(|(_, variables)| variables);
        variables.filter(|own| {
            let peer = own.map().get("peer").and_then(|peer| peer.get("options"));
            let options = peer.and_then(Value::as_object);
            condition.holds_for_peer(options.unwrap_or(&Map::new()))
        })
    }
}

/// How an edited version of a generated file is merged with a new one.
pub fn merge_kind(path: &TreePath) -> MergeKind {
    match path.file_name() {
        "go.mod" | "tools.mod" => MergeKind::GoModule,
        "go.sum" | "tools.sum" => MergeKind::GoChecksums,
        name if name.starts_with("values") && name.ends_with(".yaml") => MergeKind::Yaml,
        _ => MergeKind::Text,
    }
}
