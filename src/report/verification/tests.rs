use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::model::name::Name;

fn interaction(description: &str, verdict: Verdict) -> InteractionResult {
    let params = [("id".to_owned(), json!(7))].into();
    InteractionResult {
        description: description.to_owned(),
        kind: InteractionKind::Http,
        states: vec![ProviderState {
            name: "the order exists".to_owned(),
            params,
        }],
        line: 6,
        pending: false,
        verdict,
        elapsed: Duration::from_millis(3),
    }
}

fn verification() -> Verification {
    let breach = Breach {
        mismatches: vec![Mismatch {
            source: Source::Pact,
            part: Part::Body,
            path: "$.reference".to_owned(),
            expected: Some(json!("r-1")),
            actual: None,
            rule: "presence".to_owned(),
            message: "`reference` is not there".to_owned(),
        }],
        asked: "GET /orders/7".to_owned(),
        answered: "200 application/json\n{\"ref\":\"r-1\"}".to_owned(),
    };
    let trouble = Trouble {
        kind: TroubleKind::UnknownState,
        message: "orders knows no state `it rains`".to_owned(),
        details: vec!["the order exists".to_owned()],
        next: Some("Add it".to_owned()),
    };
    Verification {
        pacts: vec![PactResult {
            file: PathBuf::from("services/storefront/contracts/storefront--orders.json"),
            consumer: Name::new("storefront").unwrap(),
            provider: Name::new("orders").unwrap(),
            specification: "4.0".to_owned(),
            skipped: None,
            interactions: vec![
                interaction("an order", Verdict::Holds),
                interaction("a renamed one", Verdict::Broken(breach)),
                interaction("rain", Verdict::Unknown(trouble.clone())),
                interaction("more rain", Verdict::Unknown(trouble)),
            ],
        }],
        services: Vec::new(),
        elapsed: Duration::from_millis(1234),
    }
}

#[test]
fn people_read_what_was_asked_what_came_and_why_that_is_wrong() {
    let mut out = Vec::new();
    let verification = verification();
    Report(&verification)
        .human(&mut out, &Style::default())
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    storefront counts on orders  services/storefront/contracts/storefront--orders.json
      ✓ an order, given the order exists
      ✗ a renamed one, given the order exists (id: 7)
          services/storefront/contracts/storefront--orders.json:6
          asked   GET /orders/7
          answer  200 application/json
                  {"ref":"r-1"}
          body $.reference
            expected  "r-1"
            actual    nothing
            why       `reference` is not there (rule: presence, by the pact)
      ? rain, given the order exists (id: 7)
          services/storefront/contracts/storefront--orders.json:6
          orders knows no state `it rains`
          it knows:
          | the order exists
          next: Add it
      ? more rain, given the order exists (id: 7)
          as with line 6: orders knows no state `it rains`

    1 pact, 4 interactions: 1 holds, 1 broken, 2 could not be verified (1.2 s)
    "#);
}

#[test]
fn programs_read_the_same_by_its_schema() {
    let verification = verification();
    let mut document = serde_json::to_value(Report(&verification)).unwrap();
    document["version"] = json!(crate::report::JSON_VERSION);
    assert_eq!(
        document["pacts"][0]["interactions"][1]["mismatches"][0]["path"],
        "$.reference"
    );
    assert_eq!(
        document["pacts"][0]["interactions"][2]["trouble"]["kind"],
        "unknown-state"
    );
    let schema = crate::report::schema::of_document::<Report<'_>>("contract-verify", "verify");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn pipelines_read_failures_errors_and_skipped_cases() {
    let mut verification = verification();
    verification.pacts[0].interactions[3].pending = true;
    let text = junit(&verification).unwrap();
    for expected in [
        r#"tests="4" skipped="1" failures="1" errors="1""#,
        r#"<failure message="body $.reference">"#,
        r#"<error message="orders knows no state `it rains`">"#,
        r#"line="6""#,
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn a_workspace_without_pacts_says_so() {
    let mut out = Vec::new();
    Report(&Verification::default())
        .human(&mut out, &Style::default())
        .unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("no pacts: "));
}
