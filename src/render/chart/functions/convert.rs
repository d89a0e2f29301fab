//! YAML, JSON, base 64 and digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use super::{Function, argument, text};
use crate::model::kubernetes_yaml;
use crate::render::chart::value::Value;
use crate::render::chart::yaml_write;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("toYaml", |a| {
        Ok(Value::text(yaml_write::to_yaml(argument(a, 0)?)?))
    }),
    ("fromYaml", |a| Ok(read(text(a, 0)?, Shape::Map))),
    ("fromYamlArray", |a| Ok(read(text(a, 0)?, Shape::List))),
    ("toJson", |a| Ok(Value::text(json(argument(a, 0)?, false)?))),
    ("toPrettyJson", |a| {
        Ok(Value::text(json(argument(a, 0)?, true)?))
    }),
    ("toRawJson", |a| {
        Ok(Value::text(argument(a, 0)?.to_json()?.to_string()))
    }),
    ("fromJson", |a| Ok(parsed(text(a, 0)?, Shape::Map))),
    ("fromJsonArray", |a| Ok(parsed(text(a, 0)?, Shape::List))),
    ("b64enc", |a| Ok(Value::text(STANDARD.encode(text(a, 0)?)))),
    ("b64dec", |a| match STANDARD.decode(text(a, 0)?) {
        Ok(bytes) => Ok(Value::text(String::from_utf8_lossy(&bytes))),
        Err(error) => Err(error.to_string()),
    }),
    ("sha256sum", |a| {
        Ok(Value::text(hexadecimal(&Sha256::digest(text(a, 0)?))))
    }),
    ("sha512sum", |a| {
        Ok(Value::text(hexadecimal(&Sha512::digest(text(a, 0)?))))
    }),
];

enum Shape {
    Map,
    List,
}

/// Helm puts the complaint where the result would be.
fn complaint(shape: Shape, message: String) -> Value {
    match shape {
        Shape::Map => Value::dict([("Error", Value::text(message))]),
        Shape::List => Value::list(vec![Value::text(message)]),
    }
}

fn shaped(value: serde_json::Value, shape: Shape) -> Value {
    match (&value, shape) {
        (serde_json::Value::Object(_), Shape::Map) | (serde_json::Value::Array(_), Shape::List) => {
            Value::of_json(&value)
        }
        (serde_json::Value::Null, Shape::Map) => Value::of_map(Default::default()),
        (serde_json::Value::Null, Shape::List) => Value::list(Vec::new()),
        (_, shape @ Shape::Map) => complaint(shape, "this is no map".to_owned()),
        (_, shape @ Shape::List) => complaint(shape, "this is no list".to_owned()),
    }
}

fn read(text: &str, shape: Shape) -> Value {
    match kubernetes_yaml::read(text) {
        Ok(value) => shaped(value, shape),
        Err(problem) => complaint(shape, format!("line {}: {}", problem.line, problem.message)),
    }
}

fn parsed(text: &str, shape: Shape) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => shaped(value, shape),
        Err(error) => complaint(shape, error.to_string()),
    }
}

/// JSON as Go's encoder writes it: what HTML would act on is escaped.
fn json(value: &Value, pretty: bool) -> Result<String, String> {
    let value = value.to_json()?;
    let text = if pretty {
        serde_json::to_string_pretty(&value).map_err(|error| error.to_string())?
    } else {
        value.to_string()
    };
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
