//! A file of a workspace: not too large, and a text in UTF-8.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// What a file is, which decides how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file of ours, which people write.
    Manifest,
    /// An OpenAPI or AsyncAPI document, which programs write, too.
    ApiDocument,
}

impl FileKind {
    /// The most bytes that it has.
    fn largest(self) -> u64 {
        match self {
            Self::Manifest => 1 << 20,
            Self::ApiDocument => 16 << 20,
        }
    }

    /// How deep its maps and lists may be nested; our own formats need six levels.
    pub fn deepest(self) -> usize {
        match self {
            Self::Manifest => 32,
            Self::ApiDocument => 64,
        }
    }

    /// What to do where it is too large.
    fn made_smaller(self) -> &'static str {
        match self {
            Self::Manifest => "Check that it is the file you mean: such a file is a few lines long",
            Self::ApiDocument => {
                "Check that it is the file you mean, or leave out long examples and descriptions"
            }
        }
    }

    /// What to do where it is empty.
    pub fn filled(self) -> &'static str {
        match self {
            Self::Manifest => {
                "Write what it describes; `gantline schema` prints what may stand in it"
            }
            Self::ApiDocument => "Describe there what the service offers, or remove the file",
        }
    }
}

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

/// The bytes of a file of this kind; messages call it `shown`.
///
/// # Errors
/// When it is missing, no file, unreadable or too large.
pub fn read(path: &Path, shown: &Path, kind: FileKind) -> Result<Vec<u8>> {
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
        let found = match metadata.is_dir() {
            true => "a folder",
            false => "no plain file",
        };
        return Err(
            Error::invalid(format!("{shown} is {found}, and must be a text file"))
                .hint("Move it away, and write the file or restore it from git"),
        );
    }
    let (mut bytes, largest) = (Vec::new(), kind.largest());
    File::open(path)
        .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > largest {
        let error = Error::invalid(format!("{shown} is larger than {largest} bytes"));
        return Err(error.hint(kind.made_smaller()));
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
