//! An upgrade whose process ends at any change leaves the workspace as it was or upgraded: the
//! manifest, the files, the base, the pin and the lock file together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use gantline::actions::generate::{Generation, GenerationRequest, writes};
use gantline::actions::upgrade::{Upgrade, UpgradeRequest};
use gantline::engine::files::{FileWrite, Storage, Transaction, recover};

use crate::failing_storage::{FailingStorage, Fault};
use crate::killed::{abort_at, child, root_of_child};

/// More changes than the upgrade makes.
const LIMIT: usize = 500;

/// Files of the workspace, and of its blueprint in two versions.
const WORKSPACE: [(&str, &str); 2] = [
    (
        "gantline.yaml",
        "version: 1\nname: shop\nmodule: example.com/shop\nregistry: localhost/shop\n",
    ),
    (
        "services/notes/service.yaml",
        "name: notes\nblueprint: tiny@1\n",
    ),
];
const FIRST: [(&str, &str); 5] = [
    ("blueprint.yaml", "name: tiny\nversion: 1\nsummary: Notes\n"),
    ("base/settings.txt", "a: 1\nb: 1\nc: 1\n"),
    ("base/plain.txt", "1\n"),
    ("base/merged.txt", "one\n\ntwo\n\nthree\n"),
    ("base/gone/gone.txt", "gone\n"),
];
const SECOND: [(&str, &str); 5] = [
    ("blueprint.yaml", "name: tiny\nversion: 2\nsummary: Notes\n"),
    ("base/settings.txt", "a: 1\nb: 2\nc: 1\n"),
    ("base/plain.txt", "2\n"),
    ("base/merged.txt", "one\n\ntwo\n\nthree\n\nfour\n"),
    ("base/added/added.txt", "added\n"),
];

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn commit(root: &Path, writes: Vec<FileWrite>, storage: Arc<dyn Storage>) {
    let mut transaction = Transaction::with_storage(root, storage);
    transaction.extend(writes).unwrap();
    transaction.commit().unwrap();
}

/// A workspace that was generated from the first version and edited, with the second beside it.
fn lay_out(root: &Path) {
    write(root, &WORKSPACE);
    write(&root.join("blueprints/tiny"), &FIRST);
    let request = GenerationRequest::default();
    let generation = Generation::prepare(root, &request).unwrap();
    commit(root, writes(&generation.plan), Arc::new(unsynced()));
    fs::remove_dir_all(root.join("blueprints/tiny")).unwrap();
    write(&root.join("blueprints/tiny"), &SECOND);
    let edits = [
        ("settings.txt", "a: 1\nb: 9\nc: 1\n"),
        ("merged.txt", "mine\n\none\n\ntwo\n\nthree\n"),
    ];
    write(&root.join("services/notes"), &edits);
}

fn planned(root: &Path) -> Upgrade {
    let request = UpgradeRequest::default();
    Upgrade::prepare(root, &request).unwrap()
}

/// A disk that never fails and never waits.
fn unsynced() -> FailingStorage {
    FailingStorage::new(Fault::Stop, usize::MAX)
}

/// All files but those of running commands.
fn observe(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(root).unwrap();
            if below == Path::new(".gantline/run") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let name = below.to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
#[ignore = "run by another test as a process of its own"]
fn process_that_aborts() {
    let root = root_of_child();
    let storage = Arc::new(FailingStorage::new(Fault::Abort, abort_at()));
    commit(&root, writes(&planned(&root).plan), storage);
}

#[test]
fn an_upgrade_killed_at_any_write_is_done_or_not_and_the_next_command_goes_on() {
    let old = tempfile::tempdir().unwrap();
    lay_out(old.path());
    let new = tempfile::tempdir().unwrap();
    lay_out(new.path());
    commit(
        new.path(),
        writes(&planned(new.path()).plan),
        Arc::new(unsynced()),
    );
    let (old, new) = (observe(old.path()), observe(new.path()));
    let mut seen = (0, 0);
    for at in 1..LIMIT {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path());
        let ended = child("upgrade::process_that_aborts", folder.path(), at).wait();
        recover(folder.path()).unwrap();
        let tree = observe(folder.path());
        assert!(tree == old || tree == new, "aborted at {at}: {tree:#?}");
        let is_new = tree == new;
        assert_eq!(planned(folder.path()).is_empty(), is_new, "aborted at {at}");
        seen = (seen.0 + usize::from(!is_new), seen.1 + usize::from(is_new));
        if ended.unwrap().success() {
            assert!(is_new && seen.0 > 10 && seen.1 > 10, "{seen:?}");
            return;
        }
    }
    panic!("the upgrade never came to its end");
}
