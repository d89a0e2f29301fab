//! A service's files out of its blueprint and its manifest.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value};

use super::condition::{Condition, Each, OVERRIDES};
use super::context;
use super::go_module::{Composition, FRAGMENT};
use super::names::render_path;
use super::slots::{self, Slot};
use super::template::{Template, Variables};
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, BlueprintFile, Folder};
use crate::model::file_set::{FileSet, MergeKind, RenderedFile, TreePath};
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
    let mut work = Work {
        blueprint: input.blueprint,
        drafts: BTreeMap::new(),
        parts: BTreeMap::new(),
        modules: None,
    };
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

/// A file before its slots are filled.
struct Draft<'a> {
    folder: &'a Folder,
    source: String,
    bytes: Vec<u8>,
    executable: bool,
    joint: Option<&'a str>,
    /// The provider that the file is about, and with it the parts that it takes in.
    provider: Option<String>,
}

/// A rendered part, and the provider that it is about.
struct Part {
    provider: Option<String>,
    text: String,
}

struct Work<'a> {
    blueprint: &'a Blueprint,
    drafts: BTreeMap<TreePath, Draft<'a>>,
    /// By joint and slot.
    parts: BTreeMap<(&'a str, &'a str), Vec<Part>>,
    modules: Option<Composition>,
}

impl<'a> Work<'a> {
    fn add(
        &mut self,
        folder: &'a Folder,
        (variables, each): (&Variables, Option<Each>),
    ) -> Result<()> {
        for (path, file) in &folder.files {
            if path.as_str() == FRAGMENT {
                let source = format!("{}/{}", folder.blueprint, folder.name);
                let modules = self.modules.get_or_insert_default();
                modules.add(&source, &file.bytes)?;
            } else if path.as_str() == EXAMPLE {
                // Shown by the command that adds it; see `examples`.
            } else if let Some(part) = path.as_str().strip_prefix(PARTS) {
                self.add_part(folder, (part, file), variables)?;
            } else {
                let (target, mut draft) = self.draft(folder, (path, file), variables)?;
                if each == Some(Each::Providers) {
                    draft.provider = provider_of(variables);
                }
                self.put(target, draft)?;
            }
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        folder: &Folder,
        (path, file): (&str, &BlueprintFile),
        variables: &Variables,
    ) -> Result<()> {
        let source = format!("{}/{}/{PARTS}{path}", folder.blueprint, folder.name);
        let fails = |cause: String| {
            Error::invalid(format!("the part `{source}` has no place to go"))
                .since(cause)
                .hint("Declare the slot under `joints` in blueprint.yaml, or rename the part")
        };
        let (file_name, slot_name) = path
            .strip_suffix(TEMPLATE_SUFFIX)
            .and_then(|path| path.rsplit_once('/'))
            .ok_or_else(|| fails("a part is `parts/FILE/SLOT.tera`".to_owned()))?;
        let (joint_name, joint) = self
            .blueprint
            .joints
            .get_key_value(file_name)
            .ok_or_else(|| fails(format!("`{file_name}` is no joint")))?;
        let slot = joint.slots.iter().find(|slot| *slot == slot_name);
        let slot = slot.ok_or_else(|| {
            let slots = joint.slots.join(", ");
            fails(format!("`{file_name}` has the slots {slots}"))
        })?;
        let text = text_of(&source, &file.bytes)?;
        let template = Template {
            name: &source,
            text,
        };
        let part = Part {
            provider: provider_of(variables),
            text: template.render(variables)?,
        };
        let parts = self.parts.entry((joint_name, slot)).or_default();
        parts.push(part);
        Ok(())
    }

    fn draft(
        &self,
        folder: &'a Folder,
        (path, file): (&TreePath, &BlueprintFile),
        variables: &Variables,
    ) -> Result<(TreePath, Draft<'a>)> {
        let source = format!("{}/{}/{path}", folder.blueprint, folder.name);
        let is_template = path.as_str().ends_with(TEMPLATE_SUFFIX);
        let target = target(&source, path, variables.map())?;
        let joint = self.joint_of(path, &target).filter(|_| is_template);
        let bytes = if is_template {
            let template = Template {
                name: &source,
                text: text_of(&source, &file.bytes)?,
            };
            let slots = joint.and_then(|joint| self.blueprint.joints.get(joint));
            let rendered = match slots {
                Some(joint) => {
                    template.render(&variables.with("slots", &slots::marks(&joint.slots)))?
                }
                None => template.render(variables)?,
            };
            rendered.into_bytes()
        } else {
            file.bytes.clone()
        };
        let draft = Draft {
            folder,
            source,
            bytes,
            executable: file.executable,
            joint,
            provider: None,
        };
        Ok((target, draft))
    }

    /// The joint that a file is: its key is the file's name, or the end of its path, with names
    /// in it replaced or as the template has them.
    fn joint_of(&self, path: &TreePath, target: &TreePath) -> Option<&'a str> {
        let path = path.as_str();
        let path = path.strip_suffix(TEMPLATE_SUFFIX).unwrap_or(path);
        let mut joints = self.blueprint.joints.keys();
        let found = joints.find(|joint| {
            [path, target.as_str()].iter().any(|path| {
                path.strip_suffix(joint.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('/'))
            })
        });
        found.map(String::as_str)
    }

    fn put(&mut self, path: TreePath, draft: Draft<'a>) -> Result<()> {
        match self.drafts.entry(path) {
            Entry::Vacant(free) => {
                free.insert(draft);
            }
            Entry::Occupied(mut taken) => {
                let other = taken.get();
                let replaces = draft.folder.name == OVERRIDES
                    && other.folder.blueprint != draft.folder.blueprint;
                // What does not depend on the peer or event is the same each time.
                let repeats = other.source == draft.source && other.bytes == draft.bytes;
                if replaces {
                    taken.insert(draft);
                } else if !repeats {
                    return Err(two_owners(taken.key(), other, &draft));
                }
            }
        }
        Ok(())
    }

    fn finish(self, module: &str) -> Result<FileSet> {
        let mut set = FileSet::default();
        self.check_slots()?;
        for (path, draft) in &self.drafts {
            let file = RenderedFile {
                bytes: self.filled(path, draft)?,
                executable: draft.executable,
                merge: match self.blueprint.is_once(path) {
                    true => MergeKind::Once,
                    false => merge_kind(path),
                },
            };
            set.files.insert(path.clone(), file);
        }
        let go = self.blueprint.pins.get("go").map(String::as_str);
        let composed = self.modules.map(|modules| modules.files(module, go));
        for (name, text) in composed.transpose()?.unwrap_or_default() {
            let path = tree_path(name, name)?;
            let file = RenderedFile {
                bytes: text.into_bytes(),
                executable: false,
                merge: merge_kind(&path),
            };
            if set.files.insert(path, file).is_some() {
                return Err(Error::invalid(format!(
                    "`{name}` is both composed from fragments and rendered from a template"
                )));
            }
        }
        Ok(set)
    }

    /// Every part must have a file that takes it in.
    fn check_slots(&self) -> Result<()> {
        for (joint, slot) in self.parts.keys() {
            let taken = self.drafts.values().any(|draft| {
                draft.joint == Some(*joint)
                    && std::str::from_utf8(&draft.bytes).is_ok_and(|text| slots::holds(text, slot))
            });
            if !taken {
                return Err(Error::invalid(format!(
                    "the parts for the slot `{slot}` of `{joint}` have no place to go"
                ))
                .since(format!(
                    "no chosen folder has a `{joint}{TEMPLATE_SUFFIX}` with `<{{ slots.{slot} }}>`"
                )));
            }
        }
        Ok(())
    }

    fn filled(&self, path: &TreePath, draft: &Draft<'_>) -> Result<Vec<u8>> {
        let joint = draft.joint.and_then(|name| {
            let (name, joint) = self.blueprint.joints.get_key_value(name)?;
            Some((name.as_str(), joint))
        });
        let Some((name, joint)) = joint else {
            return Ok(draft.bytes.clone());
        };
        let text = text_of(&draft.source, &draft.bytes)?;
        let content = joint.slots.iter().map(|slot| {
            let parts = self.parts.get(&(name, slot.as_str()));
            let own = parts
                .into_iter()
                .flatten()
                .filter(|part| draft.provider.is_none() || draft.provider == part.provider);
            let filled = Slot {
                parts: own.map(|part| part.text.clone()).collect(),
                sorted: joint.sorted.contains(slot),
            };
            (slot.clone(), filled)
        });
        let filled = slots::fill(text, &content.collect());
        if path.as_str().ends_with(".json") {
            return Ok(slots::without_last_commas(&filled).into_bytes());
        }
        Ok(filled.into_bytes())
    }
}

/// The provider that a context is about.
fn provider_of(variables: &Variables) -> Option<String> {
    let provider = variables.map().get("provider").and_then(context::name_in);
    provider.map(str::to_owned)
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

fn target(source: &str, path: &TreePath, context: &Map<String, Value>) -> Result<TreePath> {
    let plain = path.as_str();
    let plain = plain.strip_suffix(TEMPLATE_SUFFIX).unwrap_or(plain);
    let rendered = render_path(plain, context).map_err(|error| {
        Error::invalid(format!("the path of `{source}` cannot be rendered")).because(error)
    })?;
    tree_path(source, &rendered)
}

fn tree_path(source: &str, path: &str) -> Result<TreePath> {
    TreePath::new(path)
        .map_err(|error| Error::invalid(format!("`{source}` has no valid path")).because(error))
}

fn text_of<'b>(source: &str, bytes: &'b [u8]) -> Result<&'b str> {
    std::str::from_utf8(bytes).map_err(|error| {
        Error::invalid(format!("the template `{source}` is no text")).because(error)
    })
}

fn two_owners(path: &TreePath, first: &Draft<'_>, second: &Draft<'_>) -> Error {
    let error = Error::invalid(format!("two templates make the file `{path}`"))
        .since(format!("`{}` and `{}`", first.source, second.source));
    if first.source == second.source {
        return error.hint("Put the name of the peer or event into the file's path");
    }
    error.hint(format!(
        "Give one of them another path; only `{OVERRIDES}/` of an extending blueprint replaces files"
    ))
}
