//! `render`: what a deployment would apply, without a cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::actions::build;
use crate::actions::release::{ClusterVersion, ResourceSpec, SpecRequest, resources, specs};
use crate::config::yaml::shown_path;
use crate::config::{environment, project};
use crate::error::{Error, Result};
use crate::model::environment::Environment;
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::project::Service;
use crate::model::release::ReleaseSpec;

/// The first line of a file that was written here: no other is replaced.
const HEADER: &str = "# Rendered by gantline.";

/// What shall be rendered.
#[derive(Clone, Copy)]
pub struct RenderRequest<'a> {
    /// The folder that the user is in.
    pub start: &'a Path,
    /// The environment.
    pub environment: &'a Name,
    /// The services; all when none is named.
    pub services: &'a [Name],
    /// Whether the registry is asked for the digests of the images.
    pub digests: bool,
    /// Where it is said what came of it.
    pub events: &'a dyn EventSink,
}

/// What a deployment would apply.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The environment.
    pub environment: Environment,
    /// Resources in the cluster.
    pub resources: Vec<ResourceSpec>,
    /// Services.
    pub services: Vec<ReleaseSpec>,
}

impl Rendered {
    /// All releases, in the order in which they are deployed.
    pub fn releases(&self) -> impl Iterator<Item = &ReleaseSpec> {
        let resources = self.resources.iter().map(|resource| &resource.spec);
        resources.chain(&self.services)
    }
}

/// Renders the releases of an environment.
///
/// # Errors
/// When a file is wrong, a service is unknown, or the registry lacks an image that it is asked
/// for.
pub async fn render(request: &RenderRequest<'_>) -> Result<Rendered> {
    let root = project::find(request.start)?;
    let (environment, project) = environment::load(&root, request.environment)?;
    let names: Vec<Name> = match request.services {
        [] => project.services.keys().cloned().collect(),
        named => named.to_vec(),
    };
    let registry = environment.registry.as_deref();
    let mut images = BTreeMap::new();
    let mut tags = BTreeMap::new();
    if request.digests {
        let found = build::images(&project, &names, registry).await?;
        if let Some(missing) = found.missing.first() {
            return Err(
                Error::missing(format!("there is no image {}", missing.name()))
                    .since(format!(
                        "the source of {} was not built and pushed",
                        missing.service
                    ))
                    .hint(format!(
                        "Build it: `gantline build {} --push`",
                        missing.service
                    )),
            );
        }
        images = found.found;
    } else {
        let is_built = |name: &&Name| project.services.get(*name).is_none_or(Service::has_source);
        for name in names.iter().filter(is_built) {
            let wanted = build::wanted(&project, name, registry).await?;
            tags.insert(name.clone(), wanted.tag);
        }
    }
    let spec_request = SpecRequest {
        project: &project,
        environment: &environment,
        services: &names,
        images: &images,
        tags: &tags,
        cluster: &ClusterVersion::assumed(),
        installed: &BTreeMap::new(),
        events: request.events,
    };
    let resources = resources(&spec_request).await?;
    let services = specs(&spec_request).await?;
    Ok(Rendered {
        environment,
        resources,
        services,
    })
}

/// A release as YAML: its objects, then its hooks, as `helm template` prints them.
pub fn text(release: &ReleaseSpec) -> String {
    let mut text = release.rendered.manifest();
    for hook in &release.rendered.hooks {
        let object = &hook.object;
        text.push_str(&format!(
            "---\n# Source: {}\n{}\n",
            object.source, object.text
        ));
    }
    text
}

/// Writes each release into a file of its own, and gives their paths.
///
/// # Errors
/// When a file of that name was not written here, or the disk refuses; then nothing is written.
pub fn write(rendered: &Rendered, folder: &Path) -> Result<Vec<PathBuf>> {
    let fails = |path: &Path, cause: std::io::Error| {
        let shown = shown_path(path);
        Error::failed(format!("{} cannot be written", shown.display())).because(cause)
    };
    let files: Vec<(PathBuf, String)> = rendered
        .releases()
        .map(|release| {
            let path = folder.join(format!("{}.yaml", release.name));
            let environment = &rendered.environment.name;
            (
                path,
                format!("{HEADER} Environment: {environment}\n{}", text(release)),
            )
        })
        .collect();
    if folder.exists() && !folder.is_dir() {
        let shown = shown_path(folder);
        return Err(Error::invalid(format!("{} is no folder", shown.display()))
            .hint("Choose a folder, or a name that is free"));
    }
    for (path, _) in &files {
        let before = fs::read_to_string(path);
        let foreign = match &before {
            Ok(text) => !text.starts_with(HEADER),
            Err(cause) => cause.kind() != std::io::ErrorKind::NotFound,
        };
        if foreign {
            let shown = shown_path(path);
            return Err(
                Error::invalid(format!("{} is there already", shown.display()))
                    .since("it was not written by `gantline render`")
                    .hint("Choose an empty folder"),
            );
        }
    }
    fs::create_dir_all(folder).map_err(|cause| fails(folder, cause))?;
    for (path, text) in &files {
        let mut new =
            tempfile::NamedTempFile::new_in(folder).map_err(|cause| fails(path, cause))?;
        std::io::Write::write_all(&mut new, text.as_bytes()).map_err(|cause| fails(path, cause))?;
        new.persist(path)
            .map_err(|error| fails(path, error.error))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
