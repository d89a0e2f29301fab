//! Blueprints side by side as files, and one put together from what it extends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::blueprint_file::{self, BlueprintFile};
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, BlueprintFile as File, Folder, Relations};
use crate::model::file_set::TreePath;
use crate::model::project::BlueprintReference;

/// The versions that templates mention, beside the blueprints.
const PINS: &str = "pins.yaml";
/// The folder that replaces files of the blueprint which is extended; it comes last.
const OVERRIDES: &str = "overrides";
/// Where a folder keeps its parts of joints.
const PARTS: &str = "parts/";
/// A blueprint extends one that extends another, at most this often.
const LONGEST_CHAIN: usize = 8;

/// Files by path: `go-service/blueprint.yaml`, `pins.yaml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shelf {
    /// Where it stands, for messages: `blueprints`.
    pub origin: String,
    /// The files.
    pub files: BTreeMap<TreePath, File>,
}

/// A blueprint on a shelf, before it is put together.
pub struct Entry {
    /// Its `blueprint.yaml`.
    pub file: BlueprintFile,
    /// The same with positions.
    pub document: Document,
}

impl Shelf {
    /// The names of the blueprints on it.
    pub fn names(&self) -> BTreeSet<&str> {
        self.files
            .keys()
            .filter_map(|path| path.as_str().split_once('/'))
            .filter(|(_, rest)| *rest == blueprint_file::FILE)
            .map(|(name, _)| name)
            .collect()
    }

    /// Reads one `blueprint.yaml`; `None` when there is no such blueprint.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn entry(&self, name: &str) -> Result<Option<Entry>> {
        let path = format!("{name}/{}", blueprint_file::FILE);
        let found = self.files.iter().find(|(key, _)| key.as_str() == path);
        let Some((_, content)) = found else {
            return Ok(None);
        };
        let shown = Path::new(&self.origin).join(path);
        let document = Document::parse(&shown, &content.bytes)?;
        let file = BlueprintFile::parse(&document)?;
        if file.name.0.as_str() != name {
            return Err(Error::invalid(format!(
                "the blueprint in the folder `{name}` calls itself `{}`",
                file.name.0
            ))
            .at(document.place(&["name"]))
            .hint("Let the folder's name and `name` be the same"));
        }
        Ok(Some(Entry { file, document }))
    }

    /// The blueprint and those it extends, the outermost parent first.
    ///
    /// # Errors
    /// When one is missing, has another version than asked for, or extends itself.
    pub fn chain(&self, name: &str) -> Result<Vec<Entry>> {
        let mut chain: Vec<Entry> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            let asked_by = chain.last();
            let place = asked_by.map(|entry| entry.document.place(&["extends"]));
            let fails = |message: String| match place.clone() {
                Some(place) => Error::invalid(message).at(place),
                None => Error::invalid(message),
            };
            let (plain, version) = match name.split_once('@') {
                Some((plain, version)) => (plain, version.parse::<u32>().ok()),
                None => (name.as_str(), None),
            };
            let mut names = chain.iter().map(|entry| entry.file.name.0.as_str());
            if chain.len() >= LONGEST_CHAIN || names.any(|known| known == plain) {
                return Err(fails(format!("the blueprint `{plain}` extends itself")));
            }
            let entry = self
                .entry(plain)?
                .ok_or_else(|| fails(format!("there is no blueprint `{plain}` to extend")))?;
            if version.is_some_and(|version| version != entry.file.version) {
                let found = entry.file.version;
                return Err(fails(format!(
                    "`{name}` is asked for, and {plain}@{found} is here"
                )));
            }
            next = entry.file.extends.as_ref().map(|extends| extends.0.clone());
            chain.push(entry);
        }
        chain.reverse();
        Ok(chain)
    }

    /// Puts a blueprint together with what it extends; `None` when there is none of this name.
    ///
    /// # Errors
    /// All that [`Shelf::chain`] finds, and files that belong nowhere.
    pub fn blueprint(&self, name: &str) -> Result<Option<Blueprint>> {
        if !self.names().contains(name) {
            return Ok(None);
        }
        let chain = self.chain(name)?;
        let mut blueprint = Blueprint {
            pins: self.pins()?,
            ..Blueprint::default()
        };
        let mut relations = None;
        for entry in &chain {
            let file = &entry.file;
            for option in file.options() {
                match blueprint
                    .options
                    .iter_mut()
                    .find(|known| known.name == option.name)
                {
                    Some(known) => *known = option,
                    None => blueprint.options.push(option),
                }
            }
            blueprint.refusals.extend(file.refusals());
            blueprint.reserved.extend(file.reserved());
            for (name, joint) in file.joints() {
                let known = blueprint.joints.entry(name).or_default();
                known.slots.extend(joint.slots);
                known.sorted.extend(joint.sorted);
            }
            let ports = [("http", file.ports.http), ("admin", file.ports.admin)];
            for (name, port) in ports {
                if let Some(port) = port {
                    blueprint.ports.insert(name.to_owned(), port);
                }
            }
            relations = file.relations().or(relations);
            blueprint.folders.extend(self.folders(entry)?);
            blueprint.once.extend(file.once());
            // A parent's versions are its own.
            blueprint.breaking = file.breaking();
            blueprint.is_abstract = file.r#abstract;
            blueprint.container = file.container;
            blueprint.summary.clone_from(&file.summary);
            blueprint.reference = Some(reference(entry));
        }
        blueprint.relations = relations.unwrap_or_else(none_of_each);
        Ok(Some(blueprint))
    }

    /// The files that a blueprint is put together from: its own, its parents', and the pins.
    ///
    /// # Errors
    /// As [`Shelf::chain`].
    pub fn part_for(&self, name: &str) -> Result<BTreeMap<TreePath, File>> {
        let chain = self.chain(name)?;
        let wanted: BTreeSet<&str> = chain
            .iter()
            .map(|entry| entry.file.name.0.as_str())
            .collect();
        let belongs = |path: &TreePath| match path.as_str().split_once('/') {
            Some((folder, _)) => wanted.contains(folder),
            None => path.as_str() == PINS,
        };
        Ok(self
            .files
            .iter()
            .filter(|(path, _)| belongs(path))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect())
    }

    fn pins(&self) -> Result<BTreeMap<String, String>> {
        let found = self.files.iter().find(|(path, _)| path.as_str() == PINS);
        let Some((_, file)) = found else {
            return Ok(BTreeMap::new());
        };
        let shown = Path::new(&self.origin).join(PINS);
        Document::parse(&shown, &file.bytes)?.decode()
    }

    /// The folders of one blueprint in the order of its parts.
    fn folders(&self, entry: &Entry) -> Result<Vec<Folder>> {
        let name = entry.file.name.0.as_str();
        let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
        for (path, file) in &self.files {
            let Some(rest) = path.as_str().strip_prefix(&format!("{name}/")) else {
                continue;
            };
            let Some((folder, below)) = rest.split_once('/') else {
                check_loose_file(&self.origin, name, rest)?;
                continue;
            };
            let below = TreePath::new(below).map_err(|cause| Error::invalid(cause.to_string()))?;
            let known = folders.entry(folder.to_owned()).or_insert_with(|| Folder {
                blueprint: name.to_owned(),
                name: folder.to_owned(),
                files: BTreeMap::new(),
            });
            known.files.insert(below, file.clone());
        }
        let position = |folder: &Folder| {
            let listed = entry
                .file
                .order
                .iter()
                .position(|name| *name == folder.name);
            let last = folder.name == OVERRIDES;
            (last, listed.unwrap_or(usize::MAX), folder.name.clone())
        };
        let mut ordered: Vec<Folder> = folders.into_values().collect();
        ordered.sort_by_key(position);
        for folder in &ordered {
            check_order(entry, folder)?;
        }
        Ok(ordered)
    }
}

fn none_of_each() -> Relations {
    let none = crate::model::blueprint::Count {
        at_least: 0,
        at_most: Some(0),
    };
    Relations {
        publishes: none,
        consumes: none,
        needs: none,
    }
}

fn reference(entry: &Entry) -> BlueprintReference {
    BlueprintReference {
        name: entry.file.name.0.clone(),
        version: entry.file.version,
    }
}

fn check_loose_file(origin: &str, blueprint: &str, file: &str) -> Result<()> {
    match file {
        blueprint_file::FILE | "README.md" => Ok(()),
        _ => Err(Error::invalid(format!(
            "{origin}/{blueprint}/{file} belongs to no folder of the blueprint"
        ))
        .hint("Move it into `base/`, or into the folder of the option that brings it")),
    }
}

/// A folder with parts must say where they come among the others.
fn check_order(entry: &Entry, folder: &Folder) -> Result<()> {
    let has_parts = folder
        .files
        .keys()
        .any(|path| path.as_str().starts_with(PARTS));
    if has_parts && !entry.file.order.contains(&folder.name) {
        return Err(Error::invalid(format!(
            "the folder `{}` has parts, and `order` does not name it",
            folder.name
        ))
        .at(entry.document.key_place(&["order"]))
        .hint("Add it to `order` where its parts should come"));
    }
    Ok(())
}
