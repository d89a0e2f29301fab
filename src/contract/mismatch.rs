//! Differences as people read them: one for each place, with both values and the rule.

use std::collections::BTreeSet;

use pact_matching::{MatchingContext, Mismatch as PactMismatch};
use pact_models::bodies::OptionalBody;
use pact_models::matchingrules::{MatchingRule, RuleLogic};
use pact_models::path_exp::{DocPath, PathToken};
use serde_json::Value;

use crate::model::verification::{Mismatch, Part, Source};

/// How many members that the pact does not know are named beside a missing one.
const MOST_OTHERS: usize = 3;

type Context<'a> = &'a (dyn MatchingContext + Send + Sync);

/// What was compared, so that differences can be explained.
pub(super) struct Explained<'a> {
    /// The body that was expected.
    pub(super) expected: &'a OptionalBody,
    /// The body that came.
    pub(super) actual: &'a OptionalBody,
    /// The rules of the body.
    pub(super) body: Context<'a>,
    /// The rules of headers or metadata.
    pub(super) names: Context<'a>,
    /// The headers or metadata that came, in lower case.
    pub(super) given: BTreeSet<String>,
    /// The rules of the status.
    pub(super) status: Context<'a>,
}

/// Turns what the comparison found into differences, each said once, in a fixed order.
pub(super) fn explain(found: &[PactMismatch], compared: &Explained<'_>) -> Vec<Mismatch> {
    let bodies = Bodies {
        expected: json(compared.expected),
        actual: json(compared.actual),
        rules: compared.body,
    };
    let mut explained: Vec<Mismatch> = Vec::new();
    for mismatch in found {
        for one in explanations(mismatch, compared, &bodies) {
            if !explained.contains(&one) {
                explained.push(one);
            }
        }
    }
    explained.sort_by(|one, other| {
        let key = |it: &Mismatch| (it.part, it.path.clone(), it.message.clone());
        key(one).cmp(&key(other))
    });
    explained
}

fn explanations(
    mismatch: &PactMismatch,
    compared: &Explained<'_>,
    bodies: &Bodies<'_>,
) -> Vec<Mismatch> {
    let message = mismatch.description();
    let named = |part, key: &str, expected: &str, actual: &str, path: DocPath| Mismatch {
        source: Source::Pact,
        part,
        path: key.to_owned(),
        expected: Some(plain(expected)),
        actual: compared
            .given
            .contains(&key.to_ascii_lowercase())
            .then(|| plain(actual)),
        rule: rule_at(compared.names, &path),
        message: message.clone(),
    };
    match mismatch {
        PactMismatch::StatusMismatch {
            expected, actual, ..
        } => vec![Mismatch {
            source: Source::Pact,
            part: Part::Status,
            path: "status".to_owned(),
            expected: Some((*expected).into()),
            actual: Some((*actual).into()),
            rule: rule_at(compared.status, &DocPath::empty()),
            message,
        }],
        PactMismatch::HeaderMismatch {
            key,
            expected,
            actual,
            ..
        } => {
            let path = DocPath::root().join(key.to_lowercase());
            vec![named(Part::Header, key, expected, actual, path)]
        }
        PactMismatch::MetadataMismatch {
            key,
            expected,
            actual,
            ..
        } => {
            let path = DocPath::root().join(key.as_str());
            vec![named(Part::Metadata, key, expected, actual, path)]
        }
        PactMismatch::BodyTypeMismatch {
            expected, actual, ..
        } => vec![Mismatch {
            source: Source::Pact,
            part: Part::ContentType,
            path: "Content-Type".to_owned(),
            expected: Some(expected.as_str().into()),
            actual: Some(actual.as_str().into()),
            rule: "equality".to_owned(),
            message,
        }],
        PactMismatch::BodyMismatch {
            path,
            expected,
            actual,
            mismatch,
        } => {
            let texts = [expected, actual].map(|text| {
                let text = text.as_ref()?;
                Some(String::from_utf8_lossy(text).into_owned().into())
            });
            bodies.explain(path, texts, mismatch)
        }
        // Requests are not compared here.
        PactMismatch::MethodMismatch { .. }
        | PactMismatch::PathMismatch { .. }
        | PactMismatch::QueryMismatch { .. } => Vec::new(),
    }
}

struct Bodies<'a> {
    expected: Option<Value>,
    actual: Option<Value>,
    rules: Context<'a>,
}

impl Bodies<'_> {
    fn explain(&self, path: &str, texts: [Option<Value>; 2], message: &str) -> Vec<Mismatch> {
        let whole = matches!(path, "" | "/");
        let place =
            DocPath::new(if whole { "$" } else { path }).unwrap_or_else(|_| DocPath::root());
        let [expected_text, actual_text] = texts;
        let expected = self
            .expected
            .as_ref()
            .and_then(|json| at(json, &place, true));
        let actual = self
            .actual
            .as_ref()
            .and_then(|json| at(json, &place, false));
        if let (Some(Value::Object(expected)), Some(Value::Object(actual))) = (&expected, &actual) {
            let missing: Vec<&String> = expected
                .keys()
                .filter(|key| !actual.contains_key(*key))
                .collect();
            if !missing.is_empty() {
                let others: Vec<&str> = actual
                    .keys()
                    .filter(|key| !expected.contains_key(*key))
                    .map(String::as_str)
                    .collect();
                return missing
                    .into_iter()
                    .map(|key| Mismatch {
                        source: Source::Pact,
                        part: Part::Body,
                        path: place.join(key.as_str()).to_string(),
                        expected: expected.get(key).cloned(),
                        actual: None,
                        rule: "presence".to_owned(),
                        message: absence(key, &others),
                    })
                    .collect();
            }
        }
        let found = |json: Option<&Value>, text| json.cloned().or(text);
        vec![Mismatch {
            source: Source::Pact,
            part: Part::Body,
            path: place.to_string(),
            expected: found(expected, expected_text),
            actual: found(actual, actual_text),
            rule: rule_at(self.rules, &place),
            message: message.to_owned(),
        }]
    }
}

fn absence(key: &str, others: &[&str]) -> String {
    if others.is_empty() || others.len() > MOST_OTHERS {
        return format!("`{key}` is not there");
    }
    let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
    let others = others.join(", ");
    format!("`{key}` is not there; {others} is, which the pact does not know")
}

/// The rule that decides at a place.
fn rule_at(context: Context<'_>, path: &DocPath) -> String {
    if !context.matcher_is_defined(path) {
        return "equality".to_owned();
    }
    let list = context.select_best_matcher(path);
    let glue = match list.rule_logic {
        RuleLogic::And => " and ",
        RuleLogic::Or => " or ",
    };
    let rules: Vec<String> = list.rules.iter().map(rule_text).collect();
    match rules.is_empty() {
        true => "equality".to_owned(),
        false => rules.join(glue),
    }
}

/// `regex ^A-`, `type min 1`, `equality`.
fn rule_text(rule: &MatchingRule) -> String {
    let json = rule.to_json();
    let name = json["match"].as_str().unwrap_or_default().to_owned();
    let attributes = json.as_object().into_iter().flatten();
    let mut text = name.clone();
    for (key, value) in attributes.filter(|(key, _)| *key != "match") {
        if *key != name && key != "format" {
            text.push_str(&format!(" {key}"));
        }
        match value {
            Value::String(value) => text.push_str(&format!(" {value}")),
            Value::Object(_) | Value::Array(_) => {}
            value => text.push_str(&format!(" {value}")),
        }
    }
    text
}

/// The value at a path. An example stands for every item of its list, so that the third item of
/// an answer is explained by the only one of the pact.
fn at<'a>(json: &'a Value, path: &DocPath, is_example: bool) -> Option<&'a Value> {
    let item = |items: &'a Vec<Value>, index: usize| {
        let first = is_example.then(|| items.first()).flatten();
        items.get(index).or(first)
    };
    path.tokens()
        .iter()
        .try_fold(json, |value, token| match (token, value) {
            (PathToken::Root, value) => Some(value),
            (PathToken::Field(name), Value::Object(members)) => members.get(name),
            (PathToken::Field(name), Value::Array(items)) => item(items, name.parse().ok()?),
            (PathToken::Index(index), Value::Array(items)) => item(items, *index),
            (PathToken::Index(index), Value::Object(members)) => members.get(&index.to_string()),
            _ => None,
        })
}

fn json(body: &OptionalBody) -> Option<Value> {
    serde_json::from_slice(&body.value()?).ok()
}

/// Texts come quoted from some comparisons and plain from others.
fn plain(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::String(inner)) => inner.into(),
        _ => text.into(),
    }
}
