//! The headers of a response: whether the document declares and promises those that the consumer
//! counts on (OpenAPI 3.1, "Response Object" and "Header Object").

use super::parameters::scalar;
use super::{Discrepancy, Exchange};
use crate::contract::document::Node;
use crate::model::contract_check::Subject;

/// Headers of HTTP itself, which documents leave out.
const OF_HTTP: [&str; 10] = [
    "accept-ranges",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "vary",
];

impl Exchange<'_> {
    /// Everything that is wrong with the headers that the consumer counts on.
    pub(super) fn response_headers(&self, response: &Node<'_>) -> Vec<Discrepancy> {
        let expected = self.http.response.headers.iter().flatten();
        let mut expected: Vec<_> = expected
            .filter(|(name, _)| !OF_HTTP.contains(&name.to_ascii_lowercase().as_str()))
            .collect();
        expected.sort();
        let declared = response.get("headers");
        let declared = declared.as_ref().map(Node::members).unwrap_or_default();
        let found = expected.into_iter().flat_map(|(name, values)| {
            let known = declared
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            let found = match known {
                None => vec![self.undeclared(name, response)],
                Some((_, header)) => self.declared(name, values, &header.resolved()),
            };
            let value = values.join(", ");
            let place = |it: Discrepancy| {
                it.expected(value.as_str())
                    .in_pact(&["response", "headers", name])
            };
            found.into_iter().map(place).collect::<Vec<_>>()
        });
        found.collect()
    }

    fn undeclared(&self, name: &str, response: &Node<'_>) -> Discrepancy {
        let status = self.http.response.status;
        let operation = &self.operation.name;
        Discrepancy::error(Subject::ResponseHeader, name, "headers")
            .said(format!(
                "the document declares no header `{name}` of {operation}'s {status}"
            ))
            .in_document(&response.at)
    }

    fn declared(&self, name: &str, values: &[String], header: &Node<'_>) -> Vec<Discrepancy> {
        let mut found = Vec::new();
        if !header.flag("required") {
            found.push(
                Discrepancy::warning(Subject::ResponseHeader, name, "required")
                    .said(format!("the document does not promise the header `{name}`"))
                    .in_document(&header.at),
            );
        }
        let Some(schema) = header.get("schema") else {
            return found;
        };
        let value = scalar(self.document, &schema, &values.join(", "));
        let faults = self.document.exact().faults(&schema, &value);
        found.extend(faults.into_iter().flatten().map(|fault| {
            Discrepancy::error(Subject::ResponseHeader, name, &fault.keyword)
                .said(format!("`{name}`: {}", fault.message))
                .in_document(&fault.at)
        }));
        found
    }
}
