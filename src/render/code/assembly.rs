//! The files of a service put together: drafts from the chosen folders, parts in their slots, go.mod
//! from its fragments.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value};

use super::{EXAMPLE, PARTS, TEMPLATE_SUFFIX, merge_kind};
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, BlueprintFile, Folder};
use crate::model::file_set::{FileSet, MergeKind, RenderedFile, TreePath};
use crate::render::condition::{Each, OVERRIDES};
use crate::render::context;
use crate::render::go_module::{Composition, FRAGMENT};
use crate::render::names::render_path;
use crate::render::slots::{self, Slot};
use crate::render::template::{Template, Variables};

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

/// What the chosen folders make, before it is put together.
pub(super) struct Work<'a> {
    blueprint: &'a Blueprint,
    drafts: BTreeMap<TreePath, Draft<'a>>,
    /// By joint and slot.
    parts: BTreeMap<(&'a str, &'a str), Vec<Part>>,
    modules: Option<Composition>,
}

impl<'a> Work<'a> {
    /// Nothing yet, of this blueprint.
    pub(super) fn new(blueprint: &'a Blueprint) -> Self {
        Self {
            blueprint,
            drafts: BTreeMap::new(),
            parts: BTreeMap::new(),
            modules: None,
        }
    }

    /// Takes in a chosen folder, rendered with these variables.
    pub(super) fn add(
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

    /// All files.
    pub(super) fn finish(self, module: &str) -> Result<FileSet> {
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

/// The text of a template.
pub(super) fn text_of<'b>(source: &str, bytes: &'b [u8]) -> Result<&'b str> {
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
