//! Go's comparisons: kinds have to agree, and nothing equals only nothing.

use std::cmp::Ordering;

use super::{Function, argument};
use crate::render::chart::value::Value;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("eq", |arguments| {
        let first = argument(arguments, 0)?;
        argument(arguments, 1)?;
        for other in &arguments[1..] {
            if equal(first, other)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    ("ne", |arguments| {
        let equal = equal(argument(arguments, 0)?, argument(arguments, 1)?)?;
        Ok(Value::Bool(!equal))
    }),
    ("lt", |arguments| {
        Ok(Value::Bool(order(arguments)? == Ordering::Less))
    }),
    ("le", |arguments| {
        Ok(Value::Bool(order(arguments)? != Ordering::Greater))
    }),
    ("gt", |arguments| {
        Ok(Value::Bool(order(arguments)? == Ordering::Greater))
    }),
    ("ge", |arguments| {
        Ok(Value::Bool(order(arguments)? != Ordering::Less))
    }),
    ("not", |arguments| {
        Ok(Value::Bool(!argument(arguments, 0)?.is_true()))
    }),
    ("deepEqual", |arguments| {
        let equal = argument(arguments, 0)?.equals(argument(arguments, 1)?);
        Ok(Value::Bool(equal))
    }),
];

fn incompatible(one: &Value, other: &Value) -> String {
    format!(
        "a {} cannot be compared with a {}",
        one.type_name(),
        other.type_name()
    )
}

fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    match (one, other) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Bool(_), Value::Bool(_))
        | (Value::Int(_), Value::Int(_))
        | (Value::Float(_), Value::Float(_))
        | (Value::Text(_), Value::Text(_)) => Ok(one.equals(other)),
        _ => Err(incompatible(one, other)),
    }
}

fn order(arguments: &[Value]) -> Result<Ordering, String> {
    let (one, other) = (argument(arguments, 0)?, argument(arguments, 1)?);
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => Ok(one.cmp(other)),
        (Value::Float(one), Value::Float(other)) => {
            Ok(one.partial_cmp(other).unwrap_or(Ordering::Less))
        }
        (Value::Text(one), Value::Text(other)) => Ok(one.cmp(other)),
        _ => Err(incompatible(one, other)),
    }
}
