//! What a transaction is about to do, on disk before it does it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

use super::RUN_FOLDER;
use super::content::{ContentHash, Found};
use super::disk::read_place;
use super::guard::{CheckedFolders, is_absence, locate};
use super::storage::{FileMode, Storage};

/// The version of the journal's format.
const VERSION: u32 = 1;

/// All steps of one transaction, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Journal {
    version: u32,
    pub steps: Vec<Step>,
    /// Folders that the transaction makes, outermost first.
    pub folders: Vec<String>,
}

/// One file that changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Step {
    pub path: String,
    /// The content before; `None` when the file did not exist.
    pub before: Option<ContentHash>,
    /// The content afterwards; `None` when the file is removed.
    pub after: Option<ContentHash>,
}

/// Where a transaction keeps what it needs.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub root: PathBuf,
    /// Staged new content `new-N` and kept old content `old-N`, for its owner alone.
    pub staging: PathBuf,
    pub journal: PathBuf,
    unfinished: PathBuf,
}

impl Places {
    pub fn of(root: &Path) -> Self {
        let run = root.join(RUN_FOLDER);
        Self {
            root: root.to_path_buf(),
            staging: run.join("transaction"),
            journal: run.join("journal.json"),
            unfinished: run.join("journal.unfinished"),
        }
    }

    pub fn staged(&self, step: usize) -> PathBuf {
        self.staging.join(format!("new-{step}"))
    }

    pub fn kept(&self, step: usize) -> PathBuf {
        self.staging.join(format!("old-{step}"))
    }

    /// The place of a path that the journal names, once no link leads out of the workspace.
    pub fn inside(&self, path: &str) -> Result<PathBuf> {
        let path = TreePath::new(path).map_err(|error| {
            let journal = self.journal.display();
            Error::failed(format!("`{journal}` names no valid path"))
                .because(error)
                .hint("Look at the working tree with `git status`, then remove that file")
        })?;
        locate(&self.root, &path, &mut CheckedFolders::new())
    }

    /// The hash of what is there now; `Err` for anything but a regular file or nothing.
    pub fn current(target: &Path) -> Result<Option<ContentHash>> {
        match read_place(target)? {
            Found::Absent | Found::Other(super::ObjectKind::BelowFile) => Ok(None),
            Found::File(content) => Ok(Some(ContentHash::of(&content.bytes))),
            Found::Other(kind) => Err(Error::failed(format!(
                "`{}` is {kind}, and a file is expected there",
                target.display()
            ))),
        }
    }
}

impl Journal {
    pub fn new(steps: Vec<Step>, folders: Vec<String>) -> Self {
        Self {
            version: VERSION,
            steps,
            folders,
        }
    }

    /// Reads the journal of a transaction that did not end; `None` when there is none.
    pub fn read(places: &Places) -> Result<Option<Self>> {
        let unreadable = |cause: &dyn std::fmt::Display| {
            Error::failed(format!(
                "the journal of an interrupted command, `{}`, cannot be read",
                places.journal.display()
            ))
            .since(cause.to_string())
            .hint("Look at the working tree with `git status`, then remove that file")
        };
        let bytes = match fs::read(&places.journal) {
            Ok(bytes) => bytes,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
        if journal.version != VERSION {
            return Err(unreadable(&"it was written by another version of gantline"));
        }
        Ok(Some(journal))
    }

    /// Writes the journal so that it is there as a whole or not at all, and on the disk itself.
    pub fn write(&self, places: &Places, storage: &dyn Storage) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        storage.remove_file(&places.unfinished)?;
        storage.write(&places.unfinished, &bytes, FileMode::Exactly(0o600))?;
        storage.sync(std::slice::from_ref(&places.unfinished))?;
        storage.rename(&places.unfinished, &places.journal)?;
        sync_parent(&places.journal, storage)
    }

    /// Removes the journal: from here on the transaction has happened.
    pub fn remove(places: &Places, storage: &dyn Storage) -> io::Result<()> {
        storage.remove_file(&places.journal)?;
        sync_parent(&places.journal, storage)
    }
}

fn sync_parent(path: &Path, storage: &dyn Storage) -> io::Result<()> {
    match path.parent() {
        Some(parent) => storage.sync(&[parent.to_path_buf()]),
        None => Ok(()),
    }
}

/// Removes staged and kept content, which nothing needs any more, and nothing else.
pub(super) fn clear_staging(places: &Places, storage: &dyn Storage) -> io::Result<()> {
    storage.remove_file(&places.unfinished)?;
    let entries = match fs::read_dir(&places.staging) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_own_name) {
            storage.remove_file(&entry.path())?;
        }
    }
    storage.remove_empty_folder(&places.staging)
}

/// Whether a name is one of [`Places::staged`] or [`Places::kept`].
fn is_own_name(name: &str) -> bool {
    let number = name.strip_prefix("new-").or(name.strip_prefix("old-"));
    number.is_some_and(|number| number.parse::<usize>().is_ok())
}
