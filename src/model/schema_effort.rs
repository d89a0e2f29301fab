//! What it takes to hold a value to a schema, counted before it is done. Where schemas lead to the
//! next level of a value several times over, each level multiplies the work, and a value that is
//! nested forty times would be checked for ever.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::json_pointer::pointer;

/// Steps that may be taken for a value, however small.
const STEPS: usize = 1_000_000;
/// Steps that may be taken for each value in it besides.
const STEPS_EACH: usize = 100;
/// How many schemas may lead from one to the next, down to the deepest value.
const DEEPEST: usize = 400;
/// How many references and compositions are followed to tell choices apart.
const FOLLOWED: usize = 4;

/// Keywords with a schema, a list or a map of them that hold for the same value.
const COMPOSING: [&str; 7] = [
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];
/// Keywords with a list of schemas of which some hold for the same value.
const CHOOSING: [&str; 2] = ["anyOf", "oneOf"];
/// Keywords that lead to another schema.
const LEADING: [&str; 2] = ["$ref", "$dynamicRef"];
/// Keywords that go through the others once more.
const REPEATING: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];

/// Which of several schemas are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choices {
    /// Those that the value does not rule out by a text of its own: whether it fits.
    Possible,
    /// All of them: why it does not fit.
    All,
}

/// A schema of a document.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// The whole document.
    pub root: &'a Value,
    /// Where its references lead.
    pub names: &'a Names,
    /// The schema.
    pub value: &'a Value,
}

/// Why a value is not held to a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "too many schemas apply to the value: several refer to the same, or lead from one to the next"
)]
pub struct TooMuch;

/// Where the references of a document lead that are no plain pointers.
#[derive(Debug)]
pub struct Names {
    /// What a pointer may begin at: the document, and what has an identifier of its own.
    resources: Vec<String>,
    anchors: HashMap<String, Vec<String>>,
}

impl Names {
    /// Reads them off a document.
    pub fn of(root: &Value) -> Self {
        let mut names = Self {
            resources: vec![String::new()],
            anchors: HashMap::new(),
        };
        names.learn(root, &mut Vec::new());
        names
    }

    fn learn(&mut self, value: &Value, at: &mut Vec<String>) {
        if value.get("$id").is_some_and(Value::is_string) {
            self.resources.push(pointer(at));
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = value.get(keyword).and_then(Value::as_str) {
                let places = self.anchors.entry(name.to_owned()).or_default();
                places.push(pointer(at));
            }
        }
        let mut below = |step: String, value: &Value| {
            at.push(step);
            self.learn(value, at);
            at.pop();
        };
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(key, value)| below(key.clone(), value)),
            Value::Array(items) => (0_usize..)
                .zip(items)
                .for_each(|(index, value)| below(index.to_string(), value)),
            _ => {}
        }
    }
}

/// Whether it can be found out in time if a value fits a schema, or why it does not.
///
/// # Errors
/// When it cannot.
pub fn affordable(schema: &Schema<'_>, value: &Value, choices: Choices) -> Result<(), TooMuch> {
    let mut dry_run = DryRun {
        root: schema.root,
        names: schema.names,
        choices,
        left: STEPS + STEPS_EACH * values(value),
        above: Vec::new(),
    };
    dry_run.check(schema.value, value)
}

fn values(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(values).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// A schema and the value that it is for, by where they are in the memory.
type Pair = (*const Value, *const Value);

struct DryRun<'a> {
    root: &'a Value,
    names: &'a Names,
    choices: Choices,
    /// How many more steps may be taken.
    left: usize,
    /// What leads here: a schema that is part of itself says nothing new of the same value.
    above: Vec<Pair>,
}

impl<'a> DryRun<'a> {
    fn check(&mut self, schema: &'a Value, value: &'a Value) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(1).ok_or(TooMuch)?;
        let Value::Object(members) = schema else {
            return Ok(());
        };
        let pair: Pair = (schema, value);
        let mut of_same = self.above.iter().rev().take_while(|(_, of)| *of == pair.1);
        if of_same.any(|known| *known == pair) {
            return Ok(());
        }
        if self.above.len() == DEEPEST {
            return Err(TooMuch);
        }
        self.above.push(pair);
        let parts = self.parts(members, value)?;
        let is_repeated = REPEATING.iter().any(|word| members.contains_key(*word));
        for _ in 0..=usize::from(is_repeated) {
            for part in &parts {
                self.check(part, value)?;
            }
        }
        match value {
            Value::Object(values) => self.check_members(members, values)?,
            Value::Array(items) => self.check_items(members, items)?,
            _ => {}
        }
        self.above.pop();
        Ok(())
    }

    fn check_members(
        &mut self,
        schema: &'a Map<String, Value>,
        values: &'a Map<String, Value>,
    ) -> Result<(), TooMuch> {
        let declared = schema.get("properties").and_then(Value::as_object);
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        for (name, value) in values {
            // A name is a text: what holds for it does not lead any deeper.
            if let Some(of_name) = schema.get("propertyNames") {
                self.check(of_name, &Value::Null)?;
            }
            let of_member = declared.and_then(|declared| declared.get(name));
            let others = ["additionalProperties", "unevaluatedProperties"].map(|it| schema.get(it));
            let others = others.into_iter().flatten();
            let others = others.filter(|_| of_member.is_none());
            let matched = patterns.into_iter().flat_map(Map::values);
            for schema in of_member.into_iter().chain(matched).chain(others) {
                self.check(schema, value)?;
            }
        }
        Ok(())
    }

    fn check_items(
        &mut self,
        schema: &'a Map<String, Value>,
        items: &'a [Value],
    ) -> Result<(), TooMuch> {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        for (index, value) in items.iter().enumerate() {
            let of_item = first.and_then(|first| first.get(index));
            let of_item = of_item.or_else(|| schema.get("items"));
            let others = ["contains", "unevaluatedItems"].map(|it| schema.get(it));
            for schema in of_item.into_iter().chain(others.into_iter().flatten()) {
                self.check(schema, value)?;
            }
        }
        Ok(())
    }

    /// The schemas that hold for the same value as this one.
    fn parts(
        &mut self,
        members: &'a Map<String, Value>,
        value: &Value,
    ) -> Result<Vec<&'a Value>, TooMuch> {
        let mut parts = self.targets(members);
        for keyword in COMPOSING {
            match members.get(keyword) {
                Some(Value::Array(list)) => parts.extend(list),
                Some(Value::Object(map)) if keyword.starts_with("depend") => {
                    parts.extend(map.values());
                }
                Some(schema) => parts.push(schema),
                None => {}
            }
        }
        for keyword in CHOOSING {
            if let Some(Value::Array(choices)) = members.get(keyword) {
                parts.extend(self.chosen(choices, value)?);
            }
        }
        Ok(parts)
    }

    fn chosen(&mut self, choices: &'a [Value], value: &Value) -> Result<Vec<&'a Value>, TooMuch> {
        let mut chosen = Vec::new();
        for choice in choices {
            let is_ruled_out =
                self.choices == Choices::Possible && self.rules_out(choice, value, FOLLOWED)?;
            if !is_ruled_out {
                chosen.push(choice);
            }
        }
        Ok(chosen)
    }

    /// Whether a schema wants another text for a member than the value has: the usual way in which
    /// alternatives are told apart.
    fn rules_out(
        &mut self,
        schema: &'a Value,
        value: &Value,
        most: usize,
    ) -> Result<bool, TooMuch> {
        self.left = self.left.checked_sub(1).ok_or(TooMuch)?;
        let (Some(members), Some(values)) = (schema.as_object(), value.as_object()) else {
            return Ok(false);
        };
        let declared = members.get("properties").and_then(Value::as_object);
        let mut given = values.iter().filter(|(_, value)| value.is_string());
        let is_other = given.any(|(name, value)| {
            let of_member = declared.and_then(|declared| declared.get(name));
            of_member.is_some_and(|schema| fixes_other(schema, value))
        });
        if is_other || most == 0 {
            return Ok(is_other);
        }
        let all_of = members.get("allOf").and_then(Value::as_array);
        let targets = self.targets(members);
        for part in targets.into_iter().chain(all_of.into_iter().flatten()) {
            if self.rules_out(part, value, most - 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What its references may lead to; where parts of the document have identifiers, in each.
    fn targets(&self, members: &Map<String, Value>) -> Vec<&'a Value> {
        let mut found = Vec::new();
        for keyword in LEADING {
            let Some(reference) = members.get(keyword).and_then(Value::as_str) else {
                continue;
            };
            let (_, fragment) = reference.split_once('#').unwrap_or((reference, ""));
            let Ok(fragment) = percent_decode_str(fragment).decode_utf8() else {
                continue;
            };
            let at = |place: String| self.root.pointer(&place);
            match fragment.is_empty() || fragment.starts_with('/') {
                true => {
                    let resources = self.names.resources.iter();
                    found.extend(resources.filter_map(|place| at(format!("{place}{fragment}"))));
                }
                false => {
                    let places = self.names.anchors.get(fragment.as_ref());
                    found.extend(places.into_iter().flatten().cloned().filter_map(at));
                }
            }
        }
        found
    }
}

/// Whether a schema takes other texts than this one.
fn fixes_other(schema: &Value, given: &Value) -> bool {
    let other_constant = schema.get("const").is_some_and(|fixed| fixed != given);
    let listed = schema.get("enum").and_then(Value::as_array);
    other_constant || listed.is_some_and(|listed| !listed.contains(given))
}

#[cfg(test)]
mod tests;
