//! Conflict markers, as git writes and shows them.

/// The label of the user's version in markers.
pub(super) const YOURS: &str = "yours";
/// The label of what was generated last time.
pub(super) const BASE: &str = "base";
/// The label of what is generated now.
pub(super) const GENERATED: &str = "generated";

/// The length of a marker: git's own, so that its tools show the conflict.
const LENGTH: usize = 7;

/// Whether a file has a conflict that is marked and not resolved.
pub fn has_conflict_markers(bytes: &[u8]) -> bool {
    let mut expected = [(b'<', true), (b'=', false), (b'>', true)]
        .iter()
        .peekable();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((letter, is_labelled)) = expected.peek() else {
            break;
        };
        if is_marker(line, *letter, *is_labelled) {
            expected.next();
        }
    }
    expected.peek().is_none()
}

fn is_marker(line: &[u8], letter: u8, is_labelled: bool) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let marker = [letter; LENGTH];
    line.strip_prefix(&marker)
        .is_some_and(|rest| rest.first().map_or(!is_labelled, |next| *next == b' '))
}

/// One marker line, without its line break.
pub(super) fn marker(letter: char, label: Option<&str>) -> String {
    let marker = letter.to_string().repeat(LENGTH);
    label.map_or(marker.clone(), |label| format!("{marker} {label}"))
}

/// A conflict of two whole texts.
pub(super) fn whole(yours: &str, base: &str, generated: &str) -> String {
    let mut text = String::new();
    for (head, body) in [
        (marker('<', Some(YOURS)), yours),
        (marker('|', Some(BASE)), base),
        (marker('=', None), generated),
    ] {
        text.push_str(&head);
        text.push('\n');
        text.push_str(body);
        if !body.is_empty() && !body.ends_with('\n') {
            text.push('\n');
        }
    }
    text.push_str(&marker('>', Some(GENERATED)));
    text.push('\n');
    text
}
