//! `add service --image` and `--build`: a service without a blueprint.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::design::{callable, check_name};
use super::request::unknown;
use super::service::{Draft, Prepared, free_directory, path};
use crate::config::raw::WordText;
use crate::config::{catalog, schema, service_file};
use crate::engine::files::{DiskTree, FileTree};
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::Project;
use crate::model::suggest;
use crate::render::yaml::{flow_list, flow_map, scalar};

/// The folder that the chart is generated into.
const CHART: &str = "chart";

/// The choices for a new service without a blueprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRequest {
    /// Its name.
    pub name: Name,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What runs in it.
    pub origin: RequestedOrigin,
    /// Where it listens, in the order given.
    pub ports: Vec<(String, u16)>,
    /// A path of the port `http`, or the name of a port; the first port without.
    pub health: Option<String>,
    /// Services that it calls.
    pub needs: Vec<Name>,
    /// Existing resources that it uses, by role.
    pub uses: BTreeMap<String, Name>,
}

/// What runs in a service without a blueprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedOrigin {
    /// An image of this name.
    Image(String),
    /// The image of the Dockerfile in this absolute folder.
    Build(PathBuf),
}

/// Prepares a new service without a blueprint.
///
/// # Errors
/// When the request is wrong, its folder is taken, or the folder to build holds no Dockerfile.
pub fn prepare(project: &Project, request: &ContainerRequest) -> Result<Prepared> {
    check_name(project, &request.name)?;
    for peer in &request.needs {
        callable(project, peer)?;
    }
    let resources = &project.workspace.resources;
    for (role, resource) in &request.uses {
        if !role.chars().all(in_role) {
            let message = format!("`--use {role}={resource}` names no role");
            return Err(Error::invalid(message)
                .since(format!("a role is {}", WordText::RULE.1))
                .hint(format!("Write `--use store={resource}`")));
        }
        if !resources.contains_key(resource) {
            let known = resources.keys().map(Name::as_str);
            let what = format!("gantline.yaml has no resource `{resource}`");
            return Err(unknown(what, resource.as_str(), known));
        }
    }
    let tree = DiskTree::new(&project.root);
    let directory = directory(project, request, &tree)?;
    let reference = catalog::newest_or_pinned(&project.root, catalog::CONTAINER)?;
    let draft = Draft {
        text: manifest(project, request, &directory)?,
        directory,
        name: request.name.clone(),
        resources: Vec::new(),
        reference,
    };
    draft.prepared(project, &tree)
}

/// The folder of the service: empty, or the one that holds the Dockerfile.
fn directory(
    project: &Project,
    request: &ContainerRequest,
    tree: &dyn FileTree,
) -> Result<TreePath> {
    let own = path(&format!("{}/{}", project.workspace.services, request.name))?;
    let is_context = match &request.origin {
        RequestedOrigin::Build(folder) => *folder == project.root.join(own.as_str()),
        RequestedOrigin::Image(_) => false,
    };
    if !is_context {
        return free_directory(project, &request.name, tree);
    }
    for taken in [CHART, service_file::FILE] {
        if tree.metadata(&path(&format!("{own}/{taken}"))?)?.is_some() {
            return Err(Error::invalid(format!("{own}/{taken} is there already"))
                .since("it would be generated")
                .hint("Move it away; nothing was changed"));
        }
    }
    Ok(own)
}

/// The manifest: what was asked for, and nothing that can be derived.
fn manifest(project: &Project, request: &ContainerRequest, directory: &TreePath) -> Result<String> {
    let mut lines = vec![
        schema::Kind::Service.line(),
        format!("name: {}", request.name),
    ];
    if let Some(owner) = &request.owner {
        lines.push(format!("owner: {}", scalar(owner)));
    }
    lines.push(match &request.origin {
        RequestedOrigin::Image(image) => format!("image: {image}"),
        RequestedOrigin::Build(folder) => {
            format!(
                "build: {}",
                scalar(&build_path(project, folder, directory)?)
            )
        }
    });
    if !request.ports.is_empty() {
        let ports = request.ports.iter();
        let ports: Vec<String> = ports
            .map(|(name, port)| format!("{name}: {port}"))
            .collect();
        lines.push(format!("ports: {{{}}}", ports.join(", ")));
    }
    lines.push(format!("health: {}", health(request)?));
    if !request.uses.is_empty() {
        let uses = request.uses.iter();
        let uses = uses.map(|(role, name)| (role.as_str(), name.as_str()));
        lines.push(format!("uses: {}", flow_map(uses)));
    }
    if !request.needs.is_empty() {
        let needs = request.needs.iter().map(Name::as_str);
        lines.push(format!("needs: {}", flow_list(needs)));
    }
    Ok(lines.join("\n") + "\n")
}

fn health(request: &ContainerRequest) -> Result<String> {
    let names: Vec<&str> = request.ports.iter().map(|(name, _)| &**name).collect();
    match (request.health.as_deref(), names.first()) {
        (Some(path), _) if path.starts_with('/') && path.chars().all(in_path) => {
            match names.contains(&"http") {
                true => Ok(scalar(path)),
                false => Err(without_http(path, &request.ports)),
            }
        }
        (Some(port), _) if names.contains(&port) => Ok(format!("{{tcp: {port}}}")),
        (Some(other), _) => {
            let error = Error::invalid(format!("`--health {other}` is not understood"));
            let is_it = |(_, port): &&(String, u16)| port.to_string() == other;
            let named = request.ports.iter().find(is_it).map(|(name, _)| &**name);
            Err(match named.or_else(|| suggest::nearest(other, names.iter().copied())) {
                Some(name) => error.hint(format!("Write `--health {name}`")),
                None => error.hint("Write `--health /PATH`, or the name of a port: `--port tcp=9000 --health tcp`"),
            })
        }
        (None, Some(port)) => Ok(format!("{{tcp: {port}}}")),
        (None, None) => Err(Error::invalid(format!(
            "nothing would tell that `{}` serves",
            request.name
        ))
        .hint("Write `--port http=8080`, and `--health /PATH` where it answers HTTP")
        .hint("Without a port, write service.yaml by hand with `health: {exec: [PROGRAM, ...]}`")),
    }
}

/// The error of a path that no port would be asked for.
fn without_http(path: &str, ports: &[(String, u16)]) -> Error {
    let error = Error::invalid(format!(
        "`--health {path}` asks the port `http`, which is not there"
    ));
    match ports.first() {
        Some((name, number)) => error.hint(format!(
            "Write `--port http={number}` instead of `--port {name}={number}`, or `--health {name}`"
        )),
        None => error.hint("Add `--port http=8080`"),
    }
}

/// Whether what the code calls a resource may hold this letter.
fn in_role(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

/// Whether a path that is asked may hold this letter.
fn in_path(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~/".contains(letter)
}

/// The folder of a Dockerfile, relative to the service's.
fn build_path(project: &Project, folder: &Path, directory: &TreePath) -> Result<String> {
    if !folder.join("Dockerfile").is_file() {
        return Err(
            Error::invalid(format!("{} holds no Dockerfile", folder.display()))
                .hint("Name the folder that holds it: `--build PATH`"),
        );
    }
    let below = folder.strip_prefix(&project.root).map_err(|_| {
        Error::invalid(format!("{} lies outside the workspace", folder.display()))
            .since("who clones the workspace could not build it")
            .hint("Move it into the workspace")
    })?;
    let own = Path::new(directory.as_str());
    let common = own
        .components()
        .zip(below.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = own.components().skip(common).map(|_| Component::ParentDir);
    let down = below.components().skip(common);
    let path: PathBuf = up.chain(down).collect();
    match path.to_str() {
        Some("") => Ok(".".to_owned()),
        Some(path) => Ok(path.to_owned()),
        None => Err(Error::invalid(format!("{} is no UTF-8", folder.display()))),
    }
}
