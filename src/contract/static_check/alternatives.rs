//! What a schema says of a value once its references, `allOf`, `anyOf` and `oneOf` are followed:
//! a list of alternatives, each a list of schemas that hold at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::contract::document::{Document, Node};

/// How many alternatives are looked at.
const MOST: usize = 64;

/// Schemas that hold at once, each of them once.
pub(super) type Alternative<'a> = Vec<Node<'a>>;

/// Whether a member is there, by one alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    /// It is always there.
    Promised,
    /// It is declared, and may be absent.
    Optional,
    /// Anything may be there: nothing is declared.
    Open,
    /// Others are declared, and it is not.
    Undeclared,
    /// It cannot be there.
    Forbidden,
}

/// The alternatives of a schema for a value, of which only a part may be known.
pub(super) fn alternatives<'a>(
    document: &Document,
    schema: &Node<'a>,
    value: &Value,
) -> Vec<Alternative<'a>> {
    let expansion = Expansion::of(document, value);
    expansion.each(vec![Vec::new()], std::slice::from_ref(schema))
}

/// The alternatives of a member of a map, or of an item of a list.
pub(super) fn below<'a>(
    document: &Document,
    of_whole: &[Alternative<'a>],
    schemas: impl Fn(&Node<'a>) -> Vec<Node<'a>>,
    value: &Value,
) -> Vec<Alternative<'a>> {
    let expansion = Expansion::of(document, value);
    let each = of_whole.iter().flat_map(|alternative| {
        let schemas = alternative.iter().flat_map(&schemas);
        schemas.fold(vec![Vec::new()], |all, schema| {
            expansion.each(all, &[schema])
        })
    });
    distinct(each)
}

/// The alternatives that describe a value; none when one leaves it open.
pub(super) fn described(schemas: Vec<Alternative<'_>>) -> Vec<Alternative<'_>> {
    match schemas.iter().any(Vec::is_empty) {
        true => Vec::new(),
        false => schemas,
    }
}

struct Expansion<'a> {
    document: &'a Document,
    value: &'a Value,
    /// Whether the value fits a choice, by its place.
    fitting: RefCell<BTreeMap<*const Value, bool>>,
}

impl<'v> Expansion<'v> {
    fn of(document: &'v Document, value: &'v Value) -> Self {
        Self {
            document,
            value,
            fitting: RefCell::default(),
        }
    }

    /// Each alternative with each of these schemas, and all that holds with it.
    fn each<'a>(&self, known: Vec<Alternative<'a>>, choices: &[Node<'a>]) -> Vec<Alternative<'a>> {
        let pairs = known
            .iter()
            .flat_map(|known| choices.iter().map(move |choice| (known, choice)));
        distinct(pairs.flat_map(|(known, choice)| self.with(known.clone(), choice)))
    }

    /// A schema that holds already says nothing new: so does one that is part of itself.
    fn with<'a>(&self, mut known: Alternative<'a>, schema: &Node<'a>) -> Vec<Alternative<'a>> {
        if known.iter().any(|it| it.place() == schema.place()) {
            return vec![known];
        }
        known.push(schema.clone());
        let mut found = vec![known];
        let all_of = schema.get("allOf");
        let all_of = all_of.iter().flat_map(Node::items);
        for part in schema.followed().into_iter().chain(all_of) {
            found = self.each(found, &[part]);
        }
        for choices in ["anyOf", "oneOf"].iter().filter_map(|it| schema.get(it)) {
            let choices = choices.items();
            let fits = |choice: &&Node<'_>| self.fits(choice);
            let fitting: Vec<Node<'a>> = choices.iter().filter(fits).cloned().collect();
            // Where none fits, that is told of the value itself.
            let fitting = match fitting.is_empty() {
                true => choices,
                false => fitting,
            };
            if !fitting.is_empty() {
                found = self.each(found, &fitting);
            }
        }
        found
    }

    fn fits(&self, choice: &Node<'_>) -> bool {
        if let Some(known) = self.fitting.borrow().get(&choice.place()) {
            return *known;
        }
        let fits = self.document.partial().fit(choice, self.value);
        self.fitting.borrow_mut().insert(choice.place(), fits);
        fits
    }
}

/// The first alternatives that are not the same.
fn distinct<'a>(all: impl Iterator<Item = Alternative<'a>>) -> Vec<Alternative<'a>> {
    let mut found: Vec<Alternative<'a>> = Vec::new();
    let mut places = BTreeSet::new();
    for one in all {
        let of_this: Vec<*const Value> = one.iter().map(Node::place).collect();
        if places.insert(of_this) {
            found.push(one);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// The schemas of a member by one schema: those that name it, else that of all others.
pub(super) fn of_member<'a>(schema: &Node<'a>, name: &str) -> Vec<Node<'a>> {
    let mut found = named(schema, name);
    if found.is_empty() {
        let others = schema.get("additionalProperties");
        found.extend(others.filter(|others| others.value.is_object()));
    }
    found
}

fn named<'a>(schema: &Node<'a>, name: &str) -> Vec<Node<'a>> {
    let declared = schema.get("properties");
    let mut found: Vec<Node<'a>> = declared.and_then(|it| it.get(name)).into_iter().collect();
    for (pattern, of_pattern) in schema
        .get("patternProperties")
        .iter()
        .flat_map(Node::members)
    {
        if regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(name)) {
            found.push(of_pattern);
        }
    }
    found
}

/// The schema of an item by one schema (JSON Schema 2020-12, and what it replaced).
pub(super) fn of_item<'a>(schema: &Node<'a>, index: usize) -> Vec<Node<'a>> {
    let first = schema.get("prefixItems").map(|list| list.items());
    let first = first.and_then(|items| items.get(index).cloned());
    first.or_else(|| schema.get("items")).into_iter().collect()
}

/// Whether a member is there.
pub(super) fn presence(alternative: &Alternative<'_>, name: &str) -> Presence {
    let is_required = alternative.iter().any(|schema| {
        let required = schema.value.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|known| known == name))
    });
    let declared: Vec<Node<'_>> = alternative
        .iter()
        .flat_map(|schema| named(schema, name))
        .collect();
    let others: Vec<&Value> = alternative
        .iter()
        .filter_map(|schema| schema.value.get("additionalProperties"))
        .collect();
    let is_written_only = declared
        .iter()
        .any(|schema| schema.resolved().flag("writeOnly"));
    let lists_any = alternative
        .iter()
        .any(|schema| schema.get("properties").is_some());
    match (declared.is_empty(), is_required) {
        (false, _) if is_written_only => Presence::Forbidden,
        (_, true) => Presence::Promised,
        (false, false) => Presence::Optional,
        (true, false) if others.contains(&&Value::Bool(false)) => Presence::Forbidden,
        (true, false) if !others.is_empty() || !lists_any => Presence::Open,
        (true, false) => Presence::Undeclared,
    }
}

/// The names that alternatives declare.
pub(super) fn names<'a>(alternatives: &[Alternative<'a>]) -> Vec<&'a str> {
    let declared = alternatives.iter().flatten();
    let declared = declared.filter_map(|schema| schema.get("properties"));
    let names: BTreeSet<&str> = declared
        .flat_map(|declared| declared.members().into_iter().map(|(name, _)| name))
        .collect();
    names.into_iter().collect()
}

/// The types that a value may have; `None` when an alternative leaves that open.
pub(super) fn types(alternatives: &[Alternative<'_>]) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for alternative in alternatives {
        let mut of_this: Option<BTreeSet<String>> = None;
        for schema in alternative {
            let Some(kinds) = types_of(schema) else {
                continue;
            };
            of_this = Some(match of_this {
                Some(known) => known.intersection(&kinds).cloned().collect(),
                None => kinds,
            });
        }
        all.extend(of_this?);
    }
    Some(all)
}

fn types_of(schema: &Node<'_>) -> Option<BTreeSet<String>> {
    let of_value = |value: &Value| type_of(value).to_owned();
    match (schema.value.get("enum"), schema.value.get("const")) {
        (Some(Value::Array(values)), _) => return Some(values.iter().map(of_value).collect()),
        (_, Some(value)) => return Some([of_value(value)].into()),
        _ => {}
    }
    match schema.value.get("type")? {
        Value::String(kind) => Some([kind.clone()].into()),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            Some(kinds.map(str::to_owned).collect())
        }
        _ => None,
    }
}

/// The type of a value, as JSON Schema names it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
