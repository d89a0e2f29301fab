//! Generation: what the manifests imply, compared with the base and the disk, planned, merged,
//! and written all or nothing. One mechanism for every generated file.

mod at_once;
mod conflicts;
mod decide;
mod pins;
mod records;
mod service;
mod unchanged;
mod workspace;

pub use crate::engine::files::ChangeLock;
pub use conflicts::show_to_git;
pub use pins::pin_records;
pub use service::Renderer;
pub use workspace::{
    Generation, GenerationRequest, are_unchanged, change_alone, complete_interrupted,
    complete_interrupted_above, render, render_with,
};

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::engine::files::{
    BaseIndex, BaseStore, Committed, ContentHash, Expected, FileContent, FileTree, FileWrite,
    Found, Transaction,
};
use crate::error::{Error, Result};
use crate::model::base::WORKSPACE_INDEX;
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::{ConflictSides, FileChange, FilePlan};
use crate::model::project::Project;

use decide::{Situation, decide};
use records::Indexes;

/// What generating would change.
///
/// The files of `rendered` are relative to their service's folder, those of `workspace_files` to
/// the workspace. Of a service that is in `services`, what was generated before and is not any
/// more goes away; other services are left alone, and so are the workspace's own files when
/// `workspace_files` is empty.
///
/// # Errors
/// When a file cannot be read, or a rendered path is one that may not be generated.
pub fn plan(
    project: &Project,
    services: &[Name],
    rendered: BTreeMap<Name, FileSet>,
    workspace_files: FileSet,
    tree: &dyn FileTree,
) -> Result<FilePlan> {
    let groups = groups(project, services, rendered, workspace_files)?;
    plan_groups(groups, &[], tree)
}

/// The same, and files of these paths or below them that the user deleted come back.
///
/// # Errors
/// As [`plan`].
pub fn plan_restoring(
    project: &Project,
    services: &[Name],
    rendered: BTreeMap<Name, FileSet>,
    restored: &[TreePath],
    tree: &dyn FileTree,
) -> Result<FilePlan> {
    let groups = groups(project, services, rendered, FileSet::default())?;
    plan_groups(groups, restored, tree)
}

fn groups(
    project: &Project,
    services: &[Name],
    rendered: BTreeMap<Name, FileSet>,
    workspace_files: FileSet,
) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    if !workspace_files.files.is_empty() {
        groups.push((WORKSPACE_INDEX.to_owned(), workspace_files.files));
    }
    let mut rendered = rendered;
    for name in services {
        let (Some(service), Some(files)) = (project.services.get(name), rendered.remove(name))
        else {
            return Err(Error::failed(format!(
                "`{name}` cannot be generated: it was not loaded and rendered"
            )));
        };
        if files.files.keys().any(|path| path.as_str() == MANIFEST) {
            return Err(Error::invalid(format!(
                "the blueprint of `{name}` makes a `{MANIFEST}`, which only `add` and `upgrade` write"
            )));
        }
        let below = |(path, file): (TreePath, RenderedFile)| (path.below(&service.directory), file);
        groups.push((
            name.to_string(),
            files.files.into_iter().map(below).collect(),
        ));
    }
    refuse_forbidden(&groups)?;
    Ok(groups)
}

/// A service's manifest, which is read and never generated.
const MANIFEST: &str = "service.yaml";

/// Files by path, and the name of the index that they belong to.
type Group = (String, BTreeMap<TreePath, RenderedFile>);

fn plan_groups(groups: Vec<Group>, restored: &[TreePath], tree: &dyn FileTree) -> Result<FilePlan> {
    let store = BaseStore::new(tree);
    let mut indexes = Indexes::read(&store)?;
    let planned = at_once::map(groups, |group| {
        plan_group(group, restored, (&indexes, &store))
    });
    let mut changes = Vec::new();
    let mut sides = BTreeMap::new();
    for group in planned {
        let group = group?;
        changes.extend(group.changes);
        sides.extend(group.sides);
        indexes.learn(group.contents);
        indexes.set(group.name, group.index);
    }
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    let records = indexes.into_records(&store, tree)?;
    Ok(FilePlan {
        changes,
        records,
        sides,
    })
}

/// What becomes of the files of one group.
struct PlannedGroup {
    name: String,
    changes: Vec<FileChange>,
    /// What conflicts lie between.
    sides: BTreeMap<TreePath, ConflictSides>,
    /// Its index afterwards.
    index: BaseIndex,
    /// Content that the base lacks.
    contents: BTreeMap<ContentHash, Vec<u8>>,
}

fn plan_group(
    (name, files): Group,
    restored: &[TreePath],
    (indexes, store): (&Indexes, &BaseStore<'_>),
) -> Result<PlannedGroup> {
    let before = indexes.get(&name);
    let mut planned = PlannedGroup {
        name,
        changes: Vec::new(),
        sides: BTreeMap::new(),
        index: BaseIndex::default(),
        contents: BTreeMap::new(),
    };
    let mut paths: Vec<&TreePath> = files.keys().chain(before.entries.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let found = store.tree().read(path)?;
        let comes_back = found == Found::Absent && restored.iter().any(|it| path.is_in(it));
        let entry = before.entries.get(path).filter(|_| !comes_back);
        let situation = Situation::new(entry, files.get(path), found);
        let decision = decide(&situation, store)?;
        if let Some(entry) = decision.entry {
            planned.index.entries.insert(path.clone(), entry);
        }
        planned.contents.extend(indexes.unknown(&situation));
        let between = decision.sides.map(|between| (path.clone(), between));
        planned.sides.extend(between);
        let change = decision.outcome.map(|outcome| FileChange {
            path: path.clone(),
            executable: situation.is_executable(),
            before: situation.into_bytes(),
            after: decision.after,
            outcome,
        });
        planned.changes.extend(change);
    }
    Ok(planned)
}

/// Folders that a blueprint may never write to: what is in them makes git or gantline act.
const FORBIDDEN_FOLDERS: [&str; 2] = [".git", ".gantline"];

fn refuse_forbidden(groups: &[Group]) -> Result<()> {
    let mut seen: HashMap<Cow<'_, str>, &TreePath> = HashMap::new();
    for path in groups.iter().flat_map(|(_, files)| files.keys()) {
        let plain = |letter: u8| letter.is_ascii() && !letter.is_ascii_uppercase();
        let lower = match path.as_str().bytes().all(plain) {
            true => Cow::Borrowed(path.as_str()),
            false => Cow::Owned(path.as_str().to_lowercase()),
        };
        let forbidden = lower
            .split('/')
            .find(|part| FORBIDDEN_FOLDERS.contains(part));
        if let Some(part) = forbidden {
            return Err(Error::invalid(format!(
                "the blueprint may not write `{path}`: `{part}` belongs to git or gantline"
            )));
        }
        if let Some(other) = seen.insert(lower, path) {
            return Err(Error::invalid(format!(
                "the blueprint makes `{other}` and `{path}`, which are one file where case does not count"
            )));
        }
    }
    Ok(())
}

/// Carries out a plan together with further writes (manifests, pinned blueprints), all or none.
///
/// # Errors
/// When a file is not any more as the plan found it, another gantline is writing, or the disk
/// refuses; then nothing has changed.
pub async fn apply(root: &Path, plan: &FilePlan, also: Vec<FileWrite>) -> Result<Committed> {
    let mut transaction = Transaction::new(root);
    transaction.extend(writes(plan))?;
    transaction.extend(also)?;
    tokio::task::spawn_blocking(move || transaction.commit())
        .await
        .map_err(|error| Error::failed("writing was broken off").because(error))?
}

/// What carrying out a plan writes.
pub fn writes(plan: &FilePlan) -> Vec<FileWrite> {
    plan.writes().map(write_of).collect()
}

fn write_of(change: &FileChange) -> FileWrite {
    FileWrite {
        path: change.path.clone(),
        expected: records::expectation(&change.path)
            .unwrap_or_else(|| Expected::of(change.before.as_deref())),
        content: change.after.as_ref().map(|bytes| FileContent {
            bytes: bytes.clone(),
            executable: change.executable,
        }),
    }
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

#[cfg(test)]
mod branches_test;
#[cfg(test)]
mod tests;
