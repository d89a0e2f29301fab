pub(in crate::contract) mod properties;

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::error::Result;

fn read_json(json: &Value) -> Result<PactFile> {
    parse(
        Path::new("a--b.json"),
        serde_json::to_string_pretty(json).unwrap().as_bytes(),
    )
}

/// `line:column: message` of everything that is wrong.
fn problems(text: &str) -> Vec<String> {
    let error = parse(Path::new("a--b.json"), text.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Invalid);
    let all = match error.related() {
        [] => vec![&error],
        related => related.iter().collect(),
    };
    all.into_iter()
        .map(|error| {
            let place = error.place().unwrap();
            format!("{}:{}: {}", place.line, place.column, error.message())
        })
        .collect()
}

fn pact(version: &str, interaction: Value) -> Value {
    json!({
        "consumer": {"name": "a"},
        "provider": {"name": "b"},
        "interactions": [interaction],
        "metadata": {"pactSpecification": {"version": version}}
    })
}

fn http() -> Value {
    json!({
        "type": "Synchronous/HTTP",
        "description": "an order",
        "providerStates": [{"name": "an order exists", "params": {"id": 1}}],
        "request": {"method": "get", "path": "/orders/1"},
        "response": {"status": 200, "body": {"contentType": "application/json", "content": {"id": 1}}}
    })
}

#[test]
fn a_pact_of_version_4_is_read() {
    let read = read_json(&pact("4.0", http())).unwrap();
    assert_eq!((read.consumer.as_str(), read.provider.as_str()), ("a", "b"));
    assert_eq!(read.specification, "4.0");
    let [interaction] = read.interactions.as_slice() else {
        panic!("one interaction");
    };
    assert_eq!(interaction.description, "an order");
    assert_eq!(interaction.states[0].params["id"], 1);
    assert_eq!(interaction.line, 9);
    assert!(matches!(&interaction.exchange, Exchange::Http(http) if http.request.method == "GET"));
}

#[test]
fn pacts_of_versions_2_and_3_become_the_same() {
    for (version, states) in [("2.0.0", "providerState"), ("3.0.0", "providerStates")] {
        let mut old = http();
        let members = old.as_object_mut().unwrap();
        members.remove("type");
        let given = members.remove("providerStates").unwrap();
        let given = if states == "providerState" {
            given[0]["name"].clone()
        } else {
            given
        };
        members.insert(states.to_owned(), given);
        members["response"]["body"] = json!({"id": 1});
        let read = read_json(&pact(version, old)).unwrap();
        assert_eq!(
            read.interactions[0].states[0].name, "an order exists",
            "{version}"
        );
        let Exchange::Http(http) = &read.interactions[0].exchange else {
            panic!("{version} is no HTTP");
        };
        assert_eq!(http.response.body.value().unwrap(), r#"{"id":1}"#);
    }
}

#[test]
fn messages_of_versions_3_and_4_become_the_same() {
    let rules = json!({"body": {"$.id": {"matchers": [{"match": "type"}]}}});
    let v3 = json!({
        "consumer": {"name": "a"}, "provider": {"name": "b"},
        "messages": [{"description": "an order", "contents": {"id": 1},
            "metaData": {"contentType": "application/json"}, "matchingRules": rules}],
        "metadata": {"pactSpecification": {"version": "3.0.0"}}
    });
    let v4 = pact(
        "4.0",
        json!({
            "type": "Asynchronous/Messages", "description": "an order",
            "contents": {"contentType": "application/json", "content": {"id": 1}},
            "metadata": {"contentType": "application/json"},
            "matchingRules": {"content": {"$.id": {"matchers": [{"match": "type"}]}}}
        }),
    );
    for json in [v3, v4] {
        let read = read_json(&json).unwrap();
        let Exchange::Message(message) = &read.interactions[0].exchange else {
            panic!("no message: {json}");
        };
        let rules = message
            .contents
            .matching_rules
            .rules_for_category("content")
            .unwrap();
        assert_eq!(rules.rules.len(), 1, "{json}");
    }
}

#[test]
fn a_text_that_is_no_json_is_refused_where_it_breaks() {
    assert_eq!(
        problems("{\n  \"consumer\": nobody\n}"),
        ["2:16: a--b.json is no JSON"]
    );
    assert_eq!(problems(""), ["1:1: a--b.json is no JSON"]);
    let bytes = [b'{', b'\n', 0xff];
    let error = parse(Path::new("a--b.json"), &bytes).unwrap_err();
    assert_eq!(error.place().unwrap().line, 2);
}

#[test]
fn every_fault_is_found_in_one_run_with_its_place() {
    let text = r#"{
  "consumer": {"name": "a"},
  "provider": {},
  "interactions": {},
  "metadata": {"pactSpecification": {"version": "5.0"}}
}"#;
    assert_eq!(
        problems(text),
        [
            "3:15: the pact does not name its provider: `provider.name`",
            "5:49: the pact does not say which version (1 to 4) of the Pact specification it is written in",
            "4:19: `interactions` is a list",
        ]
    );
    assert_eq!(problems("[]"), ["1:1: a pact is a JSON object"]);
}

#[test]
fn every_broken_interaction_is_named() {
    let text = r#"{
  "consumer": {"name": "a"}, "provider": {"name": "b"},
  "interactions": [
    {"type": "Synchronous/HTTTP", "description": "one"},
    {"type": "Synchronous/HTTP", "request": {"path": "/"}, "response": {"status": 99}},
    {"type": "Asynchronous/Messages", "description": "one"},
    7
  ],
  "metadata": {"pactSpecification": {"version": "4.0"}}
}"#;
    assert_eq!(
        problems(text),
        [
            "4:14: `Synchronous/HTTTP` is no type of interaction: one of Synchronous/HTTP, Asynchronous/Messages, Synchronous/Messages",
            "5:5: the interaction has no `description`",
            "5:45: the request has no `method`",
            "5:83: a status is a number from 100 to 599",
            "6:5: the message has no `contents`",
            "6:54: two interactions have this description and these states",
            "7:5: an interaction is a JSON object",
        ]
    );
}

#[test]
fn a_rule_that_nobody_knows_is_refused() {
    let mut interaction = http();
    interaction["response"]["matchingRules"] =
        json!({"body": {"$.id": {"matchers": [{"match": "tipe"}]}}});
    let error = read_json(&pact("4.0", interaction)).unwrap_err();
    assert!(error.message().contains("`tipe`"), "{error}");
    assert_eq!(error.place().unwrap().line, 9);
}

#[test]
fn a_generator_that_nobody_knows_is_refused() {
    let refused = |generators: Value| {
        let mut interaction = http();
        interaction["request"]["generators"] = generators;
        read_json(&pact("4.0", interaction))
            .map(|_| ())
            .unwrap_err()
    };
    let state = json!({"type": "ProviderState", "expression": "id"});
    let cases = [
        (json!({"body": {"$.id": {"type": "Magic"}}}), "`Magic`"),
        (json!({"path": {"type": "Magic"}}), "`Magic`"),
        (json!({"body": {"$.id": {}}}), "with a `type`"),
        (json!({"body": {"$.id": "Uuid"}}), "with a `type`"),
        (json!({"status": 7}), "with a `type`"),
        (
            json!({"query": {"a": {"type": "ProviderState"}}}),
            "lacks what it needs",
        ),
        (
            json!({"bodies": {"$.id": state}}),
            "`bodies` has no generators",
        ),
    ];
    for (generators, expected) in cases {
        let error = refused(generators.clone());
        assert!(error.message().contains(expected), "{generators}: {error}");
        assert!(error.place().unwrap().line > 9, "{error}");
    }
    let mut interaction = http();
    interaction["response"]["generators"] =
        json!({"body": {"$.id": {"type": "RandomInt"}, "$.day": {"type": "Date"}}});
    assert!(read_json(&pact("4.0", interaction)).is_ok());
}

#[test]
fn rules_and_generators_of_a_plugin_are_left_to_it() {
    let mut interaction = http();
    interaction["pluginConfiguration"] = json!({"protobuf": {}});
    interaction["request"]["generators"] = json!({"body": {"$.id": {"type": "protobuf"}}});
    interaction["response"]["matchingRules"] =
        json!({"body": {"$.id": {"matchers": [{"match": "protobuf"}]}}});
    let read = read_json(&pact("4.0", interaction)).unwrap();
    let exchange = &read.interactions[0].exchange;
    assert!(matches!(exchange, Exchange::Unsupported(_)));
}

#[test]
fn a_text_that_is_nested_too_deep_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(problems(&text).len(), 1);
        let mut whole = pact("4.0", http()).to_string();
        whole.insert_str(1, &format!("\"x\":{text},"));
        assert_eq!(problems(&whole).len(), 1);
    }
}

/// Ten megabytes of interactions, as a consumer with many of them would record.
#[test]
fn a_large_pact_is_read_with_a_line_for_each_interaction() {
    let count = 2_000;
    let interaction = |number: usize| {
        let mut interaction = http();
        interaction["description"] = json!(format!("order {number}"));
        interaction["request"]["headers"] = json!({"X-Filling": ["x".repeat(5_000)]});
        interaction.to_string()
    };
    let interactions: Vec<String> = (0..count).map(interaction).collect();
    let mut whole = pact("4.0", json!("HERE")).to_string();
    whole = whole.replace("\"HERE\"", &format!("\n{}", interactions.join(",\n")));
    assert!(whole.len() > 9 << 20, "{}", whole.len());
    let read = parse(Path::new("a--b.json"), whole.as_bytes()).unwrap();
    let lines: Vec<usize> = read.interactions.iter().map(|it| it.line).collect();
    assert_eq!(lines, (2..count + 2).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_verified_is_read_with_the_reason() {
    let both = json!({
        "type": "Synchronous/Messages", "description": "x",
        "request": {"contents": {}}, "response": [{"contents": {}}]
    });
    let read = read_json(&pact("4.0", both)).unwrap();
    assert!(matches!(
        read.interactions[0].exchange,
        Exchange::Unsupported(_)
    ));
    let mut plugin = http();
    plugin["pluginConfiguration"] = json!({"protobuf": {}});
    let read = read_json(&pact("4.0", plugin)).unwrap();
    assert!(
        matches!(&read.interactions[0].exchange, Exchange::Unsupported(why) if why.contains("protobuf"))
    );
}
