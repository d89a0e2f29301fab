//! A request and its response: what to send, and whether the answer is the expected one.

use std::collections::HashMap;

use pact_matching::headers::match_headers;
use pact_matching::{
    CoreMatchingContext, DiffConfig, HeaderMatchingContext, generate_request, generate_response,
    match_body, match_status,
};
use pact_models::bodies::OptionalBody;
use pact_models::content_types::ContentType;
use pact_models::generators::GeneratorTestMode;
use pact_models::headers::parse_header;
use pact_models::v4::http_parts::{HttpRequest, HttpResponse};
use pact_models::v4::synch_http::SynchronousHttp;

use super::mismatch::{Explained, explain};
use super::state_values;
use crate::model::exchange::{HttpAnswer, HttpCall, ProviderState, StateValues};
use crate::model::verification::Mismatch;

/// An interaction and what the provider's states gave for it.
#[derive(Debug, Clone, Copy)]
pub struct HttpExpectation<'a> {
    /// The interaction.
    pub interaction: &'a SynchronousHttp,
    /// Its states.
    pub states: &'a [ProviderState],
    /// The values that they gave.
    pub values: &'a StateValues,
}

impl HttpExpectation<'_> {
    /// The names of values that its generators need and no state gave.
    pub fn missing_values(&self) -> Vec<String> {
        let context = state_values::context(self.states, self.values);
        let mut missing = state_values::missing(&self.interaction.request.generators, &context);
        missing.extend(state_values::missing(
            &self.interaction.response.generators,
            &context,
        ));
        missing.sort();
        missing.dedup();
        missing
    }

    /// The request to send, with generated values in it.
    pub async fn call(&self) -> HttpCall {
        let context = state_values::context(self.states, self.values);
        let mode = GeneratorTestMode::Provider;
        let request = generate_request(&self.interaction.request, &mode, &context).await;
        HttpCall {
            method: request.method.clone(),
            path: request.path.clone(),
            query: query(&request),
            headers: headers(&request),
            body: match &request.body {
                OptionalBody::Missing => None,
                OptionalBody::Empty => Some(Vec::new()),
                OptionalBody::Null => Some(b"null".to_vec()),
                OptionalBody::Present(bytes, _, _) => Some(bytes.to_vec()),
            },
        }
    }

    /// Every difference between the response that the consumer counts on and the answer.
    pub async fn compare(&self, answer: &HttpAnswer) -> Vec<Mismatch> {
        let context = state_values::context(self.states, self.values);
        let expected = HttpResponse {
            generators: state_values::of_states(&self.interaction.response.generators),
            ..self.interaction.response.clone()
        };
        let mode = GeneratorTestMode::Provider;
        let expected = generate_response(&expected, &mode, &context).await;
        let actual = response(answer);
        let rules = |category: &str| {
            let rules = &expected.matching_rules;
            rules.rules_for_category(category).unwrap_or_default()
        };
        // Unknown members of a response are read over: every addition would break someone.
        let lenient = DiffConfig::AllowUnexpectedKeys;
        let status = CoreMatchingContext::new(lenient, &rules("status"));
        let body = CoreMatchingContext::new(lenient, &rules("body"));
        let header = HeaderMatchingContext::new(&CoreMatchingContext::new(
            DiffConfig::NoUnexpectedKeys,
            &rules("header"),
        ));
        let mut found = Vec::new();
        found.extend(
            match_status(expected.status, actual.status, &status)
                .err()
                .unwrap_or_default(),
        );
        found.extend(
            match_body(&expected, &actual, &body, &header)
                .await
                .mismatches(),
        );
        let of_headers = match_headers(expected.headers.clone(), actual.headers.clone(), &header);
        found.extend(of_headers.into_values().flatten());
        explain(
            &found,
            &Explained {
                expected: &expected.body,
                actual: &actual.body,
                body: &body,
                names: &header,
                given: actual
                    .headers
                    .iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect(),
                status: &status,
            },
        )
    }
}

fn query(request: &HttpRequest) -> Vec<(String, Option<String>)> {
    let mut names: Vec<_> = request.query.iter().flatten().collect();
    names.sort_by_key(|(name, _)| name.as_str());
    names
        .into_iter()
        .flat_map(|(name, values)| values.iter().map(|value| (name.clone(), value.clone())))
        .collect()
}

fn headers(request: &HttpRequest) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .flatten()
        .map(|(name, values)| (name.clone(), values.join(", ")))
        .collect();
    let typed = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (false, true, Some(kind)) = (typed, request.body.is_present(), request.content_type()) {
        headers.push(("Content-Type".to_owned(), kind.to_string()));
    }
    headers.sort();
    headers
}

fn response(answer: &HttpAnswer) -> HttpResponse {
    let mut headers: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in &answer.headers {
        let values = headers.entry(name.to_ascii_lowercase()).or_default();
        values.extend(parse_header(name, value));
    }
    let kind = answer
        .header("content-type")
        .and_then(|text| ContentType::parse(text).ok());
    let body = match answer.body.is_empty() {
        true => OptionalBody::Empty,
        false => OptionalBody::Present(answer.body.clone().into(), kind, None),
    };
    HttpResponse {
        status: answer.status,
        headers: Some(headers),
        body,
        ..HttpResponse::default()
    }
}

#[cfg(test)]
mod tests;
