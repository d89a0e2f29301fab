//! A workspace that does not exist yet appears as a whole: it is made beside its place, then
//! renamed into it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

use super::RUN_FOLDER;
use super::lock::{PATIENCE, WRITING, WorkspaceLock};
use super::run_folder::is_link;
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
    let claimed = claim(&unfinished, storage, PATIENCE).inspect_err(|_| let_go(&unfinished));
    let outcome = claimed.and_then(|lock| {
        let done = commit_locked(&unfinished, writes, storage).and_then(|files| {
            let moved = storage.rename(&unfinished, root);
            let durable = moved.and_then(|()| storage.sync(std::slice::from_ref(&parent)));
            durable.map(|()| files).map_err(refused)
        });
        if done.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
        drop(lock);
        done
    });
    match outcome {
        Ok(files) => Ok(Committed {
            files,
            recovered: None,
        }),
        Err(error) => {
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
    let told = Error::new(error.kind(), format!("`{}` was not made", root.display()));
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

/// Takes the hidden folder for this command, empty; the lock is that of its `.gantline/run`. One
/// that another command is at work in is not touched.
fn claim(unfinished: &Path, storage: &dyn Storage, patience: Duration) -> Result<WorkspaceLock> {
    if is_link(unfinished) {
        let shown = unfinished.display();
        return Err(Error::invalid(format!("`{shown}` is a link")).hint("Remove it"));
    }
    storage.make_folder(unfinished, false).map_err(refused)?;
    let lock = WorkspaceLock::acquire_within(unfinished, patience)?;
    if !lock.is_of(unfinished) {
        return Err(
            Error::failed("another command was making it at the same time")
                .hint("Look at what that one made, then run this again"),
        );
    }
    // Left by a command that was killed.
    clear(unfinished, &Path::new(RUN_FOLDER).join(WRITING)).map_err(|error| {
        Error::failed(format!("cannot clear `{}`", unfinished.display())).because(error)
    })?;
    Ok(lock)
}

/// Removes all that is in a folder except for the file at the path `kept`.
fn clear(folder: &Path, kept: &Path) -> io::Result<()> {
    let mut parts = kept.iter();
    let name = parts.next();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, is_folder) = (entry.path(), entry.file_type()?.is_dir());
        match Some(entry.file_name().as_os_str()) == name {
            true if is_folder => clear(&path, parts.as_path())?,
            true => {}
            false if is_folder => fs::remove_dir_all(&path)?,
            false => fs::remove_file(&path)?,
        }
    }
    Ok(())
}

/// Takes back what was made of the hidden folder without its lock: as long as that is nothing.
fn let_go(unfinished: &Path) {
    let run = unfinished.join(RUN_FOLDER);
    let made = run
        .ancestors()
        .take_while(|folder| folder.starts_with(unfinished));
    for folder in made {
        let _ = fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::files::storage::DiskStorage;

    fn writes() -> BTreeMap<TreePath, FileWrite> {
        let path = TreePath::new("gantline.yaml").unwrap();
        let write = FileWrite::create(path.clone(), *b"mine\n");
        BTreeMap::from([(path, write)])
    }

    #[test]
    fn a_command_that_waits_in_vain_leaves_the_folder_of_the_other_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join(".shop.gantline-new");
        let other = claim(&unfinished, &DiskStorage, Duration::ZERO).unwrap();
        fs::write(unfinished.join("half"), "theirs").unwrap();
        let error = claim(&unfinished, &DiskStorage, Duration::ZERO).unwrap_err();
        let_go(&unfinished);
        assert!(error.message().contains("process id"), "{error}");
        assert!(other.is_of(&unfinished));
        assert_eq!(
            fs::read_to_string(unfinished.join("half")).unwrap(),
            "theirs"
        );
    }

    #[test]
    fn a_command_that_waited_for_another_one_keeps_what_that_one_made() {
        let folder = tempfile::tempdir().unwrap();
        let (root, unfinished) = beside(&folder.path().join("shop"))
            .map(|(parent, unfinished)| (parent.join("shop"), unfinished))
            .unwrap();
        let other = claim(&unfinished, &DiskStorage, Duration::ZERO).unwrap();
        fs::write(unfinished.join("gantline.yaml"), "theirs\n").unwrap();
        let error = std::thread::scope(|scope| {
            let second = scope.spawn(|| commit(&root, writes(), &DiskStorage));
            std::thread::sleep(Duration::from_millis(300));
            fs::rename(&unfinished, &root).unwrap();
            drop(other);
            second.join().unwrap().unwrap_err()
        });
        assert!(error.causes()[0].contains("at the same time"), "{error}");
        let kept = fs::read_to_string(root.join("gantline.yaml")).unwrap();
        assert_eq!(kept, "theirs\n");
    }

    #[test]
    fn what_a_killed_command_left_does_not_get_into_the_new_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        let left = folder.path().join(".shop.gantline-new");
        for path in [
            "half/file",
            ".gantline/base/x",
            ".gantline/run/transaction/new-0",
        ] {
            let path = left.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "left").unwrap();
        }
        commit(&root, writes(), &DiskStorage).unwrap();
        assert!(root.join("gantline.yaml").is_file());
        for gone in ["half", ".gantline/base", ".gantline/run/transaction"] {
            assert!(!root.join(gone).exists(), "{gone}");
        }
        assert!(!left.exists());
    }
}
