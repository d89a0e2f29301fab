//! Edits files that people write: what is added goes in as text, and everything else, comments
//! and order included, stays as it is. The result is read again before anybody gets it.

use super::node::{Node, Value};
use super::tree;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::project::Resource;

/// The section of `gantline.yaml`.
const RESOURCES: &str = "resources";

/// The text of a `gantline.yaml` with one more resource.
///
/// # Errors
/// When a resource of this name is there, or the file is written in a way that nothing can be
/// added to safely.
pub fn add_resource(document: &Document, resource: &Resource) -> Result<String> {
    let name = resource.name.as_str();
    if document.has(&[RESOURCES, name]) {
        return Err(
            Error::invalid(format!("there is a resource `{name}` already"))
                .at(document.key_place(&[RESOURCES, name]))
                .hint("Choose another name, or change that entry"),
        );
    }
    let entry = resource_entry(resource);
    let edited = insert(document, &entry);
    if is_only_added(document, &edited, &entry) {
        return Ok(edited);
    }
    let file = document.file().display();
    Err(Error::invalid(format!(
        "a resource cannot be added to {file} without changing the rest"
    ))
    .at(document.key_place(&[RESOURCES]))
    .hint(format!("Add this line to `{RESOURCES}` by hand: {entry}")))
}

/// The entry of a resource under `resources`, in one line.
pub fn resource_entry(resource: &Resource) -> String {
    let mut fields = vec![
        format!("type: {}", resource.kind),
        format!("version: \"{}\"", resource.version),
    ];
    if let Some(owner) = &resource.owner {
        fields.push(format!("owner: {}", scalar(owner)));
    }
    if resource.dedicated {
        fields.push("dedicated: true".to_owned());
    }
    format!("{}: {{{}}}", resource.name, fields.join(", "))
}

/// A text as YAML: in quotes unless every reader of YAML 1.1 and 1.2 takes it for a text.
pub fn scalar(text: &str) -> String {
    const TAKEN: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_./@".contains(letter))
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

fn insert(document: &Document, entry: &str) -> String {
    let text = document.text();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let section = document
        .root()
        .entries()
        .iter()
        .find(|entry| entry.key == RESOURCES);
    let Some(section) = section else {
        let gap = if text.ends_with('\n') { "" } else { newline };
        return format!("{text}{gap}{newline}{RESOURCES}:{newline}  {entry}{newline}");
    };
    let value = &section.value;
    match value.entries().last() {
        None => {
            // Nothing, `~` or `{}`: its text goes, and a block begins on the next line.
            let before = text[..value.span.start].trim_end_matches(' ');
            let after = &text[value.span.end..];
            let bare = if value.span.is_empty() {
                text.to_owned()
            } else {
                format!("{before}{after}")
            };
            let at = if value.span.is_empty() {
                section.key_span.end
            } else {
                before.len()
            };
            after_line(&bare, at, &format!("  {entry}"), newline)
        }
        Some(last) if is_flow(text, value) => {
            let at = end_of(text, &last.value).max(last.key_span.end);
            format!("{}, {entry}{}", &text[..at], &text[at..])
        }
        Some(last) => {
            let first = &value.entries()[0].key_span;
            let line = text[..first.start].rfind('\n').map_or(0, |at| at + 1);
            let indentation = &text[line..first.start];
            let at = end_of(text, &last.value).max(last.key_span.end);
            after_line(text, at, &format!("{indentation}{entry}"), newline)
        }
    }
}

fn is_flow(text: &str, node: &Node) -> bool {
    text[node.span.start..].starts_with(['{', '['])
}

/// Where the last character of a value stands; a block's own end lies behind its comments.
fn end_of(text: &str, node: &Node) -> usize {
    let last = match &node.value {
        Value::Map(entries) => entries
            .last()
            .map(|entry| (&entry.value, entry.key_span.end)),
        Value::List(items) => items.last().map(|item| (item, item.span.start)),
        _ => None,
    };
    match last {
        Some((last, least)) if !is_flow(text, node) => end_of(text, last).max(least),
        _ => node.span.end,
    }
}

/// Puts a line behind the one that holds this byte.
fn after_line(text: &str, at: usize, line: &str, newline: &str) -> String {
    match text[at..].find('\n') {
        Some(length) => {
            let end = at + length + 1;
            format!("{}{line}{newline}{}", &text[..end], &text[end..])
        }
        None => format!("{text}{newline}{line}{newline}"),
    }
}

/// Whether the edited text says what the old one said and the entry, and nothing else.
fn is_only_added(document: &Document, edited: &str, entry: &str) -> bool {
    let parsed = |text: &str| tree::parse(text).faultless();
    let (Some(after), Some(added)) = (parsed(edited), parsed(entry)) else {
        return false;
    };
    let mut expected = document.root().to_json(false);
    let Some(section) = expected.as_object_mut().map(|root| {
        root.entry(RESOURCES)
            .or_insert_with(|| serde_json::json!({}))
    }) else {
        return false;
    };
    if section.is_null() {
        *section = serde_json::json!({});
    }
    let (Some(section), serde_json::Value::Object(added)) =
        (section.as_object_mut(), added.to_json(false))
    else {
        return false;
    };
    section.extend(added);
    after.to_json(false) == expected
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::model::name::Name;

    fn added(text: &str) -> Result<String> {
        let document = Document::parse(Path::new("gantline.yaml"), text.as_bytes()).unwrap();
        let name = |text: &str| Name::new(text).unwrap();
        let resource = Resource {
            name: name("events"),
            kind: name("nats"),
            version: "2.12".to_owned(),
            owner: None,
            dedicated: false,
        };
        add_resource(&document, &resource)
    }

    const ENTRY: &str = "events: {type: nats, version: \"2.12\"}";

    #[test]
    fn a_resource_goes_behind_the_last_one_and_comments_stay() {
        let text = "name: shop  # the shop\n\nresources:\n    # ours\n    db: {type: postgres}  # main\n    # end\n\nservices: services/*\n";
        let expected = format!(
            "name: shop  # the shop\n\nresources:\n    # ours\n    db: {{type: postgres}}  # main\n    {ENTRY}\n    # end\n\nservices: services/*\n"
        );
        assert_eq!(added(text).unwrap(), expected);
    }

    #[test]
    fn every_way_to_write_the_section_is_kept() {
        let cases = [
            ("name: a\n", "name: a\n\nresources:\n  ENTRY\n"),
            ("name: a", "name: a\n\nresources:\n  ENTRY\n"),
            ("resources:\nname: a\n", "resources:\n  ENTRY\nname: a\n"),
            (
                "resources: # none yet\nname: a\n",
                "resources: # none yet\n  ENTRY\nname: a\n",
            ),
            (
                "resources: {}  # none\nname: a\n",
                "resources:  # none\n  ENTRY\nname: a\n",
            ),
            ("resources: ~\n", "resources:\n  ENTRY\n"),
            (
                "resources: {db: postgres}\n",
                "resources: {db: postgres, ENTRY}\n",
            ),
            (
                "resources: {\n  db: postgres,\n}\n",
                "resources: {\n  db: postgres, ENTRY,\n}\n",
            ),
            (
                "resources:\n  db: postgres",
                "resources:\n  db: postgres\n  ENTRY\n",
            ),
            (
                "resources:\n  db:\n    type: postgres\n    owner: me\nname: a\n",
                "resources:\n  db:\n    type: postgres\n    owner: me\n  ENTRY\nname: a\n",
            ),
            (
                "resources:\r\n  db: postgres\r\n",
                "resources:\r\n  db: postgres\r\n  ENTRY\r\n",
            ),
        ];
        for (before, after) in cases {
            assert_eq!(
                added(before).unwrap(),
                after.replace("ENTRY", ENTRY),
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_name_that_is_taken_is_refused_with_its_place() {
        let error = added("resources:\n  events: nats\n").unwrap_err();
        assert_eq!(error.place().unwrap().to_string(), "gantline.yaml:2:3");
    }

    #[test]
    fn what_cannot_be_edited_safely_is_said_with_the_line_to_add() {
        let error = added("resources: nats\n").unwrap_err();
        assert!(error.hints()[0].contains(ENTRY));
    }

    #[test]
    fn texts_are_quoted_when_a_reader_could_take_them_for_something_else() {
        assert_eq!(scalar("team-orders"), "team-orders");
        assert_eq!(scalar("no"), "\"no\"");
        assert_eq!(scalar("17"), "\"17\"");
        assert_eq!(scalar("a: b"), "\"a: b\"");
        assert_eq!(scalar("x\"y"), "\"x\\\"y\"");
    }

    proptest! {
        #[test]
        fn editing_never_panics_and_never_loses(
            text in "(name: a\\n|# c\\n|resources:( \\{\\}| ~|)\\n|  db: (nats|\\{type: nats\\}|\\n    type: nats)( # x)?\\n|\\n){0,8}"
        ) {
            let Ok(document) = Document::parse(Path::new("x"), text.as_bytes()) else {
                return Ok(());
            };
            let name = |text: &str| Name::new(text).unwrap();
            let resource = Resource {
                name: name("events"),
                kind: name("nats"),
                version: "2.12".to_owned(),
                owner: None,
                dedicated: false,
            };
            if let Ok(edited) = add_resource(&document, &resource) {
                prop_assert!(edited.matches("# c").count() == text.matches("# c").count());
            }
        }
    }
}
