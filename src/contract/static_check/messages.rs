//! A message that a consumer counts on against its provider's AsyncAPI document, version 3.

use pact_models::v4::async_message::AsynchronousMessage;
use serde_json::{Map, Value};

use super::content::Generated;
use super::promise::Promise;
use super::{Checked, Discrepancy};
use crate::contract::document::{Document, Node};
use crate::contract::media;
use crate::model::contract_check::Subject;

/// What names a message's type among its headers (CloudEvents, "Kafka" and "NATS" bindings).
const TYPES: [&str; 3] = ["ce-type", "ce_type", "type"];

/// A message that the document describes.
struct Described<'a> {
    names: Vec<&'a str>,
    node: Node<'a>,
}

/// Holds a message to a document.
pub fn check_message(document: &Document, message: &AsynchronousMessage) -> Checked {
    let described = described(document);
    let kind = TYPES
        .iter()
        .find_map(|name| message.contents.metadata.get(*name)?.as_str());
    let is_it = |name: &str, wanted: &str| letters(name) == letters(wanted);
    let by_type = described.iter().find(|it| {
        let mut names = it.names.iter();
        kind.is_some_and(|kind| names.any(|name| is_it(name, kind)))
    });
    let by_words = || {
        let same = |name: &&str| is_it(name, &message.description);
        described.iter().find(|it| it.names.iter().any(same))
    };
    let Some(found) = by_type.or_else(by_words) else {
        return Checked {
            operation: None,
            found: vec![no_message(document, message, &described)],
        };
    };
    let held = Held {
        document,
        message,
        node: &found.node,
    };
    Checked {
        operation: found.names.first().map(|name| (*name).to_owned()),
        found: [held.content_type(), held.payload(), held.headers()].concat(),
    }
}

fn described(document: &Document) -> Vec<Described<'_>> {
    let root = document.root();
    let channels = root.get("channels");
    let channels = channels.iter().flat_map(Node::members);
    let components = root.get("components").and_then(|it| it.get("messages"));
    let lists = channels
        .filter_map(|(_, channel)| channel.resolved().get("messages"))
        .chain(components);
    let mut found: Vec<Described<'_>> = Vec::new();
    for (key, message) in lists.flat_map(|list| list.members()) {
        let node = message.resolved();
        if let Some(known) = found.iter_mut().find(|known| known.node.at == node.at) {
            known.names.push(key);
            continue;
        }
        let words = ["name", "title"].map(|word| node.text(word));
        let mut names: Vec<&str> = words.into_iter().flatten().collect();
        names.push(key);
        names.extend(types(&node));
        found.push(Described { names, node });
    }
    found
}

/// The types that the schema of a message's headers leaves.
fn types<'a>(message: &Node<'a>) -> Vec<&'a str> {
    let headers = message.get("headers").map(|headers| headers.resolved());
    let Some(properties) = headers.and_then(|headers| headers.get("properties")) else {
        return Vec::new();
    };
    let of_type = TYPES.iter().find_map(|name| properties.get(name));
    let Some(of_type) = of_type.map(|schema| schema.resolved()) else {
        return Vec::new();
    };
    let constant = of_type.value.get("const").into_iter();
    let listed = of_type.value.get("enum").and_then(Value::as_array);
    constant
        .chain(listed.into_iter().flatten())
        .filter_map(Value::as_str)
        .collect()
}

/// A name without what is written in many ways: `orderplaced` of `order-placed` and `OrderPlaced`.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn no_message(
    document: &Document,
    message: &AsynchronousMessage,
    described: &[Described<'_>],
) -> Discrepancy {
    let known: Vec<&str> = described
        .iter()
        .filter_map(|it| it.names.first().copied())
        .collect();
    let others = match known.is_empty() {
        true => "it describes none".to_owned(),
        false => format!("it describes {}", media::some_of(&known)),
    };
    let description = &message.description;
    Discrepancy::error(Subject::MessageContents, "$", "messages")
        .said(format!(
            "the document describes no message `{description}`; {others}"
        ))
        .in_pact(&["description"])
        .in_document(&document.root().at)
}

struct Held<'a> {
    document: &'a Document,
    message: &'a AsynchronousMessage,
    node: &'a Node<'a>,
}

impl Held<'_> {
    fn content_type(&self) -> Vec<Discrepancy> {
        let root = self.document.root();
        let declared = self
            .node
            .text("contentType")
            .or_else(|| root.text("defaultContentType"));
        let expected = self.message.contents.message_content_type();
        let (Some(declared), Some(expected)) = (declared, expected) else {
            return Vec::new();
        };
        let expected = media::essence(&expected.to_string());
        if media::essence(declared) == expected {
            return Vec::new();
        }
        vec![
            Discrepancy::error(Subject::MessageHeader, "Content-Type", "contentType")
                .expected(expected.as_str())
                .said(format!(
                    "the document says {declared}, and the consumer counts on {expected}"
                ))
                .in_pact(&["contents"])
                .in_document(&self.node.at),
        ]
    }

    fn payload(&self) -> Vec<Discrepancy> {
        let Some(payload) = self.node.get("payload") else {
            return Vec::new();
        };
        // Schemas of another format than JSON Schema say which they are.
        let schema = match payload.text("schemaFormat") {
            None => payload,
            Some(format) if format.contains("json") => match payload.get("schema") {
                Some(schema) => schema,
                None => return Vec::new(),
            },
            Some(_) => return Vec::new(),
        };
        let contents = &self.message.contents;
        let bytes = contents.contents.value().unwrap_or_default();
        let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
            return Vec::new();
        };
        let rules = contents.matching_rules.rules_for_category("content");
        let promise = Promise {
            document: self.document,
            subject: Subject::MessageContents,
            rules: rules.unwrap_or_default(),
            generated: Generated::of(&contents.generators),
        };
        below(promise.check(&schema, &body), &["contents", "content"])
    }

    fn headers(&self) -> Vec<Discrepancy> {
        let Some(schema) = self.node.get("headers") else {
            return Vec::new();
        };
        let metadata = self.message.contents.metadata.iter();
        let mut metadata: Vec<_> = metadata
            .filter(|(name, _)| letters(name) != "contenttype")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        metadata.sort_by(|(one, _), (other, _)| one.cmp(other));
        let metadata: Map<String, Value> = metadata.into_iter().collect();
        let promise = Promise {
            document: self.document,
            subject: Subject::MessageHeader,
            rules: Default::default(),
            generated: Generated::of(&self.message.contents.generators),
        };
        below(promise.check(&schema, &metadata.into()), &["metadata"])
    }
}

fn below(found: Vec<Discrepancy>, base: &[&str]) -> Vec<Discrepancy> {
    let place = |mut it: Discrepancy| {
        let base = base.iter().map(|&step| step.to_owned());
        it.pact.splice(0..0, base);
        it
    };
    found.into_iter().map(place).collect()
}
