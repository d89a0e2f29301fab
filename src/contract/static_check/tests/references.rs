//! What a document says elsewhere.

use serde_json::json;

use super::{Document, check_pact, pact};

const DOCUMENT: &str = r##"
openapi: 3.1.0
paths:
  /parameter:
    parameters: [{$ref: "common.yaml#/limit"}]
    get: {operationId: get, responses: {"200": {description: found}}}
  /body:
    get: {operationId: get, requestBody: {$ref: "#/components/requestBodies/None"}, responses: {"200": {description: found}}}
  /response:
    get: {operationId: get, responses: {"200": {$ref: "common.yaml#/ok"}, "404": {description: none}}}
  /path: {$ref: "#/paths/~1path"}
  /nothing: {}
"##;

/// What is said of a path with a query that nobody describes.
fn said(path: &str) -> Vec<String> {
    let document = Document::new(serde_yaml::from_str(DOCUMENT).unwrap()).unwrap();
    let request = json!({"method": "GET", "path": path, "query": {"limit": ["5"]}});
    let checked = check_pact(&document, &pact(&request, &json!({"status": 200})));
    checked.found.into_iter().map(|it| it.message).collect()
}

#[test]
fn what_is_not_in_the_document_is_told_and_not_taken_for_what_is_not_there() {
    for (path, reference) in [
        ("/parameter", "get refers to `common.yaml#/limit`"),
        ("/body", "get refers to `#/components/requestBodies/None`"),
        ("/response", "get refers to `common.yaml#/ok`"),
        ("/path", "/path refers to `#/paths/~1path`"),
    ] {
        let expected =
            format!("{reference}, which is not in this document: bring all of it into one file");
        assert_eq!(said(path), [expected]);
    }
    assert_eq!(
        said("/nothing"),
        ["/nothing takes no GET, nor anything else"]
    );
}
