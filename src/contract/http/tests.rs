use serde_json::{Value, json};

use super::*;
use crate::contract::pact_file::{Exchange, Interaction, parse};
use crate::model::verification::Part;

fn interaction(request: Value, response: Value) -> Interaction {
    let pact = json!({
        "consumer": {"name": "a"}, "provider": {"name": "b"},
        "interactions": [{
            "type": "Synchronous/HTTP", "description": "it",
            "providerStates": [{"name": "it is there", "params": {"quantity": 2}}],
            "request": request, "response": response
        }],
        "metadata": {"pactSpecification": {"version": "4.0"}}
    });
    let file = std::path::Path::new("a--b.json");
    let mut read = parse(file, pact.to_string().as_bytes()).unwrap();
    read.interactions.remove(0)
}

fn expectation<'a>(interaction: &'a Interaction, values: &'a StateValues) -> HttpExpectation<'a> {
    let Exchange::Http(http) = &interaction.exchange else {
        panic!("no HTTP");
    };
    HttpExpectation {
        interaction: http,
        states: &interaction.states,
        values,
    }
}

fn get() -> Value {
    json!({"method": "GET", "path": "/orders/1"})
}

fn body(content: &Value) -> Value {
    json!({"contentType": "application/json", "content": content})
}

fn answer(status: u16, body: &Value) -> HttpAnswer {
    HttpAnswer {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

async fn compare(response: Value, answer: &HttpAnswer) -> Vec<Mismatch> {
    let interaction = interaction(get(), response);
    expectation(&interaction, &StateValues::new())
        .compare(answer)
        .await
}

fn shown(mismatches: &[Mismatch]) -> Vec<String> {
    mismatches
        .iter()
        .map(|it| {
            let value =
                |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
            format!(
                "{:?} {} {} {} ({})",
                it.part,
                it.path,
                value(&it.expected),
                value(&it.actual),
                it.rule
            )
        })
        .collect()
}

#[tokio::test]
async fn an_answer_with_more_than_was_asked_for_holds() {
    let response = json!({"status": 200, "body": body(&json!({"id": 1}))});
    let found = compare(response, &answer(200, &json!({"id": 1, "new": true}))).await;
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_renamed_member_is_named_with_its_path() {
    let response = json!({"status": 200, "body": body(&json!({"order": {"reference": "A-1"}}))});
    let found = compare(response, &answer(200, &json!({"order": {"ref": "A-1"}}))).await;
    assert_eq!(
        shown(&found),
        [r#"Body $.order.reference "A-1" - (presence)"#]
    );
    assert!(found[0].message.contains("`ref`"), "{}", found[0].message);
}

#[tokio::test]
async fn each_difference_has_its_values_and_its_rule() {
    let response = json!({
        "status": 201,
        "headers": {"Location": ["/orders/1"], "X-Kind": ["order"]},
        "body": body(&json!({"id": "A-1", "quantity": 2, "lines": [{"sku": "a"}]})),
        "matchingRules": {
            "body": {
                "$.id": {"matchers": [{"match": "regex", "regex": "^A-"}]},
                "$.lines": {"matchers": [{"match": "type", "min": 1}]},
                "$.lines[*].sku": {"matchers": [{"match": "type"}]}
            },
            "header": {"Location": {"matchers": [{"match": "regex", "regex": "^/orders/.+$"}]}}
        }
    });
    let mut given = answer(
        200,
        &json!({"id": "B", "quantity": "2", "lines": [{"sku": "x"}, {"sku": 7}]}),
    );
    given
        .headers
        .push(("location".to_owned(), "/checkouts/1".to_owned()));
    let found = compare(response, &given).await;
    assert_eq!(
        shown(&found),
        [
            "Status status 201 200 (equality)",
            r#"Header Location "/orders/1" "/checkouts/1" (regex ^/orders/.+$)"#,
            r#"Header X-Kind "order" - (equality)"#,
            r#"Body $.id "A-1" "B" (regex ^A-)"#,
            r#"Body $.lines[1].sku "a" 7 (type)"#,
            r#"Body $.quantity 2 "2" (equality)"#,
        ]
    );
}

#[tokio::test]
async fn a_list_that_is_too_short_is_said() {
    let response = json!({
        "status": 200, "body": body(&json!({"lines": [{"sku": "a"}]})),
        "matchingRules": {"body": {"$.lines": {"matchers": [{"match": "type", "min": 1}]}}}
    });
    let found = compare(response, &answer(200, &json!({"lines": []}))).await;
    assert_eq!(
        shown(&found),
        [r#"Body $.lines [{"sku":"a"}] [] (type min 1)"#]
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_or_absent_is_said() {
    let response = json!({"status": 200, "body": body(&json!({"id": 1}))});
    let mut given = answer(200, &json!(null));
    given.body = b"<html>".to_vec();
    let found = compare(response.clone(), &given).await;
    assert_eq!((found[0].part, found[0].path.as_str()), (Part::Body, "$"));
    assert_eq!(found[0].actual, Some("<html>".into()));
    given.body.clear();
    let found = compare(response.clone(), &given).await;
    assert_eq!((found[0].part, &found[0].actual), (Part::Body, &None));
    given.headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    given.body = b"<html>".to_vec();
    let found = compare(response, &given).await;
    assert_eq!(
        shown(&found),
        [r#"ContentType Content-Type "application/json" "text/html" (equality)"#]
    );
}

#[tokio::test]
async fn values_of_the_state_go_into_the_request_and_the_expected_answer() {
    let state = |expression: &str| json!({"type": "ProviderState", "expression": expression});
    let interaction = interaction(
        json!({
            "method": "PUT", "path": "/orders/0", "query": {"reference": ["A"], "deep": []},
            "headers": {"X-Order": ["0"]}, "body": body(&json!({"id": 0, "quantity": 0})),
            "generators": {
                "path": state("/orders/${id}"),
                "header": {"X-Order": state("${id}")},
                "query": {"reference": state("ref-${id}")},
                "body": {"$.id": state("${id}"), "$.quantity": state("${quantity}")}
            }
        }),
        json!({
            "status": 200, "body": body(&json!({"id": 0})),
            "generators": {"body": {"$.id": state("${id}")}}
        }),
    );
    let none = StateValues::new();
    assert_eq!(expectation(&interaction, &none).missing_values(), ["id"]);
    let values: StateValues = [("id".to_owned(), json!(42))].into();
    let expectation = expectation(&interaction, &values);
    assert!(expectation.missing_values().is_empty());
    let call = expectation.call().await;
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("PUT", "/orders/42")
    );
    assert_eq!(
        call.query,
        [("reference".to_owned(), Some("ref-42".to_owned()))]
    );
    let header = |name: &str| {
        call.headers
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(header("X-Order"), "42");
    assert_eq!(header("Content-Type"), "application/json");
    let sent: Value = serde_json::from_slice(call.body.as_deref().unwrap()).unwrap();
    assert_eq!(sent, json!({"id": 42, "quantity": 2}));
    assert!(
        expectation
            .compare(&answer(200, &json!({"id": 42})))
            .await
            .is_empty()
    );
    let found = expectation.compare(&answer(200, &json!({"id": 0}))).await;
    assert_eq!(shown(&found), ["Body $.id 42 0 (equality)"]);
}
