//! Where the services of a workspace go: what is pinned and offered, service by service.

use std::collections::BTreeMap;
use std::path::Path;

use super::destination::{AtHand, Destination};
use super::{HeldBack, Step, UpgradeRequest};
use crate::config::catalog;
use crate::config::lock_file::LockFile;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::{BlueprintReference, Project, Service};

/// Where all services go that were asked for.
#[derive(Debug, Default)]
pub struct Routes {
    /// Those that go on.
    pub steps: Vec<Step>,
    /// Those that could, and must be asked for.
    pub held_back: Vec<HeldBack>,
    /// Those that stay.
    pub stay: Vec<(Name, BlueprintReference)>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

/// Finds where services go.
///
/// # Errors
/// When a service is unknown, or one that was named cannot go where it was asked to.
pub fn find(project: &Project, request: &UpgradeRequest) -> Result<Routes> {
    let mut finder = Finder {
        root: &project.root,
        lock: LockFile::read(&project.root)?,
        known: BTreeMap::new(),
        routes: Routes::default(),
    };
    let are_named = !request.services.is_empty();
    for service in chosen(project, &request.services)? {
        let at_hand = finder.at_hand(&service.blueprint)?;
        let destination = at_hand.destination(service.blueprint.version, request.to);
        finder.add(service, destination, (request.to, are_named))?;
    }
    match (finder.routes.steps.is_empty(), request.to) {
        (true, Some(to)) if !are_named => Err(nowhere(to, &finder.routes)),
        _ => Ok(finder.routes),
    }
}

/// The services that were named, or all. One that is a container takes the others along: their
/// charts are made from the one version that is pinned.
fn chosen<'a>(project: &'a Project, names: &[Name]) -> Result<Vec<&'a Service>> {
    let named = names.iter().map(|name| project.service(name));
    let named: Vec<&Service> = named.collect::<Result<_>>()?;
    let with_containers = named.iter().any(|service| service.container.is_some());
    let services = project.services.values().filter(|service| {
        let goes_along = with_containers && service.container.is_some();
        names.is_empty() || goes_along || names.contains(&service.name)
    });
    Ok(services.collect())
}

struct Finder<'a> {
    root: &'a Path,
    lock: LockFile,
    known: BTreeMap<Name, AtHand>,
    routes: Routes,
}

impl Finder<'_> {
    fn at_hand(&mut self, reference: &BlueprintReference) -> Result<&AtHand> {
        let name = &reference.name;
        if !self.known.contains_key(name) {
            let found = self.read(name)?;
            self.known.insert(name.clone(), found);
        }
        self.known
            .get(name)
            .ok_or_else(|| Error::failed(format!("`{name}` was not found again")))
    }

    fn read(&mut self, name: &Name) -> Result<AtHand> {
        let mut versions = self.lock.versions(name.as_str());
        let Some(offered) = catalog::offered(self.root, name.as_str())? else {
            self.routes.notes.push(format!(
                "nobody offers {name} any more: neither this workspace's `{}` nor this program",
                catalog::FOLDER
            ));
            return Ok(AtHand {
                versions,
                ..AtHand::default()
            });
        };
        versions.insert(offered.version);
        let reference = BlueprintReference {
            name: name.clone(),
            version: offered.version,
        };
        let pinned = self.lock.digest(&reference);
        if pinned.is_some_and(|digest| digest != offered.digest) {
            self.routes.notes.push(format!(
                "{reference} in {} is not the one that is pinned, though its number is the same: \
                 the pinned one counts until `version` is counted up",
                offered.origin
            ));
        }
        Ok(AtHand {
            versions,
            newest: Some(offered.version),
            breaking: offered.blueprint.breaking,
        })
    }

    fn add(
        &mut self,
        service: &Service,
        destination: Destination,
        (wanted, is_named): (Option<u32>, bool),
    ) -> Result<()> {
        let from = &service.blueprint;
        let at = |version| BlueprintReference {
            version,
            ..from.clone()
        };
        match destination {
            Destination::Goes { to, breaking } => self.routes.steps.push(Step {
                service: service.name.clone(),
                from: from.clone(),
                to: at(to),
                breaking,
            }),
            Destination::HeldBack { to, reasons } => {
                let held_back = HeldBack {
                    service: service.name.clone(),
                    from: from.clone(),
                    to: at(to),
                    reasons,
                };
                if is_named {
                    return Err(held_back.refusal());
                }
                self.routes.held_back.push(held_back);
            }
            Destination::Beyond if is_named => {
                let to = wanted.unwrap_or_default();
                return Err(Error::invalid(format!(
                    "`{}` is made from {from}, which is beyond version {to}",
                    service.name
                ))
                .hint("To go back, take the upgrade back with git: `git revert`"));
            }
            Destination::NotAtHand if is_named => {
                let to = wanted.unwrap_or_default();
                return Err(self.not_at_hand(&at(to)));
            }
            Destination::Stays | Destination::Beyond | Destination::NotAtHand => {
                let stays = (service.name.clone(), from.clone());
                self.routes.stay.push(stays);
            }
        }
        Ok(())
    }

    fn not_at_hand(&self, reference: &BlueprintReference) -> Error {
        let versions = self.known.get(&reference.name).map(|known| &known.versions);
        let versions = versions.into_iter().flatten().map(u32::to_string);
        let versions: Vec<String> = versions.collect();
        Error::missing(format!("{reference} is not at hand"))
            .since(format!(
                "of {}, this workspace and this program have {}",
                reference.name,
                versions.join(" and ")
            ))
            .hint("Ask for one of these, or use a gantline that brings that version")
    }
}

/// Nobody goes anywhere, though a version was asked for.
fn nowhere(to: u32, routes: &Routes) -> Error {
    let stay = routes.stay.iter();
    let stay = stay.map(|(name, reference)| format!("{name} stays at {reference}"));
    let stay: Vec<String> = stay.collect();
    let error = Error::invalid(format!("no service can be upgraded to version {to}"));
    match stay.is_empty() {
        true => {
            error.hint("Add a service first: `gantline add service NAME --blueprint go-service`")
        }
        false => error
            .since(stay.join("\n"))
            .hint("`gantline upgrade --dry-run` shows what is newer"),
    }
}
