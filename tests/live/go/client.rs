//! A client that is added to a service, as programs are told of it, and as Go sees it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::schemas::{assert_events, assert_valid};

/// Runs a program, which has to be done; what it wrote to stdout and stderr.
pub(super) fn run(program: &str, folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (said, progress) = (text(output.stdout), text(output.stderr));
    let shown = format!("{program} {arguments:?}\n{said}{progress}");
    assert!(output.status.success(), "{shown}");
    (said, progress)
}

#[test]
#[ignore = "needs Go"]
fn a_client_that_is_added_builds_and_is_told_by_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let gantline = env!("CARGO_BIN_EXE_gantline");
    run(gantline, folder.path(), &["new", "shop", "--yes"]);
    let workspace = folder.path().join("shop");
    for (service, entity) in [
        ("orders", "entity=order"),
        ("storefront", "entity=checkout"),
    ] {
        let add = ["add", "service", service, "--blueprint", "go-service"];
        run(
            gantline,
            &workspace,
            &[&add[..], &["--with", entity]].concat(),
        );
    }
    let add = ["add", "client", "orders", "--in", "storefront"];
    let add = [&add[..], &["--format", "json"]].concat();
    for (arguments, dry_run) in [([&add[..], &["--dry-run"]].concat(), true), (add, false)] {
        let (said, progress) = run(gantline, &workspace, &arguments);
        assert_events(&progress);
        let answer: Value = serde_json::from_str(&said).unwrap();
        assert_valid("add-client", &answer);
        assert_eq!(answer["dry_run"], dry_run, "{answer}");
    }
    let service = workspace.join("services/storefront");
    run("go", &service, &["vet", "./..."]);
    run(gantline, &workspace, &["generate", "--check"]);
}
