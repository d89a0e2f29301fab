//! From the manifests on disk to a plan.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::unchanged::Unchanged;
use super::{Extent, Renderer, at_once};
use crate::config::catalog;
use crate::config::project::{Selection, find, load};
use crate::engine::files::{self, BaseStore, ChangeLock, DiskTree};
use crate::engine::git;
use crate::error::{Error, ErrorKind, Result};
use crate::model::base::{INDEX_FOLDER, WORKSPACE_INDEX};
use crate::model::event::EventSink;
use crate::model::file_set::{FileSet, TreePath};
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan, Outcome};
use crate::model::project::{Project, Service};

/// What generating would change in a workspace, and what it was planned from.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The workspace, with the services that were asked for and those that they refer to.
    pub project: Project,
    /// The services that are generated.
    pub services: Vec<Name>,
    /// What changes.
    pub plan: FilePlan,
}

/// What shall be generated.
#[derive(Debug, Clone, Default)]
pub struct GenerationRequest {
    /// The services; all when none is named.
    pub services: Vec<Name>,
    /// Files that the user deleted and wants back, or folders of such, relative to the folder
    /// that the command was started in.
    pub restore: Vec<PathBuf>,
    /// Whether only outcomes are asked for: a service of which no file was touched since it was
    /// found unchanged is not looked into again, and the contents of its files are not in the plan.
    pub outcomes_only: bool,
}

impl Generation {
    /// Plans the generation in the workspace of a folder. Nothing is written.
    ///
    /// Along with the files goes the pin of a blueprint that is not pinned yet, so that from now
    /// on another program generates the same.
    ///
    /// # Errors
    /// When a file is wrong or cannot be read, a service is unknown, or nothing that was deleted
    /// lies where something shall come back.
    pub fn prepare(start: &Path, request: &GenerationRequest) -> Result<Self> {
        let began = SystemTime::now();
        let root = find(start)?;
        // A check must not be green where nobody could write.
        files::run_folder(&root)?;
        let names = &request.services;
        let project = load(&root, &Selection::named(names))?;
        let is_wanted = |name: &&Name| names.is_empty() || names.contains(name);
        let services: Vec<Name> = project.services.keys().filter(is_wanted).cloned().collect();
        let tree = DiskTree::new(&root);
        let records = Unchanged::new(&root, &tree).filter(|_| request.outcomes_only);
        let (known, others) = known(&services, records.as_ref());
        let restored = restored(&root, start, &request.restore)?;
        let gone = match names.is_empty() {
            true => gone(&project, &tree)?,
            false => Vec::new(),
        };
        let mut plan = if others.is_empty() && gone.is_empty() {
            FilePlan::default()
        } else {
            let groups = super::groups(&project, &others, render(&project, &others)?)?;
            let extent = Extent {
                restored: &restored,
                gone: &gone,
            };
            super::plan_groups(groups, &extent, &tree)?
        };
        check_renamed(&project, (&plan, &gone), &tree)?;
        check_restored(&plan, &restored)?;
        let references = services
            .iter()
            .filter_map(|name| project.services.get(name));
        let references: Vec<_> = references
            .map(|service| service.blueprint.clone())
            .collect();
        let pins = super::pin_records(catalog::repin(&root, &references, &[])?, &tree)?;
        if let Some(records) = records {
            let others = others.iter().filter_map(|name| project.services.get(name));
            others.for_each(|service| records.keep(&project, service, (&plan, began)));
        }
        plan.records.extend(pins);
        if !known.is_empty() {
            plan.changes.extend(known);
            plan.changes.sort_by(|one, other| one.path.cmp(&other.path));
        }
        Ok(Self {
            project,
            services,
            plan,
        })
    }
}

/// Services that something was generated for and that the workspace has no more. In a checkout of
/// a part of the repository nothing tells them from those that are left out.
fn gone(project: &Project, tree: &DiskTree) -> Result<Vec<String>> {
    if git::is_partly_checked_out(&project.root) {
        return Ok(Vec::new());
    }
    let names = BaseStore::new(tree).index_names()?.into_iter();
    let is_gone =
        |name: &String| name != WORKSPACE_INDEX && !project.services.contains_key(name.as_str());
    Ok(names.filter(is_gone).collect())
}

/// Files of a new service that are in the way may be those of one that is gone.
fn check_renamed(
    project: &Project,
    (plan, gone): (&FilePlan, &[String]),
    tree: &DiskTree,
) -> Result<()> {
    let Some(before) = gone.first() else {
        return Ok(());
    };
    let known = BaseStore::new(tree).index_names()?;
    let is_new = |service: &&Service| {
        let name = service.name.as_str();
        !known.iter().any(|known| known == name) && !plan.former.contains_key(name)
    };
    let new = project.services.values().filter(is_new);
    let mut in_the_way = new.filter_map(|service| {
        let mut conflicts = plan.conflicts();
        let first = conflicts.find(|change| change.path.is_in(&service.directory))?;
        Some((&service.name, &first.path))
    });
    let Some((name, path)) = in_the_way.next() else {
        return Ok(());
    };
    let index = |name: &str| format!("{INDEX_FOLDER}/{name}");
    let moved = |before: &String| {
        let (from, to) = (index(before), index(name.as_str()));
        format!("When `{name}` was called `{before}`: `mv {from} {to}`, then `gantline generate`")
    };
    let indexes: Vec<String> = gone.iter().map(|before| index(before)).collect();
    let error = format!("it cannot be told whether `{name}` was `{before}` before");
    Err(Error::invalid(error)
        .since(format!("{path} is in the way of what is generated"))
        .since(format!(
            "most files of {before} are not in its folder as they were"
        ))
        .with_hints(gone.iter().map(moved))
        .hint(format!(
            "When it is new: `rm {}`, then `gantline generate`",
            indexes.join(" ")
        )))
}

/// Whether none of these services has changed since they were found as the manifests say. Where
/// it is not, only a plan tells whether one has.
pub fn are_unchanged(root: &Path, services: &[Name]) -> bool {
    let tree = DiskTree::new(root);
    let records = Unchanged::new(root, &tree);
    records.is_some_and(|records| services.iter().all(|name| records.files(name).is_some()))
}

/// The files of services that are known to be unchanged, and the services that are not.
fn known(services: &[Name], records: Option<&Unchanged<'_>>) -> (Vec<FileChange>, Vec<Name>) {
    let Some(records) = records else {
        return (Vec::new(), services.to_vec());
    };
    let found = at_once::map(services.to_vec(), |name| (records.files(&name), name));
    let mut known = Vec::new();
    let mut others = Vec::new();
    for (files, name) in found {
        match files {
            Some(files) => known.extend(files),
            None => others.push(name),
        }
    }
    (known, others)
}

/// The paths in the workspace of what shall come back.
fn restored(root: &Path, start: &Path, wanted: &[PathBuf]) -> Result<Vec<TreePath>> {
    // The workspace's folder is known without links; so must be where the paths begin.
    let start = fs::canonicalize(start).unwrap_or_else(|_| start.to_path_buf());
    let paths = wanted.iter().map(|path| {
        let whole = normalized(&start.join(path));
        let below = whole.strip_prefix(root).ok().and_then(Path::to_str);
        let inside = below.and_then(|text| TreePath::new(text).ok());
        inside.ok_or_else(|| {
            Error::invalid(format!("`{}` is no path in the workspace", path.display()))
                .hint("Name a generated file that was deleted, or a folder of such")
        })
    });
    paths.collect()
}

/// A path without `.` and `..`, which a file that is gone cannot be asked for.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

fn check_restored(plan: &FilePlan, restored: &[TreePath]) -> Result<()> {
    let created = || {
        let changes = plan.changes.iter();
        changes.filter(|change| change.outcome == Outcome::Created)
    };
    let without = |path: &&TreePath| !created().any(|change| change.path.is_in(path));
    match restored.iter().find(without) {
        None => Ok(()),
        Some(path) => Err(Error::invalid(format!(
            "nothing comes back at `{path}`: no file that was generated there is missing"
        ))
        .hint("`git log --diff-filter=D --name-only` lists files that were deleted")),
    }
}

/// Keeps other commands from changing the workspace of a folder until this is dropped; waits for one
/// that does, and says so. `None` where there is no workspace, or none that can be written to.
///
/// # Errors
/// When another gantline is at it for longer, or a link leads out of `.gantline/run`.
pub async fn change_alone(start: &Path, events: &dyn EventSink) -> Result<Option<ChangeLock>> {
    // The command itself says what is wrong with the folder.
    let Ok(root) = find(start) else {
        return Ok(None);
    };
    match ChangeLock::acquire_within(&root, Duration::ZERO) {
        Ok(lock) => return Ok(lock),
        Err(link) if link.kind() == ErrorKind::Invalid => return Err(link),
        Err(held) => events.note(format!("waiting: {held}")),
    }
    tokio::task::spawn_blocking(move || ChangeLock::acquire(&root))
        .await
        .map_err(|error| Error::failed("waiting was broken off").because(error))?
}

/// Completes or takes back what a killed command left half done in the workspace of a folder,
/// where it is in one, and says so. It happens before the files of a workspace are read.
///
/// # Errors
/// As [`complete_interrupted`].
pub fn complete_interrupted_above(start: &Path, events: &dyn EventSink) -> Result<()> {
    match find(start) {
        Ok(root) => complete_interrupted(&root, events),
        // The command itself says what is wrong with the folder.
        Err(_) => Ok(()),
    }
}

/// The same in the folder of a workspace, also one that is only about to become one.
///
/// # Errors
/// When another gantline is writing, or the disk refuses.
pub fn complete_interrupted(root: &Path, events: &dyn EventSink) -> Result<()> {
    if let Some(recovery) = files::recover(root)? {
        events.warn(recovery.to_string());
    }
    Ok(())
}

/// The generated files of services, from the blueprints that the workspace pins.
///
/// # Errors
/// When a blueprint is missing or cannot be rendered.
pub fn render(project: &Project, services: &[Name]) -> Result<BTreeMap<Name, FileSet>> {
    render_with((project, &FileSet::default()), services)
}

/// The same as it would be with these files written.
///
/// # Errors
/// As [`render`].
pub fn render_with(
    (project, changes): (&Project, &FileSet),
    services: &[Name],
) -> Result<BTreeMap<Name, FileSet>> {
    let renderer = Renderer::new(project, changes)?;
    let wanted = services.iter().map(|name| project.service(name));
    let rendered = at_once::map(wanted.collect::<Result<_>>()?, |service: &Service| {
        Ok((service.name.clone(), renderer.files(service)?))
    });
    rendered.into_iter().collect()
}
