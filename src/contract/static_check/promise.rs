//! What a consumer expects in a body against the schema of that body: it must be possible, and
//! the schema should promise it.
//!
//! The body of a pact is an example of which matching rules say how much of it counts. All of it
//! must be possible. A member that is named must be there, unless a rule counts values only; a
//! value must have a type that the rule takes.

use pact_matching::{CoreMatchingContext, DiffConfig, MatchingContext};
use pact_models::matchingrules::{MatchingRule, MatchingRuleCategory};
use pact_models::path_exp::DocPath;
use serde_json::Value;

use super::Discrepancy;
use super::alternatives::{
    Alternative, Presence, alternatives, below, described, names, of_item, of_member, presence,
    type_of, types,
};
use super::content::{Generated, of_fault, unusable};
use crate::contract::document::{Document, Node};
use crate::contract::media;
use crate::model::contract_check::Subject;

/// How an expected body is held to a document.
pub(super) struct Promise<'a> {
    /// The document.
    pub(super) document: &'a Document,
    /// What is held to it.
    pub(super) subject: Subject,
    /// The rules of the body.
    pub(super) rules: MatchingRuleCategory,
    /// The places whose values are replaced.
    pub(super) generated: Generated,
}

impl Promise<'_> {
    /// Everything that is not possible, or not promised. Paths begin at the body.
    pub(super) fn check(&self, schema: &Node<'_>, body: &Value) -> Vec<Discrepancy> {
        let faults = match self.document.partial().faults(schema, body) {
            Ok(faults) => faults,
            Err(error) => return vec![unusable(self.subject, schema, &error)],
        };
        let mut found: Vec<Discrepancy> = faults
            .into_iter()
            .map(|fault| of_fault(self.subject, fault, &self.generated))
            .collect();
        let mut walk = Walk {
            promise: self,
            rules: CoreMatchingContext::new(DiffConfig::AllowUnexpectedKeys, &self.rules),
            found: Vec::new(),
        };
        let whole = alternatives(self.document, schema, body);
        walk.value(&whole, body, &Position::root());
        // What cannot be is not called unpromised besides.
        let impossible: Vec<String> = found.iter().map(|it| it.path.clone()).collect();
        let more = walk.found.into_iter();
        found.extend(more.filter(|it| !impossible.contains(&it.path)));
        found
    }
}

/// Where a walk is.
#[derive(Clone)]
struct Position {
    steps: Vec<String>,
    path: DocPath,
}

impl Position {
    fn root() -> Self {
        Self {
            steps: Vec::new(),
            path: DocPath::root(),
        }
    }

    fn member(&self, name: &str) -> Self {
        Self {
            steps: [self.steps.as_slice(), &[name.to_owned()]].concat(),
            path: self.path.join_field(name),
        }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            steps: [self.steps.as_slice(), &[index.to_string()]].concat(),
            path: self.path.join_index(index),
        }
    }
}

struct Walk<'a> {
    promise: &'a Promise<'a>,
    rules: CoreMatchingContext,
    found: Vec<Discrepancy>,
}

impl Walk<'_> {
    fn value(&mut self, schemas: &[Alternative<'_>], expected: &Value, at: &Position) {
        if schemas.is_empty() {
            return;
        }
        self.types(schemas, expected, at);
        match expected {
            Value::Object(members) => {
                let named = !self.counts_values_only(at);
                for (name, value) in members {
                    let place = at.member(name);
                    if named {
                        self.presence(schemas, (name, value), &place);
                    }
                    let schemas = below(
                        self.promise.document,
                        schemas,
                        |schema| of_member(schema, name),
                        value,
                    );
                    self.value(&described(schemas), value, &place);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    let schemas = below(
                        self.promise.document,
                        schemas,
                        |schema| of_item(schema, index),
                        value,
                    );
                    self.value(&described(schemas), value, &at.item(index));
                }
            }
            _ => {}
        }
    }

    /// Whether the names of a map's members do not count.
    fn counts_values_only(&self, at: &Position) -> bool {
        self.rules_at(at).iter().any(|rule| {
            matches!(
                rule,
                MatchingRule::Values | MatchingRule::EachKey(_) | MatchingRule::EachValue(_)
            )
        })
    }

    fn rules_at(&self, at: &Position) -> Vec<MatchingRule> {
        match self.rules.matcher_is_defined(&at.path) {
            true => self.rules.select_best_matcher(&at.path).rules,
            false => Vec::new(),
        }
    }

    fn presence(
        &mut self,
        schemas: &[Alternative<'_>],
        (name, value): (&str, &Value),
        place: &Position,
    ) {
        let each = schemas
            .iter()
            .map(|alternative| presence(alternative, name));
        let each: Vec<Presence> = each.collect();
        let best = each.iter().min().copied().unwrap_or(Presence::Open);
        let worst = each.iter().max().copied().unwrap_or(Presence::Open);
        let path = media::json_path(&place.steps);
        let subject = self.promise.subject;
        let found = match (best, worst) {
            (_, Presence::Promised) => return,
            (Presence::Forbidden, _) => Discrepancy::error(subject, path, "additionalProperties")
                .said(format!("`{name}` may not be there, by the document")),
            (Presence::Undeclared, _) => {
                let known = names(schemas);
                Discrepancy::error(subject, path, "properties").said(format!(
                    "`{name}` is not declared; there is {}",
                    media::some_of(&known)
                ))
            }
            (Presence::Open, _) => Discrepancy::warning(subject, path, "additionalProperties")
                .said(format!("`{name}` may be there, and is not declared")),
            (_, Presence::Optional) => Discrepancy::warning(subject, path, "required")
                .said(format!("`{name}` is optional: it may be absent")),
            _ => Discrepancy::warning(subject, path, "required").said(format!(
                "`{name}` is there in some of the alternatives only"
            )),
        };
        let declared = schemas.iter().flatten().find_map(|schema| {
            let of_name = of_member(schema, name).into_iter().next();
            of_name.map(|schema| schema.at)
        });
        let lists = |schema: &&Node<'_>| schema.get("properties").is_some();
        let listing = || schemas.iter().flatten().find(lists);
        let first = || schemas.iter().flatten().next();
        let decides = declared
            .or_else(|| listing().or_else(first).map(|schema| schema.at.clone()))
            .unwrap_or_default();
        let mut found = found.expected(value.clone()).in_document(&decides);
        found.pact = place.steps.clone();
        self.found.push(found);
    }

    /// Types that the document allows and the consumer does not take.
    fn types(&mut self, schemas: &[Alternative<'_>], expected: &Value, at: &Position) {
        let rules = self.rules_at(at);
        let Some(taken) = taken_types(rules.first(), expected) else {
            return;
        };
        let Some(allowed) = types(schemas) else {
            return;
        };
        let takes =
            |kind: &str| taken.contains(&kind) || (kind == "integer" && taken.contains(&"number"));
        let others: Vec<&str> = allowed
            .iter()
            .map(String::as_str)
            .filter(|kind| !takes(kind))
            .collect();
        if others.is_empty() || others.len() == allowed.len() && !allowed.contains("number") {
            // None of the types is taken: that is told of the example.
            return;
        }
        let path = media::json_path(&at.steps);
        let subject = self.promise.subject;
        let declares = |schema: &&Node<'_>| schema.value.get("type").is_some();
        let decides = schemas.iter().flatten().find(declares);
        let mut found = Discrepancy::warning(subject, path, "type")
            .expected(expected.clone())
            .said(format!("it may also be {}", others.join(" or ")))
            .in_document(&decides.map(|schema| schema.at.clone()).unwrap_or_default());
        found.pact = at.steps.clone();
        self.found.push(found);
    }
}

/// The types that a rule takes where this is the example; `None` when that cannot be said.
fn taken_types(rule: Option<&MatchingRule>, expected: &Value) -> Option<Vec<&'static str>> {
    let of_example = match type_of(expected) {
        "null" => return None,
        // A number of JSON is one whether it has decimals or not.
        "integer" => "number",
        other => other,
    };
    match rule {
        None
        | Some(
            MatchingRule::Equality
            | MatchingRule::Type
            | MatchingRule::MinType(_)
            | MatchingRule::MaxType(_)
            | MatchingRule::MinMaxType(..)
            | MatchingRule::ArrayContains(_)
            | MatchingRule::Number
            | MatchingRule::Values
            | MatchingRule::EachKey(_)
            | MatchingRule::EachValue(_)
            | MatchingRule::NotEmpty,
        ) => Some(vec![of_example]),
        Some(MatchingRule::Integer) => Some(vec!["integer"]),
        Some(MatchingRule::Decimal) => Some(vec!["number"]),
        Some(MatchingRule::Boolean) if expected.is_boolean() => Some(vec!["boolean"]),
        Some(
            MatchingRule::Timestamp(_)
            | MatchingRule::Time(_)
            | MatchingRule::Date(_)
            | MatchingRule::Semver
            | MatchingRule::Include(_)
            | MatchingRule::Regex(_),
        ) if expected.is_string() => Some(vec!["string"]),
        Some(_) => None,
    }
}
