use std::fs;

use super::*;
use crate::error::ErrorKind;
use crate::model::contract_check::{CheckTally, Severity};
use crate::report::RecordingReporter;

const DOCUMENT: &str = "openapi: 3.1.0
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      responses:
        '200':
          content:
            application/json:
              schema:
                type: object
                required: [id]
                properties:
                  id: {type: string}
                  note: {type: string}
    delete:
      responses: {'204': {description: gone}}
";

const PACT: &str = r#"{
  "consumer": {"name": "storefront"},
  "provider": {"name": "orders"},
  "interactions": [
    {
      "type": "Synchronous/HTTP",
      "description": "an order",
      "request": {"method": "GET", "path": "/orders/1"},
      "response": {
        "status": 200,
        "body": {
          "contentType": "application/json",
          "content": {
            "id": "1",
            "note": "x",
            "number": 1
          }
        }
      }
    }
  ],
  "metadata": {"pactSpecification": {"version": "4.0"}}
}"#;

/// A shop of two services with these files.
fn shop(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: 1\ngantline: \">=0.1\"\nname: shop\nmodule: example.com/shop\nregistry: localhost:5000/shop\nservices: services/*\n";
    let service = |name: &str, entity: &str| {
        format!("name: {name}\nblueprint: go-service@1\noptions: {{entity: {entity}}}\n")
    };
    let (orders, storefront) = (
        service("orders", "order"),
        service("storefront", "checkout"),
    );
    let own = [
        ("gantline.yaml", manifest),
        ("services/orders/service.yaml", orders.as_str()),
        ("services/storefront/service.yaml", storefront.as_str()),
    ];
    for (path, text) in own.iter().chain(files) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const PACT_FILE: &str = "services/storefront/contracts/storefront--orders.json";
const DOCUMENT_FILE: &str = "services/orders/api/openapi.yaml";

fn run(files: &[(&str, &str)]) -> Result<Check> {
    let folder = shop(files);
    let request = CheckRequest {
        directory: folder.path().to_path_buf(),
        services: Vec::new(),
    };
    check(&request, &RecordingReporter::default())
}

fn places(check: &Check) -> Vec<String> {
    let interactions = check.pacts.iter().flat_map(|pact| &pact.interactions);
    let findings = interactions.flat_map(|interaction| interaction.findings());
    let place = |spot: &Spot| format!("{}:{}:{}", spot.file, spot.line, spot.column);
    findings
        .map(|it| format!("{} {} {}", it.path, place(&it.pact), place(&it.document)))
        .collect()
}

#[test]
fn each_finding_has_its_place_in_both_files() {
    let checked = run(&[(PACT_FILE, PACT), (DOCUMENT_FILE, DOCUMENT)]).unwrap();
    assert_eq!(
        places(&checked),
        [
            "$.number services/storefront/contracts/storefront--orders.json:16:23 services/orders/api/openapi.yaml:10:15",
            "$.note services/storefront/contracts/storefront--orders.json:15:21 services/orders/api/openapi.yaml:15:19",
        ]
    );
    let found = &checked.pacts[0].interactions[0].findings()[0];
    assert_eq!(found.severity, Severity::Error);
    assert_eq!(
        found.pact.pointer,
        "/interactions/0/response/body/content/number"
    );
    assert_eq!(
        found.document.pointer,
        "/paths/~1orders~1{id}/get/responses/200/content/application~1json/schema"
    );
}

#[test]
fn a_body_of_an_older_version_has_its_place_too() {
    let old = PACT
        .replace("\"body\": {\n          \"contentType\": \"application/json\",\n          \"content\": {", "\"body\": {")
        .replace("          }\n        }\n      }", "        }\n      }")
        .replace("4.0", "2.0.0");
    let checked = run(&[(PACT_FILE, &old), (DOCUMENT_FILE, DOCUMENT)]).unwrap();
    let found = checked.pacts[0].interactions[0].findings();
    assert_eq!(
        found[0].pact.pointer,
        "/interactions/0/response/body/number"
    );
    assert_eq!(found[0].pact.line, 14);
}

#[test]
fn what_a_document_offers_is_told_with_those_who_count_on_it() {
    let checked = run(&[(PACT_FILE, PACT), (DOCUMENT_FILE, DOCUMENT)]).unwrap();
    let offered: Vec<String> = checked
        .operations
        .iter()
        .map(|it| {
            format!(
                "{} {} {} {:?}",
                it.title,
                it.interactions,
                it.differ,
                it.consumers.len()
            )
        })
        .collect();
    assert_eq!(
        offered,
        ["GET /orders/{id} 1 1 1", "DELETE /orders/{id} 0 0 0"]
    );
}

#[test]
fn a_pending_interaction_is_told_and_does_not_count() {
    let pending = PACT.replace(
        "\"description\": \"an order\",",
        "\"description\": \"an order\", \"pending\": true,",
    );
    let checked = run(&[(PACT_FILE, &pending), (DOCUMENT_FILE, DOCUMENT)]).unwrap();
    let tally = checked.tally();
    assert_eq!((tally.differ, tally.pending), (1, 1));
    assert!(tally.is_green());
}

#[test]
fn what_cannot_be_checked_is_said_and_is_not_red() {
    let no_document = run(&[(PACT_FILE, PACT)]).unwrap();
    let reason = |check: &Check| match &check.pacts[0].interactions[0].outcome {
        Outcome::Unchecked(reason) => reason.clone(),
        Outcome::Checked { .. } => panic!("it was checked"),
    };
    assert_eq!(reason(&no_document), "orders has no api/openapi.yaml");
    assert!(no_document.tally().is_green());
    let elsewhere = PACT.replace("\"orders\"", "\"payments\"");
    let file = "services/storefront/contracts/storefront--payments.json";
    let absent = run(&[(file, &elsewhere)]).unwrap();
    assert_eq!(
        absent.pacts[0].skipped.as_deref(),
        Some("payments is no service of this workspace")
    );
    let expected = CheckTally {
        pacts: 1,
        interactions: 1,
        unchecked: 1,
        ..CheckTally::default()
    };
    assert_eq!(absent.tally(), expected);
}

#[test]
fn an_invalid_file_is_told_and_nothing_is_checked() {
    for (pact, document) in [("{", DOCUMENT), (PACT, "swagger: '2.0'\n"), (PACT, "a: [")] {
        let error = run(&[(PACT_FILE, pact), (DOCUMENT_FILE, document)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{pact} {document}");
        assert!(error.place().is_some(), "{error}");
    }
}

const MESSAGES: &str = "asyncapi: 3.0.0
defaultContentType: application/json
channels:
  orders:
    messages:
      orderPlaced: {$ref: '#/components/messages/OrderPlaced'}
components:
  messages:
    OrderPlaced:
      headers:
        type: object
        required: [ce-id, ce-type]
        properties:
          ce-id: {type: string}
          ce-type: {const: orders.order-placed}
      payload:
        type: object
        required: [id]
        properties:
          id: {type: string}
";

const MESSAGES_FILE: &str = "services/orders/api/asyncapi.yaml";

fn message(description: &str, kind: &str, contents: &str) -> String {
    format!(
        r#"{{
  "consumer": {{"name": "storefront"}},
  "provider": {{"name": "orders"}},
  "interactions": [
    {{
      "type": "Asynchronous/Messages",
      "description": "{description}",
      "contents": {{"contentType": "application/json", "content": {contents}}},
      "metadata": {{"ce-type": "{kind}"}}
    }}
  ],
  "metadata": {{"pactSpecification": {{"version": "4.0"}}}}
}}"#
    )
}

fn of_message(description: &str, kind: &str, contents: &str) -> Vec<String> {
    let pact = message(description, kind, contents);
    let checked = run(&[(PACT_FILE, &pact), (MESSAGES_FILE, MESSAGES)]).unwrap();
    let findings = checked.pacts[0].interactions[0].findings().iter();
    findings
        .map(|it| {
            format!(
                "{} {}:{} {}",
                it.path, it.pact.line, it.document.line, it.message
            )
        })
        .collect()
}

#[test]
fn a_message_is_held_to_the_document_that_describes_it() {
    let fits: [&str; 0] = [];
    let kind = "orders.order-placed";
    assert_eq!(of_message("anything", kind, r#"{"id": "1"}"#), fits);
    assert_eq!(
        of_message("order placed", "other", "{}").len(),
        1,
        "its type"
    );
    assert_eq!(
        of_message("order placed", kind, r#"{"number": 1}"#),
        ["$.number 8:16 `number` is not declared; there is `id`"]
    );
    assert_eq!(
        of_message("order lost", "orders.order-lost", "{}"),
        ["$ 7:1 the document describes no message `order lost`; it describes `orderPlaced`"]
    );
}

#[test]
fn messages_that_nothing_describes_are_said_and_are_not_red() {
    let pact = message("order placed", "orders.order-placed", "{}");
    let reason = |files: &[(&str, &str)]| match run(files) {
        Ok(checked) => {
            assert!(checked.tally().is_green());
            match &checked.pacts[0].interactions[0].outcome {
                Outcome::Unchecked(reason) => reason.clone(),
                Outcome::Checked { .. } => panic!("it was checked"),
            }
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(
        reason(&[(PACT_FILE, &pact)]),
        "orders has no api/asyncapi.yaml"
    );
    assert_eq!(
        reason(&[(PACT_FILE, &pact), (MESSAGES_FILE, "asyncapi: 2.6.0\n")]),
        "services/orders/api/asyncapi.yaml: it is AsyncAPI 2.6.0, and version 3 is read"
    );
    let error = run(&[(PACT_FILE, &pact), (MESSAGES_FILE, "a: b\n")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
