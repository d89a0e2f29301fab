//! `uses` of `service.yaml` against what the chosen options need and the workspace has.

use std::collections::BTreeMap;

use super::options::WantedResource;
use super::service::{Manifest, Surroundings};
use super::service_file::UseEntry;
use crate::error::Error;
use crate::model::name::Name;
use crate::model::suggest;

/// Checks the resources of a service made from a blueprint: those that its options want, no
/// others.
pub fn check(
    manifest: &Manifest,
    around: &Surroundings<'_>,
    (wanted, options): (&[WantedResource], &BTreeMap<String, String>),
    problems: &mut Vec<Error>,
) {
    let (file, document) = (&manifest.file, &manifest.document);
    let resources = &around.workspace.resources;
    for want in wanted {
        let role = want.role.as_str();
        let used = file.uses.iter().find(|(key, _)| key.0 == role);
        let Some((_, used)) = used else {
            let (option, value) = (role, options.get(role).map_or("", String::as_str));
            problems.push(
                Error::invalid(format!(
                    "`{option}: {value}` needs a resource, and `uses` names none"
                ))
                .at(document.key_place(&["uses"]))
                .hint(format!("Add `uses: {{{role}: {}}}`", want.name)),
            );
            continue;
        };
        if let Some(found) = resources.get(used.resource())
            && found.kind.as_str() != want.kind
        {
            problems.push(
                Error::invalid(format!(
                    "`{}` is a {} resource, and `{role}` needs a {} one",
                    used.resource(),
                    found.kind,
                    want.kind
                ))
                .at(document.place(&["uses", role])),
            );
        }
    }
    for (role, used) in &file.uses {
        if !wanted.iter().any(|want| want.role == role.0) {
            problems.push(unused_role(manifest, &role.0, wanted));
        } else if !resources.contains_key(used.resource()) {
            problems.push(unknown(manifest, around, (&role.0, used)));
        }
        if used.is_owner() {
            problems.push(owned(manifest, &role.0, used));
        }
    }
}

/// Checks the resources of a container, which may use any.
pub fn check_container(manifest: &Manifest, around: &Surroundings<'_>, problems: &mut Vec<Error>) {
    let resources = &around.workspace.resources;
    let used = manifest.file.uses.iter();
    let absent = used.filter(|(_, used)| !resources.contains_key(used.resource()));
    problems.extend(absent.map(|(role, used)| unknown(manifest, around, (&role.0, used))));
}

fn unknown(
    manifest: &Manifest,
    around: &Surroundings<'_>,
    (role, used): (&str, &UseEntry),
) -> Error {
    let name = used.resource();
    let error = Error::invalid(format!("there is no resource `{name}`"))
        .at(manifest.document.place(&["uses", role]));
    let known = around.workspace.resources.keys().map(Name::as_str);
    match suggest::nearest(name.as_str(), known) {
        Some(nearest) => error.hint(format!("Did you mean `{nearest}`?")),
        None => error.hint(format!(
            "Add it with `gantline add resource {name} --type ...`"
        )),
    }
}

fn unused_role(manifest: &Manifest, role: &str, wanted: &[WantedResource]) -> Error {
    let error = Error::invalid(format!("no chosen option uses a resource as `{role}`"))
        .at(manifest.document.key_place(&["uses", role]));
    let roles = wanted.iter().map(|want| want.role.as_str());
    match suggest::hint(role, roles) {
        Some(hint) => error.hint(hint),
        None => error.hint("Remove the line"),
    }
}

fn owned(manifest: &Manifest, role: &str, used: &UseEntry) -> Error {
    Error::invalid(format!(
        "`{}` cannot be owned by this service",
        used.resource()
    ))
    .since("a job of its own changes the schema of a service made from a blueprint")
    .at(manifest.document.key_place(&["uses", role, "owner"]))
    .hint("Remove `owner: true`")
}
