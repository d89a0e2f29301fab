mod maps;
mod members;
mod nesting;
mod properties;
mod references;
mod styles;

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::contract::pact_file::{Exchange as Pacted, PactFile, parse};

const DOCUMENT: &str = r##"
openapi: 3.1.0
servers: [{url: "https://{region}.example.com/{version}", variables: {region: {default: eu}, version: {default: v1}}}]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: limit, in: query, required: true, schema: {type: integer, maximum: 100}}
        - {name: tags, in: query, explode: false, schema: {type: array, items: {type: string, minLength: 2}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {state: {type: string}}}}
        - {name: X-Tenant, in: header, required: true, schema: {type: string, pattern: "^[a-z]+$"}}
        - {name: session, in: cookie, schema: {type: string, minLength: 4}}
      responses:
        "200":
          headers:
            X-Total: {required: true, schema: {type: integer}}
            X-Next: {schema: {type: string}}
          content:
            application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Order"}}}
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: "#/components/schemas/Draft"}}
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/Draft"}}
      responses:
        "201": {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
        4XX: {content: {application/problem+json: {schema: {type: object, required: [title], properties: {title: {type: string}}}}}}
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
    get:
      operationId: getOrder
      responses:
        default: {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
    delete:
      operationId: deleteOrder
      responses: {"204": {description: gone}}
  /events:
    get:
      operationId: event
      responses:
        "200": {content: {application/json: {schema: {$ref: "#/components/schemas/Event"}}}}
components:
  schemas:
    Draft:
      type: object
      required: [id, reference]
      properties:
        id: {type: string, readOnly: true}
        reference: {type: string}
        lines: {type: array, items: {type: object, properties: {quantity: {type: integer}}}}
    Order:
      type: object
      required: [id, reference, note]
      properties:
        id: {type: integer}
        reference: {type: string, minLength: 2}
        note: {type: [string, "null"]}
        price: {type: number}
        secret: {type: string, writeOnly: true}
        labels: {type: object, additionalProperties: {type: string}}
        extra: {type: object}
        closed: {type: object, additionalProperties: false, properties: {a: {type: integer}}}
        children: {type: array, items: {$ref: "#/components/schemas/Order"}}
    Event:
      allOf:
        - {type: object, required: [kind], properties: {kind: {type: string}}}
        - oneOf:
            - {type: object, required: [paid], properties: {kind: {const: paid}, paid: {type: integer}, by: {type: string}}}
            - {type: object, required: [sent], properties: {kind: {const: sent}, sent: {type: string}}}
"##;

fn document() -> Document {
    Document::new(serde_yaml::from_str(DOCUMENT).unwrap()).unwrap()
}

fn pact(request: &Value, response: &Value) -> PactFile {
    let pact = json!({
        "consumer": {"name": "a"}, "provider": {"name": "b"},
        "interactions": [{
            "type": "Synchronous/HTTP", "description": "it",
            "request": request, "response": response
        }],
        "metadata": {"pactSpecification": {"version": "4.0"}}
    });
    parse(Path::new("a--b.json"), pact.to_string().as_bytes()).unwrap()
}

fn check_pact(document: &Document, pact: &PactFile) -> Checked {
    let Pacted::Http(http) = &pact.interactions[0].exchange else {
        panic!("no HTTP");
    };
    check_http(document, http)
}

fn checked(request: Value, response: Value) -> Checked {
    check_pact(&document(), &pact(&request, &response))
}

/// `error response-body $.id type` of everything that is found.
fn found(request: Value, response: Value) -> Vec<String> {
    listed(&checked(request, response))
}

fn listed(checked: &Checked) -> Vec<String> {
    let mut found: Vec<String> = checked
        .found
        .iter()
        .map(|it| {
            let word = |value: Value| value.as_str().unwrap().to_owned();
            let severity = word(serde_json::to_value(it.severity).unwrap());
            let subject = word(serde_json::to_value(it.subject).unwrap());
            format!("{severity} {subject} {} {}", it.path, it.rule)
        })
        .collect();
    found.sort();
    found
}

fn body(content: Value) -> Value {
    json!({"contentType": "application/json", "content": content})
}

fn get(path: &str) -> Value {
    json!({"method": "GET", "path": path})
}

fn list(query: Value) -> Value {
    json!({"method": "GET", "path": "/orders", "query": query, "headers": {"X-Tenant": ["acme"]}})
}

fn post(content: Value) -> Value {
    json!({"method": "POST", "path": "/orders", "body": body(content)})
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_exchange_that_the_document_describes_fits() {
    let query = json!({"limit": ["10"], "tags": ["ab,cd"], "filter[state]": ["open"]});
    let response = json!({
        "status": 200, "headers": {"X-Total": ["7"], "Content-Length": ["12"]},
        "body": body(json!([{"id": 1, "reference": "r-1"}]))
    });
    assert_eq!(found(list(query), response), NOTHING);
    let created = json!({"status": 201, "body": body(json!({"id": 1}))});
    assert_eq!(found(post(json!({"reference": "r"})), created), NOTHING);
    assert_eq!(found(get("/v1/orders/7"), json!({"status": 200})), NOTHING);
    let gone = json!({"method": "DELETE", "path": "/orders/7"});
    assert_eq!(found(gone, json!({"status": 204})), NOTHING);
}

#[test]
fn the_operation_is_named_and_its_place_told() {
    let checked = checked(get("/orders/x"), json!({"status": 200}));
    assert_eq!(checked.operation.as_deref(), Some("getOrder"));
    let found = &checked.found[0];
    assert_eq!(found.pact, ["request", "path"]);
    assert_eq!(
        found.document,
        ["paths", "/orders/{id}", "parameters", "0", "schema", "type"]
    );
}

#[test]
fn a_path_or_a_method_that_is_not_there_is_told_with_those_that_are() {
    let no_path = checked(get("/order"), json!({"status": 200}));
    assert_eq!(
        no_path.found[0].message,
        "there is no /order; there is `/orders`, `/orders/{id}`, `/events`"
    );
    let put = json!({"method": "PUT", "path": "/orders/7"});
    let no_method = checked(put, json!({"status": 200}));
    assert_eq!(
        no_method.found[0].message,
        "/orders/7 takes no PUT; it takes GET, DELETE"
    );
    assert_eq!(found(get("/order"), json!({"status": 404})), NOTHING);
}

#[test]
fn parameters_are_held_to_their_schemas() {
    let response = json!({"status": 200});
    let request = json!({
        "method": "GET", "path": "/orders",
        "query": {"tags": ["ab,c"], "colour": ["red"], "filter[state]": ["x"]},
        "headers": {"x-tenant": ["ACME"], "Cookie": ["a=b; session=abc"]}
    });
    assert_eq!(
        found(request, response.clone()),
        [
            "error cookie session minLength",
            "error query-parameter limit required",
            "error query-parameter tags minLength",
            "error request-header X-Tenant pattern",
            "warning query-parameter colour parameters",
        ]
    );
    assert_eq!(
        found(list(json!({"limit": ["101"]})), response.clone()),
        ["error query-parameter limit maximum"]
    );
    assert_eq!(
        found(list(json!({"limit": ["many"]})), response),
        ["error query-parameter limit type"]
    );
}

#[test]
fn an_example_that_a_state_replaces_is_only_told() {
    let request = json!({
        "method": "GET", "path": "/orders/x",
        "generators": {"path": {"type": "ProviderState", "expression": "/orders/${id}"}}
    });
    assert_eq!(
        found(request, json!({"status": 200})),
        ["warning path-parameter id type"]
    );
    let response = json!({
        "status": 200, "body": body(json!({"id": "x"})),
        "generators": {"body": {"$.id": {"type": "ProviderState", "expression": "${id}"}}}
    });
    assert_eq!(
        found(get("/orders/7"), response),
        ["warning response-body $.id type"]
    );
}

#[test]
fn a_body_that_is_sent_is_held_to_its_schema() {
    let created = json!({"status": 201});
    let draft = json!({"reference": 1, "colour": "red", "lines": [{"quantity": 1}, {"size": 2}]});
    assert_eq!(
        found(post(draft), created.clone()),
        [
            "error request-body $.reference type",
            "warning request-body $.colour properties",
            "warning request-body $.lines[1].size properties",
        ]
    );
    assert_eq!(
        found(post(json!({})), created.clone()),
        ["error request-body $.reference required"]
    );
    let none = json!({"method": "POST", "path": "/orders"});
    assert_eq!(
        found(none, created.clone()),
        ["error request-body $ required"]
    );
    let text = json!({
        "method": "POST", "path": "/orders",
        "body": {"contentType": "text/plain", "content": "x"}
    });
    assert_eq!(
        found(text, created.clone()),
        ["error request-content-type Content-Type content"]
    );
    let form = json!({
        "method": "POST", "path": "/orders",
        "body": {"contentType": "application/x-www-form-urlencoded", "content": "reference=a+b"}
    });
    assert_eq!(found(form, created), NOTHING);
    let sent = json!({"method": "DELETE", "path": "/orders/7", "body": body(json!({}))});
    assert_eq!(
        found(sent, json!({"status": 204})),
        ["error request-body $ requestBody"]
    );
}

#[test]
fn a_request_that_is_to_be_refused_may_break_the_rules() {
    let refused = json!({
        "status": 422,
        "body": {"contentType": "application/problem+json", "content": {"title": "no"}}
    });
    assert_eq!(found(post(json!({"reference": 1})), refused), NOTHING);
}

#[test]
fn a_status_a_media_type_and_a_body_that_are_not_described_are_told() {
    let accepted = checked(post(json!({"reference": "r"})), json!({"status": 202}));
    assert_eq!(
        accepted.found[0].message,
        "createOrder does not answer 202; it answers 201, 4XX"
    );
    let html = json!({"status": 200, "body": {"contentType": "text/html", "content": "<p>"}});
    assert_eq!(
        found(get("/orders/7"), html),
        ["error response-content-type Content-Type content"]
    );
    let gone = json!({"method": "DELETE", "path": "/orders/7"});
    assert_eq!(
        found(gone, json!({"status": 204, "body": body(json!({}))})),
        ["error response-body $ content"]
    );
}

#[test]
fn headers_that_the_consumer_counts_on_are_declared_and_promised() {
    let response = json!({
        "status": 200,
        "headers": {"x-total": ["many"], "X-Next": ["/"], "X-Other": ["1"], "Date": ["today"]}
    });
    assert_eq!(
        found(list(json!({"limit": ["1"]})), response),
        [
            "error response-header X-Other headers",
            "error response-header x-total type",
            "warning response-header X-Next required",
        ]
    );
}
