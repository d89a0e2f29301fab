//! A file that people write: small, and a text in UTF-8.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// A file that people write is never larger than this, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Why bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoText {
    /// What is wrong, after the file's name: `is no UTF-8 text`.
    pub what: &'static str,
    /// What to do next.
    pub hint: &'static str,
    /// The byte where it shows, where there is one.
    pub at: Option<usize>,
}

/// The bytes of a file; messages call it `shown`.
///
/// # Errors
/// When it is missing, no file, unreadable or too large.
pub fn read(path: &Path, shown: &Path) -> Result<Vec<u8>> {
    let shown = shown.display();
    let unreadable = |cause: std::io::Error| match cause.kind() {
        ErrorKind::NotFound => Error::invalid(format!("{shown} does not exist")).because(cause),
        ErrorKind::PermissionDenied => Error::invalid(format!("{shown} cannot be read"))
            .because(cause)
            .hint(format!("Make it readable for you: `chmod u+r {shown}`")),
        _ => Error::invalid(format!("{shown} cannot be read")).because(cause),
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let kind = match metadata.is_dir() {
            true => "a folder",
            false => "no plain file",
        };
        return Err(
            Error::invalid(format!("{shown} is {kind}, and must be a text file"))
                .hint("Move it away, and write the file or restore it from git"),
        );
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(
            Error::invalid(format!("{shown} is larger than {LARGEST_FILE} bytes"))
                .hint("Check that it is the file you mean: such a file is a few lines long"),
        );
    }
    Ok(bytes)
}

/// The text without a byte order mark.
///
/// # Errors
/// When it is none, or holds a zero byte.
pub fn decode(bytes: &[u8]) -> Result<&str, NoText> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(NoText {
            what: "is written in UTF-16",
            hint: "Save it as UTF-8",
            at: None,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|cause| NoText {
        what: "is no UTF-8 text",
        hint: "Save it as UTF-8",
        at: Some(cause.valid_up_to()),
    })?;
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err(NoText {
            what: "holds a zero byte",
            hint: "Check that it is a text file",
            at: Some(at + mark),
        }),
    }
}
