//! A pact against its provider's OpenAPI or AsyncAPI document, with nothing running: what the
//! consumer sends must be taken, and what it expects must be possible and promised.

mod alternatives;
mod content;
mod headers;
mod messages;
mod parameters;
mod promise;
mod sent;
#[cfg(test)]
mod tests;

use std::ops::Range;

use pact_models::v4::synch_http::SynchronousHttp;
use serde_json::Value;

pub use self::messages::check_message;
use super::document::{Document, NotFound, Operation};
use super::media;
use crate::model::contract_check::{Severity, Subject};

/// Statuses that say that the request was wrong: a pact that expects one breaks the document's
/// rules for requests on purpose.
const CLIENT_ERRORS: Range<u16> = 400..500;

/// What one interaction came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The operation of the document, when there is one.
    pub operation: Option<String>,
    /// Everything that was found.
    pub found: Vec<Discrepancy>,
}

/// One thing that a pact counts on and a document does not promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Discrepancy {
    /// Whether it cannot be, or is only not promised.
    pub severity: Severity,
    /// Which part of the exchange it is about.
    pub subject: Subject,
    /// Where in that part.
    pub path: String,
    /// The keyword that decides.
    pub rule: String,
    /// What the pact holds there.
    pub expected: Option<Value>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The keys and indices that lead to it, from the interaction on.
    pub pact: Vec<String>,
    /// The keys and indices that lead to what decides, from the document's root on.
    pub document: Vec<String>,
}

impl Discrepancy {
    fn error(subject: Subject, path: impl Into<String>, rule: &str) -> Self {
        Self {
            severity: Severity::Error,
            subject,
            path: path.into(),
            rule: rule.to_owned(),
            expected: None,
            message: String::new(),
            pact: Vec::new(),
            document: Vec::new(),
        }
    }

    fn warning(subject: Subject, path: impl Into<String>, rule: &str) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(subject, path, rule)
        }
    }

    fn expected(mut self, value: impl Into<Value>) -> Self {
        self.expected = Some(value.into());
        self
    }

    fn said(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    fn in_pact(mut self, steps: &[&str]) -> Self {
        self.pact = steps.iter().map(|&step| step.to_owned()).collect();
        self
    }

    fn in_document(mut self, at: &[String]) -> Self {
        self.document = at.to_vec();
        self
    }
}

/// Holds an interaction to a document.
pub fn check_http(document: &Document, http: &SynchronousHttp) -> Checked {
    let (request, response) = (&http.request, &http.response);
    let operation = match document.operation(&request.method, &request.path) {
        Ok(operation) => operation,
        // What nobody has is described by nobody.
        Err(_) if matches!(response.status, 404 | 405) => {
            return Checked {
                operation: None,
                found: Vec::new(),
            };
        }
        Err(none) => {
            return Checked {
                operation: None,
                found: vec![no_operation(http, &none)],
            };
        }
    };
    let exchange = Exchange {
        document,
        operation: &operation,
        http,
    };
    let mut found = exchange.unread();
    if !found.is_empty() {
        // What is not known would be taken for what is not there.
        return Checked {
            operation: Some(operation.name.clone()),
            found,
        };
    }
    if !CLIENT_ERRORS.contains(&response.status) {
        found.extend(exchange.parameters());
        found.extend(exchange.request_body());
    }
    found.extend(exchange.response());
    Checked {
        operation: Some(operation.name.clone()),
        found,
    }
}

/// An interaction and the operation that it is about.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    document: &'a Document,
    operation: &'a Operation<'a>,
    http: &'a SynchronousHttp,
}

impl Exchange<'_> {
    /// What of the operation cannot be read.
    fn unread(&self) -> Vec<Discrepancy> {
        let unread = self.operation.unread(self.http.response.status).into_iter();
        let found = unread.map(|node| {
            let reference = node.text("$ref").unwrap_or_default();
            let name = &self.operation.name;
            Discrepancy::error(Subject::Operation, name, "$ref")
                .said(format!(
                    "{name} refers to `{reference}`, which is not in this document: bring all of it into one file"
                ))
                .in_pact(&["request", "path"])
                .in_document(&node.at)
        });
        found.collect()
    }

    fn response(&self) -> Vec<Discrepancy> {
        let status = self.http.response.status;
        let name = &self.operation.name;
        let Some(response) = self.operation.response(status) else {
            let statuses = self.operation.statuses().join(", ");
            let mut at = self.operation.node.at.clone();
            at.push("responses".to_owned());
            return vec![
                Discrepancy::error(Subject::Status, "status", "responses")
                    .expected(status)
                    .said(format!(
                        "{name} does not answer {status}; it answers {statuses}"
                    ))
                    .in_pact(&["response", "status"])
                    .in_document(&at),
            ];
        };
        let mut found = self.response_headers(&response);
        found.extend(self.response_body(&response));
        found
    }
}

fn no_operation(http: &SynchronousHttp, none: &NotFound<'_>) -> Discrepancy {
    let request = &http.request;
    let (method, path) = (&request.method, &request.path);
    let found = Discrepancy::error(Subject::Operation, format!("{method} {path}"), "paths");
    match none {
        NotFound::Method {
            path: item,
            methods,
        } => found
            .said(match (item.text("$ref"), methods.as_slice()) {
                (Some(reference), []) => format!(
                    "{path} refers to `{reference}`, which is not in this document: bring all of it into one file"
                ),
                (None, []) => format!("{path} takes no {method}, nor anything else"),
                (_, methods) => format!("{path} takes no {method}; it takes {}", methods.join(", ")),
            })
            .in_pact(&["request", "method"])
            .in_document(&item.at),
        NotFound::Path(known) => {
            let message = match known.as_slice() {
                [] => format!("there is no {path}: the document has no paths"),
                known => format!("there is no {path}; there is {}", media::some_of(known)),
            };
            found
                .said(message)
                .in_pact(&["request", "path"])
                .in_document(&["paths".to_owned()])
        }
    }
}
