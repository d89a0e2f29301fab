//! The manifests that an upgrade changes.

use crate::config::edit_blueprint::set_blueprint;
use crate::config::service_file;
use crate::config::yaml::{Document, shown_path};
use crate::engine::files::{FileTree, Found};
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;
use crate::model::plan::{FileChange, Outcome};
use crate::model::project::{Project, Service};

use super::Step;

/// The manifests of services that go on, with the new version; and those of other services of
/// the same blueprint that name no version, with the one that they have: what they are made from
/// must not change along. A container's names no blueprint: what is pinned says it.
pub(super) fn changes(
    project: &Project,
    steps: &[Step],
    tree: &dyn FileTree,
) -> Result<Vec<FileChange>> {
    let mut changes = Vec::new();
    let made_from_one = |service: &&Service| service.container.is_none();
    for service in project.services.values().filter(made_from_one) {
        let step = steps.iter().find(|step| step.service == service.name);
        let (reference, is_upgraded) = match step {
            Some(step) => (&step.to, true),
            None => (&service.blueprint, false),
        };
        let shares = steps.iter().any(|it| it.from.name == reference.name);
        if !shares {
            continue;
        }
        let (path, before) = manifest(service, tree)?;
        let shown = shown_path(&project.root.join(path.as_str()));
        let document = Document::parse(&shown, &before)?;
        let names_version = document
            .text_at(&["blueprint"])
            .is_some_and(|text| text.contains('@'));
        if !is_upgraded && names_version {
            continue;
        }
        let after = set_blueprint(&document, reference)?;
        changes.push(FileChange {
            path,
            outcome: Outcome::Updated,
            before: Some(before),
            after: Some(after.into_bytes()),
            executable: false,
        });
    }
    Ok(changes)
}

fn manifest(service: &Service, tree: &dyn FileTree) -> Result<(TreePath, Vec<u8>)> {
    let path = format!("{}/{}", service.directory, service_file::FILE);
    let path = TreePath::new(path).map_err(|error| Error::failed(error.to_string()))?;
    match tree.read(&path)? {
        Found::File(content) => Ok((path, content.bytes)),
        Found::Absent | Found::Other(_) => Err(Error::invalid(format!("{path} is no plain file"))),
    }
}
