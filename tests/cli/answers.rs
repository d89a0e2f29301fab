//! What programs read of each command has the schema that is published.

use serde_json::Value;

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
        ("storefront", &["--with", "entity=checkout"][..]),
    ] {
        let add = ["add", "service", service, "--blueprint", "go-service"];
        answer(&workspace, "add-service", &[&add[..], options].concat());
    }
    let check = answer(&workspace, "generate", &["generate", "--check", "--diff"]);
    assert_eq!(check["changes"], false);
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
    let run = workspace.gantline(&["generate"]);
    assert_eq!(run.code, 0, "{run}");
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
    let run = workspace.gantline(&["generate", "--format", "json"]);
    assert_eq!(run.code, 2, "{run}");
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
