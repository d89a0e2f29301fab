//! A message: whether what a provider encoded is what a consumer counts on.

use std::collections::HashMap;

use pact_matching::generators::generate_message;
use pact_matching::{
    CoreMatchingContext, DiffConfig, match_message_contents, match_message_metadata,
};
use pact_models::PactSpecification;
use pact_models::bodies::OptionalBody;
use pact_models::content_types::ContentType;
use pact_models::generators::GeneratorTestMode;
use pact_models::v4::async_message::AsynchronousMessage;
use pact_models::v4::message_parts::MessageContents;
use serde_json::Value;

use super::mismatch::{Explained, explain};
use super::state_values;
use crate::model::exchange::{MessageAnswer, ProviderState, StateValues};
use crate::model::verification::Mismatch;

/// A message and what the provider's states gave for it.
#[derive(Debug, Clone, Copy)]
pub struct MessageExpectation<'a> {
    /// The message.
    pub message: &'a AsynchronousMessage,
    /// Its states.
    pub states: &'a [ProviderState],
    /// The values that they gave.
    pub values: &'a StateValues,
}

impl MessageExpectation<'_> {
    /// The names of values that its generators need and no state gave.
    pub fn missing_values(&self) -> Vec<String> {
        let context = state_values::context(self.states, self.values);
        state_values::missing(&self.message.contents.generators, &context)
    }

    /// Every difference between the message that the consumer counts on and the one that came.
    pub async fn compare(&self, answer: &MessageAnswer) -> Vec<Mismatch> {
        let context = state_values::context(self.states, self.values);
        let written = &self.message.contents;
        let mut example = written.as_v3_message();
        example.generators = state_values::of_states(&written.generators);
        let mode = GeneratorTestMode::Provider;
        let none = HashMap::new();
        let example = generate_message(&example, &mode, &context, &Vec::new(), &none).await;
        let expected = MessageContents {
            contents: example.contents,
            metadata: example.metadata,
            ..written.clone()
        };
        differences(&expected, answer).await
    }
}

async fn differences(expected: &MessageContents, answer: &MessageAnswer) -> Vec<Mismatch> {
    let actual = contents(expected, answer);
    let context = |category: &str| CoreMatchingContext {
        matchers: expected
            .matching_rules
            .rules_for_category(category)
            .unwrap_or_default(),
        // As with responses: what the consumer does not know, it reads over.
        config: DiffConfig::AllowUnexpectedKeys,
        matching_spec: PactSpecification::V4,
    };
    let body = context("content");
    let metadata = context("metadata");
    let mut found = match_message_contents(expected, &actual, &body)
        .await
        .err()
        .unwrap_or_default();
    let of_metadata = match_message_metadata(expected, &actual, &metadata);
    found.extend(of_metadata.into_values().flatten());
    explain(
        &found,
        &Explained {
            expected: &expected.contents,
            actual: &actual.contents,
            body: &body,
            names: &metadata,
            given: actual
                .metadata
                .keys()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            status: &metadata,
        },
    )
}

fn contents(expected: &MessageContents, answer: &MessageAnswer) -> MessageContents {
    let kind = answer
        .content_type
        .as_deref()
        .and_then(|text| ContentType::parse(text).ok());
    let is_json = kind.as_ref().is_none_or(ContentType::is_json);
    let body = match &answer.contents {
        Value::Null => OptionalBody::Null,
        // Only what is no JSON comes as a text of its own.
        Value::String(text) if !is_json => {
            OptionalBody::Present(text.clone().into(), kind.clone(), None)
        }
        json => OptionalBody::Present(json.to_string().into(), kind.clone(), None),
    };
    let mut metadata: HashMap<String, Value> = answer.metadata.clone().into_iter().collect();
    // Pacts name the media type among the metadata, in one of two spellings.
    let spelled = expected.metadata.keys().find(|name| is_content_type(name));
    if let (Some(name), Some(kind)) = (spelled, &answer.content_type)
        && !metadata.keys().any(|known| is_content_type(known))
    {
        metadata.insert(name.clone(), kind.as_str().into());
    }
    MessageContents {
        contents: body,
        metadata,
        ..MessageContents::default()
    }
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("contentType") || name.eq_ignore_ascii_case("content-type")
}

#[cfg(test)]
mod tests;
