mod properties;

use serde_json::{Value, json};

use super::*;

fn document(paths: Value) -> Document {
    Document::new(json!({"openapi": "3.1.0", "paths": paths})).unwrap()
}

fn values(document: &Document, path: &str) -> Option<String> {
    let operation = document.operation("GET", path).ok()?;
    let values = operation.values.iter();
    let values: Vec<String> = values
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Some(values.join(" "))
}

#[test]
fn why_a_document_cannot_be_used_is_said() {
    for (root, reason) in [
        (json!({"paths": {}}), "it has no `openapi`"),
        (
            json!({"swagger": "2.0", "paths": {}}),
            "it is of version 2.0",
        ),
        (
            json!({"openapi": "4.0.0", "paths": {}}),
            "it is of version 4.0.0",
        ),
        (
            json!({"openapi": 3.1, "paths": {}}),
            "the number 3.1 and no text",
        ),
        (
            json!({"openapi": "3.1.0", "paths": null}),
            "it has no `paths`",
        ),
    ] {
        let error = Document::new(root).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_values_of_a_paths_parameters_are_read() {
    let document = document(json!({
        "/a/{id}": {"get": {}},
        "/a/b": {"get": {}},
        "/files/{name}.{kind}": {"get": {}},
        "/v{version}/x": {"get": {}}
    }));
    assert_eq!(values(&document, "/a/x%20y").unwrap(), "id=x y");
    assert_eq!(values(&document, "/a/b").unwrap(), "");
    assert_eq!(
        values(&document, "/files/report.tar.gz").unwrap(),
        "kind=tar.gz name=report"
    );
    assert_eq!(values(&document, "/v1/x?y=z").unwrap(), "version=1");
    for path in ["/a/", "/files/report", "/v/x", "/a/b/c"] {
        assert!(values(&document, path).is_none(), "{path}");
    }
}

#[test]
fn a_parameter_of_an_operation_wins_over_that_of_its_path() {
    let document = document(json!({"/a": {
        "parameters": [{"name": "x", "in": "query"}, {"name": "y", "in": "query"}],
        "get": {"parameters": [{"name": "x", "in": "query", "required": true}]}
    }}));
    let operation = document.operation("GET", "/a").unwrap();
    let parameters = operation.parameters();
    assert_eq!(parameters.len(), 2);
    assert!(parameters[0].flag("required"));
}

#[test]
fn a_member_that_is_named_as_a_keyword_stays() {
    let document = Document::new(json!({
        "openapi": "3.0.3", "paths": {},
        "components": {"schemas": {"A": {
            "required": ["not"],
            "properties": {"nullable": {"type": "boolean"}, "not": {"type": "integer", "nullable": true}}
        }}}
    }))
    .unwrap();
    let schema = ["components", "schemas", "A"]
        .iter()
        .try_fold(document.root(), |node, key| node.get(key))
        .unwrap();
    let keywords = |schemas: &Schemas, value: Value| -> Vec<String> {
        let faults = schemas.faults(&schema, &value).unwrap();
        faults.into_iter().map(|fault| fault.keyword).collect()
    };
    let wrong = json!({"nullable": 1, "not": "x"});
    assert_eq!(keywords(document.exact(), wrong.clone()).len(), 2);
    assert_eq!(keywords(document.partial(), wrong).len(), 2);
    assert!(keywords(document.exact(), json!({"not": null})).is_empty());
    assert_eq!(keywords(document.exact(), json!({})), ["required"]);
    assert!(keywords(document.partial(), json!({})).is_empty());
}

#[test]
fn part_of_the_headers_of_a_message_may_be_named() {
    let headers = json!({
        "type": "object", "required": ["ce-id", "ce-type"],
        "properties": {"ce-id": {"type": "string"}, "ce-type": {"type": "string"}}
    });
    let document = Document::of_messages(json!({
        "asyncapi": "3.0.0", "components": {"messages": {"Placed": {"headers": headers}}}
    }))
    .unwrap();
    let schema = ["components", "messages", "Placed", "headers"]
        .iter()
        .try_fold(document.root(), |node, key| node.get(key))
        .unwrap();
    let named = json!({"ce-type": "orders.placed"});
    assert!(document.partial().fit(&schema, &named));
    assert!(!document.exact().fit(&schema, &named));
}

#[test]
fn a_header_of_an_answer_may_be_called_as_a_keyword_is() {
    let document = document(json!({"/a": {"get": {"responses": {"200": {
        "headers": {"contains": {"schema": {"type": "integer"}}}
    }}}}}));
    let response = document.operation("GET", "/a").unwrap().response(200);
    let headers = response.and_then(|it| it.get("headers")).unwrap();
    let schema = headers.get("contains").and_then(|it| it.get("schema"));
    assert!(!document.partial().fit(&schema.unwrap(), &json!("x")));
}

#[test]
fn a_fault_has_its_place_in_the_value_and_in_the_document() {
    let document = Document::new(json!({
        "openapi": "3.1.0", "paths": {},
        "components": {"schemas": {
            "A": {"properties": {"a/b": {"$ref": "#/components/schemas/B"}}},
            "B": {"type": "array", "items": {"type": "integer"}}
        }}
    }))
    .unwrap();
    let schemas = document
        .root()
        .get("components")
        .and_then(|it| it.get("schemas"));
    let schema = schemas.and_then(|it| it.get("A")).unwrap();
    let faults = document
        .exact()
        .faults(&schema, &json!({"a/b": [1, "x"]}))
        .unwrap();
    assert_eq!(faults[0].path, ["a/b", "1"]);
    assert_eq!(
        faults[0].at,
        ["components", "schemas", "B", "items", "type"]
    );
}
