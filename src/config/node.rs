//! The tree of a YAML document: values that know where they were written.

use std::ops::Range;

/// A value and the bytes it was written with.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, or one too large for [`Value::Integer`].
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key stands in the text, in bytes.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Moves it and all in it, as when text is put before it.
    pub(super) fn shift(&mut self, by: usize) {
        let shifted = |span: &Range<usize>| span.start + by..span.end + by;
        self.span = shifted(&self.span);
        match &mut self.value {
            Value::Map(entries) => {
                for entry in entries {
                    entry.key_span = shifted(&entry.key_span);
                    entry.value.shift(by);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| item.shift(by)),
            _ => {}
        }
    }

    /// Lays another node over this one, as RFC 7386 has it.
    pub(super) fn lay_over(&mut self, over: Self) {
        let (Value::Map(entries), Value::Map(_)) = (&mut self.value, &over.value) else {
            *self = over;
            return;
        };
        let Value::Map(news) = over.value else {
            return;
        };
        for new in news {
            let at = entries.iter().position(|entry| entry.key == new.key);
            match (at, &new.value.value) {
                (Some(at), Value::Null) => {
                    entries.remove(at);
                }
                (None, Value::Null) => {}
                (Some(at), _) => {
                    entries[at].key_span = new.key_span;
                    entries[at].value.lay_over(new.value);
                }
                (None, _) => entries.push(new),
            }
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value at a path of keys and list indices.
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| match &node.value {
            Value::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == *step)
                .map(|entry| &entry.value),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The value as JSON; `absent_when_null` leaves out keys that have no value.
    pub fn to_json(&self, absent_when_null: bool) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Boolean(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.clone().into(),
            Value::List(items) => items
                .iter()
                .map(|item| item.to_json(absent_when_null))
                .collect(),
            Value::Map(entries) => entries
                .iter()
                .filter(|entry| !(absent_when_null && entry.value.value == Value::Null))
                .map(|entry| (entry.key.clone(), entry.value.to_json(absent_when_null)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}
