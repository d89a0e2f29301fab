//! What goes between the verification of a contract and the provider's harness.

use std::collections::BTreeMap;

use serde_json::Value;

/// A state that the provider has to be in before an interaction, as the pact names it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct ProviderState {
    /// Its name, such as `an order exists`.
    pub name: String,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
}

/// Named values as people read them: `quantity: 2`, `reference: r-1`.
pub fn named_values<'a>(values: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Vec<String> {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values
        .into_iter()
        .map(|(name, value)| format!("{name}: {}", plain(value)))
        .collect()
}

/// Values that the provider's states made, such as the id of an order, by name.
pub type StateValues = BTreeMap<String, Value>;

/// A request of a consumer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpCall {
    /// The method, in capitals.
    pub method: String,
    /// The path, with or without percent-encoding.
    pub path: String,
    /// The query's parameters in order; one without a value has no `=`.
    pub query: Vec<(String, Option<String>)>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body; `None` when there is none.
    pub body: Option<Vec<u8>>,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The headers, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there was none.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A message that a provider encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageAnswer {
    /// Its contents.
    pub contents: Value,
    /// The contents' media type.
    pub content_type: Option<String>,
    /// Its metadata: the headers it would be published with.
    pub metadata: BTreeMap<String, Value>,
}
