use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::model::exchange::ProviderState;
use crate::model::name::Name;
use crate::model::verification::InteractionKind;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn spot_at(file: &str, line: usize) -> Spot {
    Spot {
        file: file.to_owned(),
        line,
        column: 9,
        pointer: "/a/b".to_owned(),
    }
}

fn finding(severity: Severity, path: &str) -> Finding {
    Finding {
        severity,
        subject: Subject::ResponseBody,
        path: path.to_owned(),
        rule: "properties".to_owned(),
        expected: Some(json!("r-1")),
        message: "it is not declared".to_owned(),
        pact: spot_at("contracts/storefront--orders.json", 12),
        document: spot_at("api/openapi.yaml", 30),
    }
}

fn interaction(description: &str, outcome: Outcome) -> CheckedInteraction {
    CheckedInteraction {
        description: description.to_owned(),
        kind: InteractionKind::Http,
        states: vec![ProviderState {
            name: "an order exists".to_owned(),
            params: [("id".to_owned(), json!(7))].into(),
        }],
        line: 6,
        pending: false,
        outcome,
    }
}

fn checked(findings: Vec<Finding>) -> Outcome {
    Outcome::Checked {
        operation: Some("getOrder".to_owned()),
        findings,
    }
}

fn check() -> Check {
    let red = checked(vec![
        finding(Severity::Error, "$.number"),
        finding(Severity::Warning, "$.note"),
    ]);
    let warned = checked(vec![finding(Severity::Warning, "$.note")]);
    let offered = |title: &str, interactions, differ| OfferedOperation {
        provider: name("orders"),
        name: "getOrder".to_owned(),
        title: title.to_owned(),
        consumers: vec![name("storefront")],
        interactions,
        differ,
    };
    Check {
        pacts: vec![
            CheckedPact {
                file: PathBuf::from("contracts/storefront--orders.json"),
                consumer: name("storefront"),
                provider: name("orders"),
                specification: "4.0".to_owned(),
                skipped: None,
                interactions: vec![
                    interaction("an order", checked(Vec::new())),
                    interaction("a number", red),
                    interaction("a note", warned),
                    interaction(
                        "a message",
                        Outcome::Unchecked("nothing describes it".to_owned()),
                    ),
                ],
            },
            CheckedPact {
                file: PathBuf::from("contracts/storefront--payments.json"),
                consumer: name("storefront"),
                provider: name("payments"),
                specification: "4.0".to_owned(),
                skipped: Some("payments is somewhere else".to_owned()),
                interactions: Vec::new(),
            },
        ],
        operations: vec![
            offered("GET /orders/{id}", 3, 1),
            offered("POST /orders", 1, 0),
            OfferedOperation {
                consumers: Vec::new(),
                ..offered("GET /orders", 0, 0)
            },
        ],
        services: Vec::new(),
        elapsed: Duration::from_millis(4),
    }
}

#[test]
fn people_read_what_differs_with_its_place_in_both_files() {
    let mut out = Vec::new();
    let check = check();
    Report(&check).human(&mut out, &Style::default()).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    storefront counts on orders  contracts/storefront--orders.json
      ✓ an order, given an order exists
      ✗ a number, given an order exists
          error response body $.number: it is not declared (properties)
            pact      contracts/storefront--orders.json:12:9  "r-1"
            document  api/openapi.yaml:30:9
          warning response body $.note: it is not declared (properties)
            pact      contracts/storefront--orders.json:12:9  "r-1"
            document  api/openapi.yaml:30:9
      ! a note, given an order exists
          warning response body $.note: it is not declared (properties)
            pact      contracts/storefront--orders.json:12:9  "r-1"
            document  api/openapi.yaml:30:9
      - a message, given an order exists: not checked: nothing describes it

    storefront counts on payments  contracts/storefront--payments.json
      - skipped: payments is somewhere else

    orders offers
      ✗ GET /orders/{id}: 3 interactions of storefront, of which 1 differs
      ✓ POST /orders: 1 interaction of storefront, and all fit
      - GET /orders: in no pact

    ✗ storefront counts on orders: 4 interactions: 2 fit, 1 differs, 1 not checked; 1 error, 2 warnings
    - storefront counts on payments: 0 interactions: 0 fit
    2 pacts, 4 interactions: 2 fit, 1 differs, 1 not checked; 1 error, 2 warnings (0.004 s)
    "#);
}

#[test]
fn programs_read_the_same_by_its_schema() {
    let check = check();
    let mut document = serde_json::to_value(Report(&check)).unwrap();
    document["version"] = json!(crate::report::JSON_VERSION);
    let interactions = &document["pacts"][0]["interactions"];
    assert_eq!(interactions[1]["result"], "differs");
    assert_eq!(interactions[1]["findings"][0]["document"]["line"], 30);
    assert_eq!(interactions[3]["reason"], "nothing describes it");
    let schema = crate::report::schema::of_document::<Report<'_>>("contract-check", "check");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn pipelines_read_failures_warnings_and_skipped_cases() {
    let mut check = check();
    let text = junit(&check).unwrap();
    for expected in [
        r#"tests="4" skipped="1" failures="1" errors="0""#,
        r#"<failure message="response body $.number">"#,
        r#"<skipped message="not checked: nothing describes it"/>"#,
        "<system-out>response body $.note",
        r#"line="6""#,
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    check.pacts[0].interactions[1].pending = true;
    let text = junit(&check).unwrap();
    assert!(
        text.contains(r#"<skipped message="pending: response body $.number"/>"#),
        "{text}"
    );
}

#[test]
fn a_workspace_without_pacts_says_so() {
    let mut out = Vec::new();
    let check = Check::default();
    Report(&check).human(&mut out, &Style::default()).unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("no pacts: "));
}
