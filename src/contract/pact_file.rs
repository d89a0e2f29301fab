//! Reads a pact: every fault of the file at once, each with its place.
//!
//! Versions 1 to 4 of the Pact specification are read; all become interactions of version 4.

mod faults;
#[cfg(test)]
pub(super) mod tests;

use std::path::Path;

use pact_models::PactSpecification;
use pact_models::interaction::{
    Interaction as PactInteraction, http_interaction_from_json, message_interaction_from_json,
};
use pact_models::matchingrules::{MatchingRule, MatchingRules};
use pact_models::v4::async_message::AsynchronousMessage;
use pact_models::v4::synch_http::SynchronousHttp;
use serde_json::Value;

use super::json_place;
use crate::error::{Error, Place, Result};
use crate::model::exchange::ProviderState;
use crate::model::verification::InteractionKind;

/// A pact that was read.
#[derive(Debug, Clone)]
pub struct PactFile {
    /// Who recorded it.
    pub consumer: String,
    /// Who has to keep it.
    pub provider: String,
    /// The version of the specification, such as `4.0`.
    pub specification: String,
    /// Its interactions.
    pub interactions: Vec<Interaction>,
    text: String,
    has_content: bool,
}

impl PactFile {
    /// The place of a value of an interaction, and the steps that lead to it from the pact's root.
    /// Where there is no such value, the place is that of what holds it.
    pub fn place(
        &self,
        file: &Path,
        interaction: &Interaction,
        below: &[String],
    ) -> (Place, Vec<String>) {
        let mut steps = interaction.at.to_vec();
        steps.extend_from_slice(below);
        // Only version 4 has what is exchanged in a member of its own.
        let content = steps.iter().position(|step| step == "content");
        if let Some(at) = content.filter(|_| !self.has_content)
            && matches!(steps[at - 1].as_str(), "body" | "contents")
        {
            steps.remove(at);
        }
        let path: Vec<&str> = steps.iter().map(String::as_str).collect();
        let offset = json_place::offset(&self.text, &path);
        (Place::of_offset(file, &self.text, offset, 1), steps)
    }
}

/// Something that the consumer counts on.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// The consumer's words for it.
    pub description: String,
    /// The states that the provider has to be in.
    pub states: Vec<ProviderState>,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// Whether a failure does not count yet.
    pub pending: bool,
    /// What is exchanged.
    pub exchange: Exchange,
    /// The list and the index at which it stands.
    at: [String; 2],
}

/// What an interaction exchanges.
#[derive(Debug, Clone)]
pub enum Exchange {
    /// A request and its response.
    Http(Box<SynchronousHttp>),
    /// A message of the provider's.
    Message(Box<AsynchronousMessage>),
    /// Something that is not verified here, and why.
    Unsupported(String),
}

impl Exchange {
    /// What it is.
    pub const fn kind(&self) -> InteractionKind {
        match self {
            Self::Http(_) => InteractionKind::Http,
            Self::Message(_) => InteractionKind::Message,
            Self::Unsupported(_) => InteractionKind::Unsupported,
        }
    }
}

/// A fault of a pact: the path of the value, and what is wrong with it.
struct Fault {
    path: Vec<String>,
    message: String,
    hint: Option<String>,
}

impl Fault {
    fn new(path: &[&str], message: impl Into<String>) -> Self {
        Self {
            path: path.iter().map(|&step| step.to_owned()).collect(),
            message: message.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads a pact; `file` is only named in messages.
///
/// # Errors
/// Every fault, with its place, when it is no JSON or no pact.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<PactFile> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        Error::invalid(format!("{} is no UTF-8", file.display())).at(Place::of_offset(
            file,
            &valid,
            valid.len(),
            1,
        ))
    })?;
    let json: Value = serde_json::from_str(text).map_err(|error| {
        Error::invalid(format!("{} is no JSON", file.display()))
            .at(Place::of_offset(file, text, offset_of(text, &error), 1))
            .since(reason(&error))
            .hint(RECORD)
    })?;
    read(text, &json).map_err(|faults| {
        let errors: Vec<Error> = faults
            .into_iter()
            .map(|fault| located(file, text, fault))
            .collect();
        Error::all_of(
            |count| format!("{} has {count} problems", file.display()),
            errors,
        )
        .unwrap_or_else(|| Error::invalid(format!("{} is no pact", file.display())))
    })
}

/// What is wrong when a pact names other parties than its path does.
pub fn misnamed(pact: &PactFile, path: &PactPath<'_>, bytes: &[u8]) -> Option<Error> {
    let text = String::from_utf8_lossy(bytes);
    let parties = [
        ("consumer", &pact.consumer, path.consumer),
        ("provider", &pact.provider, path.provider),
    ];
    parties
        .into_iter()
        .find(|(_, written, expected)| written != expected)
        .map(|(party, written, expected)| {
            let message =
                format!("the {party} is `{expected}` by the file's name, and `{written}` in it");
            let fault = Fault::new(&[party, "name"], message)
                .hint("Name the file CONSUMER--PROVIDER.json, by the names of the services");
            located(path.file, &text, fault)
        })
}

/// What the path of a pact says.
#[derive(Debug, Clone, Copy)]
pub struct PactPath<'a> {
    /// The file, as the user would name it.
    pub file: &'a Path,
    /// The consumer in its name.
    pub consumer: &'a str,
    /// The provider in its name.
    pub provider: &'a str,
}

/// How a pact is made anew.
const RECORD: &str =
    "Record it again in the consumer's folder: `UPDATE_CONTRACTS=1 go test ./contracts`";

fn located(file: &Path, text: &str, fault: Fault) -> Error {
    let path: Vec<&str> = fault.path.iter().map(String::as_str).collect();
    let offset = json_place::offset(text, &path);
    let error = Error::invalid(fault.message).at(Place::of_offset(file, text, offset, 1));
    match fault.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Where the parser stopped.
fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    before + error.column().saturating_sub(1)
}

/// The parser's words without the position, which is shown by itself.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn read(text: &str, json: &Value) -> Result<PactFile, Vec<Fault>> {
    let mut found = faults::of_pact(json);
    let Some(version) = faults::version(json).filter(|_| found.is_empty()) else {
        return Err(found);
    };
    let mut interactions = Vec::new();
    let lines = faults::LISTS.map(|list| (list, json_place::lines_of_items(text, list)));
    let line = |list: &str, index: usize| {
        let of_list = lines.iter().find(|(name, _)| *name == list);
        of_list.and_then(|(_, lines)| lines.get(index)).copied()
    };
    for (list, index, value) in faults::listed(json) {
        let at = index.to_string();
        match interaction(&version.1, list, value) {
            Ok((exchange, of_pact)) => interactions.push(Interaction {
                description: of_pact.description(),
                states: of_pact.provider_states().iter().map(state).collect(),
                line: line(list, index).unwrap_or(1),
                pending: of_pact.pending() || value.get("pending") == Some(&Value::Bool(true)),
                exchange,
                at: [list.to_owned(), at],
            }),
            Err(message) => found.push(Fault::new(&[list, &at], message)),
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let name = |whose: &str| {
        let name = json.pointer(&format!("/{whose}/name"));
        name.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(PactFile {
        consumer: name("consumer"),
        provider: name("provider"),
        specification: version.0,
        interactions,
        text: text.to_owned(),
        has_content: version.1 == PactSpecification::V4,
    })
}

type Read = (Exchange, Box<dyn PactInteraction>);

fn interaction(version: &PactSpecification, list: &str, json: &Value) -> Result<Read, String> {
    let read = match list {
        "messages" => message_interaction_from_json("", json, version),
        _ => http_interaction_from_json("", json, version),
    };
    let read = read.map_err(|error| format!("the interaction cannot be read: {error}"))?;
    if faults::needs_plugin(json) {
        let plugins = json["pluginConfiguration"]
            .as_object()
            .into_iter()
            .flatten();
        let names: Vec<&str> = plugins.map(|(name, _)| name.as_str()).collect();
        let reason = format!("it needs a Pact plugin ({})", names.join(", "));
        return Ok((Exchange::Unsupported(reason), read));
    }
    let exchange = if let Some(http) = read.as_v4_http() {
        known(&http.request.matching_rules)?;
        known(&http.response.matching_rules)?;
        Exchange::Http(Box::new(http))
    } else if let Some(mut message) = read.as_v4_async_message() {
        let rules = &mut message.contents.matching_rules;
        known(rules)?;
        // Recorders of version 4 write the rules of a message under either name.
        if rules.rules_for_category("content").is_none() {
            *rules = rules.rename("body", "content");
        }
        Exchange::Message(Box::new(message))
    } else {
        let reason = "only Synchronous/HTTP and Asynchronous/Messages are verified";
        Exchange::Unsupported(reason.to_owned())
    };
    Ok((exchange, read))
}

/// Refuses rules that the specification does not know: a misspelt one would match nothing, or
/// everything.
fn known(rules: &MatchingRules) -> Result<(), String> {
    for (category, list) in &rules.rules {
        for (path, rules) in &list.rules {
            for rule in &rules.rules {
                if let MatchingRule::Plugin { name, .. } = rule {
                    return Err(format!(
                        "`{name}` is no matching rule of the Pact specification ({category} {path})"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn state(state: &pact_models::provider_states::ProviderState) -> ProviderState {
    ProviderState {
        name: state.name.clone(),
        params: state.params.clone().into_iter().collect(),
    }
}
