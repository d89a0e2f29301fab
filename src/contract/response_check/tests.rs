use serde_json::json;

use super::*;

const DOCUMENT: &str = r##"
openapi: 3.1.0
servers: [{url: "https://api.example.com/v1"}, {url: /}]
paths:
  /orders:
    post:
      operationId: createOrder
      responses:
        "201": {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
        default: {$ref: "#/components/responses/Problem"}
  /orders/{id}:
    get:
      operationId: getOrder
      responses:
        2XX: {content: {"application/*": {schema: {$ref: "#/components/schemas/Order"}}}}
    delete:
      responses: {"204": {description: gone}}
  /orders/first:
    get:
      operationId: getFirst
      responses: {"200": {content: {application/json: {schema: {type: array}}}}}
components:
  responses:
    Problem: {content: {application/problem+json: {schema: {type: object, required: [title]}}}}
  schemas:
    Order:
      type: object
      required: [id, reference]
      properties:
        id: {type: string, format: uuid}
        reference: {$ref: "#/components/schemas/Reference"}
        lines: {type: array, items: {$ref: "#/components/schemas/Line"}}
    Reference: {type: [string, "null"], minLength: 1}
    Line: {type: object, properties: {quantity: {type: integer, minimum: 1}}}
"##;

fn document(text: &str) -> Document {
    Document::new(serde_yaml::from_str(text).unwrap()).unwrap()
}

fn check(request: &str, status: u16, kind: &str, body: &str) -> Vec<String> {
    let (method, path) = request.split_once(' ').unwrap();
    let call = HttpCall {
        method: method.to_owned(),
        path: path.to_owned(),
        ..HttpCall::default()
    };
    let headers = [("Content-Type".to_owned(), kind.to_owned())];
    let answer = HttpAnswer {
        status,
        headers: headers
            .into_iter()
            .filter(|(_, kind)| !kind.is_empty())
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    document(DOCUMENT)
        .check(&call, &answer)
        .into_iter()
        .map(|it| format!("{:?} {} {}", it.part, it.path, it.rule))
        .collect()
}

const ID: &str = "5c7fd8c1-8f36-4a6f-9c5c-2b8d0f3a1e11";
const JSON: &str = "application/json; charset=utf-8";

fn order(extra: &Value) -> String {
    let mut order = json!({"id": ID, "reference": "A"});
    let members = order.as_object_mut().unwrap();
    members.extend(extra.as_object().unwrap().clone());
    order.to_string()
}

#[test]
fn an_answer_as_described_has_no_difference() {
    let order = order(&json!({"lines": [{"quantity": 1}], "new": true}));
    assert!(check("POST /orders", 201, JSON, &order).is_empty());
    assert!(check("POST /v1/orders", 201, JSON, &order).is_empty());
    assert!(check("GET /orders/7?x=1", 200, JSON, &order).is_empty());
    assert!(check("GET /orders/first", 200, JSON, "[]").is_empty());
    assert!(check("DELETE /orders/7", 204, "", "").is_empty());
    let problem = r#"{"title": "no"}"#;
    assert!(check("POST /orders", 422, "application/problem+json", problem).is_empty());
}

#[test]
fn each_difference_is_named_by_its_path_and_keyword() {
    let body = json!({"id": "1", "lines": [{"quantity": 1}, {"quantity": 0}]}).to_string();
    let mut found = check("POST /orders", 201, JSON, &body);
    found.sort();
    assert_eq!(
        found,
        [
            "Body $.id format",
            "Body $.lines[1].quantity minimum",
            "Body $.reference required"
        ]
    );
    assert_eq!(check("POST /orders", 201, JSON, "no"), ["Body $ json"]);
    assert_eq!(check("POST /orders", 201, JSON, "[]"), ["Body $ type"]);
}

#[test]
fn what_is_not_described_is_said() {
    assert_eq!(
        check("GET /orders/7", 404, JSON, "{}"),
        ["Status status responses"]
    );
    assert_eq!(
        check("POST /orders", 400, "text/html", "<p>"),
        ["ContentType Content-Type content"]
    );
    assert_eq!(
        check("POST /orders", 201, "", ""),
        ["ContentType Content-Type content"]
    );
    assert_eq!(
        check("DELETE /orders/7", 204, JSON, "{}"),
        ["Body $ content"]
    );
    assert_eq!(
        check("GET /nothing", 200, JSON, "{}"),
        ["Operation GET /nothing paths"]
    );
    assert!(check("GET /nothing", 404, JSON, "{}").is_empty());
}

#[test]
fn what_version_3_0_calls_nullable_may_be_null() {
    let text = "openapi: 3.0.3\npaths:\n  /a:\n    get:\n      responses:\n        '200': {content: {application/json: {schema: {type: string, nullable: true}}}}\n";
    let call = HttpCall {
        method: "GET".to_owned(),
        path: "/a".to_owned(),
        ..HttpCall::default()
    };
    let answer = |body: &str| HttpAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    assert!(document(text).check(&call, &answer("null")).is_empty());
    assert_eq!(document(text).check(&call, &answer("1")).len(), 1);
}

#[test]
fn a_reference_that_leads_nowhere_is_said() {
    let text = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/No'}}}}\n";
    let call = HttpCall {
        method: "GET".to_owned(),
        path: "/a".to_owned(),
        ..HttpCall::default()
    };
    let answer = HttpAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let found = document(text).check(&call, &answer);
    assert!(found[0].message.contains("cannot be used"), "{found:?}");
}

#[test]
fn what_is_no_document_is_refused() {
    for text in ["a: b", "openapi: 3.1.0", "openapi: '2.0'\npaths: {}"] {
        assert!(
            Document::new(serde_yaml::from_str(text).unwrap()).is_err(),
            "{text}"
        );
    }
}
