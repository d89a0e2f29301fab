//! A response against the provider's own OpenAPI document: the status, the media type and the
//! body.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::document::{Document, Fault, Node, Operation, media_of};
use super::media;
use crate::model::exchange::{HttpAnswer, HttpCall};
use crate::model::verification::{Mismatch, Part, Source};

impl Document {
    /// Every difference between what the document promises and the answer.
    pub fn check(&self, call: &HttpCall, answer: &HttpAnswer) -> Vec<Mismatch> {
        let asked = format!("{} {}", call.method, call.path);
        let Ok(found) = self.operation(&call.method, &call.path) else {
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
        let Some(response) = found.response(answer.status) else {
            return vec![
                difference(Part::Status, "status", "responses")
                    .expected(Value::from(found.statuses()))
                    .actual(answer.status)
                    .said(format!("{} does not answer {}", found.name, answer.status)),
            ];
        };
        let content = response.get("content");
        match content.filter(|content| !content.members().is_empty()) {
            None => check_nothing(&found, answer),
            Some(content) => self.check_content(&found, &content, answer),
        }
    }

    fn check_content(
        &self,
        found: &Operation<'_>,
        content: &Node<'_>,
        answer: &HttpAnswer,
    ) -> Vec<Mismatch> {
        let written = answer.header("content-type").unwrap_or_default();
        let kind = media::essence(written);
        let Some((range, media)) = media_of(content, &kind) else {
            let ranges: Vec<&str> = content.members().iter().map(|(range, _)| *range).collect();
            let message = format!("{} does not answer {}", found.name, or_none(&kind));
            let mismatch = difference(Part::ContentType, "Content-Type", "content")
                .expected(Value::from(ranges))
                .said(message);
            return vec![match kind.is_empty() {
                true => mismatch,
                false => mismatch.actual(written),
            }];
        };
        let Some(schema) = media.get("schema").filter(|_| media::is_json(&kind)) else {
            return Vec::new();
        };
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => self.check_body(&schema, &body),
            Err(error) => vec![
                difference(Part::Body, "$", "json")
                    .actual(String::from_utf8_lossy(&answer.body))
                    .said(format!("the body is no JSON, as {range} is: {error}")),
            ],
        }
    }

    fn check_body(&self, schema: &Node<'_>, body: &Value) -> Vec<Mismatch> {
        match self.exact().faults(schema, body) {
            Ok(faults) => faults.into_iter().map(of_fault).collect(),
            Err(error) => vec![difference(Part::Operation, "$", "schema").said(format!(
                "the schema in the OpenAPI document cannot be used: {error}"
            ))],
        }
    }
}

fn check_nothing(found: &Operation<'_>, answer: &HttpAnswer) -> Vec<Mismatch> {
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

fn of_fault(fault: Fault) -> Mismatch {
    let mismatch = difference(Part::Body, &media::json_path(&fault.path), &fault.keyword);
    let mismatch = mismatch.said(fault.message);
    match fault.value {
        Some(value) => mismatch.actual(value),
        None => mismatch,
    }
}

fn or_none(kind: &str) -> &str {
    match kind {
        "" => "without a Content-Type",
        kind => kind,
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
