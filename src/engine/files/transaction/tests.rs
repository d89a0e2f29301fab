use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// A workspace with one file.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "before\n").unwrap();
    folder
}

fn commit(root: &Path, writes: Vec<FileWrite>) -> Result<Committed> {
    let mut transaction = Transaction::new(root);
    transaction.extend(writes)?;
    transaction.commit()
}

/// Fails to commit one write along with a good one; nothing may change.
fn refusal(folder: &TempDir, write: FileWrite) -> Error {
    let good = FileWrite::create(path("a-good-one"), *b"good\n");
    let error = commit(folder.path(), vec![good, write]).unwrap_err();
    assert!(!folder.path().join("a-good-one").exists(), "{error}");
    assert!(!folder.path().join(".gantline/run/journal.json").exists());
    assert!(!folder.path().join(".gantline/run/transaction").exists());
    assert!(!error.hints().is_empty(), "{error}");
    error
}

#[test]
fn files_are_made_replaced_and_removed_together() {
    let folder = workspace();
    fs::create_dir_all(folder.path().join("empty/soon")).unwrap();
    fs::write(folder.path().join("empty/soon/gone"), "gone\n").unwrap();
    let remove = FileWrite {
        path: path("empty/soon/gone"),
        expected: Expected::of(Some(b"gone\n")),
        content: None,
    };
    let writes = vec![
        FileWrite::create(path("deep/er/new"), *b"new\n"),
        FileWrite::replace(path("file"), b"before\n", *b"after\n"),
        remove,
    ];
    assert_eq!(commit(folder.path(), writes).unwrap().files, 3);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("deep/er/new"), "new\n");
    assert_eq!(read("file"), "after\n");
    assert!(
        !folder.path().join("empty").exists(),
        "emptied folders go, too"
    );
}

#[test]
fn a_file_that_changed_since_the_plan_is_not_overwritten() {
    let folder = workspace();
    let write = FileWrite::replace(path("file"), b"other\n", *b"after\n");
    let error = refusal(&folder, write);
    assert!(error.message().contains("changed while"), "{error}");
    let error = refusal(&folder, FileWrite::create(path("file"), *b"after\n"));
    assert!(error.message().contains("exists already"), "{error}");
    let error = refusal(&folder, FileWrite::replace(path("gone"), b"x", *b"y"));
    assert!(error.message().contains("vanished"), "{error}");
}

#[test]
fn permissions_stay_and_programs_are_executable() {
    let folder = workspace();
    let file = folder.path().join("file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let program = FileWrite {
        content: Some(FileContent {
            bytes: b"#!/bin/sh\n".to_vec(),
            executable: true,
        }),
        ..FileWrite::create(path("run.sh"), *b"")
    };
    let replace = FileWrite::replace(path("file"), b"before\n", *b"after\n");
    commit(folder.path(), vec![program, replace]).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    let mode = fs::metadata(folder.path().join("run.sh")).unwrap().mode();
    assert_eq!(mode & 0o700, 0o700);
}

#[test]
fn a_folder_that_is_a_link_out_of_the_workspace_is_refused() {
    let folder = workspace();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), folder.path().join("services")).unwrap();
    let error = refusal(&folder, FileWrite::create(path("services/orders/x"), *b"x"));
    assert!(error.message().contains("leaves the workspace"), "{error}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_a_link_inside_the_workspace_is_followed() {
    let folder = workspace();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", folder.path().join("link")).unwrap();
    let write = FileWrite::create(path("link/new"), *b"new\n");
    commit(folder.path(), vec![write]).unwrap();
    assert!(folder.path().join("real/new").exists());
}

#[test]
fn a_link_or_folder_in_place_of_a_file_is_refused() {
    let folder = workspace();
    symlink("file", folder.path().join("link")).unwrap();
    let replace = |name: &str| FileWrite {
        expected: Expected::Anything,
        ..FileWrite::create(path(name), *b"x")
    };
    let error = refusal(&folder, replace("link"));
    assert!(
        error.message().contains("a symbolic link is there"),
        "{error}"
    );
    fs::create_dir(folder.path().join("folder")).unwrap();
    let error = refusal(&folder, replace("folder"));
    assert!(error.message().contains("a folder is there"), "{error}");
    let error = refusal(&folder, replace("file/below"));
    assert!(error.message().contains("above it"), "{error}");
}

#[test]
fn a_read_only_file_is_not_replaced() {
    let folder = workspace();
    let file = folder.path().join("file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let error = refusal(
        &folder,
        FileWrite::replace(path("file"), b"before\n", *b"x"),
    );
    assert!(error.message().contains("read-only"), "{error}");
    assert_eq!(fs::read_to_string(file).unwrap(), "before\n");
}

#[test]
fn another_spelling_of_an_existing_path_is_refused() {
    let folder = workspace();
    let error = refusal(&folder, FileWrite::create(path("FILE"), *b"x"));
    assert!(error.message().contains("case does not count"), "{error}");
    fs::create_dir(folder.path().join("Services")).unwrap();
    let error = refusal(&folder, FileWrite::create(path("services/x"), *b"x"));
    assert!(error.message().contains("`Services` exists"), "{error}");
    let mut transaction = Transaction::new(folder.path());
    transaction
        .add(FileWrite::create(path("new"), *b"x"))
        .unwrap();
    assert!(
        transaction
            .add(FileWrite::create(path("New"), *b"x"))
            .is_err()
    );
    assert!(
        transaction
            .add(FileWrite::create(path("new"), *b"x"))
            .is_err()
    );
}

#[test]
fn the_folder_of_running_commands_is_not_written() {
    let mut transaction = Transaction::new("/nowhere");
    let write = FileWrite::create(path(".gantline/run/lock"), *b"x");
    assert!(transaction.add(write).is_err());
}

#[test]
fn every_problem_is_named_at_once() {
    let folder = workspace();
    let writes = vec![
        FileWrite::create(path("file"), *b"x"),
        FileWrite::replace(path("gone"), b"x", *b"y"),
    ];
    let error = commit(folder.path(), writes).unwrap_err();
    assert_eq!(error.related().len(), 2, "{error}");
}

#[test]
fn removing_what_is_absent_changes_nothing() {
    let folder = workspace();
    let remove = FileWrite {
        path: path("absent"),
        expected: Expected::Anything,
        content: None,
    };
    assert_eq!(commit(folder.path(), vec![remove]).unwrap().files, 0);
}
