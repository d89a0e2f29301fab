//! What the document promises of an expected body.

use super::*;

/// What is found of an order that the consumer expects, with these rules for its body.
fn order(content: Value, rules: Value) -> Vec<String> {
    let response = json!({
        "status": 200, "body": body(content), "matchingRules": {"body": rules}
    });
    found(get("/orders/7"), response)
}

fn event(content: Value) -> Vec<String> {
    found(
        get("/events"),
        json!({"status": 200, "body": body(content)}),
    )
}

#[test]
fn a_member_is_promised_optional_undeclared_or_forbidden() {
    let expected = json!({
        "id": 1, "price": 1.5, "number": "1", "secret": "s",
        "labels": {"a": "b"}, "extra": {"a": 1}, "closed": {"b": 1},
        "children": [{"id": 2, "name": "x"}]
    });
    assert_eq!(
        order(expected, json!({})),
        [
            "error response-body $.children[0].name properties",
            "error response-body $.closed.b additionalProperties",
            "error response-body $.number properties",
            "error response-body $.secret additionalProperties",
            "warning response-body $.children required",
            "warning response-body $.closed required",
            "warning response-body $.extra required",
            "warning response-body $.extra.a additionalProperties",
            "warning response-body $.labels required",
            "warning response-body $.labels.a additionalProperties",
            "warning response-body $.price required",
        ]
    );
}

#[test]
fn where_only_values_count_names_do_not() {
    let rules = json!({"$.labels": {"matchers": [{"match": "values"}]}});
    assert_eq!(
        order(json!({"labels": {"a": "b"}}), rules.clone()),
        ["warning response-body $.labels required"]
    );
    assert_eq!(
        order(json!({"labels": {"a": 1}}), rules),
        [
            "error response-body $.labels.a type",
            "warning response-body $.labels required",
        ]
    );
}

#[test]
fn an_example_must_be_possible_whatever_its_rule() {
    for rule in [
        json!({"match": "type"}),
        json!({"match": "regex", "regex": "."}),
    ] {
        let rules = json!({"$.reference": {"matchers": [rule]}});
        assert_eq!(
            order(json!({"reference": "r"}), rules),
            ["error response-body $.reference minLength"]
        );
    }
    assert_eq!(
        order(json!({"id": "1"}), json!({})),
        ["error response-body $.id type"]
    );
}

#[test]
fn a_type_that_the_rule_does_not_take_is_told() {
    assert_eq!(
        order(json!({"note": "x"}), json!({})),
        ["warning response-body $.note type"]
    );
    assert_eq!(order(json!({"note": null}), json!({})), NOTHING);
    let rules = json!({"$.price": {"matchers": [{"match": "integer"}]}});
    assert_eq!(
        order(json!({"price": 1}), rules),
        [
            "warning response-body $.price required",
            "warning response-body $.price type",
        ]
    );
}

#[test]
fn alternatives_promise_what_each_of_them_does() {
    assert_eq!(event(json!({"kind": "paid", "paid": 1})), NOTHING);
    assert_eq!(
        event(json!({"kind": "paid", "by": "x"})),
        ["warning response-body $.by required"]
    );
    assert_eq!(
        event(json!({"paid": 1})),
        ["warning response-body $.paid required"],
        "the other alternative has none"
    );
    assert_eq!(
        event(json!({"kind": "paid", "lost": 1})),
        ["error response-body $.lost properties"]
    );
    assert!(!event(json!({"kind": "lost"})).is_empty());
}
