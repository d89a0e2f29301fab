//! `gantline test`: Go's tests with servers of their own.

use serde_json::Value;

use super::workspace::{Workspace, text};
use crate::schemas::{assert_events, assert_valid};

#[test]
#[ignore = "needs Docker"]
fn tests_find_a_server_of_their_own_that_is_gone_afterwards() {
    let workspace = Workspace::with_a_store("ledger");
    let run = workspace.run(&["test", "--", "-v", "-count=1", "./internal/postgres/..."]);
    let said = text(&run);
    assert!(run.status.success(), "{said}");
    assert!(said.contains("--- PASS: TestMigratingTwice"), "{said}");
    assert!(!said.contains("NOT TESTED"), "{said}");
    assert!(said.contains("TEST_STORE_URI"), "{said}");
    assert!(
        !said.contains("postgres://"),
        "no password is shown: {said}"
    );
    assert_eq!(workspace.test_containers(), "");
    assert!(!workspace.path(".gantline/run/test").exists());
}

#[test]
#[ignore = "needs Docker"]
fn a_red_test_is_exit_code_1_with_what_go_wrote() {
    let workspace = Workspace::generated("quotes");
    let red = "package quote\n\nimport \"testing\"\n\nfunc TestRed(t *testing.T) { t.Fatal(\"red on purpose\") }\n";
    let path = workspace.path("services/quotes/internal/quote/red_test.go");
    std::fs::write(path, red).unwrap();
    let run = workspace.run(&[
        "test",
        "quotes",
        "--format",
        "json",
        "--",
        "./internal/quote",
    ]);
    assert_eq!(run.status.code(), Some(1), "{}", text(&run));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(errors.contains("red on purpose"), "{errors}");
    assert_events(&errors);
    let answer: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_valid("test", &answer);
    assert_eq!(answer["passed"], false, "{answer}");
    assert_eq!(answer["services"][0]["service"], "quotes", "{answer}");
}

#[test]
#[ignore = "needs Docker"]
fn tests_without_docker_end_with_both_ways_out() {
    let workspace = Workspace::with_a_store("ledger");
    let nowhere = [("DOCKER_HOST", "unix:///nonexistent/docker.sock")];
    let run = workspace.run_with(&nowhere, &["test"]);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(4), "{said}");
    assert!(said.contains("--runtime process"), "{said}");
}
