//! How parameters are written.

use serde_json::json;

use super::{Document, NOTHING, check_pact, listed, pact};

const DOCUMENT: &str = r##"
openapi: 3.1.0
paths:
  /label/{id}:
    get:
      operationId: label
      parameters:
        - {name: id, in: path, required: true, style: label, schema: {type: integer, maximum: 9}}
        - {name: all, in: query, allowEmptyValue: true, schema: {type: boolean}}
        - {name: some, in: query, schema: {type: boolean}}
      responses: {"200": {description: found}}
  /matrix/{id}:
    get:
      operationId: matrix
      parameters:
        - {name: id, in: path, required: true, style: matrix, explode: true, schema: {type: array, items: {type: integer, maximum: 9}}}
      responses: {"200": {description: found}}
"##;

/// What is found of a path and a query.
fn found(path: &str, query: &[&str]) -> Vec<String> {
    let document = Document::new(serde_yaml::from_str(DOCUMENT).unwrap()).unwrap();
    let query: serde_json::Map<_, _> = query
        .iter()
        .map(|&it| (it.to_owned(), json!([""])))
        .collect();
    let request = json!({"method": "GET", "path": path, "query": query});
    listed(&check_pact(
        &document,
        &pact(&request, &json!({"status": 200})),
    ))
}

#[test]
fn a_path_is_read_without_what_its_style_puts_before_the_value() {
    assert_eq!(found("/label/.5", &[]), NOTHING);
    assert_eq!(
        found("/label/.10", &[]),
        ["error path-parameter id maximum"]
    );
    assert_eq!(found("/matrix/;id=5;id=6", &[]), NOTHING);
    assert_eq!(
        found("/matrix/;id=5;id=10", &[]),
        ["error path-parameter id maximum"]
    );
}

#[test]
fn a_value_may_be_empty_where_the_document_allows_it() {
    assert_eq!(found("/label/.5", &["all"]), NOTHING);
    assert_eq!(
        found("/label/.5", &["some"]),
        ["error query-parameter some type"]
    );
}
