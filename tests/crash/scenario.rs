//! Two trees, and the transaction from one to the other.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use gantline::engine::files::{Committed, Expected, FileContent, FileWrite, Storage, Transaction};
use gantline::error::Result;
use gantline::model::file_set::TreePath;

/// Files by path, with their content and whether they are programs.
pub type Tree = BTreeMap<String, (String, bool)>;

fn tree(files: &[(&str, &str, bool)]) -> Tree {
    let entry = |(path, text, executable): &(&str, &str, bool)| {
        ((*path).to_owned(), ((*text).to_owned(), *executable))
    };
    files.iter().map(entry).collect()
}

/// The tree before.
pub fn old() -> Tree {
    tree(&[
        ("gantline.yaml", "name: old\n", false),
        ("services/orders/main.go", "package old\n", false),
        ("services/orders/run.sh", "#!/bin/sh\n", false),
        ("services/orders/gone.go", "package gone\n", false),
        ("services/orders/old/only.go", "package only\n", false),
        ("mine.txt", "mine\n", false),
        (".gantline/base/index/orders", "old\n", false),
    ])
}

/// The tree afterwards.
pub fn new() -> Tree {
    tree(&[
        (
            "gantline.yaml",
            "name: new, and longer than before\n",
            false,
        ),
        ("services/orders/main.go", "package new\n", false),
        ("services/orders/run.sh", "#!/bin/sh\n", true),
        ("services/orders/deep/er/new.go", "package deeper\n", false),
        ("services/billing/main.go", "package billing\n", false),
        ("mine.txt", "mine\n", false),
        (".gantline/base/index/orders", "new\n", false),
        (".gantline/base/objects/ab/cd", "object\n", false),
    ])
}

/// Makes a tree from nothing.
pub fn lay_out(root: &Path, tree: &Tree) {
    for (path, (text, executable)) in tree {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, text).unwrap();
        let mode = if *executable { 0o755 } else { 0o644 };
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// The tree on disk, without what belongs to running commands.
pub fn observe(root: &Path) -> Tree {
    let mut tree = Tree::new();
    collect(root, root, &mut tree);
    tree
}

fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let place = entry.unwrap().path();
        let path = place
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path == ".gantline/run" {
            continue;
        }
        if place.is_dir() {
            collect(root, &place, tree);
        } else {
            let executable = fs::metadata(&place).unwrap().permissions().mode() & 0o100 != 0;
            tree.insert(path, (fs::read_to_string(&place).unwrap(), executable));
        }
    }
}

/// The writes that lead from one tree to another.
pub fn writes(from: &Tree, to: &Tree) -> Vec<FileWrite> {
    let mut paths: Vec<&String> = from.keys().chain(to.keys()).collect();
    paths.sort();
    paths.dedup();
    let changed = paths
        .into_iter()
        .filter(|path| from.get(*path) != to.get(*path));
    changed
        .map(|path| FileWrite {
            path: TreePath::new(path.clone()).unwrap(),
            expected: Expected::of(from.get(path).map(|(text, _)| text.as_bytes())),
            content: to.get(path).map(|(text, executable)| FileContent {
                bytes: text.clone().into_bytes(),
                executable: *executable,
            }),
        })
        .collect()
}

/// Commits the writes from one tree to another.
pub fn commit(root: &Path, from: &Tree, to: &Tree, storage: Arc<dyn Storage>) -> Result<Committed> {
    let mut transaction = Transaction::with_storage(root, storage);
    transaction.extend(writes(from, to))?;
    transaction.commit()
}

/// Fails unless the tree is one of the two, and nothing is left for a later command to do.
pub fn assert_old_or_new(root: &Path, place: &str) -> Tree {
    let tree = observe(root);
    assert!(tree == old() || tree == new(), "{place}: {tree:#?}");
    let journal = root.join(".gantline/run/journal.json");
    assert!(!journal.exists(), "{place}: the journal is still there");
    tree
}
