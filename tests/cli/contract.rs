//! `contract verify` where there is nothing to compile, or no Go to do it; `contract check`, which
//! needs neither.

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
    let run = Workspace::shop_with_orders()
        .gantline(&["contract", "verify"])
        .succeeds();
    assert!(run.stdout.starts_with("no pacts: "), "{run}");
}

#[test]
fn a_broken_pact_is_shown_where_it_breaks() {
    let run = shop("[{\"type\": 7]")
        .gantline(&["contract", "verify"])
        .fails(2);
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
    let run = shop(INVOICE)
        .gantline(&["contract", "verify", "--format", "json"])
        .fails(1);
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
        .gantline_with(&[("PATH", "/nonexistent")], &["contract", "verify"])
        .fails(4);
    assert!(run.stderr.contains("https://go.dev/dl"), "{run}");
}

#[test]
fn an_unknown_service_is_refused_with_the_nearest() {
    let run = shop(INVOICE)
        .gantline(&["contract", "verify", "biling"])
        .fails(2);
    assert!(run.stderr.contains("Did you mean `billing`?"), "{run}");
}

#[test]
fn a_provider_of_another_workspace_is_said_and_does_not_count() {
    let elsewhere = pact(INVOICE).replace("\"billing\"", "\"payments\"");
    let run = Workspace::shop_with_orders()
        .file("services/orders/contracts/orders--payments.json", elsewhere)
        .gantline(&["contract", "verify"])
        .succeeds();
    assert!(
        run.stdout
            .contains("skipped: payments is no service of this workspace"),
        "{run}"
    );
    assert!(run.stdout.contains("1 skipped"), "{run}");
}

/// Runs both commands on a pact, and expects both to refuse it with these words.
fn refuse(content: impl AsRef<[u8]>, expected: &str) {
    let shop = shop("[]").file(PACT, content);
    for command in ["verify", "check"] {
        let run = shop.gantline(&["contract", command]);
        assert_eq!(run.code, 2, "{expected}: {run}");
        assert!(run.stderr.contains(expected), "{expected}: {run}");
        assert!(run.stdout.is_empty(), "{run}");
        assert!(run.stderr.len() < 8192, "{} bytes", run.stderr.len());
    }
}

#[test]
fn a_hostile_pact_is_refused_with_what_is_wrong() {
    let with = |more: &str| {
        let request = r#"{"method": "GET", "path": "/invoices/1""#;
        pact(&INVOICE.replace(&format!("{request}}}"), &format!("{request}, {more}}}")))
    };
    refuse("{\"consumer\": ", "is no JSON");
    refuse(b"{\"consumer\": \"\xff\xfe\"}", "is no UTF-8");
    refuse("[".repeat(1 << 20), "is no JSON");
    refuse(
        format!("{{\"a\": \"{}\", b}}", "x".repeat(1 << 20)),
        "is no JSON",
    );
    refuse(" ".repeat(17 << 20), "is larger than 16 MiB");
    refuse(
        pact(INVOICE).replace("4.0", "5.0"),
        "which version (1 to 4)",
    );
    refuse(
        with(r#""matchingRules": {"path": {"matchers": [{"match": "guess"}]}}"#),
        "`guess` is no matching rule",
    );
    refuse(
        with(r#""generators": {"path": {"type": "Guess"}}"#),
        "`Guess` is no generator",
    );
    let one = INVOICE.trim_start_matches('[').trim_end_matches(']');
    refuse(
        pact(&format!("[{one}, {one}]")),
        "two interactions have this description",
    );
    refuse(
        pact(INVOICE).replace("\"billing\"", "\"payments\""),
        "`billing` by the file's name, and `payments` in it",
    );
}

const DOCUMENT: &str = "services/billing/api/openapi.yaml";

/// What billing offers.
const INVOICES: &str = "openapi: 3.1.0
paths:
  /invoices/{id}:
    get:
      operationId: getInvoice
      responses:
        '200':
          content:
            application/json:
              schema: {type: object, properties: {id: {type: string}}}
";

/// A shop whose orders expects this of an invoice.
fn expecting(body: &str) -> Workspace {
    let response = format!(
        r#"{{"status": 200, "body": {{"contentType": "application/json", "content": {body}}}}}"#
    );
    shop(&INVOICE.replace(r#"{"status": 200}"#, &response)).file(DOCUMENT, INVOICES)
}

#[test]
fn what_the_document_does_not_have_is_told_with_both_places_and_without_go() {
    let shop = expecting(r#"{"id": "1", "number": 7}"#);
    let alone = [("PATH", "/nonexistent")];
    let run = shop
        .gantline_with(&alone, &["contract", "check", "--junit", "check.xml"])
        .fails(1);
    for expected in [
        "error response body $.number: `number` is not declared; there is `id` (properties)",
        "warning response body $.id: `id` is optional: it may be absent (required)",
        "services/orders/contracts/orders--billing.json:6:",
        "services/billing/api/openapi.yaml:10:",
        "GET /invoices/{id}: 1 interaction of orders, of which 1 differs",
        "orders counts on billing: 1 interaction: 0 fit, 1 differs; 1 error, 1 warning",
    ] {
        assert!(run.stdout.contains(expected), "{expected}: {run}");
    }
    assert!(
        run.stderr
            .contains("contracts do not fit the documents: orders counts on billing"),
        "{run}"
    );
    let junit = shop.read("check.xml");
    assert!(junit.contains("failures=\"1\""), "{junit}");
}

#[test]
fn warnings_alone_are_green() {
    let run = expecting(r#"{"id": "1"}"#)
        .gantline(&["contract", "check", "--format", "json"])
        .succeeds();
    let answer: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["green"], true);
    assert_eq!(answer["tally"]["warnings"], 1);
    let finding = &answer["pacts"][0]["interactions"][0]["findings"][0];
    assert_eq!(finding["document"]["line"], 10, "{finding}");
}

#[test]
fn what_nothing_describes_is_said_and_is_no_failure() {
    let run = shop(INVOICE).gantline(&["contract", "check"]).succeeds();
    assert!(
        run.stdout
            .contains("not checked: billing has no api/openapi.yaml"),
        "{run}"
    );
    let none = Workspace::shop_with_orders()
        .gantline(&["contract", "check"])
        .succeeds();
    assert!(none.stdout.starts_with("no pacts: "), "{none}");
}

#[test]
fn a_broken_document_is_shown_where_it_breaks() {
    let run = expecting("{}")
        .file(DOCUMENT, "swagger: '2.0'\n")
        .gantline(&["contract", "check"])
        .fails(2);
    assert!(run.stderr.contains("is no OpenAPI document"), "{run}");
    assert!(run.stderr.contains("openapi.yaml:1:1"), "{run}");
}

#[test]
fn a_document_whose_schemas_double_each_other_is_refused_unchecked() {
    // Two million combinations, twice what may be tried: few enough to be tried all the same, and
    // the value found to fit, where nothing counts them first.
    let doubled: String = (0..21)
        .map(|number| {
            let next = format!("{{$ref: \"#/components/schemas/A{}\"}}", number + 1);
            format!("    A{number}: {{allOf: [{next}, {next}]}}\n")
        })
        .collect();
    let document = INVOICES.replace(
        "{type: object, properties: {id: {type: string}}}",
        "{$ref: \"#/components/schemas/A0\"}",
    );
    let document =
        format!("{document}components:\n  schemas:\n{doubled}    A21: {{type: object}}\n");
    let run = expecting("{}")
        .file(DOCUMENT, document)
        .gantline(&["contract", "check"])
        .fails(1);
    for expected in [
        "the schema in the document cannot be used: too many schemas apply to the value",
        "services/billing/api/openapi.yaml:",
    ] {
        assert!(run.stdout.contains(expected), "{expected}: {run}");
    }
}
