//! YAML: maps by key, lists by element.
//!
//! Lines come first: where they merge, comments and layout stay as they are. Where they do not,
//! blocks of lines are merged by key and element, and the result is taken only when it means
//! exactly what merging the parsed values gives. Everything else is a conflict by lines.

mod block;
mod value;

use serde_yaml::Value;

use super::{Merged, Texts, markers, text};

/// Merges; `None` when a file is no YAML that is understood, so that lines are the answer.
pub(super) fn merge(texts: Texts<'_>) -> Option<Merged> {
    let base = parse(texts.base)?;
    let yours = parse(texts.yours)?;
    let generated = parse(texts.generated)?;
    let by_lines = text::merge(texts);
    let is_clean = matches!(by_lines, Merged::Clean(_));
    if let Merged::Clean(bytes) = &by_lines
        && std::str::from_utf8(bytes).ok().and_then(parse).is_some()
    {
        return Some(by_lines);
    }
    let expected = value::merge(Some(&base), Some(&yours), Some(&generated));
    if let Ok(Some(expected)) = expected
        && let Some(merged) = block::merge(texts)
        && parse(&merged).is_some_and(|found| found == expected)
    {
        return Some(Merged::Clean(merged.into_bytes()));
    }
    // Lines that merge into something that is no YAML (one key twice) are no answer.
    is_clean.then(|| Merged::Conflict {
        bytes: markers::whole(texts.yours, texts.base, texts.generated).into_bytes(),
        places: 1,
    })
}

/// The one document of a text; `None` for several, for duplicate keys, for anything invalid.
fn parse(text: &str) -> Option<Value> {
    let value = serde_yaml::from_str(text).ok()?;
    (!block::has_duplicate_keys(text)).then_some(value)
}
