//! Files as data: what was rendered, before anything touches a disk.

use std::collections::BTreeMap;
use std::fmt;

/// Why a text is no path inside a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path inside the workspace: it must be relative, with `/`, and without `..`")]
pub struct TreePathError(pub String);

/// A relative path with `/` that cannot leave the tree it belongs to.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct TreePath(String);

impl TreePath {
    /// Checks and wraps a path.
    ///
    /// # Errors
    /// When it is empty, absolute, has an empty, `.` or `..` part, a back slash, or a control
    /// character.
    pub fn new(text: impl Into<String>) -> Result<Self, TreePathError> {
        let text = text.into();
        let parts_are_names = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let plain = !text.contains('\\') && !text.chars().any(char::is_control);
        if parts_are_names && plain {
            Ok(Self(text))
        } else {
            Err(TreePathError(text))
        }
    }

    /// This path below a folder.
    #[must_use]
    pub fn below(&self, folder: &TreePath) -> Self {
        Self(format!("{folder}/{self}"))
    }

    /// Whether it is this path or lies below it.
    pub fn is_in(&self, folder: &TreePath) -> bool {
        let rest = self.0.strip_prefix(folder.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path as text, with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// How two versions of a file come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeKind {
    /// By lines, with conflict markers.
    #[default]
    Text,
    /// go.mod: by requirement.
    GoModule,
    /// go.sum: the union of lines.
    GoChecksums,
    /// YAML: maps by key, lists by element, falling back to lines.
    Yaml,
    /// Not at all: the file is written once, and what is generated later is not taken over.
    Once,
}

/// One rendered file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RenderedFile {
    /// The content.
    pub bytes: Vec<u8>,
    /// Whether it is a program.
    pub executable: bool,
    /// How an edited version is merged with a new one.
    pub merge: MergeKind,
}

/// Rendered files by path, in order of path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSet {
    /// The files.
    pub files: BTreeMap<TreePath, RenderedFile>,
}

impl FileSet {
    /// The total size in bytes.
    pub fn size(&self) -> usize {
        self.files.values().map(|file| file.bytes.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::TreePath;

    #[test]
    fn a_path_that_leaves_the_tree_is_refused() {
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a/",
            "a\\b",
            "a\0b",
            "a\nb",
        ] {
            assert!(TreePath::new(text).is_err(), "{text:?}");
        }
        assert!(TreePath::new("cmd/orders/main.go").is_ok());
        assert!(TreePath::new(".github/workflows/ci.yml").is_ok());
    }
}
