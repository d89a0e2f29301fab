//! Parameters of a query whose values are maps: each member has a name of its own there
//! (`filter[state]=open`, `state=open`), or all of them share one (`filter=state,open`). OpenAPI 3.1,
//! "Style Values"; what is nested deeper is written as most servers read it (`filter[by][name]=x`).

use serde_json::{Map, Value};

use super::{Parameter, Subject, scalar, steps, types};
use crate::contract::document::{Document, Fault, Node};
use crate::contract::static_check::sent::undeclared;
use crate::contract::static_check::{Discrepancy, Exchange};
use crate::model::contract_check::Severity;

/// How many schemas are looked through for a member that is composed.
const MOST_COMPOSED: usize = 8;

/// How the members of a map stand in a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// `filter[state]=open`
    Deep,
    /// `state=open`
    Members,
    /// `filter=state,open`
    One,
}

/// A member of a map, as it is sent.
struct Member {
    /// The name in the query.
    key: String,
    /// The names that lead to it in the map.
    path: Vec<String>,
    /// Its texts; one, unless it is a list.
    texts: Vec<String>,
    is_list: bool,
}

impl<'a> Parameter<'a> {
    /// How it is spread over the query, when its value is a map.
    pub(super) fn spread(&self) -> Option<Spread> {
        if self.subject != Subject::QueryParameter || self.node.get("content").is_some() {
            return None;
        }
        if self.style() == "deepObject" {
            return Some(Spread::Deep);
        }
        let schema = self.node.get("schema")?.resolved();
        let is_map = match types(&schema).as_slice() {
            [] => schema.get("properties").is_some(),
            kinds => kinds.contains(&"object"),
        };
        match (is_map, self.is_exploded()) {
            (false, _) => None,
            (true, true) => Some(Spread::Members),
            (true, false) => Some(Spread::One),
        }
    }

    /// The names in a map to which a key of the query leads; whether it is one of a list's items.
    fn path_of(&self, key: &str) -> Option<(Vec<String>, bool)> {
        match self.spread()? {
            Spread::One => None,
            Spread::Members => {
                let schema = self.node.get("schema")?;
                let (name, is_list) = match key.strip_suffix("[]") {
                    Some(name) => (name, true),
                    None => (key, false),
                };
                let open = schema.resolved().get("additionalProperties");
                let is_open = open.is_some_and(|open| open.value != &Value::Bool(false));
                let takes = is_open || member(&schema, name, 0).is_some();
                takes.then(|| (vec![name.to_owned()], is_list))
            }
            Spread::Deep => {
                let inner = key.strip_prefix(self.name)?.strip_prefix('[')?;
                let inner = inner.strip_suffix(']')?;
                let mut path: Vec<String> = inner.split("][").map(str::to_owned).collect();
                let is_list = path.len() > 1 && path.last().is_some_and(String::is_empty);
                path.truncate(path.len() - usize::from(is_list));
                path.iter()
                    .all(|name| !name.is_empty())
                    .then_some((path, is_list))
            }
        }
    }

    /// Whether a key of the query is one of its members.
    pub(super) fn takes_member(&self, key: &str) -> bool {
        self.path_of(key).is_some()
    }

    /// How its names in a query look, for messages.
    pub(super) fn shown(&self) -> String {
        match self.spread() {
            Some(Spread::Deep) => format!("{}[...]", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// The members of one text: names and values in turn.
    fn members_of_text(&self, texts: &[String]) -> Vec<Member> {
        let items = self.items(texts);
        let pairs = items.chunks(2).map(|pair| Member {
            key: self.name.to_owned(),
            path: vec![pair[0].clone()],
            texts: pair.get(1).cloned().into_iter().collect(),
            is_list: false,
        });
        pairs.collect()
    }
}

impl Exchange<'_> {
    /// The members of a map that the pact sends; empty when it sends none of them.
    fn members(&self, parameter: &Parameter<'_>, others: &[Parameter<'_>]) -> Vec<Member> {
        let mut query: Vec<_> = self.http.request.query.iter().flatten().collect();
        query.sort();
        let of_another = |key: &str| {
            let own = |other: &Parameter<'_>| other.name == key && other.spread().is_none();
            others.iter().any(own)
        };
        let texts = |values: &[Option<String>]| -> Vec<String> {
            values
                .iter()
                .map(|it| it.clone().unwrap_or_default())
                .collect()
        };
        let members = query.into_iter().flat_map(|(key, values)| {
            if parameter.spread() == Some(Spread::One) && key == parameter.name {
                return parameter.members_of_text(&texts(values));
            }
            let path = parameter.path_of(key).filter(|_| !of_another(key));
            let member = path.map(|(path, is_list)| Member {
                key: key.clone(),
                path,
                texts: texts(values),
                is_list,
            });
            member.into_iter().collect()
        });
        members.collect()
    }

    /// Everything that is wrong with a map; `None` when none of its members is sent.
    pub(super) fn check_map(
        &self,
        parameter: &Parameter<'_>,
        others: &[Parameter<'_>],
    ) -> Option<Vec<Discrepancy>> {
        let members = self.members(parameter, others);
        if members.is_empty() {
            return None;
        }
        let Some(schema) = parameter.node.get("schema") else {
            return Some(Vec::new());
        };
        let sent = SentMap {
            parameter,
            value: value_of(self.document, &schema, &members),
            members,
        };
        let faults = match self.document.exact().faults(&schema, &sent.value) {
            Ok(faults) => faults,
            Err(error) => return Some(vec![parameter.unusable(&schema, &error)]),
        };
        let keys: Vec<&str> = sent.members.iter().map(|it| it.key.as_str()).collect();
        let is_generated = self.is_generated(parameter, &keys);
        let faults = faults.into_iter().map(|fault| sent.of_fault(fault));
        let mut found: Vec<Discrepancy> = faults
            .map(|mut fault| {
                if is_generated {
                    fault.severity = Severity::Warning;
                }
                fault
            })
            .collect();
        for (path, at) in undeclared(self.document, &schema, &sent.value) {
            let unknown = sent.of_undeclared(&path, &at);
            if found.iter().all(|known| known.pact != unknown.pact) {
                found.push(unknown);
            }
        }
        Some(found)
    }
}

/// A map as it is sent.
struct SentMap<'a> {
    parameter: &'a Parameter<'a>,
    members: Vec<Member>,
    value: Value,
}

impl SentMap<'_> {
    /// The name in the query of what is at these steps of the map; `None` for the whole.
    fn key_of(&self, path: &[String]) -> Option<&str> {
        let mut members = self.members.iter();
        let member = members.find(|it| !path.is_empty() && path.starts_with(&it.path))?;
        Some(&member.key)
    }

    fn of_fault(&self, fault: Fault) -> Discrepancy {
        let Parameter { subject, name, .. } = self.parameter;
        let key = self.key_of(&fault.path);
        let mut found = Discrepancy::error(*subject, *name, &fault.keyword)
            .said(format!("`{}`: {}", key.unwrap_or(name), fault.message))
            .in_document(&fault.at);
        let place: Vec<&str> = std::iter::once("query").chain(key).collect();
        found.pact = steps(&place);
        found.expected(self.value.clone())
    }

    fn of_undeclared(&self, path: &[String], at: &[String]) -> Discrepancy {
        let Parameter { subject, name, .. } = self.parameter;
        let key = self.key_of(path).unwrap_or(name);
        let mut found = Discrepancy::warning(*subject, key, "properties")
            .said(format!(
                "`{key}` is not declared: the provider reads over it"
            ))
            .in_document(at);
        found.pact = steps(&["query", key]);
        found
    }
}

/// The map of these members, each value as its own schema sees it.
fn value_of(document: &Document, schema: &Node<'_>, members: &[Member]) -> Value {
    let mut map = Map::new();
    for sent in members {
        let root = Some(schema.clone());
        let schema = { sent.path.iter() }.fold(root, |node, name| member(&node?, name, 0));
        let kinds = schema.as_ref().map(Node::resolved);
        let kinds = kinds.as_ref().map(types).unwrap_or_default();
        let text = sent.texts.first().map(String::as_str).unwrap_or_default();
        let value = match &schema {
            Some(schema) if sent.is_list || kinds.contains(&"array") => {
                let of_item = schema.resolved().get("items");
                let items = sent.texts.iter().map(|text| match &of_item {
                    Some(schema) => scalar(document, schema, text),
                    None => text.as_str().into(),
                });
                items.collect()
            }
            Some(schema) => scalar(document, schema, text),
            None if sent.is_list => sent.texts.clone().into(),
            None => text.into(),
        };
        insert(&mut map, &sent.path, value);
    }
    map.into()
}

fn insert(map: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            map.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = map.entry(name).or_insert_with(|| Map::new().into());
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}

/// The schema of a member, where the schema of the map or one that it is composed of declares it.
fn member<'a>(schema: &Node<'a>, name: &str, depth: usize) -> Option<Node<'a>> {
    let schema = schema.resolved();
    if let Some(own) = schema.get("properties").and_then(|known| known.get(name)) {
        return Some(own);
    }
    let composed = ["allOf", "anyOf", "oneOf"].into_iter();
    let mut composed = composed.filter_map(|it| schema.get(it));
    let found = match depth < MOST_COMPOSED {
        true => composed.find_map(|list| {
            let mut items = list.items().into_iter();
            items.find_map(|item| member(&item, name, depth + 1))
        }),
        false => None,
    };
    let others = || {
        schema
            .get("additionalProperties")
            .filter(|it| it.value.is_object())
    };
    found.or_else(others)
}
