//! `add service`: from a request to a plan of everything that it writes.

use std::collections::BTreeMap;

use super::design::Ground;
use super::manifest;
use super::request::ServiceRequest;
use crate::actions::generate;
use crate::config::project::{self, Selection};
use crate::config::yaml::Document;
use crate::config::{catalog, edit, schema, service_file, workspace};
use crate::engine::files::{DiskTree, FileTree, FileWrite, Found, ObjectKind};
use crate::error::{Error, Result};
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::FilePlan;
use crate::model::project::{BlueprintReference, Project, Resource, Service};
use crate::render::code::{self, CodeInput};

/// Everything that adding a service does, before any of it is done.
#[derive(Debug, PartialEq)]
pub struct Prepared {
    /// Resources that come along.
    pub resources: Vec<Resource>,
    /// The service as its manifest will be read.
    pub service: Service,
    /// Its folder, and where the manifest goes.
    pub manifest: TreePath,
    /// Generated files.
    pub plan: FilePlan,
    /// How its own code uses what was generated, such as a call of each peer.
    pub examples: Vec<String>,
    /// The manifest, gantline.yaml, the pinned blueprint.
    also: Vec<FileWrite>,
}

/// Prepares a new service.
///
/// # Errors
/// When the request is wrong, its folder is not empty, or the blueprint cannot be rendered.
pub fn prepare(project: &Project, request: &ServiceRequest) -> Result<Prepared> {
    let blueprint = catalog::blueprint(Some(&project.root), &request.blueprint)?;
    let ground = Ground {
        project,
        blueprint: &blueprint,
    };
    let design = ground.design(request)?;
    let tree = DiskTree::new(&project.root);
    let draft = Draft {
        directory: free_directory(project, &design.name, &tree)?,
        text: manifest::text(&design, &schema::Kind::Service.line()),
        name: design.name,
        resources: design.resources,
        reference: request.blueprint.clone(),
    };
    draft.prepared(project, &tree)
}

/// A service that was decided on, before its files are made.
pub(super) struct Draft {
    /// Its name.
    pub name: Name,
    /// Its folder.
    pub directory: TreePath,
    /// Its manifest.
    pub text: String,
    /// Resources that come along.
    pub resources: Vec<Resource>,
    /// What its files are made from.
    pub reference: BlueprintReference,
}

impl Draft {
    /// Makes everything that is written.
    pub fn prepared(self, project: &Project, tree: &dyn FileTree) -> Result<Prepared> {
        let manifest = path(&format!("{}/{}", self.directory, service_file::FILE))?;
        let (changes, mut also) = written_files(project, &self, &manifest, tree)?;
        let after = project::load_with(&project.root, &changes, &Selection::All)?;
        let service = after.service(&self.name)?.clone();
        let pins = catalog::pins(&project.root, std::slice::from_ref(&self.reference))?;
        for (path, file) in pins.files {
            also.push(write(path, file.bytes, tree)?);
        }
        let input = CodeInput::of(after.blueprint_of(&service)?, &after, &service)?;
        let examples = code::examples(&input)?;
        let files = generate::Renderer::new(&after, &changes)?.files(&service)?;
        let plan = plan(&after, (&service, files), tree)?;
        Ok(Prepared {
            resources: self.resources,
            service,
            manifest,
            plan,
            examples,
            also,
        })
    }
}

impl Prepared {
    /// Writes all of it, or nothing.
    ///
    /// # Errors
    /// When a file is not any more as the plan found it, or the disk refuses.
    pub async fn apply(self, project: &Project) -> Result<()> {
        generate::apply(&project.root, &self.plan, self.also).await?;
        Ok(())
    }
}

/// All of its files, also where a service of this name was there before, whose files are not ones
/// that somebody deleted from the new one.
fn plan(
    project: &Project,
    (service, files): (&Service, FileSet),
    tree: &dyn FileTree,
) -> Result<FilePlan> {
    let services = [service.name.clone()];
    let rendered = BTreeMap::from([(service.name.clone(), files)]);
    let restored = [service.directory.clone()];
    generate::plan_restoring(project, &services, rendered, &restored, tree)
}

/// The files of people that change: the manifest, and gantline.yaml when resources come along.
fn written_files(
    project: &Project,
    draft: &Draft,
    manifest: &TreePath,
    tree: &dyn FileTree,
) -> Result<(FileSet, Vec<FileWrite>)> {
    let mut changes = FileSet::default();
    changes
        .files
        .insert(manifest.clone(), rendered(&draft.text));
    let mut also = vec![FileWrite::create(manifest.clone(), draft.text.clone())];
    if !draft.resources.is_empty() {
        let path = path(workspace::FILE)?;
        let before = read(&path, tree)?;
        let file = project.root.join(workspace::FILE);
        let mut text = Document::parse(&file, &before)?.text().to_owned();
        for resource in &draft.resources {
            let document = Document::parse(&file, text.as_bytes())?;
            text = edit::add_resource(&document, resource)?;
        }
        changes.files.insert(path.clone(), rendered(&text));
        also.push(FileWrite::replace(path, &before, text));
    }
    Ok((changes, also))
}

pub(super) fn rendered(text: &str) -> RenderedFile {
    RenderedFile {
        bytes: text.as_bytes().to_vec(),
        ..RenderedFile::default()
    }
}

/// A file that gantline keeps for itself, new or replaced.
fn write(path: TreePath, bytes: Vec<u8>, tree: &dyn FileTree) -> Result<FileWrite> {
    Ok(match tree.read(&path)? {
        Found::Absent => FileWrite::create(path, bytes),
        Found::File(before) => FileWrite::replace(path, &before.bytes, bytes),
        Found::Other(_) => {
            return Err(Error::invalid(format!("{path} is no plain file"))
                .hint("Move it away, and try again"));
        }
    })
}

pub(super) fn read(path: &TreePath, tree: &dyn FileTree) -> Result<Vec<u8>> {
    match tree.read(path)? {
        Found::File(content) => Ok(content.bytes),
        Found::Absent | Found::Other(_) => Err(Error::invalid(format!("{path} is no plain file"))),
    }
}

/// The folder of the new service, in which nothing may lie yet.
pub(super) fn free_directory(
    project: &Project,
    name: &Name,
    tree: &dyn FileTree,
) -> Result<TreePath> {
    let directory = path(&format!("{}/{name}", project.workspace.services))?;
    let found = tree.list(&directory)?;
    let is_folder = match tree.metadata(&directory)? {
        None => true,
        Some(metadata) => metadata.kind == ObjectKind::Folder,
    };
    match found.first() {
        None if is_folder => Ok(directory),
        None => Err(
            Error::invalid(format!("{directory} is there already, and is no folder"))
                .hint("Choose another name, or move it away"),
        ),
        Some(first) => Err(
            Error::invalid(format!("the folder {directory} is not empty"))
                .since(format!("it holds {first}"))
                .hint("Choose another name, or move the files away; nothing was changed"),
        ),
    }
}

pub(super) fn path(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|error| Error::invalid(error.to_string()))
}
