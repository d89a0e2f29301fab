//! Three-way merge of parsed values: what the merged text must mean.

use serde_yaml::{Mapping, Value};

/// Both sides changed the same thing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash;

/// Merges values of one key; `None` is an absent key.
pub(super) fn merge(
    base: Option<&Value>,
    yours: Option<&Value>,
    generated: Option<&Value>,
) -> Result<Option<Value>, Clash> {
    if yours == generated || generated == base {
        return Ok(yours.cloned());
    }
    if yours == base {
        return Ok(generated.cloned());
    }
    match (base, yours, generated) {
        (base, Some(Value::Mapping(yours)), Some(Value::Mapping(generated))) => {
            let empty = Mapping::new();
            let base = match base {
                None => &empty,
                Some(Value::Mapping(base)) => base,
                Some(_) => return Err(Clash),
            };
            merge_maps(base, yours, generated).map(|map| Some(Value::Mapping(map)))
        }
        (base, Some(Value::Sequence(yours)), Some(Value::Sequence(generated))) => {
            let base = match base {
                None => &[][..],
                Some(Value::Sequence(base)) => base.as_slice(),
                Some(_) => return Err(Clash),
            };
            merge_lists(base, yours, generated).map(|list| Some(Value::Sequence(list)))
        }
        _ => Err(Clash),
    }
}

fn merge_maps(base: &Mapping, yours: &Mapping, generated: &Mapping) -> Result<Mapping, Clash> {
    let mut merged = Mapping::new();
    let added = generated.keys().filter(|key| !yours.contains_key(*key));
    for key in yours.keys().chain(added) {
        if let Some(value) = merge(base.get(key), yours.get(key), generated.get(key))? {
            merged.insert(key.clone(), value);
        }
    }
    Ok(merged)
}

fn merge_lists(base: &[Value], yours: &[Value], generated: &[Value]) -> Result<Vec<Value>, Clash> {
    let by_name = [base, yours, generated]
        .iter()
        .all(|list| list.iter().all(|element| name_of(element).is_some()));
    let key = |element: &Value| -> Value {
        match name_of(element) {
            Some(name) if by_name => name.clone(),
            _ => element.clone(),
        }
    };
    let keyed = |list: &[Value]| -> Result<Vec<(Value, Value)>, Clash> {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        for element in list {
            let key = key(element);
            if pairs.iter().any(|(other, _)| *other == key) {
                return Err(Clash);
            }
            pairs.push((key, element.clone()));
        }
        Ok(pairs)
    };
    let (base, yours, generated) = (keyed(base)?, keyed(yours)?, keyed(generated)?);
    let find = |pairs: &[(Value, Value)], key: &Value| -> Option<Value> {
        let pair = pairs.iter().find(|(other, _)| other == key);
        pair.map(|(_, value)| value.clone())
    };
    let names = |pairs: &[(Value, Value)]| -> Vec<Value> {
        pairs.iter().map(|(key, _)| key.clone()).collect()
    };
    let mut merged = Vec::new();
    for key in order(&names(&yours), &names(&generated)) {
        let value = merge(
            find(&base, &key).as_ref(),
            find(&yours, &key).as_ref(),
            find(&generated, &key).as_ref(),
        )?;
        merged.extend(value);
    }
    Ok(merged)
}

fn name_of(element: &Value) -> Option<&Value> {
    element
        .as_mapping()?
        .get("name")
        .filter(|name| name.is_string())
}

/// The order of yours, with each further key of generated after the one that precedes it there.
pub(super) fn order<K: Clone + PartialEq>(yours: &[K], generated: &[K]) -> Vec<K> {
    let mut order = yours.to_vec();
    let mut after: Option<&K> = None;
    for key in generated {
        if !order.contains(key) {
            let place = after
                .and_then(|before| order.iter().position(|other| other == before))
                .map_or(0, |position| position + 1);
            order.insert(place, key.clone());
        }
        after = Some(key);
    }
    order
}
