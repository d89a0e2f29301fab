//! A new workspace, and what is added to its `gantline.yaml`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::new_workspace::NewWorkspace;
use crate::config::project::{self, Selection};
use crate::config::workspace::{FILE, unknown_type, version_of};
use crate::config::yaml::{Document, shown_path};
use crate::config::{catalog, edit, reserved, workspace};
use crate::engine::git;
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan, Outcome};
use crate::model::project::Resource;

use super::generate;

/// Files that may lie in a folder which becomes a workspace: git's and what code hosts put there.
const HARMLESS: [&str; 6] = [
    ".git",
    ".gitignore",
    ".gitattributes",
    ".github",
    "README.md",
    "LICENSE",
];

/// What a new workspace shall be.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The folder, absolute.
    pub root: PathBuf,
    /// Its name.
    pub name: Name,
    /// The prefix of every service's Go module.
    pub module: String,
    /// The prefix of every image.
    pub registry: String,
}

/// A new workspace before it is made.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// The folder.
    pub root: PathBuf,
    /// Its files.
    pub files: FilePlan,
    /// Whether it becomes a repository of its own.
    pub git_init: bool,
}

/// Whether a folder may become a workspace.
///
/// # Errors
/// When it is in a workspace already, or holds what is not gantline's.
pub fn check_folder(root: &Path) -> Result<()> {
    let nearest = root.ancestors().find(|folder| folder.exists());
    let holder = nearest.and_then(|folder| project::find(folder).ok());
    if let Some(holder) = holder {
        let (folder, shown) = (shown_path(root), shown_path(&holder));
        let is_it = fs::canonicalize(root).is_ok_and(|root| root == holder);
        let message = match is_it {
            true => format!("{} is a workspace already", folder.display()),
            false => format!(
                "{} lies in the workspace {}",
                folder.display(),
                shown.display()
            ),
        };
        let error = Error::invalid(message)
            .hint("Choose a folder outside, or add to that workspace with `gantline add`");
        return Err(match git::repository_of(&holder) {
            // As a command leaves it that was killed before its last step.
            None if is_it => error.hint("It is in no git repository: make one with `git init`"),
            _ => error,
        });
    }
    if !root.exists() {
        return Ok(());
    }
    let shown = shown_path(root).display().to_string();
    let fails =
        |cause: std::io::Error| Error::invalid(format!("{shown} cannot be read")).because(cause);
    if !root.is_dir() {
        return Err(
            Error::invalid(format!("{shown} exists, and is no folder")).hint("Choose another name")
        );
    }
    let is_repository = root.join(".git").exists();
    for entry in fs::read_dir(root).map_err(fails)? {
        let entry = entry.map_err(fails)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let harmless = is_repository && HARMLESS.contains(&name.as_str());
        if !harmless && !is_left_over(&entry) {
            return Err(Error::invalid(format!("{shown} is not empty"))
                .since(format!("it holds `{name}`"))
                .hint("Choose another folder; nothing was touched"));
        }
    }
    Ok(())
}

/// Whether this is what a killed command leaves where no workspace came of it.
fn is_left_over(entry: &fs::DirEntry) -> bool {
    let only_run = |folder: fs::ReadDir| {
        folder
            .into_iter()
            .all(|inner| inner.is_ok_and(|inner| inner.file_name() == "run"))
    };
    entry.file_name() == ".gantline" && fs::read_dir(entry.path()).is_ok_and(only_run)
}

/// Plans a new workspace.
///
/// # Errors
/// As [`check_folder`]; or when the name is reserved, or the module or registry is none.
pub fn plan_new(request: &NewRequest) -> Result<NewPlan> {
    if let Some(reason) = reserved::reason(&request.name) {
        return Err(reserved::refused(&request.name, reason));
    }
    check_folder(&request.root)?;
    let files = NewWorkspace {
        name: request.name.clone(),
        module: request.module.clone(),
        registry: request.registry.clone(),
        ignored: existing_text(&request.root, ".gitignore")?,
        attributes: existing_text(&request.root, ".gitattributes")?,
    }
    .files()?;
    check_values(&files)?;
    Ok(NewPlan {
        files: plan_of(&request.root, files),
        git_init: git::repository_of(&request.root).is_none(),
        root: request.root.clone(),
    })
}

fn existing_text(root: &Path, name: &str) -> Result<Option<String>> {
    match fs::read_to_string(root.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::invalid(format!("{name} cannot be read"))
            .because(cause)
            .hint("Lines are added to it, so it must be a UTF-8 text")),
    }
}

/// Makes the workspace; whether it became a git repository. A missing git is a warning: the workspace
/// works without.
///
/// # Errors
/// When the files cannot be written; then there are none.
pub async fn make_new(plan: &NewPlan, events: &dyn EventSink) -> Result<bool> {
    generate::apply(&plan.root, &plan.files, Vec::new()).await?;
    if plan.git_init
        && let Err(error) = git::init(&plan.root).await
    {
        let hint = error.hints().first().cloned().unwrap_or_default();
        events.warn(format!("{error}. {hint}"));
        return Ok(false);
    }
    Ok(plan.git_init)
}

/// Reads the new `gantline.yaml` as it will be read later: what a flag gave wrongly is found.
fn check_values(files: &FileSet) -> Result<()> {
    let path = tree_path(FILE)?;
    let Some(file) = files.files.get(&path) else {
        return Ok(());
    };
    let document = Document::parse(Path::new(FILE), &file.bytes)?;
    workspace::parse(&document, &catalog::resource_types()?).map_err(|error| {
        let first = error.related().first().unwrap_or(&error).clone();
        let is_of = |flag: &&&str| first.message().starts_with(&format!("`{flag}`"));
        let flag = ["module", "registry"].iter().find(is_of);
        let flag = flag.map_or("the flag".to_owned(), |flag| format!("`--{flag}`"));
        Error::invalid(first.message().to_owned()).hint(format!("Give {flag} another value"))
    })?;
    Ok(())
}

/// A resource that shall be added.
#[derive(Debug, Clone)]
pub struct ResourceRequest {
    /// Its name.
    pub name: Name,
    /// Its resource type.
    pub kind: String,
    /// Its version; the newest known one when absent.
    pub version: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it has a server of its own in the local stack.
    pub dedicated: bool,
}

/// A resource before it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePlan {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The resource, version filled in.
    pub resource: Resource,
    /// The change of `gantline.yaml`.
    pub files: FilePlan,
}

/// Plans a further resource.
///
/// # Errors
/// When the workspace is invalid, the name is taken or reserved, or the type or version is
/// unknown.
pub fn plan_resource(start: &Path, request: ResourceRequest) -> Result<ResourcePlan> {
    let root = project::find(start)?;
    let types = catalog::resource_types()?;
    let (workspace, document) = workspace::read(&root, &types)?;
    if let Some(reason) = reserved::reason(&request.name) {
        return Err(reserved::refused(&request.name, reason));
    }
    if project::service_names(&root, &workspace)?.contains(&request.name) {
        return Err(
            Error::invalid(format!("the name `{}` is taken", request.name))
                .since("a service has it, and in a cluster each is a release of its name")
                .hint("Choose another name"),
        );
    }
    let kind = types
        .get(request.kind.as_str())
        .ok_or_else(|| unknown_type(&request.kind, &types))?;
    let resource = Resource {
        name: request.name,
        kind: kind.name.clone(),
        version: version_of(kind, request.version.as_deref())?,
        owner: request.owner,
        dedicated: request.dedicated,
    };
    let text = edit::add_resource(&document, &resource)?;
    let mut changes = FileSet::default();
    let file = RenderedFile {
        bytes: text.into_bytes(),
        ..RenderedFile::default()
    };
    changes.files.insert(tree_path(FILE)?, file);
    project::load_with(&root, &changes, &Selection::Workspace)?;
    Ok(ResourcePlan {
        files: plan_of(&root, changes),
        resource,
        root,
    })
}

/// Adds the resource.
///
/// # Errors
/// When `gantline.yaml` is not any more as it was read, or cannot be written.
pub async fn add_resource(plan: &ResourcePlan) -> Result<()> {
    generate::apply(&plan.root, &plan.files, Vec::new()).await?;
    Ok(())
}

/// The plan of files that are written as they are.
fn plan_of(root: &Path, files: FileSet) -> FilePlan {
    let changes = files
        .files
        .into_iter()
        .map(|(path, file)| {
            let before = fs::read(root.join(path.as_str())).ok();
            FileChange {
                outcome: match before {
                    Some(_) => Outcome::Updated,
                    None => Outcome::Created,
                },
                path,
                before,
                after: Some(file.bytes),
                executable: file.executable,
            }
        })
        .collect();
    FilePlan {
        changes,
        ..FilePlan::default()
    }
}

fn tree_path(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|cause| Error::invalid(cause.to_string()))
}
