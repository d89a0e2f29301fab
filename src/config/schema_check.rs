//! Checks a document against the JSON Schema of a type, and says what is wrong in words.

mod alternatives;
mod expected;
mod ways_out;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value as Json;

use self::alternatives::fitting_alternative;
use self::ways_out::{Wrong, nearest_name};
use self::words::in_words;
use super::node::{Node, Value};
use super::raw::KEY_RULES;
use super::tree::shortened;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::suggest;

/// A keyword of our own in schemas: what is expected, in words, for people.
pub const EXPECTED: &str = "x-expected";

/// The JSON Schema of a type, with all parts written out in place.
pub fn schema_of<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
    });
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// All problems of a document, in the order of their places.
///
/// # Errors
/// Only when the schema itself is broken.
pub fn check<T: JsonSchema>(document: &Document) -> Result<Vec<Error>> {
    let compiled = compiled::<T>()?;
    let checker = Checker {
        document,
        schema: &compiled.schema,
    };
    if let Some(newer) = checker.newer_format() {
        return Ok(vec![newer]);
    }
    let with_null = document.root().to_json(false);
    let without_null = document.root().to_json(true);
    let mut problems: Vec<Error> = Vec::new();
    for error in compiled.validator.iter_errors(&with_null) {
        if !matches!(error.kind(), ValidationErrorKind::Required { .. })
            && !is_declared_without_value(&error)
        {
            checker.explain(&error, &mut problems);
        }
    }
    for error in compiled.validator.iter_errors(&without_null) {
        if matches!(error.kind(), ValidationErrorKind::Required { .. }) {
            checker.explain(&error, &mut problems);
        }
    }
    problems.sort_by_key(Error::position);
    problems
        .dedup_by(|one, other| one.message() == other.message() && one.place() == other.place());
    Ok(problems)
}

struct Compiled {
    schema: Json,
    validator: Validator,
}

/// Compiling takes longer than checking, so it is done once for each type.
fn compiled<T: JsonSchema>() -> Result<Arc<Compiled>> {
    static CACHE: Mutex<BTreeMap<String, Arc<Compiled>>> = Mutex::new(BTreeMap::new());
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let name = T::schema_id().into_owned();
    if let Some(compiled) = cache.get(&name) {
        return Ok(Arc::clone(compiled));
    }
    let schema = schema_of::<T>();
    // Our own patterns need none of what takes another engine to compile.
    let validator = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|cause| Error::failed("a schema of gantline is broken").because(cause))?;
    let compiled = Arc::new(Compiled { schema, validator });
    cache.insert(name, Arc::clone(&compiled));
    Ok(compiled)
}

/// Whether a declared key stands there without a value, which counts as absent.
fn is_declared_without_value(error: &ValidationError<'_>) -> bool {
    let instance = steps(error.instance_path().as_str());
    let schema = steps(error.evaluation_path().as_str());
    let declared = instance.last().is_some_and(|key| {
        schema
            .windows(2)
            .any(|pair| pair[0] == "properties" && pair[1] == *key)
    });
    error.instance().is_null() && declared
}

/// The steps of a JSON Pointer (RFC 6901).
fn steps(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

struct Checker<'a> {
    document: &'a Document,
    schema: &'a Json,
}

impl Checker<'_> {
    /// That the file is of a later version of its format: what else is wrong with it, only a later
    /// program can tell.
    fn newer_format(&self) -> Option<Error> {
        let rule = self.schema.pointer("/properties/version")?;
        let newest = rule.get("maximum")?.as_i64()?;
        let written = match self.document.root().find(&["version"])?.value {
            Value::Integer(version) if version > newest => version,
            _ => return None,
        };
        let error = Error::invalid(format!(
            "the file is of version {written} of its format, and this gantline knows {newest}"
        ));
        let error = error.at(self.document.place(&["version"]));
        Some(error.hint(format!(
            "Use a newer gantline, or write `version: {newest}`"
        )))
    }

    fn explain(&self, error: &ValidationError<'_>, problems: &mut Vec<Error>) {
        let steps = steps(error.instance_path().as_str());
        let path: Vec<&str> = steps.iter().map(String::as_str).collect();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = self.known_keys(error);
                let rule = self.key_rule(error);
                for key in unexpected {
                    problems.push(match rule {
                        Some(rule) => self.wrong_key(&path, key, rule),
                        None => self.unknown_key(&path, key, &known),
                    });
                }
            }
            ValidationErrorKind::Required { property } => {
                problems.push(self.missing_key(&path, property.as_str().unwrap_or_default()));
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                match fitting_alternative(&path, context) {
                    Some(errors) => errors
                        .iter()
                        .for_each(|error| self.explain(error, problems)),
                    None => problems
                        .push(self.wrong_value((&path, error), self.expected_of(error, context))),
                }
            }
            ValidationErrorKind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default();
                let below: Vec<&str> = path.iter().copied().chain([key]).collect();
                let message = format!(
                    "the key `{}` cannot stand here: {}",
                    shortened(key),
                    self.rule(error, key)
                );
                let problem = Error::invalid(message).at(self.document.key_place(&below));
                problems.push(problem.with_hints(nearest_name(key)));
            }
            // A fraction where none may be has been told as such.
            ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. }
                if has_fraction(error.instance()) && self.is_of_integers(error) => {}
            kind => problems.push(self.wrong_value((&path, error), self.expected(error, kind))),
        }
    }

    fn unknown_key(&self, path: &[&str], key: &str, known: &[String]) -> Error {
        let below: Vec<&str> = path.iter().copied().chain([key]).collect();
        let written: Vec<&str> = self
            .document
            .root()
            .find(path)
            .map_or_else(Vec::new, |node| {
                node.entries()
                    .iter()
                    .map(|entry| entry.key.as_str())
                    .collect()
            });
        let mut free = known
            .iter()
            .map(String::as_str)
            .filter(|word| !written.contains(word));
        let all = known.iter().map(String::as_str);
        let hint = match suggest::nearest(key, &mut free) {
            Some(word) => Some(format!("Did you mean `{word}`?")),
            None => suggest::listed(all),
        };
        Error::invalid(format!("unknown key `{}`", shortened(key)))
            .at(self.document.key_place(&below))
            .with_hints(hint)
    }

    /// A key that could be any, and breaks the rule of such keys.
    fn wrong_key(&self, path: &[&str], key: &str, rule: &str) -> Error {
        let below: Vec<&str> = path.iter().copied().chain([key]).collect();
        let message = format!(
            "the key `{}` cannot stand here: expected {rule}",
            shortened(key)
        );
        let hint = match rule.starts_with("a name") {
            true => nearest_name(key),
            false => {
                let word = key.replace(['-', '.', ' '], "_");
                let word = match rule.contains("lower-case") {
                    true => word.to_lowercase(),
                    false => word,
                };
                (word != key).then(|| format!("Write `{}`", shortened(&word)))
            }
        };
        Error::invalid(message)
            .at(self.document.key_place(&below))
            .with_hints(hint)
    }

    fn missing_key(&self, path: &[&str], key: &str) -> Error {
        let below: Vec<&str> = path.iter().copied().chain([key]).collect();
        if self.document.has(&below) {
            return Error::invalid(format!("`{key}` has no value"))
                .at(self.document.key_place(&below));
        }
        let inside = match path {
            [] => String::new(),
            path => format!(" in `{}`", path.join(".")),
        };
        Error::invalid(format!("the key `{key}` is missing{inside}"))
            .at(self.document.key_place(path))
            .hint(format!("Add `{key}: ...`"))
    }

    fn wrong_value(
        &self,
        (path, error): (&[&str], &ValidationError<'_>),
        expected: String,
    ) -> Error {
        let node = self
            .document
            .root()
            .find(path)
            .unwrap_or(self.document.root());
        let named = match path {
            [] => String::new(),
            path => format!("`{}`: ", shortened(&path.join("."))),
        };
        let keys = self.known_keys(error);
        let wrong = Wrong {
            key: path
                .last()
                .copied()
                .filter(|key| key.parse::<usize>().is_err()),
            value: &node.value,
            written: &self.document.text()[node.span.clone()],
            expected: &expected,
            rule: self.keyword_beside(error, EXPECTED).and_then(Json::as_str),
            keys: &keys,
            ports: self.document.root().find(&["ports"]),
            would_do: &|value| self.would_do(error, value),
        };
        Error::invalid(format!(
            "{named}expected {expected}, found {}",
            in_words(node)
        ))
        .at(self.document.place_of(first_bytes(node)))
        .with_hints(wrong.way_out())
    }

    /// Whether another value would do where an error is.
    fn would_do(&self, error: &ValidationError<'_>, value: &Json) -> bool {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema
            .pointer(parent)
            .and_then(|schema| jsonschema::validator_for(schema).ok())
            .is_some_and(|validator| validator.is_valid(value))
    }

    /// Another keyword of the schema in which an error's keyword stands.
    fn keyword_beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Json> {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent)?.get(keyword)
    }

    /// Whether a schema takes integers, and nothing or null besides.
    fn is_of_integers(&self, error: &ValidationError<'_>) -> bool {
        let kind = self.keyword_beside(error, "type").map(Json::to_string);
        kind.is_some_and(|kind| kind.contains("integer"))
    }

    /// The rule of keys, in words, where a map takes all that keep it.
    fn key_rule(&self, error: &ValidationError<'_>) -> Option<&'static str> {
        let patterns = self.keyword_beside(error, "patternProperties")?;
        let pattern = patterns.as_object()?.keys().next()?;
        let known = KEY_RULES.iter().find(|(known, _)| known == pattern);
        known.map(|(_, words)| *words)
    }

    fn known_keys(&self, error: &ValidationError<'_>) -> Vec<String> {
        self.keyword_beside(error, "properties")
            .and_then(Json::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }
}

/// Whether it is a number that JSON Schema takes for no integer.
fn has_fraction(value: &Json) -> bool {
    value
        .as_f64()
        .is_some_and(|number| number.fract().abs() > 0.0)
}

fn first_bytes(node: &Node) -> std::ops::Range<usize> {
    match node.entries().first() {
        Some(entry) => entry.key_span.clone(),
        None => node.span.clone(),
    }
}
