//! Services without a blueprint beside those that have one: upgrades, contracts, and a blueprint of
//! the workspace that is called as theirs is.

use std::path::Path;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::workspace::{Workspace, tree_of};

const PAGES: &str =
    "name: pages\nimage: nginx:1.27\nports: {http: 8080}\nhealth: /\nneeds: [notes]\n";

/// A blueprint of the workspace in this version.
fn with_blueprint(workspace: Workspace, version: u32) -> Workspace {
    let head = format!(
        "name: tiny\nversion: {version}\nsummary: Notes\nports: {{http: {}, admin: 9090}}\n",
        8080 + version
    );
    workspace
        .file("blueprints/tiny/blueprint.yaml", head)
        .file("blueprints/tiny/base/a.txt", format!("{version}\n"))
}

/// A service of that blueprint, and one without.
fn with_both() -> Workspace {
    let workspace = Workspace::shop()
        .file(
            "services/notes/service.yaml",
            "name: notes\nblueprint: tiny\n",
        )
        .file("services/pages/service.yaml", PAGES);
    let workspace = with_blueprint(workspace, 1);
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

/// The program's chart of containers as the workspace's own next version, with one file more.
fn with_newer_chart(workspace: Workspace) -> Workspace {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints/container");
    let copied = tree_of(&own)
        .into_iter()
        .fold(workspace, |workspace, (path, bytes)| {
            workspace.file(&format!("blueprints/container/{path}"), bytes)
        });
    copied
        .replace(
            "blueprints/container/blueprint.yaml",
            "version: 1",
            "version: 2",
        )
        .file("blueprints/container/base/chart/SECOND.txt", "2\n")
}

#[test]
fn a_newer_chart_reaches_services_without_a_blueprint_and_their_manifests_stay() {
    let workspace = with_newer_chart(with_both());
    workspace.gantline(&["generate", "--check"]).succeeds();
    let run = workspace.gantline(&["upgrade", "--yes"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 0
--- stdout
pages goes from container@1 to container@2

created  services/pages/chart/SECOND.txt

1 file would change: 1 created; 13 unchanged

Upgraded. 1 file changed: 1 created; 13 unchanged

"#]]
    );
    assert_eq!(workspace.read("services/pages/service.yaml"), PAGES);
    assert_eq!(workspace.read("services/pages/chart/SECOND.txt"), "2\n");
    let lock = workspace.read(".gantline/lock.yaml");
    assert!(
        lock.contains("container@2") && !lock.contains("container@1"),
        "{lock}"
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn one_service_without_a_blueprint_takes_the_others_along() {
    let second = PAGES.replace("pages", "shelf");
    let workspace = with_both().file("services/shelf/service.yaml", second);
    workspace.gantline(&["generate"]).succeeds();
    let workspace = with_newer_chart(workspace);
    let run = workspace
        .gantline(&["upgrade", "pages", "--yes"])
        .succeeds();
    for name in ["pages", "shelf"] {
        let step = format!("{name} goes from container@1 to container@2");
        assert!(run.stdout.contains(&step), "{run}");
        assert_eq!(
            workspace.read(&format!("services/{name}/chart/SECOND.txt")),
            "2\n"
        );
    }
    assert!(!run.stdout.contains("notes"), "{run}");
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn an_upgrade_of_what_a_container_calls_reaches_its_chart() {
    let workspace = with_blueprint(with_both(), 2);
    let before = workspace.read("services/pages/chart/Chart.yaml");
    let run = workspace.gantline(&["upgrade", "--yes"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 0
--- stdout
notes goes from tiny@1 to tiny@2

updated  services/notes/a.txt
updated  services/notes/service.yaml
updated  services/pages/chart/values.yaml

3 files would change: 3 updated; 12 unchanged

Upgraded. 3 files changed: 3 updated; 12 unchanged

"#]]
    );
    assert_eq!(workspace.read("services/pages/service.yaml"), PAGES);
    assert_eq!(workspace.read("services/pages/chart/Chart.yaml"), before);
    // What it calls listens elsewhere now.
    let values = workspace.read("services/pages/chart/values.yaml");
    assert!(values.contains("\n  notes: {port: 8082}\n"), "{values}");
    let lock = workspace.read(".gantline/lock.yaml");
    assert!(lock.contains("container@1"), "{lock}");
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_service_without_a_blueprint_goes_to_no_version_that_nobody_has() {
    let workspace = with_both();
    let json = workspace.gantline(&["upgrade", "--format", "json", "--yes"]);
    let answer: Value = serde_json::from_str(&json.stdout).expect("a document");
    assert_eq!(answer["up_to_date"]["pages"], "container@1", "{json}");
    assert_eq!(answer["up_to_date"]["notes"], "tiny@1", "{json}");
    let asked = workspace.gantline(&["upgrade", "pages", "--to", "2", "--yes"]);
    assert_data_eq!(
        asked.to_string(),
        str![[r#"
exit code 4
--- stderr
error: container@2 is not at hand
  why: of container, this workspace and this program have 1
 next: Ask for one of these, or use a gantline that brings that version

"#]]
    );
}

/// A front end whose pact a provider without a blueprint answers.
fn with_pacts() -> Workspace {
    let pact = r#"{
  "consumer": {"name": "web"},
  "provider": {"name": "pages"},
  "interactions": [{
    "type": "Synchronous/HTTP", "description": "a page",
    "request": {"method": "GET", "path": "/pages/1"}, "response": {"status": 200}
  }],
  "metadata": {"pactSpecification": {"version": "4.0"}}
}"#;
    with_both()
        .file("web/Dockerfile", "FROM busybox:1.37\n")
        .file(
            "services/web/service.yaml",
            "name: web\nbuild: ../../web\nports: {http: 8080}\nhealth: /\nneeds: [pages]\n",
        )
        .file("services/web/contracts/web--pages.json", pact)
}

#[test]
fn a_provider_without_a_blueprint_and_a_harness_is_said_and_left_out() {
    let run = with_pacts()
        .gantline_with(&[("PATH", "/nonexistent")], &["contract", "verify"])
        .succeeds();
    let reason = "pages is made from no blueprint, and has no harness in services/pages/internal/contracttest";
    assert!(run.stdout.contains(&format!("skipped: {reason}")), "{run}");
    assert!(run.stdout.contains("1 skipped"), "{run}");
    assert!(run.stderr.contains(&format!("left out: {reason}")), "{run}");
    let tested = with_pacts().file(
        "services/pages/internal/contracttest/provider_test.go",
        "package contracttest_test\n",
    );
    let run = tested.gantline_with(&[("PATH", "/nonexistent")], &["contract", "verify"]);
    assert_eq!(run.code, 4, "one that has a harness is asked: {run}");
}

#[test]
fn the_document_of_a_provider_without_a_blueprint_is_held_to_its_pacts() {
    let undescribed = with_pacts().gantline(&["contract", "check"]).succeeds();
    assert!(
        undescribed
            .stdout
            .contains("not checked: pages has no api/openapi.yaml"),
        "{undescribed}"
    );
    let described = with_pacts().file(
        "services/pages/api/openapi.yaml",
        "openapi: 3.1.0\npaths:\n  /pages:\n    get: {responses: {'200': {}}}\n",
    );
    described.gantline(&["contract", "check"]).fails(1);
}

#[test]
fn a_blueprint_of_the_workspace_that_takes_the_name_of_theirs_is_refused() {
    let workspace = Workspace::shop()
        .file(
            "services/pages/service.yaml",
            PAGES.replace("needs: [notes]\n", ""),
        )
        .file(
            "blueprints/container/blueprint.yaml",
            "name: container\nversion: 1\nsummary: Mine\n",
        )
        .file("blueprints/container/base/a.txt", "a\n");
    let run = workspace.gantline(&["generate"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
error: container@1 makes no chart for an image
 --> services/pages/service.yaml:2:1
  |
2 | image: nginx:1.27
  | ^^^^^
  why: services with `image` or `build` are made from the blueprint that is called `container`
 next: Give blueprints/container of this workspace another name, or `container: true`

"#]]
    );
}
