//! Files of services that nobody would read, since their names are nearly those that are read.
//! What they say would never arrive anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::config::yaml::{Document, shown_path, start_of};
use crate::config::{overlay, service_file};
use crate::error::Error;
use crate::model::base::{INDEX_FOLDER, WORKSPACE_INDEX};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::unknown_service;
use crate::model::suggest;

/// A workspace whose services' folders are looked through.
pub(super) struct Folders<'a> {
    /// The workspace's folder.
    pub(super) root: &'a Path,
    /// The folder of its services.
    pub(super) services: &'a TreePath,
    /// The services that have a manifest.
    pub(super) known: &'a BTreeMap<Name, TreePath>,
    /// The environments that there are; `None` where that cannot be told.
    pub(super) environments: Option<&'a BTreeSet<Name>>,
}

/// What a file of a service's folder is meant for, by its name.
enum Meant {
    Manifest,
    Overlay(String),
}

impl Folders<'_> {
    /// Files beside the manifest of a service that are nearly a manifest or an overlay.
    pub(super) fn beside_manifest(&self, directory: &TreePath) -> Vec<Error> {
        let files = meant(&self.root.join(directory.as_str()));
        let problems = files.into_iter().filter_map(|(file, meant)| match meant {
            Meant::Manifest if file == service_file::FILE => None,
            Meant::Manifest => Some(self.unread(directory, &file).hint(format!(
                "Move what it says to {}, and remove it",
                service_file::FILE
            ))),
            Meant::Overlay(stem) => self.overlay(directory, &file, &stem),
        });
        problems.collect()
    }

    /// What is wrong with a service that was asked for and has no manifest.
    pub(super) fn absent(&self, name: &Name) -> Vec<Error> {
        let problems = self.without_manifest(name.as_str());
        if problems.is_empty() {
            let known = self.known.keys().map(Name::as_str);
            return vec![unknown_service(name.as_str(), known)];
        }
        problems
    }

    /// What stands in the way of a folder being a service; nothing for one that is none.
    fn without_manifest(&self, folder: &str) -> Vec<Error> {
        let Ok(directory) = TreePath::new(format!("{}/{folder}", self.services)) else {
            return Vec::new();
        };
        let on_disk = self.root.join(directory.as_str());
        let files = meant(&on_disk).into_iter();
        let problems: Vec<Error> = files
            .map(|(file, meant)| match meant {
                Meant::Manifest => self
                    .unread(&directory, &file)
                    .hint(format!("Rename it to `{}`", service_file::FILE)),
                Meant::Overlay(_) => self
                    .unread(&directory, &file)
                    .since(format!("there is no {} beside it", service_file::FILE))
                    .hint(format!("Write {}, or remove the file", service_file::FILE)),
            })
            .collect();
        let is_left = || {
            let mut paths = self.generated(folder).into_iter();
            paths.any(|path| path.is_in(&directory) && self.is_file(&path))
        };
        if problems.is_empty() && is_left() {
            return vec![left(&directory)];
        }
        problems
    }

    /// Folders of services without a manifest, and services that lie elsewhere.
    pub(super) fn passed_over(&self, workspace: &Document) -> Vec<Error> {
        let mut problems = Vec::new();
        for folder in names_in(&self.root.join(self.services.as_str())) {
            if !self.known.contains_key(folder.as_str()) {
                problems.extend(self.without_manifest(&folder));
            }
        }
        let generated = names_in(&self.root.join(INDEX_FOLDER)).into_iter();
        let unknown = generated
            .filter(|name| name != WORKSPACE_INDEX && !self.known.contains_key(name.as_str()));
        let mut elsewhere = unknown.filter_map(|name| self.elsewhere(&name));
        // One line of the workspace's file passes over all of them.
        problems.extend(elsewhere.next().map(|directory| {
            let parent = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            Error::invalid(format!("the service in {directory} is passed over"))
                .since(format!("services are looked for in {}", self.services))
                .at(workspace.key_place(&["services"]))
                .hint(format!("Write `services: {parent}/*`"))
        }));
        problems
    }

    /// The folder of a service that was generated before and lies where services are not looked
    /// for.
    fn elsewhere(&self, name: &str) -> Option<String> {
        let paths = self.generated(name);
        let parts: Vec<&str> = paths.first()?.as_str().split('/').collect();
        let own = parts.iter().position(|part| *part == name)?;
        let directory = parts[..=own].join("/");
        let manifest = TreePath::new(format!("{directory}/{}", service_file::FILE)).ok()?;
        let outside = directory != format!("{}/{name}", self.services);
        (own > 0 && outside && self.is_file(&manifest)).then_some(directory)
    }

    /// The paths that were generated for a service; none for one that never was.
    fn generated(&self, name: &str) -> Vec<TreePath> {
        let index = fs::read_to_string(self.root.join(INDEX_FOLDER).join(name));
        let index = index.unwrap_or_default();
        let paths = index.lines().filter_map(|line| line.rsplit_once(' '));
        paths
            .filter_map(|(path, _)| TreePath::new(path).ok())
            .collect()
    }

    fn is_file(&self, path: &TreePath) -> bool {
        self.root.join(path.as_str()).is_file()
    }

    fn overlay(&self, directory: &TreePath, file: &str, stem: &str) -> Option<Error> {
        let environments = self.environments?;
        let right = environments.get(stem).map(overlay::file_name);
        if right.as_deref() == Some(file) {
            return None;
        }
        if let Some(right) = right {
            let error = self.unread(directory, file);
            return Some(error.hint(format!("Rename it to `{right}`")));
        }
        let known = environments.iter().map(Name::as_str);
        let error = self
            .unread(directory, file)
            .since(format!("there is no environment `{stem}`"));
        Some(match suggest::nearest(stem, known) {
            Some(name) => error.hint(format!("Did you mean `service.{name}.yaml`?")),
            None => error.hint(format!(
                "Remove it, or add the environment: `gantline add environment {stem} --context CONTEXT --namespace NAMESPACE`"
            )),
        })
    }

    fn unread(&self, directory: &TreePath, file: &str) -> Error {
        let path = self.root.join(directory.as_str()).join(file);
        let shown = shown_path(&path);
        Error::invalid(format!("nothing reads {}", shown.display())).at(start_of(&path))
    }
}

/// The error of a folder that holds a service but for its manifest.
fn left(directory: &TreePath) -> Error {
    let manifest = format!("{directory}/{}", service_file::FILE);
    Error::invalid(format!("there is no {manifest}"))
        .since(format!(
            "{directory} holds files that were generated from it"
        ))
        .hint(format!("Restore it: `git checkout -- {manifest}`"))
        .hint(format!(
            "When the service shall go: `git rm -r {directory}`"
        ))
        .hint(format!(
            "When its files stay without gantline: `git rm {INDEX_FOLDER}/{}`",
            directory.file_name()
        ))
}

/// The files of a folder whose names are those of a manifest or an overlay, or nearly.
fn meant(folder: &Path) -> Vec<(String, Meant)> {
    let files = names_in(folder).into_iter();
    files
        .filter_map(|file| {
            let lower = file.to_lowercase();
            let stem = lower
                .strip_suffix(".yaml")
                .or_else(|| lower.strip_suffix(".yml"))?;
            let meant = match stem.strip_prefix("service")? {
                "" => Meant::Manifest,
                rest => Meant::Overlay(rest.strip_prefix('.')?.to_owned()),
            };
            Some((file, meant))
        })
        .collect()
}

/// What is in a folder, in order; nothing where it cannot be read, which is told elsewhere.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
