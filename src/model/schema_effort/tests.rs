use serde_json::json;

use super::*;

/// Whether a value can be held to `#/components/schemas/A0` of these schemas.
fn held(schemas: Value, value: &Value, choices: Choices) -> Result<(), TooMuch> {
    let root = json!({"components": {"schemas": schemas}});
    let schema = Schema {
        root: &root,
        names: &Names::of(&root),
        value: &root["components"]["schemas"]["A0"],
    };
    affordable(&schema, value, choices)
}

fn at(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Schemas of which each is made from the next, as `made` says.
fn chain(count: usize, made: impl Fn(Value) -> Value) -> Value {
    let mut schemas: Map<String, Value> = (0..count)
        .map(|number| (format!("A{number}"), made(at(&format!("A{}", number + 1)))))
        .collect();
    schemas.insert(format!("A{count}"), json!({"type": "string"}));
    schemas.into()
}

/// A value that is nested this deep in `c`.
fn nested(depth: usize) -> Value {
    (0..depth).fold(
        json!({"kind": "a"}),
        |inner, _| json!({"kind": "a", "c": inner}),
    )
}

#[test]
fn schemas_that_double_each_other_are_too_many() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let both = |next: Value| json!({keyword: [next, next]});
        assert_eq!(held(chain(10, both), &json!({}), Choices::All), Ok(()));
        let many = held(chain(30, both), &json!({}), Choices::Possible);
        assert_eq!(many, Err(TooMuch), "{keyword}");
    }
    let hidden = chain(30, |next| json!({"not": next, "if": next}));
    assert_eq!(held(hidden, &json!({}), Choices::All), Err(TooMuch));
    let long = chain(5000, |next| next);
    assert_eq!(held(long, &json!({}), Choices::All), Err(TooMuch));
}

#[test]
fn schemas_that_double_with_each_level_of_a_value_are_too_many_for_a_deep_one() {
    let below = |schema: Value| json!({"properties": {"c": schema}});
    let node = json!({"A0": {"allOf": [below(at("A0")), below(at("A0"))]}});
    assert_eq!(held(node.clone(), &nested(10), Choices::All), Ok(()));
    assert_eq!(held(node, &nested(40), Choices::All), Err(TooMuch));
    let once_more = json!({"A0": {"allOf": [below(at("A0"))], "unevaluatedProperties": false}});
    assert_eq!(held(once_more, &nested(40), Choices::All), Err(TooMuch));
    let items = json!({"A0": {"items": at("A0"), "contains": at("A0")}});
    let lists = (0..40).fold(json!([]), |inner, _| json!([inner]));
    assert_eq!(held(items, &lists, Choices::All), Err(TooMuch));
}

#[test]
fn anchors_and_identifiers_hide_nothing() {
    let anchored: Map<String, Value> = (0..30)
        .map(|number| {
            let next = format!("#a{}", number + 1);
            let schema = json!({
                "$anchor": format!("a{number}"), "allOf": [{"$ref": next}, {"$dynamicRef": next}]
            });
            (format!("A{number}"), schema)
        })
        .collect();
    assert_eq!(
        held(anchored.into(), &json!({}), Choices::All),
        Err(TooMuch)
    );
    let inner: Map<String, Value> = (0..30)
        .map(|number| {
            let next = json!({"$ref": format!("#/$defs/B{}", number + 1)});
            (format!("B{number}"), json!({"allOf": [next, next]}))
        })
        .collect();
    let own = json!({"A0": {"$id": "urn:own", "$ref": "#/$defs/B0", "$defs": inner}});
    assert_eq!(held(own, &json!({}), Choices::All), Err(TooMuch));
}

/// A base that is one of forty kinds, each of which is the base and what is its own.
fn kinds() -> Value {
    let mut schemas: Map<String, Value> = (1..=40)
        .map(|number| {
            let own =
                json!({"properties": {"c": at("A0"), "kind": {"const": format!("k{number}")}}});
            (format!("A{number}"), json!({"allOf": [at("A0"), own]}))
        })
        .collect();
    let choices: Vec<Value> = (1..=40).map(|number| at(&format!("A{number}"))).collect();
    schemas.insert("A0".to_owned(), json!({"type": "object", "oneOf": choices}));
    schemas.into()
}

#[test]
fn a_base_and_what_is_derived_from_it_are_not_too_many_at_any_depth() {
    let text = nested(60).to_string().replace("\"a\"", "\"k7\"");
    let deep: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(held(kinds(), &deep, Choices::Possible), Ok(()));
    assert_eq!(held(kinds(), &nested(1), Choices::All), Ok(()));
    assert_eq!(held(kinds(), &deep, Choices::All), Err(TooMuch));
}

#[test]
fn schemas_that_all_lead_to_each_other_end_soon() {
    let all: Vec<Value> = (0..40).map(|number| at(&format!("A{number}"))).collect();
    let schemas: Map<String, Value> = (0..40)
        .map(|number| (format!("A{number}"), json!({"allOf": all})))
        .collect();
    assert_eq!(held(schemas.into(), &json!({}), Choices::All), Err(TooMuch));
}

#[test]
fn a_long_list_is_not_too_much() {
    let schemas = json!({
        "A0": {"type": "array", "items": at("A1")},
        "A1": {"allOf": [at("A2"), {"properties": {"b": {"type": "string"}}}]},
        "A2": {"properties": {"a": {"type": "integer"}}}
    });
    let items = vec![json!({"a": 1, "b": "x"}); 100_000];
    assert_eq!(held(schemas, &items.into(), Choices::All), Ok(()));
}
