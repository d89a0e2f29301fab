//! A response against the provider's own OpenAPI document: the status, the media type and the
//! body, as OpenAPI 3.1 describes them. Version 3.0 is read too, its `nullable` included.

mod lookup;
#[cfg(test)]
mod tests;

use jsonschema::{Draft, ValidationError};
use serde_json::{Map, Value};

use self::lookup::{Found, operation, resolved, response_of, schema_of};
use crate::model::exchange::{HttpAnswer, HttpCall};
use crate::model::verification::{Mismatch, Part, Source};

/// A provider's OpenAPI document.
#[derive(Debug, Clone)]
pub struct Document {
    root: Value,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is something else.
    #[error("it has no `openapi: 3...` and `paths`")]
    NotOpenApi,
}

impl Document {
    /// A document that was read from YAML or JSON.
    ///
    /// # Errors
    /// When it is no OpenAPI 3 document.
    pub fn new(mut root: Value) -> Result<Self, DocumentError> {
        let version = root
            .get("openapi")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !version.starts_with("3.") || !root.get("paths").is_some_and(Value::is_object) {
            return Err(DocumentError::NotOpenApi);
        }
        if version.starts_with("3.0") {
            modernise(&mut root);
        }
        Ok(Self { root })
    }

    /// Every difference between what the document promises and the answer.
    pub fn check(&self, call: &HttpCall, answer: &HttpAnswer) -> Vec<Mismatch> {
        let asked = format!("{} {}", call.method, call.path);
        let Some(found) = operation(&self.root, &call.method, &call.path) else {
            // What nobody has is described by nobody.
            if matches!(answer.status, 404 | 405) {
                return Vec::new();
            }
            return vec![
                difference(Part::Operation, &asked, "paths")
                    .actual(asked.clone())
                    .said(format!("the OpenAPI document has no operation for {asked}")),
            ];
        };
        let Some(response) = response_of(&self.root, &found, answer.status) else {
            return vec![
                difference(Part::Status, "status", "responses")
                    .expected(Value::from(found.statuses()))
                    .actual(answer.status)
                    .said(format!("{} does not answer {}", found.name, answer.status)),
            ];
        };
        let content = response.get("content").and_then(Value::as_object);
        let described = content.filter(|content| !content.is_empty());
        match described {
            None => self.check_nothing(&found, answer),
            Some(content) => self.check_content(&found, content, answer),
        }
    }

    fn check_nothing(&self, found: &Found<'_>, answer: &HttpAnswer) -> Vec<Mismatch> {
        if answer.body.is_empty() {
            return Vec::new();
        }
        let message = format!("{} answers {} without a body", found.name, answer.status);
        vec![
            difference(Part::Body, "$", "content")
                .actual(String::from_utf8_lossy(&answer.body))
                .said(message),
        ]
    }

    fn check_content(
        &self,
        found: &Found<'_>,
        content: &Map<String, Value>,
        answer: &HttpAnswer,
    ) -> Vec<Mismatch> {
        let written = answer.header("content-type").unwrap_or_default();
        let kind = essence(written);
        let Some((range, media)) = schema_of(content, &kind) else {
            let ranges: Vec<&str> = content.keys().map(String::as_str).collect();
            let message = format!("{} does not answer {}", found.name, or_none(&kind));
            let mismatch = difference(Part::ContentType, "Content-Type", "content")
                .expected(Value::from(ranges))
                .said(message);
            return vec![match kind.is_empty() {
                true => mismatch,
                false => mismatch.actual(written),
            }];
        };
        let is_json = kind == "application/json" || kind.ends_with("+json");
        let Some(schema) = media.get("schema").filter(|_| is_json) else {
            return Vec::new();
        };
        let schema = resolved(&self.root, schema);
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => self.check_body(schema, &body),
            Err(error) => vec![
                difference(Part::Body, "$", "json")
                    .actual(String::from_utf8_lossy(&answer.body))
                    .said(format!("the body is no JSON, as {range} is: {error}")),
            ],
        }
    }

    fn check_body(&self, schema: &Value, body: &Value) -> Vec<Mismatch> {
        // The whole document around the schema, so that `#/components/...` is found from it.
        let mut whole = self.root.as_object().cloned().unwrap_or_default();
        if let Some(keywords) = schema.as_object() {
            whole.extend(keywords.clone());
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .offline()
            .build(&Value::Object(whole));
        match validator {
            Ok(validator) => validator
                .iter_errors(body)
                .flat_map(|error| of_schema(&error))
                .collect(),
            Err(error) => vec![difference(Part::Operation, "$", "schema").said(format!(
                "the schema in the OpenAPI document cannot be used: {error}"
            ))],
        }
    }
}

fn of_schema(error: &ValidationError<'_>) -> Vec<Mismatch> {
    let path = json_path(error.instance_path().as_str());
    let found = difference(Part::Body, &path, error.kind().keyword());
    if let jsonschema::error::ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        let path = format!("{path}.{name}");
        return vec![
            difference(Part::Body, &path, "required").said(format!("`{name}` is not there")),
        ];
    }
    vec![
        found
            .actual(error.instance().clone().into_owned())
            .said(error.to_string()),
    ]
}

/// `$.items[0].id` of `/items/0/id`.
fn json_path(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    steps.fold("$".to_owned(), |path, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            true => format!("{path}[{step}]"),
            false => format!("{path}.{step}"),
        }
    })
}

/// The media type without parameters, in lower case.
fn essence(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

fn or_none(kind: &str) -> &str {
    match kind {
        "" => "without a Content-Type",
        kind => kind,
    }
}

/// Turns what only 3.0 has into what JSON Schema has.
fn modernise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true)) {
                if let Some(Value::String(kind)) = members.get("type").cloned() {
                    members.insert(
                        "type".to_owned(),
                        Value::from(vec![kind, "null".to_owned()]),
                    );
                }
                if let Some(Value::Array(choices)) = members.get_mut("enum") {
                    choices.push(Value::Null);
                }
            }
            for (flag, bound) in [
                ("exclusiveMinimum", "minimum"),
                ("exclusiveMaximum", "maximum"),
            ] {
                match members.get(flag) {
                    Some(Value::Bool(true)) => {
                        if let Some(limit) = members.remove(bound) {
                            members.insert(flag.to_owned(), limit);
                        }
                    }
                    Some(Value::Bool(false)) => {
                        members.remove(flag);
                    }
                    _ => {}
                }
            }
            members.values_mut().for_each(modernise);
        }
        Value::Array(items) => items.iter_mut().for_each(modernise),
        _ => {}
    }
}

fn difference(part: Part, path: &str, rule: &str) -> Mismatch {
    Mismatch {
        source: Source::Openapi,
        part,
        path: path.to_owned(),
        expected: None,
        actual: None,
        rule: rule.to_owned(),
        message: String::new(),
    }
}

impl Mismatch {
    fn expected(mut self, value: impl Into<Value>) -> Self {
        self.expected = Some(value.into());
        self
    }

    fn actual(mut self, value: impl Into<Value>) -> Self {
        self.actual = Some(value.into());
        self
    }

    fn said(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}
