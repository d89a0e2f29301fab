//! A service without a blueprint, from its manifest: what stands for the one thing that runs, and
//! how that is known to serve.

mod health;

use std::path::{Component, Path, PathBuf};

use super::catalog;
use super::service::Manifest;
use crate::error::{Error, Place};
use crate::model::container::{
    BuildSource, Container, ImageName, Origin, User, VendorImage, WritableFolder,
};
use crate::model::project::BlueprintReference;

/// What a service can be made from.
const ORIGINS: [&str; 3] = ["blueprint", "image", "build"];
/// What only a container has.
const OF_CONTAINERS: [&str; 5] = ["command", "args", "health", "user", "writable"];
/// The folder that every container can write to.
const TEMPORARY: &str = "/tmp";

/// Reads what a manifest says of a container, and checks that it is made from one thing; `None`
/// for a service made from a blueprint, or when something is wrong.
pub fn read(manifest: &Manifest, root: &Path, problems: &mut Vec<Error>) -> Option<Container> {
    let known = problems.len();
    check_origin(manifest, problems);
    if problems.len() > known {
        return None;
    }
    let file = &manifest.file;
    if file.blueprint.is_some() {
        check_blueprint(manifest, problems);
        return None;
    }
    check_options(manifest, problems);
    check_ports(manifest, problems);
    let origin = origin(manifest, root, problems);
    let health = health::read(manifest, problems);
    let writable = writable(manifest, problems);
    Some(Container {
        origin: origin?,
        command: file.command.clone(),
        args: file.args.clone(),
        user: file.user.map_or_else(default_user, |user| user.user()),
        writable,
        health: health?,
        owns: file
            .uses
            .iter()
            .filter(|(_, used)| used.is_owner())
            .map(|(role, _)| role.0.clone())
            .collect(),
    })
}

/// The error of a manifest that names the blueprint of containers.
pub fn without_origin(blueprint: &str) -> Error {
    Error::invalid(format!(
        "`{blueprint}` stands for an image that is not named"
    ))
    .hint("Write `image: NAME:TAG` or `build: FOLDER` instead; the blueprint follows from it")
}

/// The error where the workspace's own blueprint stands in the place of that of containers.
pub fn taken_name(manifest: &Manifest, found: &BlueprintReference) -> Error {
    let name = &found.name;
    let key = match manifest.file.image {
        Some(_) => "image",
        None => "build",
    };
    Error::invalid(format!("{found} makes no chart for an image"))
        .since(format!(
            "services with `image` or `build` are made from the blueprint that is called `{name}`"
        ))
        .at(manifest.document.key_place(&[key]))
        .hint(format!(
            "Give {}/{name} of this workspace another name, or `container: true`",
            catalog::FOLDER
        ))
}

fn default_user() -> User {
    super::container_file::UserEntry::default().user()
}

/// The place of a key of a map, or of the scalar that stands for all of it.
fn place_of(manifest: &Manifest, map: &str, key: &str) -> Place {
    let document = &manifest.document;
    match document.has(&[map, key]) {
        true => document.place(&[map, key]),
        false => document.place(&[map]),
    }
}

fn check_origin(manifest: &Manifest, problems: &mut Vec<Error>) {
    let (file, document) = (&manifest.file, &manifest.document);
    let given = [
        file.blueprint.is_some(),
        file.image.is_some(),
        file.build.is_some(),
    ];
    let written = ORIGINS.into_iter().zip(given).filter(|(_, given)| *given);
    let written: Vec<&str> = written.map(|(key, _)| key).collect();
    match written.as_slice() {
        [_] => {}
        [] => problems.push(
            Error::invalid("nothing says what the service is made from")
                .at(document.key_place(&[]))
                .hint(
                    "Add one of `blueprint: go-service@1`, `image: NAME:TAG` and `build: FOLDER`",
                ),
        ),
        [first, others @ ..] => {
            problems.extend(others.iter().map(|other| {
                Error::invalid(format!("`{first}` and `{other}` cannot stand side by side"))
                    .since("a service is made from one thing")
                    .at(document.key_place(&[other]))
                    .hint("Keep one of them")
            }));
        }
    }
}

/// Keys that say nothing of a service made from a blueprint.
fn check_blueprint(manifest: &Manifest, problems: &mut Vec<Error>) {
    let document = &manifest.document;
    for key in OF_CONTAINERS
        .into_iter()
        .filter(|key| document.has(&[*key]))
    {
        problems.push(
            Error::invalid(format!("`{key}` is for services with `image` or `build`"))
                .since("what is made from a blueprint knows it by itself")
                .at(document.key_place(&[key]))
                .hint("Remove the line"),
        );
    }
}

fn check_options(manifest: &Manifest, problems: &mut Vec<Error>) {
    if !manifest.file.options.is_empty() {
        problems.push(
            Error::invalid("`options` are for services made from a blueprint")
                .at(manifest.document.key_place(&["options"]))
                .hint("Remove the line; settings of the program go to `env`"),
        );
    }
}

fn check_ports(manifest: &Manifest, problems: &mut Vec<Error>) {
    let mut seen: Vec<(&String, &u16)> = Vec::new();
    for (name, port) in &manifest.file.ports.0 {
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == port) {
            problems.push(
                Error::invalid(format!("`{other}` and `{name}` are both port {port}"))
                    .at(manifest.document.place(&["ports", name]))
                    .hint("Give one of them another port"),
            );
        }
        seen.push((name, port));
    }
    if !manifest.file.expose.is_empty() && manifest.file.ports.get("http").is_none() {
        problems.push(
            Error::invalid("a service without a port `http` cannot be exposed")
                .at(manifest.document.key_place(&["expose"]))
                .hint(match manifest.file.ports.names().next() {
                    Some(_) => "Call the port that answers HTTP `http`, wherever it is named, or remove the line",
                    None => "Add `ports: {http: 8080}`, or remove the line",
                }),
        );
    }
}

fn origin(manifest: &Manifest, root: &Path, problems: &mut Vec<Error>) -> Option<Origin> {
    let file = &manifest.file;
    if let Some(entry) = &file.image {
        let place = place_of(manifest, "image", "reference");
        return match ImageName::parse(entry.name()) {
            Ok(name) => Some(Origin::Image(VendorImage {
                name,
                pull_secrets: entry.pull_secrets(),
            })),
            Err(cause) => {
                problems.push(
                    Error::invalid(format!(
                        "`{}` names no image that stays the same",
                        entry.name()
                    ))
                    .because(cause)
                    .at(place)
                    .hint("Write it as `nginx:1.27`"),
                );
                None
            }
        };
    }
    let fields = file.build.as_ref()?.fields();
    let folder = Path::new(manifest.directory.as_str());
    let inside = |key: &str, context: &Path, path: &str, problems: &mut Vec<Error>| {
        let joined = normal(context, path);
        if joined.is_none() {
            let place = place_of(manifest, "build", key);
            let whole = match key {
                "dockerfile" => "the context",
                _ => "the workspace",
            };
            problems.push(
                Error::invalid(format!("`{path}` lies outside {whole}"))
                    .at(place)
                    .hint("The path is relative to the service's folder, a Dockerfile's to the context"),
            );
        }
        joined
    };
    let context = inside("context", folder, &fields.context.0, problems);
    let dockerfile = inside("dockerfile", Path::new(""), &fields.dockerfile.0, problems);
    let (context, dockerfile) = (context?, dockerfile?);
    check_dockerfile(manifest, root, (&context, &dockerfile), problems);
    Some(Origin::Build(BuildSource {
        context,
        dockerfile,
        target: fields.target,
        args: fields
            .args
            .into_iter()
            .map(|(name, value)| (name.0, value))
            .collect(),
    }))
}

/// A Dockerfile that is not there; `context` is relative to the workspace.
fn check_dockerfile(
    manifest: &Manifest,
    root: &Path,
    (context, dockerfile): (&Path, &Path),
    problems: &mut Vec<Error>,
) {
    let (key, message) = match root.join(context) {
        folder if folder.join(dockerfile).is_file() => return,
        folder if folder.is_dir() => {
            let missing = context.join(dockerfile);
            ("dockerfile", format!("there is no {}", missing.display()))
        }
        _ => (
            "context",
            format!("there is no folder {}", context.display()),
        ),
    };
    problems.push(
        Error::invalid(message)
            .since("an image is made from a Dockerfile")
            .at(place_of(manifest, "build", key))
            .hint("Write it, or name another: the folder is relative to the service's, the Dockerfile to that folder"),
    );
}

/// A path joined to a folder, without `.` and `..`; `None` when it leaves what both are relative
/// to.
fn normal(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

fn writable(manifest: &Manifest, problems: &mut Vec<Error>) -> Vec<WritableFolder> {
    let entries = manifest.file.writable.iter();
    let folders: Vec<WritableFolder> = entries.map(|entry| entry.folder()).collect();
    for (index, folder) in folders.iter().enumerate() {
        let refused = match folder.path.as_str() {
            path if path.split('/').any(|part| matches!(part, "." | "..")) => {
                format!("`{path}` is not written in its shortest form")
            }
            TEMPORARY => format!("`{TEMPORARY}` can be written to already"),
            path if folders[..index].iter().any(|known| known.path == path) => {
                format!("`{path}` stands here twice")
            }
            _ => continue,
        };
        let index = index.to_string();
        problems.push(
            Error::invalid(refused)
                .at(manifest.document.place(&["writable", &index]))
                .hint("Remove it, or name another folder"),
        );
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_from_its_folder_and_cannot_leave_the_workspace() {
        let folder = Path::new("services/web");
        for (path, expected) in [
            (".", Some("services/web")),
            ("./app", Some("services/web/app")),
            ("../../web", Some("web")),
            ("../..", Some("")),
            ("../../..", None),
            ("../../../web/..", None),
            ("/web", None),
        ] {
            assert_eq!(normal(folder, path), expected.map(PathBuf::from), "{path}");
        }
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_path_that_is_followed_stays_inside(path in "[a-c./]{0,20}") {
            if let Some(found) = normal(Path::new("a/b"), &path) {
                let plain = found.components().all(|part| matches!(part, Component::Normal(_)));
                prop_assert!(plain, "{path}");
            }
        }
    }
}
