//! Values and types in words.

use jsonschema::error::TypeKind;
use serde_json::Value as Json;

use crate::config::node::{Node, Value};
use crate::config::tree::shortened;

/// What stands there, in words.
pub(super) fn in_words(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Boolean(value) => format!("the truth value `{value}`"),
        Value::Integer(value) => format!("the number {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::Text(text) => format!("the text `{}`", shortened(text)),
        Value::List(items) if items.is_empty() => "an empty list".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// What is expected of a type, in words.
pub(super) fn type_words(kind: &TypeKind) -> String {
    let words = |kind: jsonschema::JsonType| match kind {
        jsonschema::JsonType::Array => "a list",
        jsonschema::JsonType::Boolean => "`true` or `false`",
        jsonschema::JsonType::Integer => "a number without a fraction",
        jsonschema::JsonType::Null => "nothing",
        jsonschema::JsonType::Number => "a number",
        jsonschema::JsonType::Object => "a map",
        jsonschema::JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(kind) => words(*kind).to_owned(),
        TypeKind::Multiple(kinds) => {
            let words: Vec<&str> = kinds
                .iter()
                .map(words)
                .filter(|word| *word != "nothing")
                .collect();
            words.join(" or ")
        }
    }
}

/// A value as it is written.
pub(super) fn json_words(value: &Json) -> String {
    match value {
        Json::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}
