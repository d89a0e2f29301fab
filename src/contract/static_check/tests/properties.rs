//! No document and no pact makes the check panic.

use proptest::prelude::*;

use super::*;
use crate::contract::pact_file::tests::properties::WORDS as OF_PACTS;
use crate::model::damaged::damaged_json;

/// Words that mean something in a document.
const WORDS: &[&str] = &[
    "$ref",
    "#/components/schemas/Order",
    "#/components/schemas",
    "allOf",
    "oneOf",
    "type",
    "object",
    "array",
    "properties",
    "items",
    "required",
    "additionalProperties",
    "content",
    "application/json",
    "style",
    "deepObject",
    "",
];

/// What a document says of messages.
const MESSAGES: &str = r##"
asyncapi: 3.0.0
defaultContentType: application/json
channels:
  orders:
    messages:
      orderPlaced: {$ref: "#/components/messages/OrderPlaced"}
      orderLost: {name: order lost, payload: {schemaFormat: application/vnd.apache.avro, schema: {}}}
components:
  messages:
    OrderPlaced:
      title: an order placed
      contentType: application/cloudevents+json
      headers:
        type: object
        required: [ce-type]
        properties:
          ce-type: {enum: [orders.order-placed]}
          ce-id: {type: string}
      payload:
        schemaFormat: application/schema+json;version=draft-07
        schema: {$ref: "#/components/schemas/Order"}
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: {type: string}
        lines: {type: array, items: {$ref: "#/components/schemas/Order"}}
"##;

/// A message that a consumer counts on.
fn message() -> Value {
    json!({
        "consumer": {"name": "a"}, "provider": {"name": "b"},
        "interactions": [{
            "type": "Asynchronous/Messages", "description": "an order placed",
            "contents": {
                "contentType": "application/json",
                "content": {"id": "1", "lines": [{"id": "2"}]}
            },
            "metadata": {"ce-type": "orders.order-placed", "ce-id": "x"},
            "matchingRules": {"content": {"$.id": {"matchers": [{"match": "type"}]}}}
        }],
        "metadata": {"pactSpecification": {"version": "4.0"}}
    })
}

/// Holds every message of a pact to a document, where both can be read.
fn check_messages(document: Value, pact: &Value) -> Vec<Checked> {
    let document = Document::of_messages(document);
    let pact = parse(Path::new("a--b.json"), pact.to_string().as_bytes());
    let (Ok(document), Ok(pact)) = (document, pact) else {
        return Vec::new();
    };
    let exchanges = pact.interactions.iter().map(|it| &it.exchange);
    exchanges
        .filter_map(|exchange| match exchange {
            Pacted::Message(message) => Some(check_message(&document, message)),
            _ => None,
        })
        .collect()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_messages_that_are_damaged_below_are_sound() {
    let checked = check_messages(yaml(MESSAGES), &message());
    assert_eq!(checked.len(), 1);
    assert_eq!(checked[0].operation.as_deref(), Some("an order placed"));
}

proptest! {
    // A check takes a while. PROPTEST_CASES counts more than this number.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_value_in_any_place_of_a_document_makes_the_check_panic(
        root in damaged_json(yaml(DOCUMENT), WORDS),
    ) {
        if let Ok(document) = Document::new(root) {
            let order = json!({"status": 200, "body": body(json!({"id": 1, "closed": {"a": 1}}))});
            let query = json!({"limit": ["1"], "tags": ["ab"], "filter[state]": ["x"]});
            let paid = json!({"status": 200, "body": body(json!({"kind": "paid", "paid": 1}))});
            for (request, response) in [
                (get("/orders/7"), &order),
                (list(query), &order),
                (post(json!({"reference": "r", "lines": [{"quantity": 1}]})), &order),
                (get("/events"), &paid),
            ] {
                check_pact(&document, &pact(&request, response));
            }
        }
    }

    #[test]
    fn no_value_in_any_place_of_a_document_of_messages_makes_the_check_panic(
        document in damaged_json(yaml(MESSAGES), WORDS),
        pact in damaged_json(message(), OF_PACTS),
    ) {
        check_messages(document.clone(), &message());
        check_messages(document, &pact);
    }
}
