//! `contract verify` where there is nothing to compile, or no Go to do it.

use serde_json::Value;

use crate::workspace::Workspace;

const PACT: &str = "services/orders/contracts/orders--billing.json";

fn pact(interactions: &str) -> String {
    format!(
        r#"{{
  "consumer": {{"name": "orders"}},
  "provider": {{"name": "billing"}},
  "interactions": {interactions},
  "metadata": {{"pactSpecification": {{"version": "4.0"}}}}
}}"#
    )
}

/// A shop in which orders counts on billing.
fn shop(interactions: &str) -> Workspace {
    Workspace::shop_with_orders()
        .file(
            "services/billing/service.yaml",
            "name: billing\nblueprint: go-service\noptions: {entity: invoice}\n",
        )
        .file(PACT, pact(interactions))
}

const INVOICE: &str = r#"[{
    "type": "Synchronous/HTTP", "description": "an invoice",
    "request": {"method": "GET", "path": "/invoices/1"}, "response": {"status": 200}
  }]"#;

#[test]
fn a_workspace_without_pacts_says_so_and_is_green() {
    let run = Workspace::shop_with_orders().gantline(&["contract", "verify"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("no pacts: "), "{run}");
}

#[test]
fn a_broken_pact_is_shown_where_it_breaks() {
    let run = shop("[{\"type\": 7]").gantline(&["contract", "verify"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("services/orders/contracts/orders--billing.json:4:"),
        "{run}"
    );
    assert!(run.stderr.contains("is no JSON"), "{run}");
    assert!(run.stderr.contains("UPDATE_CONTRACTS=1"), "{run}");
}

#[test]
fn an_unknown_type_of_interaction_is_refused_with_those_that_there_are() {
    let run =
        shop(r#"[{"type": "Telepathy", "description": "x"}]"#).gantline(&["contract", "verify"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("`Telepathy`"), "{run}");
    assert!(run.stderr.contains("Asynchronous/Messages"), "{run}");
}

#[test]
fn a_provider_without_a_harness_is_red() {
    let run = shop(INVOICE).gantline(&["contract", "verify", "--format", "json"]);
    assert_eq!(run.code, 1, "{run}");
    let answer: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["green"], false);
    let trouble = &answer["pacts"][0]["interactions"][0]["trouble"];
    assert_eq!(trouble["kind"], "no-harness", "{run}");
}

#[test]
fn without_go_nothing_is_verified() {
    let run = shop(INVOICE)
        .file(
            "services/billing/internal/contracttest/provider_test.go",
            "package contracttest_test\n",
        )
        .gantline_with(&[("PATH", "/nonexistent")], &["contract", "verify"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("https://go.dev/dl"), "{run}");
}

#[test]
fn an_unknown_service_is_refused_with_the_nearest() {
    let run = shop(INVOICE).gantline(&["contract", "verify", "biling"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("Did you mean `billing`?"), "{run}");
}

#[test]
fn a_provider_of_another_workspace_is_said_and_does_not_count() {
    let elsewhere = pact(INVOICE).replace("\"billing\"", "\"payments\"");
    let run = Workspace::shop_with_orders()
        .file("services/orders/contracts/orders--payments.json", elsewhere)
        .gantline(&["contract", "verify"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .contains("skipped: payments is no service of this workspace"),
        "{run}"
    );
    assert!(run.stdout.contains("1 skipped"), "{run}");
}
