//! Finds a workspace and loads as much of it as a command needs.

mod misnamed;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::misnamed::Folders;
use self::reader::{Reader, path_of};
use super::service::{Blueprints, Surroundings};
use super::yaml::{Document, shown_path};
use super::{catalog, environment, exposures, references, workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::project::{Project, Service, Workspace};
use crate::model::resource_type::ResourceType;

/// Which services a command needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// None of them.
    Workspace,
    /// All of them.
    All,
    /// These, and those that they call or consume from, and so on.
    Services(Vec<Name>),
}

impl Selection {
    /// These services, or all when none is named.
    pub fn named(names: &[Name]) -> Self {
        if names.is_empty() {
            Self::All
        } else {
            Self::Services(names.to_vec())
        }
    }
}

/// The folder that holds the `gantline.yaml` which a folder belongs to.
///
/// # Errors
/// When neither the folder nor one above it holds one.
pub fn find(start: &Path) -> Result<PathBuf> {
    let start = fs::canonicalize(start).map_err(|cause| {
        Error::invalid(format!("{} cannot be read", start.display())).because(cause)
    })?;
    start
        .ancestors()
        .find(|folder| folder.join(workspace::FILE).symlink_metadata().is_ok())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Error::invalid(format!(
                "{} is in no workspace: neither it nor a folder above it holds a {}",
                shown_path(&start).display(),
                workspace::FILE
            ))
            .hint("Make one with `gantline new NAME`, or name its folder with `--project DIR`")
        })
}

/// Finds the workspace of a folder and loads it.
///
/// # Errors
/// All problems of the files that were read.
pub fn load(start: &Path, selection: &Selection) -> Result<Project> {
    load_with(&find(start)?, &FileSet::default(), selection)
}

/// Loads the workspace in `root` as it would be with these files written, so that a plan is
/// checked before anything changes.
///
/// # Errors
/// All problems of the files that were read.
pub fn load_with(root: &Path, changes: &FileSet, selection: &Selection) -> Result<Project> {
    load_in(root, changes, selection, None)
}

/// The same as it is in an environment: with what differs there merged over the manifests.
pub(super) fn load_in(
    root: &Path,
    changes: &FileSet,
    selection: &Selection,
    environment: Option<&Name>,
) -> Result<Project> {
    let types = catalog::resource_types()?;
    let reader = Reader {
        root,
        changes,
        environment,
    };
    let document = reader
        .document(&path_of(workspace::FILE)?)
        .map_err(|error| with_services(error, reader.faults(None, selection)))?;
    let workspace = workspace::parse(&document, &types)
        .map_err(|error| with_services(error, reader.faults(Some(&document), selection)))?;
    let loader = Loader {
        reader,
        document,
        workspace,
        types,
    };
    let blueprints = Blueprints::new(root, changes);
    let services = loader.services(selection, &blueprints)?;
    Ok(Project {
        root: root.to_path_buf(),
        workspace: loader.workspace,
        services,
        blueprints: blueprints.into_known(),
        types: Arc::new(loader.types),
    })
}

/// The names of a workspace's services, by their folders; no manifest is read.
///
/// # Errors
/// When the folder of services cannot be read.
pub fn service_names(root: &Path, workspace: &Workspace) -> Result<BTreeSet<Name>> {
    let changes = FileSet::default();
    let reader = Reader {
        root,
        changes: &changes,
        environment: None,
    };
    Ok(reader
        .service_folders(&workspace.services)?
        .into_keys()
        .collect())
}

struct Loader<'a> {
    reader: Reader<'a>,
    document: Document,
    workspace: Workspace,
    types: BTreeMap<Name, ResourceType>,
}

impl Loader<'_> {
    fn services(
        &self,
        selection: &Selection,
        blueprints: &Blueprints<'_>,
    ) -> Result<BTreeMap<Name, Service>> {
        let wanted = match selection {
            Selection::Workspace => return Ok(BTreeMap::new()),
            Selection::All => None,
            Selection::Services(names) => Some(names),
        };
        let folders = self.reader.service_folders(&self.workspace.services)?;
        let mut problems = Vec::new();
        let environments = environment::names_with(self.reader.root, self.reader.changes);
        let environments = environments.map_err(|error| problems.push(error)).ok();
        let looked_through = Folders {
            root: self.reader.root,
            services: &self.workspace.services,
            known: &folders,
            environments: environments.as_ref(),
        };
        let open: Vec<Name> = match wanted {
            None => {
                problems.extend(looked_through.passed_over(&self.document));
                folders.keys().cloned().collect()
            }
            Some(names) => {
                let absent = names.iter().filter(|name| !folders.contains_key(*name));
                problems.extend(absent.flat_map(|name| looked_through.absent(name)));
                names.clone()
            }
        };
        let manifests = self.reader.manifests(&folders, open, &mut problems);
        let read = manifests.values().map(|manifest| &manifest.directory);
        problems.extend(read.flat_map(|directory| looked_through.beside_manifest(directory)));
        let around = Surroundings {
            root: self.reader.root,
            blueprints,
            workspace: &self.workspace,
            types: &self.types,
        };
        let mut services = BTreeMap::new();
        for (name, manifest) in &manifests {
            match manifest.service(&around) {
                Ok(service) => {
                    services.insert(name.clone(), service);
                }
                Err(mut found) => problems.append(&mut found),
            }
        }
        let known = folders.keys().cloned().collect();
        problems.extend(references::check(&manifests, &known));
        let resources = self.workspace.resources.keys();
        problems.extend(references::check_releases(
            &self.document,
            resources.map(Name::as_str),
            &folders,
        ));
        problems.extend(references::check_called(&manifests, &services));
        problems.extend(exposures::check(&manifests));
        match in_order(problems) {
            Some(error) => Err(error),
            None => Ok(services),
        }
    }
}

/// The error of a workspace's file together with the faults of services. Those that another
/// program shall read are not this one's to judge.
fn with_services(error: Error, mut faults: Vec<Error>) -> Error {
    if faults.is_empty() || error.kind() == ErrorKind::Missing {
        return error;
    }
    faults.push(error.clone());
    in_order(faults).unwrap_or(error)
}

/// All problems as one error, in the order of files and lines.
fn in_order(problems: Vec<Error>) -> Option<Error> {
    let mut flat: Vec<Error> = problems.into_iter().flat_map(Error::parts).collect();
    flat.sort_by_key(Error::position);
    // Services that share a blueprint share its problems.
    flat.dedup_by(|one, other| {
        one.place().is_some() && one.place() == other.place() && one.message() == other.message()
    });
    Error::all_of(|count| format!("the workspace has {count} problems"), flat)
}

#[cfg(test)]
mod tests;
