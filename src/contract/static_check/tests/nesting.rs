//! Schemas that lead to each other.

use super::*;

#[test]
fn a_reference_that_leads_nowhere_or_round_is_told_and_ends() {
    let text = r##"
openapi: 3.1.0
paths:
  /none: {get: {responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/No"}}}}}}}
  /round: {get: {responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/Round"}}}}}}}
components: {schemas: {Round: {allOf: [{$ref: "#/components/schemas/Round"}, {type: object}]}}}
"##;
    let document = Document::new(serde_yaml::from_str(text).unwrap()).unwrap();
    for path in ["/none", "/round"] {
        let response = json!({"status": 200, "body": body(json!({"a": 1}))});
        let checked = check_pact(&document, &pact(&get(path), &response));
        assert!(!checked.found.is_empty(), "{path}");
    }
}

/// What is found of a value that is nested this deep, by a schema that says twice how.
fn nested(depth: usize) -> Vec<Discrepancy> {
    let text = r##"
openapi: 3.1.0
paths: {/node: {get: {responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/Node"}}}}}}}}
components:
  schemas:
    Node:
      required: [c]
      allOf:
        - {properties: {c: {$ref: "#/components/schemas/Node"}, a: {type: string}}}
        - {properties: {c: {$ref: "#/components/schemas/Node"}}}
"##;
    let document = Document::new(serde_yaml::from_str(text).unwrap()).unwrap();
    let value = (0..depth).fold(json!({"b": 1}), |inner, _| json!({"c": inner}));
    let response = json!({"status": 200, "body": body(value)});
    check_pact(&document, &pact(&get("/node"), &response)).found
}

#[test]
fn what_is_said_twice_of_each_level_of_a_value_is_found_once() {
    let found = nested(14);
    let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages, ["`b` is not declared; there is `a`, `c`"]);
}

#[test]
fn a_value_that_is_nested_too_deep_for_schemas_that_multiply_is_told_at_once() {
    let found = nested(40);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("too many schemas apply"),
        "{}",
        found[0].message
    );
}
