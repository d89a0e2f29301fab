//! How many schemas a value is held to at once by one schema: what it refers to and is composed
//! of is counted each time. Whatever checks a value goes through all of them, and would not end
//! where each of thirty schemas doubles the next.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Schemas that a value may be held to at once.
pub(super) const MOST: usize = 10_000;
/// How many references and compositions may lead from one to the next.
const DEEPEST: usize = 200;
/// Schemas that are looked at in all of a document; those that are part of themselves are
/// counted anew from wherever something leads to them.
const MOST_STEPS: usize = 2_000_000;

/// Keywords with a schema, a list or a map of them that hold for the same value.
const COMPOSING: [&str; 9] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];
/// Keywords that lead to another schema.
const LEADING: [&str; 2] = ["$ref", "$dynamicRef"];
/// Keywords that go through the others once more.
const REPEATING: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];

/// The first place of a document whose schema is too large; `None` when there is none.
pub(super) fn too_large(root: &Value) -> Option<Vec<String>> {
    let mut sizes = Sizes::default();
    sizes.know(root);
    sizes.resources.push(root);
    let mut at = Vec::new();
    sizes.first_too_large(root, &mut at).then_some(at)
}

/// A schema, by where it is in the memory.
type Identity = *const Value;

#[derive(Default)]
struct Sizes<'a> {
    /// What a pointer may begin at: the document, and what has an identifier of its own.
    resources: Vec<&'a Value>,
    anchors: HashMap<&'a str, Vec<&'a Value>>,
    known: HashMap<Identity, usize>,
    /// The schemas that lead to the one that is looked at.
    above: Vec<Identity>,
    steps: usize,
}

/// What a schema comes to.
struct Size {
    schemas: usize,
    /// The highest one above that it leads back to: what is part of itself says nothing new.
    back_to: usize,
}

struct TooLarge;

impl<'a> Sizes<'a> {
    /// Learns where references may lead.
    fn know(&mut self, value: &'a Value) {
        match value {
            Value::Object(members) => {
                if members.get("$id").is_some_and(Value::is_string) {
                    self.resources.push(value);
                }
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    if let Some(name) = members.get(keyword).and_then(Value::as_str) {
                        self.anchors.entry(name).or_default().push(value);
                    }
                }
                members.values().for_each(|below| self.know(below));
            }
            Value::Array(items) => items.iter().for_each(|item| self.know(item)),
            _ => {}
        }
    }

    /// Goes to the first schema that is too large, when there is one.
    fn first_too_large(&mut self, value: &'a Value, at: &mut Vec<String>) -> bool {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                self.above.clear();
                if self.of(value).is_err() {
                    return true;
                }
                let members = members.iter();
                members.map(|(key, below)| (key.clone(), below)).collect()
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| (index.to_string(), item))
                    .collect()
            }
            _ => return false,
        };
        for (step, value) in below {
            at.push(step);
            if self.first_too_large(value, at) {
                return true;
            }
            at.pop();
        }
        false
    }

    fn of(&mut self, schema: &'a Value) -> Result<Size, TooLarge> {
        let identity = std::ptr::from_ref(schema);
        let depth = self.above.len();
        let whole = |schemas| Size {
            schemas,
            back_to: depth,
        };
        if let Some(known) = self.known.get(&identity) {
            return Ok(whole(*known));
        }
        if let Some(back_to) = self.above.iter().position(|above| *above == identity) {
            return Ok(Size {
                schemas: 1,
                back_to,
            });
        }
        self.steps += 1;
        let Value::Object(members) = schema else {
            return Ok(whole(1));
        };
        if depth == DEEPEST || self.steps > MOST_STEPS {
            return Err(TooLarge);
        }
        self.above.push(identity);
        let size = self.sum(members, depth)?;
        self.above.pop();
        if size.back_to >= depth {
            self.known.insert(identity, size.schemas);
        }
        Ok(size)
    }

    fn sum(&mut self, members: &'a Map<String, Value>, depth: usize) -> Result<Size, TooLarge> {
        let mut all = Size {
            schemas: 1,
            back_to: depth,
        };
        for part in self.parts(members) {
            let size = self.of(part)?;
            all.schemas += size.schemas;
            all.back_to = all.back_to.min(size.back_to);
            if all.schemas > MOST {
                return Err(TooLarge);
            }
        }
        if REPEATING
            .iter()
            .any(|keyword| members.contains_key(*keyword))
        {
            all.schemas *= 2;
        }
        Ok(all)
    }

    /// The schemas that hold beside this one.
    fn parts(&self, members: &'a Map<String, Value>) -> Vec<&'a Value> {
        let mut parts = Vec::new();
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
        for keyword in LEADING {
            if let Some(reference) = members.get(keyword).and_then(Value::as_str) {
                parts.extend(self.targets(reference));
            }
        }
        parts
    }

    /// What a reference may lead to; where parts of the document have identifiers, in each.
    fn targets(&self, reference: &str) -> Vec<&'a Value> {
        let (_, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let Ok(fragment) = percent_decode_str(fragment).decode_utf8() else {
            return Vec::new();
        };
        let pointed = self.resources.iter();
        let pointed = pointed.filter_map(|resource| resource.pointer(&fragment));
        let anchored = self.anchors.get(fragment.as_ref()).into_iter().flatten();
        pointed.chain(anchored.copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Schemas of which each is made from the next, as `made` says.
    fn chain(count: usize, made: impl Fn(String) -> Value) -> Value {
        let of = |number: usize| made(format!("#/schemas/A{}", number + 1));
        let mut schemas: Map<String, Value> = (0..count)
            .map(|number| (format!("A{number}"), of(number)))
            .collect();
        schemas.insert(format!("A{count}"), json!({"type": "string"}));
        json!({"schemas": schemas})
    }

    #[test]
    fn schemas_that_double_each_other_are_too_large() {
        let both = |keyword: &str, next: &str| json!({keyword: [{"$ref": next}, {"$ref": next}]});
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let few = chain(10, |next| both(keyword, &next));
            assert_eq!(too_large(&few), None, "{keyword}");
            let many = chain(30, |next| both(keyword, &next));
            assert!(too_large(&many).is_some(), "{keyword}");
        }
        let hidden = chain(
            30,
            |next| json!({"not": {"$ref": next}, "if": {"$ref": next}}),
        );
        assert!(too_large(&hidden).is_some());
        let long = chain(5000, |next| json!({"$ref": next}));
        assert!(too_large(&long).is_some());
    }

    #[test]
    fn anchors_and_identifiers_hide_nothing() {
        let anchored: Vec<Value> = (0..30)
            .map(|number| {
                let next = format!("#a{}", number + 1);
                json!({"$anchor": format!("a{number}"), "allOf": [{"$ref": next}, {"$dynamicRef": next}]})
            })
            .collect();
        assert!(too_large(&json!(anchored)).is_some());
        let mut own = chain(
            30,
            |next| json!({"allOf": [{"$ref": next}, {"$ref": next}]}),
        );
        own["$id"] = json!("urn:own");
        assert!(too_large(&json!({"inner": own})).is_some());
    }

    #[test]
    fn schemas_that_lead_to_each_other_are_none_the_larger() {
        let kinds: Map<String, Value> = (0..40)
            .map(|number| {
                let pet = json!({"allOf": [{"$ref": "#/schemas/Pet"}, {"type": "object"}]});
                (format!("Kind{number}"), pet)
            })
            .collect();
        let choices: Vec<Value> = kinds
            .keys()
            .map(|kind| json!({"$ref": format!("#/schemas/{kind}")}))
            .collect();
        let mut schemas = kinds;
        schemas.insert("Pet".to_owned(), json!({"oneOf": choices}));
        schemas.insert(
            "Tree".to_owned(),
            json!({"properties": {"children": {"items": {"$ref": "#/schemas/Tree"}}}}),
        );
        assert_eq!(too_large(&json!({"schemas": schemas})), None);
    }

    #[test]
    fn schemas_that_all_lead_to_each_other_end_soon() {
        let all: Vec<Value> = (0..40)
            .map(|number| json!({"$ref": format!("#/schemas/A{number}")}))
            .collect();
        let schemas: Map<String, Value> = (0..40)
            .map(|number| (format!("A{number}"), json!({"allOf": all})))
            .collect();
        assert!(too_large(&json!({"schemas": schemas})).is_some());
    }
}
