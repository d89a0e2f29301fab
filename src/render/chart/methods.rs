//! Fields and methods of what Helm hands to templates.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::glob::expression_of;
use super::value::{Files, Value};
use super::yaml_write;

/// A field of a value.
pub fn field(value: &Value, name: &str) -> Result<Value, String> {
    match value {
        Value::Dict(map) => Ok(map.borrow().get(name).cloned().unwrap_or(Value::Nil)),
        Value::Files(_) if METHODS.contains(&name) => call(value, name, &[]),
        Value::Files(files) => Ok(files.get(name).map_or(Value::Nil, |bytes| {
            Value::text(String::from_utf8_lossy(bytes))
        })),
        Value::Nil => Err(format!("nothing is there to have a field `{name}`")),
        other => Err(format!("a {} has no field `{name}`", other.type_name())),
    }
}

const METHODS: [&str; 6] = ["Get", "GetBytes", "Glob", "AsConfig", "AsSecrets", "Lines"];

/// Calls a method.
pub fn call(receiver: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    match (receiver, name, arguments) {
        (Value::Versions(versions), "Has", [Value::Text(version)]) => Ok(Value::Bool(
            versions.iter().any(|known| **known == **version),
        )),
        (Value::Files(files), "Get" | "GetBytes", [Value::Text(path)]) => Ok(Value::text(
            files
                .get(path)
                .map(|bytes| String::from_utf8_lossy(bytes))
                .unwrap_or_default(),
        )),
        (Value::Files(files), "Glob", [Value::Text(pattern)]) => glob(files, pattern),
        (Value::Files(files), "AsConfig", []) => {
            config_of(files, |bytes| String::from_utf8_lossy(bytes).into_owned())
        }
        (Value::Files(files), "AsSecrets", []) => config_of(files, |bytes| STANDARD.encode(bytes)),
        (Value::Files(files), "Lines", [Value::Text(path)]) => {
            let bytes = files.get(path).map(AsRef::as_ref).unwrap_or_default();
            let text = String::from_utf8_lossy(bytes);
            if text.is_empty() {
                return Ok(Value::list(Vec::new()));
            }
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(Value::list(text.split('\n').map(Value::text).collect()))
        }
        (Value::Dict(_) | Value::Nil, ..) => {
            Err(format!("`{name}` is given an argument and is no method"))
        }
        _ => Err(format!(
            "a {} has no method `{name}` with {} arguments",
            receiver.type_name(),
            arguments.len()
        )),
    }
}

fn config_of(files: &Files, content: impl Fn(&[u8]) -> String) -> Result<Value, String> {
    let pairs = files.iter().map(|(path, bytes)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (name.to_owned(), Value::text(content(bytes)))
    });
    yaml_write::to_yaml(&Value::dict(pairs)).map(Value::text)
}

fn glob(files: &Files, pattern: &str) -> Result<Value, String> {
    // Where it is no pattern, Helm takes all files, and says nothing.
    let expression = expression_of(pattern).unwrap_or_default();
    let expression = regex::Regex::new(&expression)
        .map_err(|error| format!("the pattern `{pattern}` is none: {error}"))?;
    let found: BTreeMap<Rc<str>, Rc<[u8]>> = files
        .iter()
        .filter(|(path, _)| expression.is_match(path))
        .map(|(path, bytes)| (Rc::clone(path), Rc::clone(bytes)))
        .collect();
    Ok(Value::Files(Rc::new(found)))
}
