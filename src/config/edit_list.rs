//! Adds an element to a list of a file that people write; everything else stays as it is.

use super::node::Value;
use super::tree;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::name::Name;

/// The list of services that a service calls.
const NEEDS: &str = "needs";

/// The text of a `service.yaml` that needs one more service.
///
/// # Errors
/// When the list is written in a way that nothing can be added to safely.
pub fn add_need(document: &Document, peer: &Name) -> Result<String> {
    let edited = insert(document, peer.as_str());
    if is_only_added(document, &edited, peer.as_str()) {
        return Ok(edited);
    }
    Err(Error::invalid(format!(
        "`{NEEDS}` of {} cannot be added to without changing the rest",
        document.file().display()
    ))
    .at(document.key_place(&[NEEDS]))
    .hint(format!("Add `{peer}` to `{NEEDS}` by hand")))
}

fn insert(document: &Document, item: &str) -> String {
    let text = document.text();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let section = document.root().entries().iter();
    let Some(section) = section.into_iter().find(|entry| entry.key == NEEDS) else {
        let gap = if text.ends_with('\n') { "" } else { newline };
        return format!("{text}{gap}{NEEDS}: [{item}]{newline}");
    };
    let span = section.value.span.clone();
    match &section.value.value {
        Value::List(items) => match items.last() {
            Some(last) if text[span.start..].starts_with('[') => {
                format!(
                    "{}, {item}{}",
                    &text[..last.span.end],
                    &text[last.span.end..]
                )
            }
            Some(last) => {
                let line = text[..last.span.start].rfind('\n').map_or(0, |at| at + 1);
                let lead = &text[line..last.span.start];
                let end = text[last.span.start..]
                    .find('\n')
                    .map_or(text.len(), |length| last.span.start + length + 1);
                let gap = if text[..end].ends_with('\n') {
                    ""
                } else {
                    newline
                };
                format!("{}{gap}{lead}{item}{newline}{}", &text[..end], &text[end..])
            }
            None => format!("{}[{item}]{}", &text[..span.start], &text[span.end..]),
        },
        _ => {
            let at = section.key_span.end;
            let colon = text[at..].find(':').map_or(at, |length| at + length + 1);
            let end = span.end.max(colon);
            format!("{} [{item}]{}", &text[..colon], &text[end..])
        }
    }
}

/// Whether the edited text says what the old one said and the item, and nothing else.
fn is_only_added(document: &Document, edited: &str, item: &str) -> bool {
    let Some(after) = tree::parse(edited).faultless() else {
        return false;
    };
    let mut expected = document.root().to_json(false);
    let Some(root) = expected.as_object_mut() else {
        return false;
    };
    let needs = root
        .entry(NEEDS)
        .or_insert_with(|| serde_json::Value::Array(Vec::new()));
    if needs.is_null() {
        *needs = serde_json::Value::Array(Vec::new());
    }
    let Some(needs) = needs.as_array_mut() else {
        return false;
    };
    needs.push(item.into());
    after.to_json(false) == expected
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn added(text: &str) -> Result<String> {
        let document = Document::parse(Path::new("service.yaml"), text.as_bytes()).unwrap();
        add_need(&document, &Name::new("orders").unwrap())
    }

    #[test]
    fn every_way_to_write_the_list_is_kept() {
        for (before, after) in [
            ("name: a # x\n", "name: a # x\nneeds: [orders]\n"),
            ("name: a", "name: a\nneeds: [orders]\n"),
            (
                "needs: []  # none\nname: a\n",
                "needs: [orders]  # none\nname: a\n",
            ),
            ("needs: [b]\nname: a\n", "needs: [b, orders]\nname: a\n"),
            (
                "needs: [b, {service: c, wait: true}]\n",
                "needs: [b, {service: c, wait: true}, orders]\n",
            ),
            (
                "needs:\n  - b # it\nname: a\n",
                "needs:\n  - b # it\n  - orders\nname: a\n",
            ),
            ("needs:\nname: a\n", "needs: [orders]\nname: a\n"),
            ("needs:\n  - b", "needs:\n  - b\n  - orders\n"),
        ] {
            assert_eq!(added(before).unwrap(), after, "{before:?}");
        }
    }

    #[test]
    fn what_cannot_be_edited_safely_is_said() {
        let error = added("needs: b\n").unwrap_err();
        assert!(error.hints()[0].contains("orders"), "{error:?}");
    }
}
