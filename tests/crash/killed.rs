//! Real processes that end without warning: at each change, and by `kill -9` at any time.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gantline::engine::files::{DiskStorage, recover};

use crate::failing_storage::{FailingStorage, Fault};
use crate::scenario::{assert_old_or_new, commit, lay_out, new, observe, old};

/// Tells the child processes below, which are this test program again, what to do.
const ROOT: &str = "CRASH_TEST_ROOT";
const ABORT_AT: &str = "CRASH_TEST_ABORT_AT";

/// How often a process is killed from outside.
const KILLS: u64 = 25;

/// Starts a test of this program as a process of its own, which ends at a change of the disk.
pub fn child(test: &str, root: &Path, at: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored"])
        .env(ROOT, root)
        .env(ABORT_AT, at.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Where such a process works.
pub fn root_of_child() -> PathBuf {
    std::env::var_os(ROOT).unwrap().into()
}

/// The change at which such a process ends, counted from 1.
pub fn abort_at() -> usize {
    std::env::var(ABORT_AT).unwrap().parse().unwrap()
}

#[test]
#[ignore = "run by other tests as a process of its own"]
fn process_that_aborts() {
    let storage = Arc::new(FailingStorage::new(Fault::Abort, abort_at()));
    commit(&root_of_child(), &old(), &new(), storage).unwrap();
}

#[test]
#[ignore = "run by other tests as a process of its own"]
fn process_that_never_ends() {
    let root = std::env::var_os(ROOT).unwrap();
    let root = Path::new(&root);
    loop {
        recover(root).unwrap();
        let now = observe(root);
        let next = if now == old() { new() } else { old() };
        // Another process may have been quicker; both trees are fine.
        let _ = commit(root, &now, &next, Arc::new(DiskStorage));
    }
}

#[test]
fn a_process_that_ends_at_any_change_leaves_the_old_tree_or_the_new_one() {
    for at in 1..500 {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), &old());
        let ended = child("killed::process_that_aborts", folder.path(), at)
            .wait()
            .unwrap();
        recover(folder.path()).unwrap();
        let tree = assert_old_or_new(folder.path(), &format!("aborted at {at}"));
        if ended.success() {
            assert_eq!(tree, new());
            assert!(at > 20, "only {at} changes");
            return;
        }
    }
    panic!("the process never came to its end");
}

#[test]
fn two_processes_killed_at_any_time_leave_the_old_tree_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &old());
    for round in 0..KILLS {
        let mut children =
            [0, 1].map(|_| child("killed::process_that_never_ends", folder.path(), 0));
        std::thread::sleep(Duration::from_millis(20 + round * 7 % 60));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        recover(folder.path()).unwrap();
        assert_old_or_new(folder.path(), &format!("round {round}"));
    }
}
