//! Finds a workspace and loads as much of it as a command needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::service::{Blueprints, Manifest, Surroundings};
use super::yaml::{Document, shown_path};
use super::{catalog, overlay, references, service_file, suggest, workspace};
use crate::error::{Error, Result};
use crate::model::file_set::{FileSet, TreePath};
use crate::model::name::Name;
use crate::model::project::{Project, Workspace};
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
    let reader = Reader { root, changes };
    let workspace_path = path_of(workspace::FILE)?;
    let document = reader.document(&workspace_path)?;
    let workspace = workspace::parse(&document, &types)?;
    let loader = Loader {
        reader,
        document,
        workspace,
        types,
        environment,
    };
    let services = loader.services(selection)?;
    Ok(Project {
        root: root.to_path_buf(),
        workspace: loader.workspace,
        services,
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
    };
    Ok(reader
        .service_folders(&workspace.services)?
        .into_keys()
        .collect())
}

/// Reads files of a workspace, with changes laid over them.
struct Reader<'a> {
    root: &'a Path,
    changes: &'a FileSet,
}

impl Reader<'_> {
    fn document(&self, path: &TreePath) -> Result<Document> {
        let on_disk = self.root.join(path.as_str());
        match self.changes.files.get(path) {
            Some(file) => Document::parse(&shown_path(&on_disk), &file.bytes),
            None => Document::read(&on_disk),
        }
    }

    /// The folders below the services' folder that hold a manifest, by name.
    fn service_folders(&self, services: &TreePath) -> Result<BTreeMap<Name, TreePath>> {
        let mut folders = BTreeMap::new();
        let mut keep = |folder: &str| -> Result<()> {
            let path = path_of(&format!("{services}/{folder}"))?;
            let name = Name::new(folder).map_err(|cause| {
                let error =
                    Error::invalid(format!("the folder {path} holds a service, and is no name"));
                let error = error.because(cause);
                match Name::nearest(folder) {
                    Some(nearest) => error.hint(format!("Rename it to `{nearest}`")),
                    None => error,
                }
            })?;
            folders.insert(name, path);
            Ok(())
        };
        for folder in self.folders_on_disk(services)? {
            keep(&folder)?;
        }
        let manifest = format!("/{}", service_file::FILE);
        for path in self.changes.files.keys() {
            let folder = path
                .as_str()
                .strip_prefix(&format!("{services}/"))
                .and_then(|rest| rest.strip_suffix(&manifest));
            if let Some(folder) = folder.filter(|folder| !folder.contains('/')) {
                keep(folder)?;
            }
        }
        Ok(folders)
    }

    fn folders_on_disk(&self, services: &TreePath) -> Result<Vec<String>> {
        let folder = self.root.join(services.as_str());
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let fails = |cause: std::io::Error| {
            let shown = shown_path(&folder);
            Error::invalid(format!("{} cannot be read", shown.display())).because(cause)
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(fails)? {
            let entry = entry.map_err(fails)?;
            // Whatever stands there under this name is meant to be a manifest; reading it says
            // what is wrong with it.
            match entry.path().join(service_file::FILE).symlink_metadata() {
                Ok(_) => names.push(entry.file_name().to_string_lossy().into_owned()),
                Err(cause) if is_absence(&cause) => {}
                Err(cause) => {
                    let shown = shown_path(&entry.path()).display().to_string();
                    return Err(Error::invalid(format!("{shown} cannot be read"))
                        .because(cause)
                        .hint(format!("Make it readable for you: `chmod u+rx {shown}`")));
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

struct Loader<'a> {
    reader: Reader<'a>,
    document: Document,
    workspace: Workspace,
    types: BTreeMap<Name, ResourceType>,
    environment: Option<&'a Name>,
}

impl Loader<'_> {
    fn services(
        &self,
        selection: &Selection,
    ) -> Result<BTreeMap<Name, crate::model::project::Service>> {
        let wanted = match selection {
            Selection::Workspace => return Ok(BTreeMap::new()),
            Selection::All => None,
            Selection::Services(names) => Some(names),
        };
        let folders = self.reader.service_folders(&self.workspace.services)?;
        let mut problems = Vec::new();
        let manifests = match wanted {
            None => self.manifests(&folders, folders.keys().cloned().collect(), &mut problems),
            Some(names) => {
                for name in names.iter().filter(|name| !folders.contains_key(*name)) {
                    problems.push(unknown_service(name, folders.keys()));
                }
                self.manifests(&folders, names.clone(), &mut problems)
            }
        };
        let around = Surroundings {
            blueprints: &Blueprints::new(self.reader.root),
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
        match in_order(problems) {
            Some(error) => Err(error),
            None => Ok(services),
        }
    }

    /// The manifests of these services and of those that they name, and so on.
    fn manifests(
        &self,
        folders: &BTreeMap<Name, TreePath>,
        mut open: Vec<Name>,
        problems: &mut Vec<Error>,
    ) -> BTreeMap<Name, Manifest> {
        let mut manifests = BTreeMap::new();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(directory) = folders.get(&name).filter(|_| seen.insert(name.clone())) else {
                continue;
            };
            match self.manifest(directory) {
                Ok(manifest) => {
                    open.extend(references::named_by(&manifest));
                    manifests.insert(name, manifest);
                }
                Err(error) => problems.push(error),
            }
        }
        manifests
    }

    fn manifest(&self, directory: &TreePath) -> Result<Manifest> {
        let path = path_of(&format!("{directory}/{}", service_file::FILE))?;
        let mut document = self.reader.document(&path)?;
        if let Some(environment) = self.environment {
            let folder = self.reader.root.join(directory.as_str());
            document = overlay::laid_over(document, &folder.join(overlay::file_name(environment)))?;
        }
        Ok(Manifest {
            directory: directory.clone(),
            file: document.decode()?,
            document,
        })
    }
}

fn is_absence(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// All problems as one error, in the order of files and lines.
fn in_order(problems: Vec<Error>) -> Option<Error> {
    let mut flat: Vec<Error> = Vec::new();
    for problem in problems {
        match problem.related() {
            [] => flat.push(problem),
            related => flat.extend(related.iter().cloned()),
        }
    }
    flat.sort_by_key(|problem| {
        problem
            .place()
            .map(|place| (place.file.clone(), place.line, place.column))
    });
    // Services that share a blueprint share its problems.
    flat.dedup_by(|one, other| {
        one.place().is_some() && one.place() == other.place() && one.message() == other.message()
    });
    Error::all_of(|count| format!("the workspace has {count} problems"), flat)
}

/// The error for a service that the workspace does not have; `known` are those that it has.
pub fn unknown_service<'a>(name: &Name, known: impl IntoIterator<Item = &'a Name>) -> Error {
    let error = Error::invalid(format!("there is no service `{name}`"));
    let known: Vec<&str> = known.into_iter().map(Name::as_str).collect();
    match suggest::hint(name.as_str(), known) {
        Some(hint) => error.hint(hint),
        None => error.hint("Add one with `gantline add service NAME --blueprint go-service`"),
    }
}

fn path_of(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|cause| Error::invalid(cause.to_string()))
}

#[cfg(test)]
mod tests;
