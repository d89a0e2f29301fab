//! What programs read of each command has the schema that is published.

use serde_json::Value;

use super::api_server::{ApiServer, RECORDED};
use super::cluster::kubeconfig;
use super::schemas::{assert_events, assert_valid};
use super::workspace::Workspace;

/// Runs a command for programs; its one document has this schema, and its progress that of events.
fn answer(workspace: &Workspace, name: &str, arguments: &[&str]) -> Value {
    let run = workspace.gantline(&[arguments, &["--format", "json"]].concat());
    assert_events(&run.stderr);
    let document = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{name}: {run}"));
    assert_valid(name, &document);
    document
}

#[test]
fn making_and_generating_a_workspace_answers_by_schemas() {
    let workspace = Workspace::empty();
    let new = ["new", ".", "--module", "github.com/acme/shop"];
    answer(&workspace, "new", &[&new[..], &["--dry-run"]].concat());
    answer(&workspace, "new", &new);
    answer(
        &workspace,
        "add-resource",
        &["add", "resource", "events", "--type", "nats"],
    );
    for (service, options) in [
        (
            "orders",
            &["--with", "entity=order", "--with", "store=postgres"][..],
        ),
        (
            "storefront",
            &["--with", "entity=checkout", "--needs", "orders"][..],
        ),
    ] {
        let add = ["add", "service", service, "--blueprint", "go-service"];
        answer(&workspace, "add-service", &[&add[..], options].concat());
    }
    let check = answer(&workspace, "generate", &["generate", "--check", "--diff"]);
    assert_eq!(check["changes"], false);
    let checked = answer(&workspace, "contract-check", &["contract", "check"]);
    assert_eq!(checked["pacts"].as_array().unwrap().len(), 1, "{checked}");
}

#[test]
fn an_environment_that_is_added_answers_by_its_schema() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: Some("v1.34.0"),
    };
    let workspace = Workspace::shop_with_orders();
    let kubeconfig = kubeconfig(&workspace, &server.start());
    let add = ["add", "environment", "live", "--namespace", "shop"];
    let add = [&add[..], &["--context", "test", "--format", "json"]].concat();
    for arguments in [[&add[..], &["--dry-run"]].concat(), add] {
        let run = workspace
            .gantline_with(&[("KUBECONFIG", &kubeconfig)], &arguments)
            .succeeds();
        assert_events(&run.stderr);
        assert_valid(
            "add-environment",
            &serde_json::from_str(&run.stdout).unwrap(),
        );
    }
    assert!(workspace.path("environments/live.yaml").exists());
}

#[test]
fn a_blueprint_of_ones_own_answers_by_schemas() {
    let manifest = |version: u32| format!("name: tiny\nversion: {version}\nsummary: Notes\n");
    let workspace = Workspace::shop()
        .file("blueprints/tiny/blueprint.yaml", manifest(1))
        .file("blueprints/tiny/base/note.txt", "one\n")
        .file(
            "services/notes/service.yaml",
            "name: notes\nblueprint: tiny\n",
        );
    let check = ["blueprint", "check", "blueprints/tiny"];
    answer(&workspace, "blueprint-check", &check);
    answer(&workspace, "generate", &["generate"]);
    let workspace = workspace
        .file("blueprints/tiny/blueprint.yaml", manifest(2))
        .file("blueprints/tiny/base/note.txt", "two\n");
    let upgrade = ["upgrade", "--diff"];
    let upgraded = answer(&workspace, "upgrade", &upgrade);
    assert_eq!(upgraded["services"].as_array().unwrap().len(), 1);
    answer(&workspace, "upgrade", &["upgrade", "--yes"]);
}

#[test]
fn a_generation_that_changes_something_answers_by_its_schema() {
    let workspace = Workspace::shop_with_orders();
    let generated = answer(&workspace, "generate", &["generate", "--dry-run", "--diff"]);
    assert_eq!(generated["changes"], true);
}

#[test]
fn what_would_be_deployed_answers_by_its_schema() {
    let staging = "namespace: shop\nresources:\n  orders-db: {}\n  events: {}\n";
    let workspace = Workspace::shop_with_orders().file("environments/staging.yaml", staging);
    workspace.gantline(&["generate"]).succeeds();
    let rendered = answer(&workspace, "render", &["render", "staging"]);
    assert_eq!(rendered["releases"].as_array().unwrap().len(), 3);
}

#[test]
fn what_helps_answers_by_schemas() {
    let workspace = Workspace::shop();
    answer(&workspace, "blueprint-list", &["blueprint", "list"]);
    let shown = answer(
        &workspace,
        "blueprint-show",
        &["blueprint", "show", "go-service"],
    );
    assert_eq!(shown["name"], "go-service");
    answer(&workspace, "completions", &["completions", "bash"]);
    answer(&workspace, "doctor", &["doctor"]);
    answer(&workspace, "schema-of", &["schema", "deploy"]);
    let schemas = answer(&workspace, "schema", &["schema"]);
    let names = schemas["schemas"].as_array().unwrap();
    assert!(names.iter().any(|it| it["name"] == "deploy-plan"));
}

#[test]
fn a_failure_answers_by_the_schema_of_errors() {
    let workspace = Workspace::shop().file("services/orders/service.yaml", "nme: orders\n");
    let run = workspace
        .gantline(&["generate", "--format", "json"])
        .fails(2);
    assert_events(&run.stderr);
    assert!(run.stderr.contains("\"place\""), "{run}");
}

#[test]
fn contracts_and_a_stack_that_never_ran_answer_by_schemas() {
    let workspace = Workspace::shop_with_orders();
    answer(&workspace, "contract-verify", &["contract", "verify"]);
    let process = ["--runtime", "process"];
    let status = answer(&workspace, "status", &[&["status"][..], &process].concat());
    assert!(!status["things"].as_array().unwrap().is_empty());
    let up = ["up", "--dry-run"];
    answer(&workspace, "up-plan", &[&up[..], &process].concat());
    answer(
        &workspace,
        "restart-plan",
        &[&["restart", "--dry-run"][..], &process].concat(),
    );
    answer(
        &workspace,
        "down-plan",
        &[&["down", "--dry-run"][..], &process].concat(),
    );
    answer(&workspace, "down", &[&["down"][..], &process].concat());
}
