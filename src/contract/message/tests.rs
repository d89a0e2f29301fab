use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::contract::pact_file::{Exchange, parse};

fn message() -> Box<AsynchronousMessage> {
    let pact = json!({
        "consumer": {"name": "a"}, "provider": {"name": "b"},
        "interactions": [{
            "type": "Asynchronous/Messages", "description": "an order placed",
            "contents": {"contentType": "application/json", "content": {"id": "1", "quantity": 2}},
            "metadata": {"ce-type": "orders.order-placed", "ce-id": "x", "contentType": "application/json"},
            "matchingRules": {
                "content": {"$.quantity": {"matchers": [{"match": "integer"}]},
                            "$.id": {"matchers": [{"match": "type"}]}},
                "metadata": {"ce-id": {"matchers": [{"match": "regex", "regex": "^[a-z0-9-]+$"}]}}
            }
        }],
        "metadata": {"pactSpecification": {"version": "4.0"}}
    });
    let file = std::path::Path::new("a--b.json");
    let mut read = parse(file, pact.to_string().as_bytes()).unwrap();
    match read.interactions.remove(0).exchange {
        Exchange::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn compare(message: &AsynchronousMessage, answer: &MessageAnswer) -> Vec<Mismatch> {
    let values = StateValues::new();
    MessageExpectation {
        message,
        states: &[],
        values: &values,
    }
    .compare(answer)
    .await
}

fn answer(contents: Value, metadata: &[(&str, &str)]) -> MessageAnswer {
    MessageAnswer {
        contents,
        content_type: Some("application/json".to_owned()),
        metadata: metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect::<BTreeMap<_, _>>(),
    }
}

#[tokio::test]
async fn a_message_with_its_metadata_holds() {
    let given = answer(
        json!({"id": "77", "quantity": 5, "new": 1}),
        &[
            ("ce-type", "orders.order-placed"),
            ("ce-id", "ab-1"),
            ("traceparent", "00-1"),
        ],
    );
    let found = compare(&message(), &given).await;
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn differences_in_contents_and_metadata_are_said() {
    let given = answer(
        json!({"id": 7, "amount": 2}),
        &[("ce-type", "orders.placed")],
    );
    let found = compare(&message(), &given).await;
    let shown: Vec<String> = found
        .iter()
        .map(|it| format!("{:?} {} {:?} ({})", it.part, it.path, it.actual, it.rule))
        .collect();
    assert_eq!(
        shown,
        [
            "Metadata ce-id None (regex ^[a-z0-9-]+$)",
            "Metadata ce-type Some(String(\"orders.placed\")) (equality)",
            "Body $.id Some(Number(7)) (type)",
            "Body $.quantity None (presence)",
        ]
    );
}

#[tokio::test]
async fn another_media_type_is_said() {
    let mut given = answer(
        json!("id=1"),
        &[("ce-type", "orders.order-placed"), ("ce-id", "a")],
    );
    given.content_type = Some("text/plain".to_owned());
    let found = compare(&message(), &given).await;
    assert_eq!(found[0].path, "Content-Type");
    assert_eq!(found[0].actual, Some("text/plain".into()));
}

#[tokio::test]
async fn values_of_the_state_go_into_the_expected_message() {
    let mut message = message();
    let generators = json!({"generators": {"body": {"$.quantity": {"type": "ProviderState", "expression": "${many}", "dataType": "INTEGER"}}}});
    message.contents.generators =
        pact_models::generators::generators_from_json(&generators).unwrap();
    message.contents.matching_rules = Default::default();
    let none = StateValues::new();
    let values: StateValues = [("many".to_owned(), json!(5))].into();
    let with = |values| MessageExpectation {
        message: &message,
        states: &[],
        values,
    };
    assert_eq!(with(&none).missing_values(), ["many"]);
    let given = |quantity: u32| {
        answer(
            json!({"id": "1", "quantity": quantity}),
            &[("ce-type", "orders.order-placed"), ("ce-id", "x")],
        )
    };
    let found = with(&values).compare(&given(5)).await;
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(with(&values).compare(&given(2)).await.len(), 1);
}
