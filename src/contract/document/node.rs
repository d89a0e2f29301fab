//! A value of a document that knows where it stands.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Document;
use crate::model::schema_effort::Schema;

/// How many references may lead from one to the next.
const MOST_REFERENCES: usize = 16;

/// A value of a document, and the keys and indices that lead to it.
#[derive(Debug, Clone)]
pub(in crate::contract) struct Node<'a> {
    document: &'a Document,
    pub(in crate::contract) value: &'a Value,
    pub(in crate::contract) at: Vec<String>,
}

impl<'a> Node<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        Self {
            document,
            value: &document.root,
            at: Vec::new(),
        }
    }

    /// It as a schema.
    pub(super) fn schema(&self) -> Schema<'a> {
        Schema {
            root: &self.document.root,
            names: self.document.names(),
            value: self.value,
        }
    }

    fn below(&self, step: impl Into<String>, value: &'a Value) -> Self {
        let mut at = self.at.clone();
        at.push(step.into());
        Self {
            document: self.document,
            value,
            at,
        }
    }

    /// Where it is in the memory: of two nodes of a document, whether they are the same.
    pub(in crate::contract) fn place(&self) -> *const Value {
        self.value
    }

    /// The member of a map.
    pub(in crate::contract) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(self.below(key, value))
    }

    /// The text of a member.
    pub(in crate::contract) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    /// Whether a member is `true`.
    pub(in crate::contract) fn flag(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    /// The members of a map, in the order written; none of anything else.
    pub(in crate::contract) fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .map(|(key, value)| (key.as_str(), self.below(key, value)))
            .collect()
    }

    /// The items of a list; none of anything else.
    pub(in crate::contract) fn items(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items
            .map(|(index, value)| self.below(index.to_string(), value))
            .collect()
    }

    /// What a `$ref` within the document leads to, one step; `None` where there is none, or it
    /// leads nowhere.
    pub(in crate::contract) fn followed(&self) -> Option<Self> {
        let pointer = self.text("$ref")?.strip_prefix('#')?;
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        let at = steps(&pointer);
        let value = self.document.root.pointer(&pointer)?;
        Some(Self {
            document: self.document,
            value,
            at,
        })
    }

    /// What its references lead to in the end; itself where they lead nowhere.
    pub(in crate::contract) fn resolved(&self) -> Self {
        let mut at = self.clone();
        for _ in 0..MOST_REFERENCES {
            match at.followed() {
                Some(next) => at = next,
                None => return at,
            }
        }
        self.clone()
    }
}

/// The steps of a JSON pointer (RFC 6901).
pub(super) fn steps(pointer: &str) -> Vec<String> {
    let steps = pointer.split('/').skip(1);
    steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}
