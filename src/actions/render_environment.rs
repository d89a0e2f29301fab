//! `render`: what a deployment would apply, without a cluster.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::actions::build;
use crate::actions::release::{ClusterVersion, ResourceSpec, SpecRequest, resources, specs};
use crate::config::environment;
use crate::config::project::{self, Selection};
use crate::config::yaml::shown_path;
use crate::engine::files::way_out;
use crate::error::{Error, Result};
use crate::model::environment::Environment;
use crate::model::event::EventSink;
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::project::Service;
use crate::model::release::ReleaseSpec;

/// The first line of a file that was written here: no other is replaced.
const HEADER: &str = "# Rendered by gantline.";
/// What its workspace follows there.
const OF_WORKSPACE: &str = " Workspace: ";

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
    /// The workspace.
    pub workspace: Name,
    /// The environment.
    pub environment: Environment,
    /// Resources in the cluster.
    pub resources: Vec<ResourceSpec>,
    /// Services.
    pub services: Vec<ReleaseSpec>,
    /// Whether these are all services of the workspace.
    pub is_whole: bool,
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
    let changes = FileSet::default();
    let selection = Selection::named(request.services);
    let (environment, project) =
        environment::load_with(&root, request.environment, &changes, &selection)?;
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
        workspace: project.workspace.name.clone(),
        environment,
        resources,
        services,
        is_whole: request.services.is_empty(),
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

/// What became of the folder that releases were written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file of each release.
    pub files: Vec<PathBuf>,
    /// Files of an earlier run that were removed: the environment has no such release any more.
    pub removed: Vec<PathBuf>,
}

/// Writes each release into a file of its own. Where all services were rendered, a file that was
/// written here for the same environment of the same workspace and belongs to no release goes.
///
/// All files are written beside their places before the first is moved there, so that a full disk
/// or a kill before that changes nothing.
///
/// # Errors
/// When a file of that name was not written here, or the disk refuses.
pub fn write(rendered: &Rendered, folder: &Path) -> Result<Written> {
    let (workspace, environment) = (&rendered.workspace, &rendered.environment.name);
    let header = format!("{HEADER}{OF_WORKSPACE}{workspace}. Environment: {environment}\n");
    let files: Vec<(PathBuf, String)> = rendered
        .releases()
        .map(|release| {
            let path = folder.join(format!("{}.yaml", release.name));
            (path, format!("{header}{}", text(release)))
        })
        .collect();
    refuse_foreign(&files, folder, workspace)?;
    place(&files, folder)?;
    let files: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    let mut removed = Vec::new();
    if rendered.is_whole {
        removed = stale(folder, &header).map_err(|cause| unwritable(folder, cause))?;
        removed.retain(|path| !files.contains(path));
        for path in &removed {
            fs::remove_file(path).map_err(|cause| unwritable(path, cause))?;
        }
    }
    Ok(Written { files, removed })
}

fn unwritable(path: &Path, cause: std::io::Error) -> Error {
    let way_out = way_out(&cause);
    let shown = shown_path(path);
    Error::failed(format!("{} cannot be written", shown.display()))
        .because(cause)
        .hint(way_out)
}

/// Refuses to replace what was not written for this workspace.
fn refuse_foreign(files: &[(PathBuf, String)], folder: &Path, workspace: &Name) -> Result<()> {
    if folder.exists() && !folder.is_dir() {
        let shown = shown_path(folder);
        return Err(Error::invalid(format!("{} is no folder", shown.display()))
            .hint("Choose a folder, or a name that is free"));
    }
    for (path, _) in files {
        let foreign = match fs::read_to_string(path) {
            Ok(text) => !is_ours(&text, workspace),
            Err(cause) => cause.kind() != std::io::ErrorKind::NotFound,
        };
        if foreign {
            let shown = shown_path(path);
            return Err(
                Error::invalid(format!("{} is there already", shown.display()))
                    .since("it was not written by `gantline render` for this workspace")
                    .hint("Choose an empty folder"),
            );
        }
    }
    Ok(())
}

/// Whether a file was written here, and for no other workspace.
fn is_ours(text: &str, workspace: &Name) -> bool {
    let Some(rest) = text.strip_prefix(HEADER) else {
        return false;
    };
    let other = rest.strip_prefix(OF_WORKSPACE);
    other.is_none_or(|rest| rest.starts_with(&format!("{workspace}. ")))
}

/// Writes all files, then moves each into its place.
fn place(files: &[(PathBuf, String)], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| unwritable(folder, cause))?;
    let mut staged = Vec::new();
    for (path, text) in files {
        let made = tempfile::Builder::new()
            // As the user's umask allows for any new file.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder);
        let written = made.and_then(|mut new| {
            new.write_all(text.as_bytes())?;
            new.as_file().sync_all()?;
            Ok(new.into_temp_path())
        });
        staged.push((path, written.map_err(|cause| unwritable(path, cause))?));
    }
    for (path, new) in staged {
        new.persist(path)
            .map_err(|error| unwritable(path, error.error))?;
    }
    Ok(())
}

/// The files in a folder that begin with this header, in order.
fn stale(folder: &Path, header: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_yaml = path.extension().is_some_and(|it| it == "yaml");
        if is_yaml && entry.file_type()?.is_file() {
            let mut begin = Vec::new();
            let file = fs::File::open(&path)?;
            file.take(header.len() as u64).read_to_end(&mut begin)?;
            if begin == header.as_bytes() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::environment::ClusterIdentity;

    fn rendered(is_whole: bool) -> Rendered {
        let environment = Environment {
            name: Name::new("staging").unwrap(),
            namespace: "shop".to_owned(),
            cluster: ClusterIdentity::default(),
            domain: None,
            gateway: None,
            protected: false,
            registry: None,
            resources: BTreeMap::new(),
        };
        Rendered {
            workspace: Name::new("shop").unwrap(),
            environment,
            resources: Vec::new(),
            services: Vec::new(),
            is_whole,
        }
    }

    #[test]
    fn files_of_releases_that_are_gone_go_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("gone.yaml", "Workspace: shop. Environment: staging\na: b\n"),
            ("other.yaml", "Workspace: shop. Environment: staging-2\n"),
            (
                "elsewhere.yaml",
                "Workspace: shop-2. Environment: staging\n",
            ),
            ("notes.md", "Workspace: shop. Environment: staging\n"),
        ] {
            let text = format!("# Rendered by gantline. {text}");
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("mine.yaml"), "a: b\n").unwrap();
        let some = write(&rendered(false), folder.path()).unwrap();
        assert!(some.removed.is_empty());
        let all = write(&rendered(true), folder.path()).unwrap();
        assert_eq!(all.removed, [folder.path().join("gone.yaml")]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_file_of_another_workspace_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yaml");
        let file = [(path.clone(), String::new())];
        for (first_line, is_replaced) in [
            (
                "# Rendered by gantline. Workspace: shop. Environment: a\n",
                true,
            ),
            (
                "# Rendered by gantline. Workspace: bank. Environment: a\n",
                false,
            ),
            ("# Rendered by gantline. Environment: a\n", true),
            ("# Mine\n", false),
        ] {
            fs::write(&path, first_line).unwrap();
            let refused = refuse_foreign(&file, folder.path(), &Name::new("shop").unwrap());
            assert_eq!(refused.is_ok(), is_replaced, "{first_line}");
        }
    }

    #[test]
    fn a_rendered_file_is_as_readable_as_any_other_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.yaml"), folder.path().join("other"));
        place(&[(path.clone(), "a: b\n".to_owned())], folder.path()).unwrap();
        fs::write(&other, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&other));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
