//! Files of a workspace: reading them, the store of what was generated last time, and writing
//! all changes of one command or none.
//!
//! - [`FileTree`] reads; [`DiskTree`] is real, [`MemoryTree`] is for tests.
//! - [`Transaction`] writes. Everything is staged below `.gantline/run/transaction`, then a
//!   journal is written, then files are renamed into place, then the journal goes away.
//! - [`recover()`] ends what a killed command left behind, so that the tree is the old or the new.
//! - [`BaseStore`] reads `.gantline/base`, the ancestor of every merge.

mod base;
mod content;
mod disk;
mod fresh;
mod guard;
mod journal;
mod lock;
mod memory;
#[cfg(test)]
mod properties;
mod recover;
mod run_folder;
mod stamp;
mod storage;
mod transaction;

pub use base::{BaseEntry, BaseIndex, BaseState, BaseStore, StoredObject, encode_object};
pub use content::{ContentHash, FileContent, Found, Metadata, ObjectKind};
pub use disk::DiskTree;
pub use lock::{ChangeLock, WorkspaceLock, holder, lock_within, note_holder, open as open_lock};
pub use memory::MemoryTree;
pub use recover::{Direction, Recovery, recover, recover_with};
pub use run_folder::{make_run_folder, own_file, run_folder};
pub use stamp::{Sight, Stamp};
pub(crate) use storage::way_out;
pub use storage::{DiskStorage, FileMode, Storage};
pub use transaction::{Committed, Expected, FileWrite, Transaction};

use crate::error::Result;
use crate::model::file_set::TreePath;

/// The folder of what gantline keeps for one checkout only; git ignores it.
pub const RUN_FOLDER: &str = ".gantline/run";

/// Reads the files of a workspace. Paths cannot leave it, and links out of it are refused.
pub trait FileTree: Send + Sync {
    /// What is at this path.
    ///
    /// # Errors
    /// When it cannot be read, or a folder above it is a link that leaves the workspace.
    fn read(&self, path: &TreePath) -> Result<Found>;

    /// All files and links below a folder, in order of path; none when there is no such folder.
    /// Links to folders are listed, not followed.
    ///
    /// # Errors
    /// When a folder cannot be read.
    fn list(&self, folder: &TreePath) -> Result<Vec<TreePath>>;

    /// What kind of thing is at this path, without reading its content.
    ///
    /// # Errors
    /// As for [`FileTree::read`].
    fn metadata(&self, path: &TreePath) -> Result<Option<Metadata>>;
}
