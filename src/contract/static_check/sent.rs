//! What a consumer sends in a body and the document does not declare: the provider reads over it.

use serde_json::Value;

use super::alternatives::{
    Alternative, Presence, alternatives, below, described, of_item, of_member, presence,
};
use crate::contract::document::{Document, Node};

/// The members of a body that no alternative of its schema declares: the steps to each, and the
/// place of the schema that does not.
pub(super) fn undeclared(
    document: &Document,
    schema: &Node<'_>,
    body: &Value,
) -> Vec<(Vec<String>, Vec<String>)> {
    let mut sent = Sent {
        document,
        undeclared: Vec::new(),
    };
    sent.value(&alternatives(document, schema, body), body, &[]);
    sent.undeclared
}

struct Sent<'a> {
    document: &'a Document,
    undeclared: Vec<(Vec<String>, Vec<String>)>,
}

impl Sent<'_> {
    fn value(&mut self, schemas: &[Alternative<'_>], value: &Value, at: &[String]) {
        let step = |step: String| [at, &[step]].concat();
        match value {
            Value::Object(members) if !schemas.is_empty() => {
                for (name, value) in members {
                    let at = step(name.clone());
                    let lists = |schema: &&Node<'_>| schema.get("properties").is_some();
                    let listing = schemas.iter().flatten().find(lists);
                    let unknown = schemas
                        .iter()
                        .all(|schema| presence(schema, name) == Presence::Undeclared);
                    if let (true, Some(schema)) = (unknown, listing) {
                        self.undeclared.push((at, schema.at.clone()));
                        continue;
                    }
                    let schemas = below(self.document, schemas, |it| of_member(it, name), value);
                    self.value(&described(schemas), value, &at);
                }
            }
            Value::Array(items) if !schemas.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    let schemas = below(self.document, schemas, |it| of_item(it, index), value);
                    self.value(&described(schemas), value, &step(index.to_string()));
                }
            }
            _ => {}
        }
    }
}
