//! A file tree in memory, for tests of what reads one.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::file_set::TreePath;
use crate::model::plan::FilePlan;

use super::FileTree;
use super::content::{FileContent, Found, Metadata, ObjectKind};

/// Regular files by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryTree {
    /// The files.
    pub files: BTreeMap<TreePath, FileContent>,
}

impl MemoryTree {
    /// Puts a file there.
    pub fn put(&mut self, path: TreePath, content: FileContent) {
        self.files.insert(path, content);
    }

    /// Carries out a plan.
    pub fn apply(&mut self, plan: &FilePlan) {
        for change in plan.writes() {
            match &change.after {
                Some(bytes) => self.put(
                    change.path.clone(),
                    FileContent {
                        bytes: bytes.clone(),
                        executable: change.executable,
                    },
                ),
                None => {
                    self.files.remove(&change.path);
                }
            }
        }
    }

    fn kind(&self, path: &TreePath) -> Option<ObjectKind> {
        let is_above = |above: &TreePath, below: &TreePath| {
            below
                .as_str()
                .strip_prefix(above.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if self.files.contains_key(path) {
            Some(ObjectKind::File)
        } else if self.files.keys().any(|file| is_above(path, file)) {
            Some(ObjectKind::Folder)
        } else if self.files.keys().any(|file| is_above(file, path)) {
            Some(ObjectKind::BelowFile)
        } else {
            None
        }
    }
}

impl FileTree for MemoryTree {
    fn read(&self, path: &TreePath) -> Result<Found> {
        Ok(match (self.files.get(path), self.kind(path)) {
            (Some(content), _) => Found::File(content.clone()),
            (None, Some(kind)) => Found::Other(kind),
            (None, None) => Found::Absent,
        })
    }

    fn list(&self, folder: &TreePath) -> Result<Vec<TreePath>> {
        let prefix = format!("{folder}/");
        let below = |path: &&TreePath| path.as_str().starts_with(&prefix);
        Ok(self.files.keys().filter(below).cloned().collect())
    }

    fn metadata(&self, path: &TreePath) -> Result<Option<Metadata>> {
        Ok(self.kind(path).map(|kind| Metadata {
            kind,
            executable: self.files.get(path).is_some_and(|file| file.executable),
            read_only: false,
        }))
    }
}
