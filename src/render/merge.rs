//! Brings a user's edit and a newly generated version of a file together. Pure.

mod checksums;
mod go_module;
mod markers;
mod text;
mod yaml;

pub use markers::has_conflict_markers;

use crate::model::file_set::MergeKind;

/// Three versions of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions<'a> {
    /// What was generated last time.
    pub base: &'a [u8],
    /// What the user made of it.
    pub yours: &'a [u8],
    /// What is generated now.
    pub generated: &'a [u8],
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// Both edits are in it.
    Clean(Vec<u8>),
    /// Both touched the same lines, which are marked.
    Conflict {
        /// The content, with markers labelled `yours`, `base` and `generated`.
        bytes: Vec<u8>,
        /// How many places are marked.
        places: usize,
    },
    /// Both changed a file that has no lines.
    Unmergeable,
}

/// Merges three versions.
///
/// Where the user's file has Windows line ends throughout, so has the result.
pub fn merge(kind: MergeKind, versions: Versions<'_>) -> Merged {
    if versions.yours == versions.base || versions.yours == versions.generated {
        return Merged::Clean(versions.generated.to_vec());
    }
    if versions.generated == versions.base {
        return Merged::Clean(versions.yours.to_vec());
    }
    let (Some(base), Some(yours), Some(generated)) = (
        as_text(versions.base),
        as_text(versions.yours),
        as_text(versions.generated),
    ) else {
        return Merged::Unmergeable;
    };
    let returns = has_windows_line_ends(yours) && !has_windows_line_ends(generated);
    let unix = yours.replace("\r\n", "\n");
    let texts = Texts {
        base,
        yours: if returns { &unix } else { yours },
        generated,
    };
    let merged = merge_texts(kind, texts);
    if returns {
        merged.with_windows_line_ends()
    } else {
        merged
    }
}

/// Whether two versions differ at most in their line ends, which git may have changed.
pub fn is_same_text(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (as_text(one), as_text(other)) else {
        return false;
    };
    (one.contains("\r\n") || other.contains("\r\n"))
        && one.replace("\r\n", "\n") == other.replace("\r\n", "\n")
}

/// The content with Unix line ends, when it has Windows ones.
pub fn with_unix_line_ends(bytes: &[u8]) -> Option<Vec<u8>> {
    as_text(bytes)
        .filter(|text| text.contains("\r\n"))
        .map(|text| text.replace("\r\n", "\n").into_bytes())
}

/// Three versions of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Texts<'a> {
    base: &'a str,
    yours: &'a str,
    generated: &'a str,
}

fn merge_texts(kind: MergeKind, texts: Texts<'_>) -> Merged {
    // They may have differed in their line ends alone.
    if texts.yours == texts.generated {
        return Merged::Clean(texts.generated.as_bytes().to_vec());
    }
    let structural = match kind {
        MergeKind::Text | MergeKind::Once => None,
        MergeKind::GoModule => go_module::merge(texts).map(Merged::Clean),
        MergeKind::GoChecksums => Some(Merged::Clean(checksums::merge(texts))),
        MergeKind::Yaml => yaml::merge(texts),
    };
    structural.unwrap_or_else(|| text::merge(texts))
}

/// The text of a file that has lines; `None` for a binary one.
fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

fn has_windows_line_ends(text: &str) -> bool {
    let returns = text.matches("\r\n").count();
    returns > 0 && returns == text.matches('\n').count()
}

impl Merged {
    fn with_windows_line_ends(self) -> Self {
        let convert = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\n', "\r\n");
        match self {
            Self::Clean(bytes) => Self::Clean(convert(bytes).into_bytes()),
            Self::Conflict { bytes, places } => Self::Conflict {
                bytes: convert(bytes).into_bytes(),
                places,
            },
            Self::Unmergeable => Self::Unmergeable,
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
