//! A service that dies while `up` follows it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::starts::{PATIENCE, workspace};
use crate::docker::workspace::text;

/// A service that dies when it is asked to.
const MORTAL: &str = include_str!("fixture/mortal.go.txt");

#[test]
#[ignore = "needs Go"]
fn a_service_that_was_ready_and_dies_is_told_with_its_exit_code_after_its_last_lines() {
    let workspace = workspace(MORTAL);
    let mut up = Command::new(env!("CARGO_BIN_EXE_gantline"))
        .args(["up", "--runtime", "process"])
        .current_dir(workspace.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while workspace.status()["pages"]["state"] != "ready" {
        assert!(begun.elapsed() < PATIENCE, "{:?}", workspace.status());
        std::thread::sleep(Duration::from_millis(100));
    }
    // `up` notices the same in its own time, and follows from then on.
    std::thread::sleep(Duration::from_secs(2));
    let admin = workspace.status()["pages"]["endpoints"]["admin"].clone();
    // It dies of the request, and answers nothing.
    let _no_answer = Command::new("curl")
        .args(["--silent", "--max-time", "10"])
        .arg(format!("{}/die", admin.as_str().unwrap()))
        .status();
    let asked = Instant::now();
    while up.try_wait().unwrap().is_none() {
        if asked.elapsed() > PATIENCE {
            up.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = up.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let at = |words: &str| {
        said.find(words)
            .unwrap_or_else(|| panic!("no {words}: {said}"))
    };
    let last_line = at("pages | cannot go on: the queue is gone");
    assert!(last_line < at("pages ended with exit code 7"), "{said}");
    at("error: all services have ended");
    let pages = &workspace.status()["pages"];
    assert_eq!(pages["state"], "stopped", "{pages}");
}
