//! Generation: what the manifests imply, compared with the base and the disk, planned, merged,
//! and written all or nothing. One mechanism for every generated file.

mod at_once;
mod conflicts;
mod decide;
mod former;
mod group;
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
    BaseIndex, BaseStore, Committed, Expected, FileContent, FileTree, FileWrite, Transaction,
};
use crate::error::{Error, Result};
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan};
use crate::model::project::Project;

use group::Group;
use records::Indexes;

/// What generating would change.
///
/// The files of `rendered` are relative to their service's folder. Of a service that is in
/// `services`, what was generated before and is not any more goes away; other services are left
/// alone.
///
/// # Errors
/// When a file cannot be read, or a rendered path is one that may not be generated.
pub fn plan(
    project: &Project,
    services: &[Name],
    rendered: BTreeMap<Name, FileSet>,
    tree: &dyn FileTree,
) -> Result<FilePlan> {
    let groups = groups(project, services, rendered)?;
    plan_groups(groups, &Extent::default(), tree)
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
    let groups = groups(project, services, rendered)?;
    let extent = Extent {
        restored,
        ..Extent::default()
    };
    plan_groups(groups, &extent, tree)
}

fn groups(
    project: &Project,
    services: &[Name],
    rendered: BTreeMap<Name, FileSet>,
) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
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
        groups.push(Group {
            name: name.to_string(),
            directory: Some(service.directory.clone()),
            files: files.files.into_iter().map(below).collect(),
        });
    }
    refuse_forbidden(&groups)?;
    Ok(groups)
}

/// A service's manifest, which is read and never generated.
const MANIFEST: &str = "service.yaml";

/// What is planned beside what is rendered.
#[derive(Debug, Default)]
struct Extent<'a> {
    /// Files of these paths or below them that the user deleted come back.
    restored: &'a [TreePath],
    /// Services that are gone: what was generated for them is no ancestor of anything.
    gone: &'a [String],
}

fn plan_groups(groups: Vec<Group>, extent: &Extent<'_>, tree: &dyn FileTree) -> Result<FilePlan> {
    let store = BaseStore::new(tree);
    let mut indexes = Indexes::read(&store)?;
    let planned = at_once::map(groups, |group| {
        group::plan(group, extent.restored, (&indexes, &store))
    });
    let mut plan = FilePlan::default();
    for group in planned {
        let group = group?;
        plan.changes.extend(group.changes);
        plan.sides.extend(group.sides);
        plan.former
            .extend(group.former.map(|folder| (group.name.clone(), folder)));
        indexes.learn(group.contents);
        indexes.set(group.name, group.index);
    }
    plan.changes.sort_by(|one, other| one.path.cmp(&other.path));
    for name in extent.gone {
        indexes.set(name.clone(), BaseIndex::default());
    }
    plan.forgotten = extent.gone.to_vec();
    plan.records = indexes.into_records(&store, tree)?;
    Ok(plan)
}

/// Folders that a blueprint may never write to: what is in them makes git or gantline act.
const FORBIDDEN_FOLDERS: [&str; 2] = [".git", ".gantline"];

fn refuse_forbidden(groups: &[Group]) -> Result<()> {
    let mut seen: HashMap<Cow<'_, str>, &TreePath> = HashMap::new();
    for path in groups.iter().flat_map(|group| group.files.keys()) {
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

#[cfg(test)]
mod branches_test;
#[cfg(test)]
mod tests;
