//! Goose's files: a version in the name, and a part that is run on the way up.
//!
//! Source: <https://pressly.github.io/goose/documentation/annotations/>.

use super::SchemaFile;

/// The largest file that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// The version in the name of a migration: the digits before its first `_`.
pub(super) fn version(name: &str) -> Option<u64> {
    let (number, _) = name.split_once('_')?;
    let version = number.parse().ok()?;
    (version > 0 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(version)
}

/// The text of a file.
///
/// # Errors
/// When it is no text, or too large: why, as the end of a sentence.
pub(super) fn text(file: &SchemaFile) -> Result<&str, &'static str> {
    if file.bytes.len() > LARGEST {
        return Err("is larger than 1 MiB, which is not read");
    }
    let text = std::str::from_utf8(&file.bytes).map_err(|_| "is not UTF-8")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The part of a migration that is run on the way up, on the lines where it stands; `None` when
/// no line says `-- +goose Up`.
pub(super) fn up_part(text: &str) -> Option<String> {
    let mut within = None;
    let mut part = String::with_capacity(text.len());
    for line in text.lines() {
        match annotation(line) {
            Some(word) if word.eq_ignore_ascii_case("up") => within = Some(true),
            Some(word) if word.eq_ignore_ascii_case("down") => within = within.and(Some(false)),
            Some(_) => {}
            None if within == Some(true) => part.push_str(line),
            None => {}
        }
        part.push('\n');
    }
    within.map(|_| part)
}

/// The first word after `-- +goose`.
fn annotation(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix("--")?;
    let rest = comment.trim_start().strip_prefix("+goose")?;
    Some(rest.split_whitespace().next().unwrap_or_default())
}
