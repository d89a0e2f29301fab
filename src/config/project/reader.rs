//! Reads the files of a workspace: its manifests, as they are or as they would be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::Selection;
use crate::config::service::Manifest;
use crate::config::yaml::{Document, shown_path};
use crate::config::{overlay, references, service_file, workspace};
use crate::error::{Error, Result};
use crate::model::file_set::{FileSet, TreePath};
use crate::model::name::Name;

/// Reads files of a workspace, with changes laid over them.
pub(super) struct Reader<'a> {
    /// The workspace's folder.
    pub(super) root: &'a Path,
    /// Files as they would be written.
    pub(super) changes: &'a FileSet,
    /// Where manifests are read as they are in an environment: its name.
    pub(super) environment: Option<&'a Name>,
}

impl Reader<'_> {
    pub(super) fn document(&self, path: &TreePath) -> Result<Document> {
        let on_disk = self.root.join(path.as_str());
        match self.changes.files.get(path) {
            Some(file) => Document::parse(&shown_path(&on_disk), &file.bytes),
            None => Document::read(&on_disk),
        }
    }

    /// The folders below the services' folder that hold a manifest, by name.
    pub(super) fn service_folders(&self, services: &TreePath) -> Result<BTreeMap<Name, TreePath>> {
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

    /// The manifests of these services and of those that they name, and so on.
    pub(super) fn manifests(
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

    /// What is wrong with the services of a workspace whose own file is faulty, as far as their
    /// manifests tell it; `workspace` is that file where it could be read.
    pub(super) fn faults(&self, workspace: Option<&Document>, selection: &Selection) -> Vec<Error> {
        if *selection == Selection::Workspace {
            return Vec::new();
        }
        let folders = workspace::likely_services(workspace)
            .and_then(|services| self.service_folders(&services));
        let folders = match folders {
            Ok(folders) => folders,
            Err(error) => return vec![error],
        };
        let wanted = match selection {
            Selection::Workspace => Vec::new(),
            Selection::All => folders.keys().cloned().collect(),
            Selection::Services(names) => names.clone(),
        };
        let mut problems = Vec::new();
        let manifests = self.manifests(&folders, wanted, &mut problems);
        let known = folders.into_keys().collect();
        problems.extend(references::check(&manifests, &known));
        problems
    }

    fn manifest(&self, directory: &TreePath) -> Result<Manifest> {
        let path = path_of(&format!("{directory}/{}", service_file::FILE))?;
        let mut document = self.document(&path)?;
        if let Some(environment) = self.environment {
            let folder = self.root.join(directory.as_str());
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

pub(super) fn path_of(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|cause| Error::invalid(cause.to_string()))
}
