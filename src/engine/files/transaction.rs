//! Writes all changes of one command, or none.

mod prepare;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

use self::prepare::{Checks, Prepared, as_expected, prepare};
use super::content::{ContentHash, FileContent};
use super::journal::{Journal, Places, Step, clear_staging};
use super::lock::WorkspaceLock;
use super::recover::{Recovery, finish, make_parents, recover_locked, roll_back};
use super::storage::{DiskStorage, Storage, way_out};
use super::{RUN_FOLDER, fresh};

/// What must be at a path for it to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// A file with this content: what the plan was made from.
    Content(ContentHash),
    /// Whatever there is: only for what gantline alone writes.
    Anything,
}

impl Expected {
    /// Expects what was read.
    pub fn of(before: Option<&[u8]>) -> Self {
        before.map_or(Self::Absent, |bytes| Self::Content(ContentHash::of(bytes)))
    }
}

/// One file to write or remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// Where.
    pub path: TreePath,
    /// What must be there now.
    pub expected: Expected,
    /// What shall be there; `None` removes it.
    pub content: Option<FileContent>,
}

impl FileWrite {
    /// A file that does not exist yet and is no program.
    pub fn create(path: TreePath, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path,
            expected: Expected::Absent,
            content: Some(FileContent::plain(bytes)),
        }
    }

    /// Another content for a file that was read as `before`.
    pub fn replace(path: TreePath, before: &[u8], bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path,
            expected: Expected::of(Some(before)),
            content: Some(FileContent::plain(bytes)),
        }
    }
}

/// What a transaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// How many files were written or removed.
    pub files: usize,
    /// What had to be ended first.
    pub recovered: Option<Recovery>,
}

/// All writes of one command: they happen together or not at all, also under `kill -9`, a full
/// disk or a file that somebody edits meanwhile.
pub struct Transaction {
    root: PathBuf,
    writes: BTreeMap<TreePath, FileWrite>,
    /// The paths of `writes` by their spelling in lower case.
    spellings: HashMap<String, TreePath>,
    storage: Arc<dyn Storage>,
}

impl Transaction {
    /// A transaction on the workspace at `root`, a folder that may not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::with_storage(root, Arc::new(DiskStorage))
    }

    /// The same on another storage, for tests.
    pub fn with_storage(root: impl Into<PathBuf>, storage: Arc<dyn Storage>) -> Self {
        Self {
            root: root.into(),
            writes: BTreeMap::new(),
            spellings: HashMap::new(),
            storage,
        }
    }

    /// Adds a write.
    ///
    /// # Errors
    /// When the path has one already, differs from another only in case, or belongs to gantline's
    /// own running state.
    pub fn add(&mut self, write: FileWrite) -> Result<()> {
        let path = write.path.clone();
        if path.as_str().starts_with(&format!("{RUN_FOLDER}/")) {
            return Err(Error::invalid(format!(
                "`{path}` cannot be written: `{RUN_FOLDER}` belongs to running commands"
            )));
        }
        let lower = path.as_str().to_lowercase();
        if let Some(twin) = self.spellings.get(&lower) {
            return Err(Error::invalid(if *twin == path {
                format!("`{path}` is written twice by one command")
            } else {
                format!("`{path}` and `{twin}` are one file where case does not count")
            }));
        }
        self.spellings.insert(lower, path.clone());
        self.writes.insert(path, write);
        Ok(())
    }

    /// Adds several writes.
    ///
    /// # Errors
    /// As [`Transaction::add`].
    pub fn extend(&mut self, writes: impl IntoIterator<Item = FileWrite>) -> Result<()> {
        writes.into_iter().try_for_each(|write| self.add(write))
    }

    /// Makes all changes, or none.
    ///
    /// Blocks while it writes: call it outside of an async task's thread.
    ///
    /// # Errors
    /// When something is not as expected, another gantline is writing, or the disk refuses; then
    /// nothing has changed.
    pub fn commit(self) -> Result<Committed> {
        if self.writes.is_empty() {
            return Ok(Committed::default());
        }
        if !self.root.exists() {
            return fresh::commit(&self.root, self.writes, &*self.storage);
        }
        let _lock = WorkspaceLock::acquire(&self.root)?;
        let recovered = recover_locked(&self.root, &*self.storage)?;
        if let Some(recovery) = &recovered
            && !self.is_as_expected()
        {
            return Err(Error::failed(recovery.to_string())
                .since("this command was planned before that, so it changed nothing")
                .hint("Run it again"));
        }
        let files = commit_locked(&self.root, self.writes, &*self.storage)?;
        Ok(Committed { files, recovered })
    }

    fn is_as_expected(&self) -> bool {
        let mut checks = Checks::new(&self.root);
        self.writes
            .values()
            .all(|write| checks.check(write).is_ok())
    }
}

/// Commits to a folder that exists and is locked or private.
pub(super) fn commit_locked(
    root: &Path,
    writes: BTreeMap<TreePath, FileWrite>,
    storage: &dyn Storage,
) -> Result<usize> {
    let places = Places::of(root);
    let prepared = prepare(root, writes)?;
    let journal = stage(&places, &prepared, storage).map_err(|error| {
        // The journal is not there yet, so this changed nothing; a leftover is cleared next time.
        let _ = clear_staging(&places, storage);
        refused(&places, error)
    })?;
    if let Err(error) = journal.write(&places, storage) {
        let _ = storage.remove_file(&places.journal);
        let _ = clear_staging(&places, storage);
        return Err(refused(&places, error));
    }
    if let Err(error) = carry_out(&places, &prepared, storage) {
        roll_back(&places, &journal, storage)?;
        finish(&places, &journal, storage).map_err(|cause| refused(&places, cause))?;
        return Err(error);
    }
    finish(&places, &journal, storage).map_err(|error| {
        Error::failed("everything was written, but the disk reported an error afterwards")
            .because(error)
            .hint("Run any gantline command again: it checks and completes the change")
    })?;
    remove_emptied_folders(root, &prepared, storage);
    Ok(prepared.len())
}

fn refused(places: &Places, error: io::Error) -> Error {
    let refusal = Error::failed(format!(
        "nothing was changed in `{}`: writing failed",
        places.root.display()
    ));
    let hint = way_out(&error);
    refusal.because(error).hint(hint)
}

/// Puts all new content beside the workspace's files, and second names of what it replaces.
fn stage(places: &Places, prepared: &[Prepared], storage: &dyn Storage) -> io::Result<Journal> {
    storage.make_folder(&places.staging, true)?;
    let mut written = Vec::new();
    let mut steps = Vec::new();
    let mut folders = BTreeSet::new();
    for (number, item) in prepared.iter().enumerate() {
        if let Some(content) = &item.write.content {
            let staged = places.staged(number);
            storage.write(&staged, &content.bytes, item.mode)?;
            written.push(staged);
            folders.extend(missing_folders(&places.root, &item.write.path));
        }
        if item.before.is_some() {
            storage.keep(&item.target, &places.kept(number))?;
        }
        steps.push(Step {
            path: item.write.path.to_string(),
            before: item.before,
            after: item
                .write
                .content
                .as_ref()
                .map(|content| ContentHash::of(&content.bytes)),
        });
    }
    written.push(places.staging.clone());
    storage.sync(&written)?;
    Ok(Journal::new(steps, folders.into_iter().collect()))
}

fn missing_folders(root: &Path, path: &TreePath) -> Vec<String> {
    let parents = Path::new(path.as_str()).ancestors().skip(1);
    parents
        .filter(|parent| !parent.as_os_str().is_empty() && !root.join(parent).exists())
        .map(|parent| parent.to_string_lossy().into_owned())
        .collect()
}

fn carry_out(places: &Places, prepared: &[Prepared], storage: &dyn Storage) -> Result<()> {
    for (number, item) in prepared.iter().enumerate() {
        let expected = item.before.map_or(Expected::Absent, Expected::Content);
        as_expected(&item.write.path, expected, Places::current(&item.target)?)?;
        let change = || match item.write.content {
            Some(_) => {
                make_parents(&places.root, &item.target, storage)?;
                storage.rename(&places.staged(number), &item.target)
            }
            None => storage.remove_file(&item.target),
        };
        change().map_err(|error| refused(places, error))?;
    }
    Ok(())
}

/// Folders that lost their last file go, too, as they would in git. A failure harms nothing.
fn remove_emptied_folders(root: &Path, prepared: &[Prepared], storage: &dyn Storage) {
    let removed = prepared.iter().filter(|item| item.write.content.is_none());
    let mut folders: Vec<_> = removed
        .flat_map(|item| Path::new(item.write.path.as_str()).ancestors().skip(1))
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders.into_iter().rev() {
        let _ = storage.remove_empty_folder(&root.join(folder));
    }
}

#[cfg(test)]
mod tests;
