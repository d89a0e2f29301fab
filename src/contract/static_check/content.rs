//! Bodies: whether there may be one, its media type, and what is in it.

use pact_models::bodies::OptionalBody;
use pact_models::generators::{Generator, GeneratorCategory, Generators};
use pact_models::http_parts::HttpPart;
use pact_models::path_exp::DocPath;
use serde_json::Value;

use super::parameters::form;
use super::promise::Promise;
use super::sent::undeclared;
use super::{Discrepancy, Exchange};
use crate::contract::document::{Fault, Node, media_of};
use crate::contract::media;
use crate::model::contract_check::{Severity, Subject};

impl Exchange<'_> {
    /// Everything that is wrong with the request's body.
    pub(super) fn request_body(&self) -> Vec<Discrepancy> {
        let request = &self.http.request;
        let name = &self.operation.name;
        let body = match &request.body {
            OptionalBody::Present(bytes, ..) => Some(bytes.clone()),
            OptionalBody::Null => Some("null".into()),
            OptionalBody::Missing | OptionalBody::Empty => None,
        };
        let at_body: &[&str] = &["request", "body"];
        let (described, bytes) = match (self.operation.request_body(), body) {
            (None, None) => return Vec::new(),
            (None, Some(_)) => {
                return vec![
                    Discrepancy::error(Subject::RequestBody, "$", "requestBody")
                        .said(format!("{name} takes no body"))
                        .in_pact(at_body)
                        .in_document(&self.operation.node.at),
                ];
            }
            (Some(described), None) => {
                let found = Discrepancy::error(Subject::RequestBody, "$", "required")
                    .said(format!("{name} needs a body, and the consumer sends none"))
                    .in_pact(&["request"])
                    .in_document(&described.at);
                return match described.flag("required") {
                    true => vec![found],
                    false => Vec::new(),
                };
            }
            (Some(described), Some(bytes)) => (described, bytes),
        };
        let kind = kind_of(request);
        let Some(content) = described.get("content") else {
            return Vec::new();
        };
        let Some((_, media)) = media_of(&content, &kind) else {
            let ranges: Vec<&str> = content.members().iter().map(|(range, _)| *range).collect();
            return vec![
                Discrepancy::error(Subject::RequestContentType, "Content-Type", "content")
                    .expected(kind.as_str())
                    .said(format!(
                        "{name} does not take {}; it takes {}",
                        or_none(&kind),
                        media::some_of(&ranges)
                    ))
                    .in_pact(at_body)
                    .in_document(&content.at),
            ];
        };
        let Some(schema) = media.get("schema") else {
            return Vec::new();
        };
        let body = match kind.as_str() {
            json if media::is_json(json) => serde_json::from_slice(&bytes).map_err(|error| {
                Discrepancy::error(Subject::RequestBody, "$", "json")
                    .said(format!("the body is no JSON, as {kind} is: {error}"))
                    .in_pact(at_body)
                    .in_document(&media.at)
            }),
            "application/x-www-form-urlencoded" => Ok(form(
                self.document,
                &schema,
                &String::from_utf8_lossy(&bytes),
            )),
            _ => return Vec::new(),
        };
        match body {
            Ok(body) => self.request_value(&schema, &body),
            Err(found) => vec![found],
        }
    }

    fn request_value(&self, schema: &Node<'_>, body: &Value) -> Vec<Discrepancy> {
        let generated = Generated::of(&self.http.request.generators);
        let faults = match self.document.exact().faults(schema, body) {
            Ok(faults) => faults,
            Err(error) => return vec![unusable(Subject::RequestBody, schema, &error)],
        };
        let mut found: Vec<Discrepancy> = faults
            .into_iter()
            // What only the provider writes need not be sent.
            .filter(|fault| !(fault.keyword == "required" && self.is_read_only(fault)))
            .map(|fault| of_fault(Subject::RequestBody, fault, &generated))
            .collect();
        for (steps, at) in undeclared(self.document, schema, body) {
            let path = media::json_path(&steps);
            if found.iter().all(|known| known.path != path) {
                let name = steps.last().map(String::as_str).unwrap_or_default();
                let mut unknown = Discrepancy::warning(Subject::RequestBody, path, "properties")
                    .said(format!(
                        "`{name}` is not declared: the provider reads over it"
                    ))
                    .in_document(&at);
                unknown.pact = steps;
                found.push(unknown);
            }
        }
        found.into_iter().map(|it| it.in_body("request")).collect()
    }

    fn is_read_only(&self, fault: &Fault) -> bool {
        let Some((name, _)) = fault.path.split_last() else {
            return false;
        };
        let schema = fault.at.split_last().map(|(_, schema)| schema);
        let steps = schema.into_iter().flatten();
        let schema = { steps }.try_fold(self.document.root(), |node, step| node.get(step));
        let property = schema.and_then(|schema| schema.get("properties")?.get(name));
        property.is_some_and(|property| property.resolved().flag("readOnly"))
    }

    /// Everything that is wrong with what the consumer expects in the response's body.
    pub(super) fn response_body(&self, response: &Node<'_>) -> Vec<Discrepancy> {
        let expected = &self.http.response;
        let name = &self.operation.name;
        let status = expected.status;
        let is_typed = expected.lookup_content_type().is_some();
        let bytes = expected.body.value().filter(|bytes| !bytes.is_empty());
        if bytes.is_none() && !is_typed {
            return Vec::new();
        }
        let kind = kind_of(expected);
        let content = response
            .get("content")
            .filter(|content| !content.members().is_empty());
        let Some(content) = content else {
            return vec![
                Discrepancy::error(Subject::ResponseBody, "$", "content")
                    .said(format!("{name} answers {status} without a body"))
                    .in_pact(&["response", "body"])
                    .in_document(&response.at),
            ];
        };
        let Some((_, media)) = media_of(&content, &kind) else {
            let ranges: Vec<&str> = content.members().iter().map(|(range, _)| *range).collect();
            return vec![
                Discrepancy::error(Subject::ResponseContentType, "Content-Type", "content")
                    .expected(kind.as_str())
                    .said(format!(
                        "{name} does not answer {status} with {}; it answers with {}",
                        or_none(&kind),
                        media::some_of(&ranges)
                    ))
                    .in_pact(&["response", "body"])
                    .in_document(&content.at),
            ];
        };
        let (Some(schema), Some(bytes), true) = (media.get("schema"), bytes, media::is_json(&kind))
        else {
            return Vec::new();
        };
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body) => self.response_value(&schema, &body),
            Err(error) => vec![
                Discrepancy::error(Subject::ResponseBody, "$", "json")
                    .said(format!(
                        "the expected body is no JSON, as {kind} is: {error}"
                    ))
                    .in_pact(&["response", "body"])
                    .in_document(&media.at),
            ],
        }
    }

    fn response_value(&self, schema: &Node<'_>, body: &Value) -> Vec<Discrepancy> {
        let expected = &self.http.response;
        let rules = expected.matching_rules.rules_for_category("body");
        let promise = Promise {
            document: self.document,
            subject: Subject::ResponseBody,
            rules: rules.unwrap_or_default(),
            generated: Generated::of(&expected.generators),
        };
        let found = promise.check(schema, body).into_iter();
        found.map(|it| it.in_body("response")).collect()
    }
}

/// The places of a body whose values are made when the interaction is verified.
pub(super) struct Generated(Vec<DocPath>);

impl Generated {
    /// Those that a state of the provider gives.
    pub(super) fn of(generators: &Generators) -> Self {
        let of_body = generators.categories.get(&GeneratorCategory::BODY);
        let places = of_body.into_iter().flatten();
        let of_state = places
            .filter(|(_, generator)| matches!(generator, Generator::ProviderStateGenerator(..)));
        Self(of_state.map(|(path, _)| path.clone()).collect())
    }

    /// Whether the example at these steps is replaced.
    fn replaces(&self, steps: &[String]) -> bool {
        let steps = steps.iter().map(String::as_str);
        let path: Vec<&str> = std::iter::once("$").chain(steps).collect();
        self.0.iter().any(|known| known.matches_path_exactly(&path))
    }
}

/// A fault of the value in a body; that of an example that is replaced is only told.
pub(super) fn of_fault(subject: Subject, fault: Fault, generated: &Generated) -> Discrepancy {
    let path = media::json_path(&fault.path);
    let mut found = Discrepancy::error(subject, path, &fault.keyword)
        .said(fault.message)
        .in_document(&fault.at);
    if generated.replaces(&fault.path) {
        found.severity = Severity::Warning;
    }
    found.expected = fault.value;
    found.pact = fault.path;
    found
}

pub(super) fn unusable(subject: Subject, schema: &Node<'_>, error: &str) -> Discrepancy {
    Discrepancy::error(subject, "$", "schema")
        .said(format!(
            "the schema in the document cannot be used: {error}"
        ))
        .in_document(&schema.at)
}

impl Discrepancy {
    /// Turns a path in a body into one from the interaction on. Version 4 has the body in
    /// `content`; the versions before have it itself, where the step leads nowhere.
    fn in_body(mut self, part: &str) -> Self {
        let body = [part, "body", "content"].map(str::to_owned);
        self.pact.splice(0..0, body);
        self
    }
}

fn kind_of(part: &impl HttpPart) -> String {
    let written = part
        .lookup_header_value("content-type")
        .or_else(|| part.content_type().map(|kind| kind.to_string()));
    media::essence(&written.unwrap_or_default())
}

fn or_none(kind: &str) -> &str {
    match kind {
        "" => "a body without a media type",
        kind => kind,
    }
}
