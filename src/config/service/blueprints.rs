//! The blueprints of a workspace, each put together once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::catalog;
use crate::config::lock_file::{self, LockFile};
use crate::config::yaml::Document;
use crate::error::{Error, Result};
use crate::model::blueprint::Blueprint;
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::project::BlueprintReference;

/// The blueprints that a workspace's services are made from, each put together once.
pub struct Blueprints<'a> {
    root: &'a Path,
    changes: &'a FileSet,
    known: RefCell<BTreeMap<String, Result<Chosen>>>,
}

/// A blueprint and what it is called.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) reference: BlueprintReference,
    pub(super) blueprint: Arc<Blueprint>,
}

impl<'a> Blueprints<'a> {
    /// Those of the workspace in `root`, as it would be with these files written.
    pub fn new(root: &'a Path, changes: &'a FileSet) -> Self {
        Self {
            root,
            changes,
            known: RefCell::default(),
        }
    }

    /// Those that services were made from.
    pub fn into_known(self) -> BTreeMap<BlueprintReference, Arc<Blueprint>> {
        let known = self.known.into_inner().into_values().flatten();
        known
            .map(|chosen| (chosen.reference, chosen.blueprint))
            .collect()
    }

    /// The blueprint that a manifest calls NAME or NAME@VERSION: without a version it is the
    /// one that is pinned, else the program's.
    pub(super) fn get(&self, text: &str) -> Result<Chosen> {
        if let Some(known) = self.known.borrow().get(text) {
            return known.clone();
        }
        let found = self.read(text);
        self.known
            .borrow_mut()
            .insert(text.to_owned(), found.clone());
        found
    }

    fn lock(&self) -> Result<LockFile> {
        let mut changes = self.changes.files.iter();
        match changes.find(|(path, _)| path.as_str() == lock_file::PATH) {
            Some((path, file)) => Document::parse(Path::new(path.as_str()), &file.bytes)?.decode(),
            None => LockFile::read(self.root),
        }
    }

    fn read(&self, text: &str) -> Result<Chosen> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, version.parse().ok()),
            None => (text, self.lock()?.newest(text)),
        };
        let reference = match version {
            None => catalog::newest(Some(self.root), name)?,
            Some(version) => BlueprintReference {
                name: Name::new(name).map_err(|cause| Error::invalid(cause.to_string()))?,
                version,
            },
        };
        Ok(Chosen {
            blueprint: Arc::new(catalog::blueprint(Some(self.root), &reference)?),
            reference,
        })
    }
}
