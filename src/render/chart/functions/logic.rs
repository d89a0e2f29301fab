//! Defaults, choices and complaints.

use super::{Function, Given, SAID, argument, dict, list, shown, text};
use crate::render::chart::value::Value;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("default", |arguments| {
        let given = arguments.get(1).filter(|value| value.is_true());
        Ok(given.unwrap_or(argument(arguments, 0)?).clone())
    }),
    ("empty", |arguments| {
        Ok(Value::Bool(!argument(arguments, 0)?.is_true()))
    }),
    ("coalesce", |arguments| {
        let found = arguments.iter().find(|value| value.is_true());
        Ok(found.cloned().unwrap_or(Value::Nil))
    }),
    ("all", |arguments| {
        Ok(Value::Bool(arguments.iter().all(Value::is_true)))
    }),
    ("any", |arguments| {
        Ok(Value::Bool(arguments.iter().any(Value::is_true)))
    }),
    ("ternary", |arguments| match argument(arguments, 2)? {
        Value::Bool(true) => Ok(arguments[0].clone()),
        Value::Bool(false) => Ok(arguments[1].clone()),
        other => Err(super::expected(2, "bool", other)),
    }),
    ("required", |arguments| match argument(arguments, 1)? {
        Value::Nil => Err(format!("{SAID}{}", text(arguments, 0)?)),
        Value::Text(given) if given.is_empty() => Err(format!("{SAID}{}", text(arguments, 0)?)),
        given => Ok(given.clone()),
    }),
    ("fail", |arguments| {
        Err(format!("{SAID}{}", text(arguments, 0)?))
    }),
    ("kindOf", |arguments| {
        Ok(Value::text(argument(arguments, 0)?.kind()))
    }),
    ("kindIs", |arguments| {
        Ok(Value::Bool(
            text(arguments, 0)? == argument(arguments, 1)?.kind(),
        ))
    }),
    ("typeOf", |arguments| {
        Ok(Value::text(argument(arguments, 0)?.type_name()))
    }),
    ("typeIs", |arguments| {
        Ok(Value::Bool(
            text(arguments, 0)? == argument(arguments, 1)?.type_name(),
        ))
    }),
    ("typeIsLike", |arguments| {
        let name = argument(arguments, 1)?.type_name();
        Ok(Value::Bool(
            text(arguments, 0)?.trim_start_matches('*') == name,
        ))
    }),
    ("len", |arguments| length(argument(arguments, 0)?)),
    ("index", |arguments| {
        let mut value = argument(arguments, 0)?.clone();
        for at in &arguments[1..] {
            value = indexed(&value, at)?;
        }
        Ok(value)
    }),
    ("getHostByName", |arguments| {
        text(arguments, 0)?;
        Ok(Value::text(""))
    }),
    ("hello", |_| Ok(Value::text("Hello!"))),
    ("pluck", |arguments| {
        let key = text(arguments, 0)?;
        let mut found = Vec::new();
        for index in 1..arguments.len() {
            found.extend(dict(arguments, index)?.borrow().get(key).cloned());
        }
        Ok(Value::list(found))
    }),
    ("has", |arguments| match argument(arguments, 1)? {
        Value::Nil => Ok(Value::Bool(false)),
        _ => {
            let needle = argument(arguments, 0)?;
            let items = list(arguments, 1)?;
            Ok(Value::Bool(items.iter().any(|item| item.equals(needle))))
        }
    }),
    ("print", |arguments| {
        let mut out = String::new();
        for (index, value) in arguments.iter().enumerate() {
            let texts = |value: &Value| matches!(value, Value::Text(_));
            if index > 0 && !texts(value) && !texts(&arguments[index - 1]) {
                out.push(' ');
            }
            out.push_str(&shown(value));
        }
        Ok(Value::text(out))
    }),
    ("println", |arguments| {
        let shown: Vec<_> = arguments.iter().map(shown).collect();
        Ok(Value::text(shown.join(" ") + "\n"))
    }),
];

fn length(value: &Value) -> Given {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Dict(map) => map.borrow().len(),
        Value::Files(files) => files.len(),
        Value::Versions(versions) => versions.len(),
        other => return Err(format!("a {} has no length", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn indexed(value: &Value, at: &Value) -> Given {
    match (value, at) {
        (Value::Dict(map), Value::Text(key)) => {
            Ok(map.borrow().get(key).cloned().unwrap_or(Value::Nil))
        }
        (Value::Files(files), Value::Text(path)) => {
            Ok(files.get(path).map_or(Value::Nil, |bytes| {
                Value::text(String::from_utf8_lossy(bytes))
            }))
        }
        (Value::List(items), Value::Int(at)) => usize::try_from(*at)
            .ok()
            .and_then(|at| items.get(at))
            .cloned()
            .ok_or_else(|| format!("the index {at} is out of range")),
        (Value::Text(text), Value::Int(at)) => usize::try_from(*at)
            .ok()
            .and_then(|at| text.as_bytes().get(at))
            .map(|byte| Value::Int(i64::from(*byte)))
            .ok_or_else(|| format!("the index {at} is out of range")),
        _ => Err(format!(
            "a {} cannot be indexed by a {}",
            value.type_name(),
            at.type_name()
        )),
    }
}
