//! Lists.

use super::{Function, Given, argument, list, numbers, shown};
use crate::render::chart::value::Value;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("list", |arguments| Ok(Value::list(arguments.to_vec()))),
    ("tuple", |arguments| Ok(Value::list(arguments.to_vec()))),
    ("first", |arguments| {
        Ok(list(arguments, 0)?.first().cloned().unwrap_or(Value::Nil))
    }),
    ("last", |arguments| {
        Ok(list(arguments, 0)?.last().cloned().unwrap_or(Value::Nil))
    }),
    ("rest", |arguments| {
        let items = list(arguments, 0)?;
        Ok(Value::list(items.iter().skip(1).cloned().collect()))
    }),
    ("initial", |arguments| {
        let items = list(arguments, 0)?;
        let kept = items.len().saturating_sub(1);
        Ok(Value::list(items.iter().take(kept).cloned().collect()))
    }),
    ("append", appended),
    ("push", appended),
    ("prepend", |arguments| {
        let mut items = vec![argument(arguments, 1)?.clone()];
        items.extend(list(arguments, 0)?.iter().cloned());
        Ok(Value::list(items))
    }),
    ("concat", |arguments| {
        let mut items = Vec::new();
        for index in 0..arguments.len() {
            items.extend(list(arguments, index)?.iter().cloned());
        }
        Ok(Value::list(items))
    }),
    ("reverse", |arguments| {
        Ok(Value::list(
            list(arguments, 0)?.iter().rev().cloned().collect(),
        ))
    }),
    ("compact", |arguments| {
        let items = list(arguments, 0)?;
        Ok(Value::list(
            items
                .iter()
                .filter(|item| item.is_true())
                .cloned()
                .collect(),
        ))
    }),
    ("uniq", |arguments| {
        let mut kept: Vec<Value> = Vec::new();
        for item in list(arguments, 0)?.iter() {
            if !kept.iter().any(|known| known.equals(item)) {
                kept.push(item.clone());
            }
        }
        Ok(Value::list(kept))
    }),
    ("without", |arguments| {
        let items = list(arguments, 0)?;
        let left_out = |item: &Value| arguments[1..].iter().any(|other| other.equals(item));
        Ok(Value::list(
            items
                .iter()
                .filter(|item| !left_out(item))
                .cloned()
                .collect(),
        ))
    }),
    ("sortAlpha", |arguments| match argument(arguments, 0)? {
        Value::List(items) => {
            let mut texts: Vec<_> = items.iter().map(shown).collect();
            texts.sort();
            Ok(Value::list(texts.into_iter().map(Value::Text).collect()))
        }
        other => Ok(Value::list(vec![Value::Text(shown(other))])),
    }),
    ("slice", |arguments| {
        let items = list(arguments, 0)?;
        let at = |index: usize, otherwise: usize| {
            arguments.get(index).map_or(Ok(otherwise), |value| {
                usize::try_from(numbers::int(value)).map_err(|_| "an index is negative".to_owned())
            })
        };
        let (start, end) = (at(1, 0)?, at(2, items.len())?);
        let part = items.get(start..end);
        let part = part.ok_or_else(|| format!("the range {start}:{end} is out of bounds"))?;
        Ok(Value::list(part.to_vec()))
    }),
    ("chunk", |arguments| {
        let size = usize::try_from(super::whole(arguments, 0)?)
            .unwrap_or(0)
            .max(1);
        let items = list(arguments, 1)?;
        let chunks = items.chunks(size).map(|chunk| Value::list(chunk.to_vec()));
        Ok(Value::list(chunks.collect()))
    }),
    ("toStrings", |arguments| {
        Ok(Value::list(texts(argument(arguments, 0)?)))
    }),
    ("join", |arguments| {
        let separator = super::text(arguments, 0)?;
        let items = texts(argument(arguments, 1)?);
        super::bounded(separator.len().saturating_mul(items.len()))?;
        let texts: Vec<_> = items.iter().map(shown).collect();
        Ok(Value::text(texts.join(separator)))
    }),
];

fn appended(arguments: &[Value]) -> Given {
    let mut items = list(arguments, 0)?.to_vec();
    items.push(argument(arguments, 1)?.clone());
    Ok(Value::list(items))
}

/// The texts of a list without what is nothing, or of the one value.
fn texts(value: &Value) -> Vec<Value> {
    let of = |value: &Value| Value::Text(shown(value));
    match value {
        Value::Nil => Vec::new(),
        Value::List(items) => items
            .iter()
            .filter(|item| !matches!(item, Value::Nil))
            .map(of)
            .collect(),
        other => vec![of(other)],
    }
}
