//! Checks what services say of one another.

use std::collections::{BTreeMap, BTreeSet};

use super::raw::NameText;
use super::service::Manifest;
use super::waits;
use super::yaml::Document;
use crate::error::{Error, Place};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::{Service, unknown_service};
use crate::model::suggest;

/// The services that a manifest names.
pub fn named_by(manifest: &Manifest) -> Vec<Name> {
    let called = manifest.file.needs.iter().map(|need| need.service());
    let heard = manifest.file.consumes.values().map(|from| &from.0);
    called.chain(heard).cloned().collect()
}

/// All problems between services; `known` are the names of all services of the workspace,
/// loaded or not.
pub fn check(manifests: &BTreeMap<Name, Manifest>, known: &BTreeSet<Name>) -> Vec<Error> {
    let mut problems = Vec::new();
    for (name, manifest) in manifests {
        check_needs(name, manifest, known, &mut problems);
        check_consumes(manifest, manifests, known, &mut problems);
    }
    problems.extend(waits::circle(manifests));
    problems
}

/// Resources that have the name of a service: both would be one release in a cluster.
///
/// Helm knows a release by its name alone, so the one would replace the other.
pub fn check_releases(
    workspace: &Document,
    resources: impl IntoIterator<Item = impl AsRef<str>>,
    services: &BTreeMap<Name, TreePath>,
) -> Vec<Error> {
    let taken = |resource: &str| Some((resource.to_owned(), services.get(resource)?));
    let names = resources.into_iter();
    names
        .filter_map(|name| taken(name.as_ref()))
        .map(|(name, folder)| {
            Error::invalid(format!("the name `{name}` is taken"))
                .at(workspace.key_place(&["resources", &name]))
                .since(format!("`{folder}/service.yaml` has it"))
                .hint("Rename one of the two: in a cluster each is a release of its name")
        })
        .collect()
}

/// Services that are called, and have no port for that.
pub fn check_called(
    manifests: &BTreeMap<Name, Manifest>,
    services: &BTreeMap<Name, Service>,
) -> Vec<Error> {
    let mut problems = Vec::new();
    for manifest in manifests.values() {
        for (index, need) in manifest.file.needs.iter().enumerate() {
            let Some(called) = services.get(need.service()) else {
                continue;
            };
            if called.ports.called().is_none() {
                problems.push(
                    Error::invalid(format!("`{}` cannot be called", called.name))
                        .since("it has no port but `admin`")
                        .at(need_place(manifest, index))
                        .hint(match called.container {
                            Some(_) => {
                                let file = format!("{}/service.yaml", called.directory);
                                format!("Add `http: 8080`, or where else it listens, to the `ports` of {file}")
                            }
                            None => "Consume its events instead: `consumes: {EVENT: SERVICE}`"
                                .to_owned(),
                        }),
                );
            }
        }
    }
    problems
}

/// Where a manifest names the service that it needs.
pub fn need_place(manifest: &Manifest, index: usize) -> Place {
    let index = index.to_string();
    match manifest.document.has(&["needs", &index, "service"]) {
        true => manifest.document.place(&["needs", &index, "service"]),
        false => manifest.document.place(&["needs", &index]),
    }
}

fn check_needs(
    name: &Name,
    manifest: &Manifest,
    known: &BTreeSet<Name>,
    problems: &mut Vec<Error>,
) {
    let mut seen = BTreeSet::new();
    for (index, need) in manifest.file.needs.iter().enumerate() {
        let called = need.service();
        let place = || need_place(manifest, index);
        if called == name {
            problems.push(
                Error::invalid(format!("`{name}` needs itself"))
                    .at(place())
                    .hint("Remove it"),
            );
        } else if !known.contains(called) {
            problems
                .push(unknown_service(called.as_str(), known.iter().map(Name::as_str)).at(place()));
        } else if !seen.insert(called) {
            problems.push(
                Error::invalid(format!("`{called}` is needed twice"))
                    .at(place())
                    .hint("Keep one of the two"),
            );
        }
    }
}

fn check_consumes(
    manifest: &Manifest,
    manifests: &BTreeMap<Name, Manifest>,
    known: &BTreeSet<Name>,
    problems: &mut Vec<Error>,
) {
    for (NameText(event), NameText(from)) in &manifest.file.consumes {
        let place = || manifest.document.place(&["consumes", event.as_str()]);
        if !known.contains(from) {
            let names = known.iter().map(Name::as_str);
            problems.push(unknown_service(from.as_str(), names).at(place()));
            continue;
        }
        // A provider that was not readable has a problem of its own.
        let Some(provider) = manifests.get(from) else {
            continue;
        };
        let published = || provider.file.publishes.iter().map(|event| &event.0);
        if published().any(|name| name == event) {
            continue;
        }
        let error = Error::invalid(format!("`{from}` publishes no event `{event}`"))
            .at(manifest.document.key_place(&["consumes", event.as_str()]));
        let words: Vec<&str> = published().map(Name::as_str).collect();
        problems.push(match suggest::hint(event.as_str(), words) {
            Some(hint) => error.hint(hint),
            None => error.hint(format!(
                "Add it to `publishes` of {}",
                provider.document.file().display()
            )),
        });
    }
}
