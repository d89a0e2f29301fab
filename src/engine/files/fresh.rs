//! A workspace that does not exist yet appears as a whole: it is made beside its place, then
//! renamed into it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

use super::lock::WorkspaceLock;
use super::storage::{Storage, way_out};
use super::transaction::{Committed, FileWrite, commit_locked};

pub(super) fn commit(
    root: &Path,
    writes: BTreeMap<TreePath, FileWrite>,
    storage: &dyn Storage,
) -> Result<Committed> {
    let (parent, unfinished) = beside(root)?;
    let made = missing_parents(&parent);
    fs::create_dir_all(&parent).map_err(|error| not_made(root, &refused(error)))?;
    let outcome = fill(&unfinished, writes, storage).and_then(|files| {
        storage
            .rename(&unfinished, root)
            .and_then(|()| storage.sync(std::slice::from_ref(&parent)))
            .map_err(refused)?;
        Ok(files)
    });
    match outcome {
        Ok(files) => Ok(Committed {
            files,
            recovered: None,
        }),
        Err(error) => {
            let _ = fs::remove_dir_all(&unfinished);
            for folder in made.iter().rev() {
                let _ = fs::remove_dir(folder);
            }
            Err(not_made(root, &error))
        }
    }
}

fn refused(error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "Choose a folder that you may write to",
        _ => way_out(&error),
    };
    Error::failed("the folder cannot be made")
        .because(error)
        .hint(hint)
}

/// The same failure, told of the place that was asked for.
fn not_made(root: &Path, error: &Error) -> Error {
    let told = Error::failed(format!("`{}` was not made", root.display()));
    let told = match error.causes() {
        [] => told.since(error.message()),
        causes => told.with_causes(causes),
    };
    told.with_hints(error.hints())
}

/// The parent of the new folder, and the hidden folder in it where it is made.
fn beside(root: &Path) -> Result<(PathBuf, PathBuf)> {
    let name = root.file_name().and_then(|name| name.to_str());
    let (Some(name), Some(parent)) = (name, root.parent()) else {
        return Err(Error::invalid(format!(
            "`{}` is no folder that can be made",
            root.display()
        )));
    };
    let parent = if parent.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        parent.to_path_buf()
    };
    let unfinished = parent.join(format!(".{name}.gantline-new"));
    Ok((parent, unfinished))
}

fn missing_parents(parent: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<_> = parent
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_path_buf)
        .collect();
    missing.reverse();
    missing
}

fn fill(
    unfinished: &Path,
    writes: BTreeMap<TreePath, FileWrite>,
    storage: &dyn Storage,
) -> Result<usize> {
    if unfinished.exists() {
        // Left by a command that was killed, unless one is at work there now.
        drop(WorkspaceLock::acquire(unfinished)?);
        fs::remove_dir_all(unfinished).map_err(|error| {
            Error::failed(format!("cannot remove `{}`", unfinished.display())).because(error)
        })?;
    }
    storage.make_folder(unfinished, false).map_err(refused)?;
    let _lock = WorkspaceLock::acquire(unfinished)?;
    commit_locked(unfinished, writes, storage)
}
