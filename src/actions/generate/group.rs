//! What becomes of the files of one service, or of the workspace itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::files::{BaseIndex, BaseStore, ContentHash, FileTree, Found, StoredObject};
use crate::error::{Error, Result};
use crate::model::file_set::{RenderedFile, TreePath};
use crate::model::plan::{ConflictSides, FileChange, Outcome};
use crate::render::imports::ModuleMove;

use super::decide::{Decision, Situation, decide};
use super::former::Former;
use super::records::Indexes;

/// Where a Go module says its path.
const GO_MODULE: &str = "go.mod";

/// Files that are planned together.
#[derive(Debug)]
pub(super) struct Group {
    /// The name of the index that they belong to.
    pub name: String,
    /// The folder of the service.
    pub directory: Option<TreePath>,
    /// What is generated now.
    pub files: BTreeMap<TreePath, RenderedFile>,
}

/// What becomes of them.
pub(super) struct PlannedGroup {
    /// The name of their index.
    pub name: String,
    /// What happens to each file.
    pub changes: Vec<FileChange>,
    /// What conflicts lie between.
    pub sides: BTreeMap<TreePath, ConflictSides>,
    /// The index afterwards.
    pub index: BaseIndex,
    /// Content that the base lacks.
    pub contents: BTreeMap<ContentHash, Vec<u8>>,
    /// The folder that they were generated in before, where that was another.
    pub former: Option<TreePath>,
}

/// Plans a group. Files of restored paths, or below them, come back.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn plan(
    group: Group,
    restored: &[TreePath],
    (indexes, store): (&Indexes, &BaseStore<'_>),
) -> Result<PlannedGroup> {
    let own = indexes.get(&group.name);
    let (before, moved, former) = match Former::find(&group, (&own, indexes), store.tree())? {
        Some(former) => (former.index, former.moved, Some(former.folder)),
        None => (own, BTreeMap::new(), None),
    };
    let module = moved_module(&group, &before, store)?;
    let own_code = match module {
        Some(_) => go_files(&group, store.tree())?,
        None => Vec::new(),
    };
    let elsewhere: BTreeSet<&TreePath> = moved.values().collect();
    let known = group.files.keys().chain(before.entries.keys());
    let paths: BTreeSet<&TreePath> = known.chain(moved.keys()).chain(&own_code).collect();
    let planning = Planning {
        files: &group.files,
        before: &before,
        moved: &moved,
        module: module.as_ref(),
        restored,
        indexes,
        store,
    };
    let mut planned = PlannedGroup {
        name: group.name.clone(),
        changes: Vec::new(),
        sides: BTreeMap::new(),
        index: BaseIndex::default(),
        contents: BTreeMap::new(),
        former,
    };
    for path in paths.into_iter().filter(|path| !elsewhere.contains(path)) {
        planning.add(path, &mut planned)?;
    }
    Ok(planned)
}

/// What the files of a group are planned from.
struct Planning<'a> {
    files: &'a BTreeMap<TreePath, RenderedFile>,
    before: &'a BaseIndex,
    /// Where files lie that are called otherwise now.
    moved: &'a BTreeMap<TreePath, TreePath>,
    module: Option<&'a ModuleMove>,
    restored: &'a [TreePath],
    indexes: &'a Indexes,
    store: &'a BaseStore<'a>,
}

impl Planning<'_> {
    /// Plans one file.
    fn add(&self, path: &TreePath, planned: &mut PlannedGroup) -> Result<()> {
        let from = self.moved.get(path);
        let found = self.store.tree().read(from.unwrap_or(path))?;
        let comes_back = found == Found::Absent && self.restored.iter().any(|it| path.is_in(it));
        let entry = self.before.entries.get(path).filter(|_| !comes_back);
        let situation = Situation::new(entry, self.files.get(path), found)
            .of_module(self.module.filter(|_| is_go(path)));
        let mut decision = decide(&situation, self.store)?;
        if let Some(entry) = decision.entry.take() {
            planned.index.entries.insert(path.clone(), entry);
        }
        planned.contents.extend(self.indexes.unknown(&situation));
        let between = decision.sides.take();
        planned
            .sides
            .extend(between.map(|between| (path.clone(), between)));
        match from {
            Some(from) => planned
                .changes
                .extend(moves((path, from), decision, situation)),
            None => planned.changes.extend(change(path, decision, situation)),
        }
        Ok(())
    }
}

fn change(path: &TreePath, decision: Decision, situation: Situation<'_>) -> Option<FileChange> {
    let outcome = decision.outcome?;
    Some(FileChange {
        path: path.clone(),
        executable: situation.is_executable(),
        before: situation.into_bytes(),
        after: decision.after,
        outcome,
    })
}

/// A file goes to where it is called after the new name, as what is decided of it there.
fn moves(
    (path, from): (&TreePath, &TreePath),
    decision: Decision,
    situation: Situation<'_>,
) -> Vec<FileChange> {
    let executable = situation.is_executable();
    let bytes = situation.into_bytes();
    let gone = FileChange {
        path: from.clone(),
        outcome: Outcome::Deleted,
        before: bytes.clone(),
        after: None,
        executable,
    };
    let outcome = match decision.outcome {
        Some(Outcome::Deleted) => return vec![gone],
        Some(outcome @ (Outcome::Merged | Outcome::Conflict { .. })) => outcome,
        _ => Outcome::Created,
    };
    let here = FileChange {
        path: path.clone(),
        outcome,
        before: None,
        after: decision.after.or(bytes),
        executable,
    };
    vec![here, gone]
}

/// How the path of a service's Go module differs from what it was.
fn moved_module(
    group: &Group,
    before: &BaseIndex,
    store: &BaseStore<'_>,
) -> Result<Option<ModuleMove>> {
    let Some(directory) = &group.directory else {
        return Ok(None);
    };
    let path = TreePath::new(GO_MODULE).map(|file| file.below(directory));
    let path = path.map_err(|error| Error::failed(error.to_string()))?;
    let (Some(now), Some(entry)) = (group.files.get(&path), before.entries.get(&path)) else {
        return Ok(None);
    };
    if entry.hashes.contains(&ContentHash::of(&now.bytes)) {
        return Ok(None);
    }
    let mut moves = Vec::new();
    for hash in &entry.hashes {
        if let StoredObject::Content(then) = store.object(*hash)? {
            moves.extend(ModuleMove::between(&then, &now.bytes));
        }
    }
    Ok(moves.pop())
}

fn parent(path: &TreePath) -> &str {
    path.as_str()
        .rsplit_once('/')
        .map_or("", |(parent, _)| parent)
}

fn is_go(path: &TreePath) -> bool {
    path.as_str().ends_with(".go")
}

/// The Go files of a service's module: those that Go itself would look at.
fn go_files(group: &Group, tree: &dyn FileTree) -> Result<Vec<TreePath>> {
    let Some(directory) = &group.directory else {
        return Ok(Vec::new());
    };
    let paths = tree.list(directory)?;
    let other_modules: Vec<&str> = paths
        .iter()
        .filter(|path| path.file_name() == GO_MODULE)
        .map(parent)
        .filter(|folder| *folder != directory.as_str())
        .collect();
    let is_looked_at = |path: &&TreePath| {
        let below = &path.as_str()[directory.as_str().len() + 1..];
        let passed_over =
            |part: &str| matches!(part, "vendor" | "testdata") || part.starts_with(['.', '_']);
        let is_elsewhere = |folder: &&str| path.as_str().starts_with(&format!("{folder}/"));
        is_go(path) && !below.split('/').any(passed_over) && !other_modules.iter().any(is_elsewhere)
    };
    Ok(paths.iter().filter(is_looked_at).cloned().collect())
}

impl Situation<'_> {
    fn is_executable(&self) -> bool {
        let was = matches!(&self.found, Found::File(content) if content.executable);
        was || self.rendered.is_some_and(|file| file.executable)
    }

    fn into_bytes(self) -> Option<Vec<u8>> {
        match self.found {
            Found::File(content) => Some(content.bytes),
            Found::Absent | Found::Other(_) => None,
        }
    }
}
