//! Maps. `set`, `unset` and the merges change the map that they are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Function, Given, argument, dict, shown, text};
use crate::render::chart::value::{Dict, Value};

/// Maps are merged this deep.
const DEEPEST: usize = 100;
/// Entries that are merged at once. Maps that are parts of each other grow while they are merged.
const MOST: usize = 1_000_000;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("dict", |arguments| {
        let pairs = arguments.chunks(2).map(|pair| {
            let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
            (shown(&pair[0]), value)
        });
        Ok(Value::of_map(pairs.collect()))
    }),
    ("get", |arguments| {
        let found = dict(arguments, 0)?
            .borrow()
            .get(text(arguments, 1)?)
            .cloned();
        Ok(found.unwrap_or_else(|| Value::text("")))
    }),
    ("set", |arguments| {
        let (map, key) = (dict(arguments, 0)?, text(arguments, 1)?);
        let value = argument(arguments, 2)?.clone();
        map.borrow_mut().insert(Rc::from(key), value);
        Ok(Value::Dict(Rc::clone(map)))
    }),
    ("unset", |arguments| {
        let map = dict(arguments, 0)?;
        map.borrow_mut().remove(text(arguments, 1)?);
        Ok(Value::Dict(Rc::clone(map)))
    }),
    ("hasKey", |arguments| {
        let has = dict(arguments, 0)?
            .borrow()
            .contains_key(text(arguments, 1)?);
        Ok(Value::Bool(has))
    }),
    // Go gives these in any order; here they come sorted.
    ("keys", |arguments| {
        let mut keys = Vec::new();
        for index in 0..arguments.len() {
            let map = dict(arguments, index)?.borrow();
            keys.extend(map.keys().map(|key| Value::Text(Rc::clone(key))));
        }
        Ok(Value::list(keys))
    }),
    ("values", |arguments| {
        Ok(Value::list(
            dict(arguments, 0)?.borrow().values().cloned().collect(),
        ))
    }),
    ("pick", |arguments| filtered(arguments, true)),
    ("omit", |arguments| filtered(arguments, false)),
    ("merge", |arguments| merged(arguments, false)),
    ("mustMerge", |arguments| merged(arguments, false)),
    ("mergeOverwrite", |arguments| merged(arguments, true)),
    ("mustMergeOverwrite", |arguments| merged(arguments, true)),
    ("deepCopy", |arguments| argument(arguments, 0)?.deep_copy(0)),
    ("mustDeepCopy", |arguments| {
        argument(arguments, 0)?.deep_copy(0)
    }),
    ("dig", dig),
];

fn filtered(arguments: &[Value], keeps: bool) -> Given {
    let mut names = Vec::new();
    for index in 1..arguments.len() {
        names.push(text(arguments, index)?);
    }
    let map = dict(arguments, 0)?.borrow();
    let kept = map
        .iter()
        .filter(|(key, _)| names.contains(&key.as_ref()) == keeps);
    Ok(Value::of_map(
        kept.map(|(key, value)| (Rc::clone(key), value.clone()))
            .collect::<BTreeMap<_, _>>(),
    ))
}

fn merged(arguments: &[Value], overwrites: bool) -> Given {
    let target = dict(arguments, 0)?;
    let mut merge = Merge {
        overwrites,
        left: MOST,
    };
    for index in 1..arguments.len() {
        merge.fill(target, dict(arguments, index)?, 0)?;
    }
    Ok(Value::Dict(Rc::clone(target)))
}

struct Merge {
    /// Whether what is not empty in the source wins.
    overwrites: bool,
    left: usize,
}

impl Merge {
    /// As mergo does: what is empty in the target is filled.
    fn fill(&mut self, target: &Dict, source: &Dict, depth: usize) -> Result<(), String> {
        if Rc::ptr_eq(target, source) {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err("the maps are nested too deeply".to_owned());
        }
        let entries: Vec<(Rc<str>, Value)> = source
            .borrow()
            .iter()
            .map(|(key, value)| (Rc::clone(key), value.clone()))
            .collect();
        let left = self.left.checked_sub(entries.len());
        self.left = left.ok_or_else(|| format!("more than {MOST} entries are merged"))?;
        for (key, value) in entries {
            let present = target.borrow().get(&key).cloned();
            let filled = present.as_ref().is_some_and(Value::is_true);
            match (present, &value) {
                (_, Value::Nil) if !self.overwrites => {}
                (Some(Value::Dict(inner)), Value::Dict(from)) if filled => {
                    self.fill(&inner, from, depth + 1)?;
                }
                _ if !filled || self.overwrites => {
                    target.borrow_mut().insert(key, value);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn dig(arguments: &[Value]) -> Given {
    let count = arguments.len();
    if count < 3 {
        return Err("at least three arguments are needed".to_owned());
    }
    let mut value = arguments[count - 1].clone();
    for index in 0..count - 2 {
        let Value::Dict(map) = &value else {
            return Err(format!("a {} is no map", value.type_name()));
        };
        let found = map.borrow().get(text(arguments, index)?).cloned();
        match found {
            Some(found) => value = found,
            None => return Ok(arguments[count - 2].clone()),
        }
    }
    Ok(value)
}
