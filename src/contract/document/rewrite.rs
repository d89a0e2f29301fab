//! Rewrites the schemas of a document.

use serde_json::{Map, Value};

/// Maps whose keys are names of the document's author, and no keywords.
const NAMED: [&str; 11] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "schemas",
    "responses",
    "parameters",
    "requestBodies",
    "messages",
    "content",
];
/// Such a map in OpenAPI, and a schema in AsyncAPI.
const HEADERS: &str = "headers";

/// What holds values, and no schemas.
const VALUES: [&str; 5] = ["const", "default", "enum", "example", "examples"];

/// Turns what only 3.0 has into what JSON Schema has.
pub(super) fn modernise(root: &mut Value) {
    each_map(root, &of_openapi, &|members| {
        if members.get("nullable").is_some_and(Value::is_boolean)
            && members.remove("nullable") == Some(Value::Bool(true))
        {
            if let Some(Value::String(kind)) = members.get("type").cloned() {
                members.insert(
                    "type".to_owned(),
                    Value::from(vec![kind, "null".to_owned()]),
                );
            }
            if let Some(Value::Array(choices)) = members.get_mut("enum") {
                choices.push(Value::Null);
            }
        }
        for (flag, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            match members.get(flag) {
                Some(Value::Bool(true)) => {
                    if let Some(limit) = members.remove(bound) {
                        members.insert(flag.to_owned(), limit);
                    }
                }
                Some(Value::Bool(false)) => {
                    members.remove(flag);
                }
                _ => {}
            }
        }
    });
}

/// What [`make_partial`] gives another name.
pub(super) const RENAMED: [(&str, &str); 1] = [("oneOf", "anyOf")];

/// Leaves out what a value has to hold, so that a value of which a part is known is judged by
/// that part. One of several schemas may then fit several times over: `oneOf` becomes `anyOf`.
pub(super) fn make_partial(root: &mut Value) {
    let is_messages = root.get("asyncapi").is_some();
    let named = |key: &str| match is_messages {
        true => NAMED.contains(&key),
        false => of_openapi(key),
    };
    each_map(root, &named, &|members| {
        if members.get("required").is_some_and(Value::is_array) {
            members.remove("required");
        }
        for keyword in [
            "minProperties",
            "minItems",
            "minContains",
            "contains",
            "dependentRequired",
            "dependencies",
            "not",
            "if",
            "then",
            "else",
        ] {
            members.remove(keyword);
        }
        if members.get("oneOf").is_some_and(Value::is_array)
            && let Some(choices) = members.remove("oneOf")
            && !members.contains_key("anyOf")
        {
            members.insert("anyOf".to_owned(), choices);
        }
        if let Some(Value::String(reference)) = members.get_mut("$ref") {
            *reference = reference.replace("/oneOf/", "/anyOf/");
        }
    });
}

fn of_openapi(key: &str) -> bool {
    key == HEADERS || NAMED.contains(&key)
}

/// Changes every map but those whose keys are names, as `named` says of the key that leads there.
fn each_map(
    value: &mut Value,
    named: &dyn Fn(&str) -> bool,
    change: &dyn Fn(&mut Map<String, Value>),
) {
    match value {
        Value::Object(members) => {
            change(members);
            for (key, below) in members.iter_mut() {
                match below {
                    Value::Object(map) if named(key) => {
                        let values = map.values_mut();
                        values.for_each(|below| each_map(below, named, change));
                    }
                    below if !VALUES.contains(&key.as_str()) => each_map(below, named, change),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            let items = items.iter_mut();
            items.for_each(|item| each_map(item, named, change));
        }
        _ => {}
    }
}
