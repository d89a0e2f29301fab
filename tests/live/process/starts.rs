//! Starts that take long or never end, what others see meanwhile, and what programs are told.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::workspace::{Workspace, text};
use crate::schemas::{assert_events, assert_valid};

/// A service that is ready when it is told to be.
const GATED: &str = include_str!("fixture/gated.go.txt");
/// A service that listens at an address of its own.
const ELSEWHERE: &str = include_str!("fixture/elsewhere.go.txt");
/// A service that never listens.
const SILENT: &str = include_str!("fixture/silent.go.txt");
const UP: [&str; 4] = ["up", "--detach", "--runtime", "process"];
/// How long a build and a start may take until the service runs.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A workspace whose only service is this program.
pub(super) fn workspace(program: &str) -> Workspace {
    let file = |path: &str, text: &str| (format!("services/pages/{path}"), text.to_owned());
    Workspace::with_files(&[
        file(
            "service.yaml",
            "name: pages\nblueprint: go-service@1\n\
             options: {entity: leaf, store: none, messaging: none}\n",
        ),
        file(
            "go.mod",
            "module example.com/live/services/pages\n\ngo 1.26.0\n",
        ),
        file("cmd/pages/main.go", program),
    ])
}

/// `up` fails, and says what it waited for, where, and what the service wrote last.
fn assert_is_never_ready(program: &str, last_line: &str) {
    let workspace = workspace(program);
    let up = workspace.run(&UP);
    let said = text(&up);
    assert_eq!(up.status.code(), Some(1), "{said}");
    let admin = &workspace.status()["pages"]["endpoints"]["admin"];
    let asked = format!("{}/health/ready: ", admin.as_str().unwrap());
    for part in [
        "error: pages is not ready after 60 s",
        &asked,
        "Connection refused",
        "the last lines of its log:",
        last_line,
    ] {
        assert!(said.contains(part), "no {part}: {said}");
    }
}

#[test]
#[ignore = "needs Go"]
fn a_service_that_listens_elsewhere_is_told_with_where_it_was_asked_and_its_last_lines() {
    assert_is_never_ready(ELSEWHERE, "listening elsewhere, on 127.0.0.1:");
}

#[test]
#[ignore = "needs Go"]
fn a_service_that_hangs_in_its_start_is_told_with_what_was_waited_for_and_its_last_lines() {
    assert_is_never_ready(SILENT, "reading a large table");
}

/// An `up` that waits for its service.
struct Starting {
    workspace: Workspace,
    up: Child,
}

impl Starting {
    fn new() -> Self {
        let workspace = workspace(GATED);
        workspace.edit_environment("pages", "FIXTURE_CLOSED");
        let up = Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(UP)
            .current_dir(workspace.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let starting = Self { workspace, up };
        let begun = Instant::now();
        while !starting.reason().contains("503") {
            assert!(begun.elapsed() < PATIENCE, "{:?}", starting.pages());
            std::thread::sleep(Duration::from_millis(100));
        }
        starting
    }

    /// The service, as another command sees it.
    fn pages(&self) -> Value {
        self.workspace.status()["pages"].clone()
    }

    fn reason(&self) -> String {
        let pages = self.pages();
        pages["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Lets the service be ready; what came of `up`.
    fn open(self) -> (Workspace, Output) {
        let admin = self.pages()["endpoints"]["admin"].clone();
        let opened = Command::new("curl")
            .args(["--silent", "--fail", "--max-time", "10"])
            .arg(format!("{}/open", admin.as_str().unwrap()))
            .status();
        assert!(opened.unwrap().success());
        (self.workspace, self.up.wait_with_output().unwrap())
    }
}

#[test]
#[ignore = "needs Go"]
fn status_shows_what_another_commands_up_waits_for() {
    let starting = Starting::new();
    let pages = starting.pages();
    assert_eq!(pages["state"], "starting", "{pages}");
    let admin = pages["endpoints"]["admin"].as_str().unwrap();
    let asked = format!("{admin}/health/ready");
    assert!(starting.reason().contains(&asked), "{pages}");
    let (workspace, up) = starting.open();
    assert!(up.status.success(), "{}", text(&up));
    assert_eq!(workspace.status()["pages"]["state"], "ready");
}

#[test]
#[ignore = "needs Go"]
fn a_second_up_says_who_changes_the_stack_and_starts_nothing() {
    let starting = Starting::new();
    let holder = format!("gantline with process id {}", starting.up.id());
    for arguments in [&UP[..], &["restart", "pages"]] {
        let second = starting.workspace.run(arguments);
        let said = text(&second);
        assert_eq!(second.status.code(), Some(1), "{said}");
        let expected = format!("error: {holder} is changing this stack");
        assert!(said.contains(&expected), "{said}");
    }
    let (workspace, up) = starting.open();
    assert!(up.status.success(), "{}", text(&up));
    let log = text(&workspace.run(&["logs", "pages"]));
    assert_eq!(log.matches("begin").count(), 1, "{log}");
    let again = text(&workspace.run(&UP));
    assert!(again.contains("runs already"), "{again}");
}

/// Runs a command for programs, which has to be done; what it wrote to stdout.
fn told(workspace: &Workspace, arguments: &[&str]) -> String {
    let output = workspace.run(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    assert_events(&String::from_utf8(output.stderr).unwrap());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs Go"]
fn a_stacks_life_is_told_to_programs_by_the_published_schemas() {
    let workspace = workspace(GATED);
    for (schema, arguments) in [
        ("up", &UP[..]),
        ("status", &["status"]),
        ("env", &["env", "pages"]),
        ("restart", &["restart", "pages"]),
        ("test", &["test", "--runtime", "process"]),
    ] {
        let document = told(&workspace, arguments);
        let document = serde_json::from_str(&document)
            .unwrap_or_else(|error| panic!("{schema}: {error}: {document}"));
        assert_valid(schema, &document);
    }
    let lines = told(&workspace, &["logs", "pages"]);
    assert!(lines.contains("begin"), "{lines}");
    for line in lines.lines() {
        assert_valid("logs", &serde_json::from_str(line).unwrap());
    }
    let down = told(&workspace, &["down", "--volumes"]);
    assert_valid("down", &serde_json::from_str(&down).unwrap());
}
