//! Paths that are exposed: all of them are reached under one host.

use std::collections::BTreeMap;

use super::service::Manifest;
use crate::error::{Error, Place};
use crate::model::name::Name;

/// Paths that are exposed twice: a Gateway sends all requests to the older of two routes.
pub fn check(manifests: &BTreeMap<Name, Manifest>) -> Vec<Error> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
    for (name, manifest) in manifests {
        for (index, exposure) in manifest.file.expose().iter().enumerate() {
            // A slash at the end says nothing of a prefix.
            let prefix = exposure.path.trim_end_matches('/').to_owned();
            if let Some(other) = seen.get(&prefix) {
                problems.push(
                    Error::invalid(format!("`{}` is exposed twice", exposure.path))
                        .since(format!(
                            "`{other}` exposes it, and all paths are reached under one host"
                        ))
                        .at(place(manifest, index))
                        .hint("Give one of the two another path"),
                );
            } else {
                seen.insert(prefix, name);
            }
        }
    }
    problems
}

/// Where a manifest names a path that it exposes.
fn place(manifest: &Manifest, index: usize) -> Place {
    let index = index.to_string();
    match manifest.document.has(&["expose", &index, "path"]) {
        true => manifest.document.place(&["expose", &index, "path"]),
        false => manifest.document.place(&["expose", &index]),
    }
}
