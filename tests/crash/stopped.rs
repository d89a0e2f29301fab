//! Every change at which a transaction can stop, in this process.

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;

use gantline::engine::files::{Direction, recover, recover_with};

use crate::failing_storage::{FailingStorage, Fault};
use crate::scenario::{Tree, assert_old_or_new, commit, lay_out, new, observe, old};

/// More changes than any scenario makes.
const LIMIT: usize = 500;

/// A disk that never fails and never waits.
fn unsynced() -> FailingStorage {
    FailingStorage::new(Fault::Stop, usize::MAX)
}

#[test]
fn stopped_at_any_change_the_tree_is_the_old_or_the_new_one_after_recovery() {
    let mut seen = (0, 0);
    for at in 1..LIMIT {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), &old());
        let storage = Arc::new(FailingStorage::new(Fault::Stop, at));
        let outcome = commit(folder.path(), &old(), &new(), storage.clone());
        if !storage.has_failed() {
            assert_eq!(outcome.unwrap().files, 9);
            assert!(seen.0 > 10 && seen.1 > 10, "{seen:?}");
            return;
        }
        recover_with(folder.path(), &unsynced()).unwrap();
        if assert_old_or_new(folder.path(), &format!("stopped at {at}")) == old() {
            seen.0 += 1;
        } else {
            seen.1 += 1;
        }
        let then = observe(folder.path());
        commit(folder.path(), &then, &new(), Arc::new(unsynced())).unwrap();
        assert_eq!(observe(folder.path()), new());
    }
    panic!("the scenario makes more than {LIMIT} changes");
}

#[test]
fn a_recovery_that_is_stopped_at_any_change_is_completed_by_the_next() {
    let mut recoveries = 0;
    for at in 1..LIMIT {
        for again_at in 1..LIMIT {
            let folder = tempfile::tempdir().unwrap();
            lay_out(folder.path(), &old());
            let storage = Arc::new(FailingStorage::new(Fault::Stop, at));
            let _ = commit(folder.path(), &old(), &new(), storage.clone());
            if !storage.has_failed() {
                assert!(recoveries > 100, "{recoveries}");
                return;
            }
            let second = FailingStorage::new(Fault::Stop, again_at);
            let _ = recover_with(folder.path(), &second);
            recover_with(folder.path(), &unsynced()).unwrap();
            assert_old_or_new(
                folder.path(),
                &format!("stopped at {at}, then at {again_at}"),
            );
            if !second.has_failed() {
                break;
            }
            recoveries += 1;
        }
    }
    panic!("the scenario makes more than {LIMIT} changes");
}

#[test]
fn a_refusal_at_any_change_is_an_error_that_leaves_nothing_half_done() {
    for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied] {
        for at in 1..LIMIT {
            let folder = tempfile::tempdir().unwrap();
            lay_out(folder.path(), &old());
            let storage = Arc::new(FailingStorage::new(Fault::Refuse(kind), at));
            let outcome = commit(folder.path(), &old(), &new(), storage.clone());
            if !storage.has_failed() {
                break;
            }
            let tree = observe(folder.path());
            match outcome {
                Ok(_) => assert_eq!(tree, new(), "at {at}"),
                Err(error) if error.message().starts_with("nothing was changed") => {
                    assert_eq!(tree, old(), "at {at}: {error}");
                    assert!(!error.hints().is_empty());
                }
                Err(error) => {
                    recover_with(folder.path(), &unsynced()).unwrap();
                    assert_old_or_new(folder.path(), &format!("at {at}: {error}"));
                }
            }
        }
    }
}

#[test]
fn a_new_workspace_that_is_stopped_at_any_change_is_absent_or_whole() {
    for at in 1..LIMIT {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        let storage = Arc::new(FailingStorage::new(Fault::Stop, at));
        let outcome = commit(&root, &Tree::new(), &new(), storage.clone());
        if !storage.has_failed() {
            outcome.unwrap();
            assert_eq!(observe(&root), new());
            let beside = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(beside, 1, "nothing is left beside it");
            return;
        }
        if root.exists() {
            assert_eq!(observe(&root), new(), "stopped at {at}");
        } else {
            commit(&root, &Tree::new(), &new(), Arc::new(unsynced())).unwrap();
        }
    }
    panic!("the scenario makes more than {LIMIT} changes");
}

/// Stops a commit right after its first renames.
fn stop_half_way(root: &std::path::Path) {
    for at in 1..LIMIT {
        let _ = fs::remove_dir_all(root);
        lay_out(root, &old());
        let storage = Arc::new(FailingStorage::new(Fault::Stop, at));
        let _ = commit(root, &old(), &new(), storage);
        let tree = observe(root);
        let is_half = tree != old()
            && tree.get("gantline.yaml") == new().get("gantline.yaml")
            && tree.get("services/orders/main.go") == old().get("services/orders/main.go");
        if is_half {
            return;
        }
    }
    panic!("no stop leaves the tree half-way");
}

#[test]
fn an_edit_made_before_recovery_survives_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    stop_half_way(&root);
    let pending = root.join("services/orders/main.go");
    fs::write(&pending, "package edited\n").unwrap();
    let recovery = recover(&root).unwrap().unwrap();
    assert_eq!(recovery.direction, Direction::Back);
    assert_eq!(recovery.left, ["services/orders/main.go"]);
    assert_eq!(fs::read_to_string(&pending).unwrap(), "package edited\n");
    let mut expected = old();
    expected.insert(
        "services/orders/main.go".to_owned(),
        ("package edited\n".to_owned(), false),
    );
    assert_eq!(observe(&root), expected);

    stop_half_way(&root);
    fs::write(root.join("gantline.yaml"), "name: edited\n").unwrap();
    let recovery = recover(&root).unwrap().unwrap();
    assert_eq!(recovery.direction, Direction::Forward);
    let mut expected = new();
    expected.insert(
        "gantline.yaml".to_owned(),
        ("name: edited\n".to_owned(), false),
    );
    assert_eq!(observe(&root), expected);
}

#[test]
fn a_commit_planned_before_a_recovery_changes_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    stop_half_way(&root);
    let error = commit(&root, &old(), &new(), Arc::new(unsynced())).unwrap_err();
    assert!(error.to_string().contains("killed"), "{error}");
    assert_eq!(observe(&root), new());
}
