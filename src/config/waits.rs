//! Services that start only once others are ready, which must not go round in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::references::need_place;
use super::service::Manifest;
use crate::error::Error;
use crate::model::name::Name;

/// A service that waits, and where its manifest says so.
#[derive(Clone, Copy)]
struct Wait<'a> {
    manifest: &'a Manifest,
    index: usize,
}

impl<'a> Wait<'a> {
    fn of(manifest: &'a Manifest) -> impl Iterator<Item = Self> {
        let needs = manifest.file.needs.iter().enumerate();
        let waits = needs.filter(|(_, need)| need.waits());
        waits.map(move |(index, _)| Self { manifest, index })
    }

    fn awaited(&self) -> &'a str {
        let need = self.manifest.file.needs.get(self.index);
        need.map_or("", |need| need.service().as_str())
    }

    fn waiting(&self) -> &'a str {
        self.manifest.file.name.0.as_str()
    }
}

/// The first circle of services that wait for one another, as an error.
pub fn circle(manifests: &BTreeMap<Name, Manifest>) -> Option<Error> {
    let mut settled = BTreeSet::new();
    let mut found = manifests.values().filter_map(|manifest| {
        let mut path = Vec::new();
        circle_from(manifest, manifests, (&mut path, &mut settled))
    });
    found.next().map(|circle| error_of(&circle))
}

/// Follows waits from a service; `settled` are those from which no circle is reached.
fn circle_from<'a>(
    manifest: &'a Manifest,
    manifests: &'a BTreeMap<Name, Manifest>,
    (path, settled): (&mut Vec<Wait<'a>>, &mut BTreeSet<&'a str>),
) -> Option<Vec<Wait<'a>>> {
    let name = manifest.file.name.0.as_str();
    if let Some(begin) = path.iter().position(|wait| wait.waiting() == name) {
        return Some(path[begin..].to_vec());
    }
    if settled.contains(name) {
        return None;
    }
    for wait in Wait::of(manifest) {
        // One that is not there, or is the service itself, is a problem of its own.
        let next = manifests.get(wait.awaited());
        let Some(next) = next.filter(|_| wait.awaited() != name) else {
            continue;
        };
        path.push(wait);
        let circle = circle_from(next, manifests, (&mut *path, &mut *settled));
        path.pop();
        if circle.is_some() {
            return circle;
        }
    }
    settled.insert(name);
    None
}

fn error_of(circle: &[Wait<'_>]) -> Error {
    let names: Vec<&str> = circle
        .iter()
        .chain(circle.first())
        .map(Wait::waiting)
        .collect();
    let error = Error::invalid(format!(
        "these services wait for one another, and none would start: {}",
        names.join(" -> ")
    ));
    let error = error.with_causes(circle.iter().map(|wait| {
        let place = need_place(wait.manifest, wait.index);
        format!(
            "{} waits for {} ({}:{})",
            wait.waiting(),
            wait.awaited(),
            place.file.display(),
            place.line
        )
    }));
    let first = circle.first();
    let placed = match first {
        Some(wait) => error.at(need_place(wait.manifest, wait.index)),
        None => error,
    };
    placed.hint("Take `wait: true` from one of them: services start together and try again")
}
