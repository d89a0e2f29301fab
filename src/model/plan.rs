//! What a command would change in files, computed before anything does.

use std::collections::BTreeMap;

use super::file_set::TreePath;

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It did not exist.
    Created,
    /// The user had not changed it.
    Updated,
    /// The user's edit and the new version came together.
    Merged,
    /// Both touched the same lines; marked in the file.
    Conflict {
        /// How many places are marked.
        places: usize,
    },
    /// The user made this path, and it is generated now: shown, nothing overwritten.
    Occupied,
    /// It still has markers from before: not generated until they are gone.
    Unresolved,
    /// It was written once, and what is generated now is another content, or nothing: left alone.
    WrittenOnce,
    /// Nobody generates it any more, and the user had not changed it.
    Deleted,
    /// Nobody generates it any more, and the user edited it: the user's from now on.
    Released,
    /// The user deleted it: it stays deleted.
    StaysDeleted,
    /// The user edited it, and the new version is as the one before.
    Kept,
    /// The object of its base is missing: treated as the user's.
    BaseMissing,
    /// As generated.
    Unchanged,
}

impl Outcome {
    /// Whether the file on disk changes.
    pub fn writes(&self) -> bool {
        matches!(
            self,
            Self::Created | Self::Updated | Self::Merged | Self::Conflict { .. } | Self::Deleted
        )
    }

    /// Whether the user has to act before the file is generated again.
    pub fn needs_the_user(&self) -> bool {
        matches!(
            self,
            Self::Conflict { .. } | Self::Occupied | Self::Unresolved
        )
    }
}

/// One file of a plan.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FileChange {
    /// The path, relative to the workspace.
    pub path: TreePath,
    /// What happens.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The content on disk now.
    #[serde(skip)]
    pub before: Option<Vec<u8>>,
    /// The content afterwards; `None` when it is deleted or absent.
    #[serde(skip)]
    pub after: Option<Vec<u8>>,
    /// Whether it is a program.
    #[serde(skip)]
    pub executable: bool,
}

/// The versions beside the user's that a conflict is between, for git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictSides {
    /// What was generated last time.
    pub base: Vec<u8>,
    /// What is generated now.
    pub generated: Vec<u8>,
}

/// All file changes of one command, in order of path.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct FilePlan {
    /// The changes, unchanged files included. A file of which everything was said before (deleted
    /// by the user, or the user's for want of a base) is not among them.
    pub changes: Vec<FileChange>,
    /// What gantline writes for itself along with them, below `.gantline/base`; not shown.
    #[serde(skip)]
    pub records: Vec<FileChange>,
    /// What each marked conflict is between.
    #[serde(skip)]
    pub sides: BTreeMap<TreePath, ConflictSides>,
    /// The folder that a service was generated in before, by its name, where that was another:
    /// what was generated there is the ancestor of what is generated now.
    #[serde(skip)]
    pub former: BTreeMap<String, TreePath>,
    /// Services that are gone, whose records go along.
    #[serde(skip)]
    pub forgotten: Vec<String>,
}

impl FilePlan {
    /// Whether carrying it out writes no file of the user's tree.
    pub fn is_clean(&self) -> bool {
        self.changes.iter().all(|change| !change.outcome.writes())
    }

    /// What gantline keeps for itself and does not have: it was never committed, or was removed.
    pub fn missing_records(&self) -> impl Iterator<Item = &TreePath> {
        let absent = self.records.iter().filter(|record| record.before.is_none());
        absent.map(|record| &record.path)
    }

    /// Everything that is written, gantline's own records included.
    pub fn writes(&self) -> impl Iterator<Item = &FileChange> {
        let changes = self.changes.iter().filter(|change| change.outcome.writes());
        changes.chain(&self.records)
    }

    /// Files that need the user.
    pub fn conflicts(&self) -> impl Iterator<Item = &FileChange> {
        self.changes
            .iter()
            .filter(|change| change.outcome.needs_the_user())
    }
}
