//! The real file tree.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::model::file_set::TreePath;

use super::FileTree;
use super::content::{FileContent, Found, Metadata, ObjectKind};
use super::guard::{CheckedFolders, is_absence, locate, unreadable};
use super::stamp::Sight;

/// Nine in ten generated files are smaller, in bytes.
const USUAL_SIZE: usize = 8 << 10;

/// A folder on disk.
#[derive(Debug)]
pub struct DiskTree {
    root: PathBuf,
    checked: Mutex<CheckedFolders>,
}

impl DiskTree {
    /// The tree below an existing or future folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            checked: Mutex::new(CheckedFolders::new()),
        }
    }

    /// What is at this path, as far as it can be told without reading it.
    ///
    /// # Errors
    /// When a folder above it is a link that leaves the workspace.
    pub fn look(&self, path: &TreePath) -> Result<Sight> {
        Ok(Sight::of(&self.locate(path)?))
    }

    fn locate(&self, path: &TreePath) -> Result<PathBuf> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        locate(&self.root, path, &mut checked)
    }
}

impl FileTree for DiskTree {
    fn read(&self, path: &TreePath) -> Result<Found> {
        read_place(&self.locate(path)?)
    }

    fn list(&self, folder: &TreePath) -> Result<Vec<TreePath>> {
        let place = self.locate(folder)?;
        let mut paths = Vec::new();
        if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir()) {
            collect(&place, folder, &mut paths)?;
        }
        paths.sort();
        Ok(paths)
    }

    fn metadata(&self, path: &TreePath) -> Result<Option<Metadata>> {
        metadata_of(&self.locate(path)?)
    }
}

/// What is at a place on disk.
pub(super) fn read_place(place: &Path) -> Result<Found> {
    let Some(metadata) = metadata_of(place)? else {
        return Ok(Found::Absent);
    };
    if metadata.kind != ObjectKind::File {
        return Ok(Found::Other(metadata.kind));
    }
    let bytes = read_file(place).map_err(|error| unreadable(place, error))?;
    Ok(Found::File(FileContent {
        bytes,
        executable: metadata.executable,
    }))
}

/// A file's content. `fs::read` asks for size and position first, which shows where ten thousand
/// files are read.
fn read_file(place: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL_SIZE);
    File::open(place)?.take(u64::MAX).read_to_end(&mut bytes)?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Kind and permissions of what is at a place on disk.
pub(super) fn metadata_of(place: &Path) -> Result<Option<Metadata>> {
    let metadata = match fs::symlink_metadata(place) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Ok(Some(Metadata {
                kind: ObjectKind::BelowFile,
                executable: false,
                read_only: false,
            }));
        }
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(unreadable(place, error)),
    };
    let kind = if metadata.is_symlink() {
        ObjectKind::Link
    } else if metadata.is_dir() {
        ObjectKind::Folder
    } else if metadata.is_file() {
        ObjectKind::File
    } else {
        ObjectKind::Special
    };
    let mode = metadata.permissions().mode();
    Ok(Some(Metadata {
        kind,
        executable: mode & 0o100 != 0,
        read_only: mode & 0o222 == 0,
    }))
}

fn collect(place: &Path, folder: &TreePath, paths: &mut Vec<TreePath>) -> Result<()> {
    let entries = fs::read_dir(place).map_err(|error| unreadable(place, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(place, error))?;
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(&entry.path(), error))?;
        let name = entry.file_name();
        // A name that is no plain text is nothing that gantline ever wrote.
        let Some(path) = name
            .to_str()
            .and_then(|name| TreePath::new(format!("{folder}/{name}")).ok())
        else {
            continue;
        };
        if kind.is_dir() {
            collect(&entry.path(), &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
