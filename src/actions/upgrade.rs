//! Upgrade: a newer version of a blueprint reaches services, edited or not.
//!
//! What a service is generated from changes with its manifest; the rest is generation, with its
//! base, its merge and its transaction. The pins change in the same transaction.

mod destination;
mod manifests;
mod routes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::catalog;
use crate::config::project::{self, Selection, load_with};
use crate::engine::files::{DiskTree, FileTree};
use crate::engine::git;
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::file_set::{MergeKind, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::{FilePlan, Outcome};
use crate::model::project::{BlueprintReference, Project};
use crate::render::code::Peer;

use super::generate;

/// What shall be upgraded.
#[derive(Debug, Clone, Default)]
pub struct UpgradeRequest {
    /// The services; all when none is named.
    pub services: Vec<Name>,
    /// The version; the newest when absent.
    pub to: Option<u32>,
}

/// The way of one service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Step {
    /// The service.
    pub service: Name,
    /// What it is made from now.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub from: BlueprintReference,
    /// What it will be made from.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub to: BlueprintReference,
    /// What the versions on the way break.
    pub breaking: Vec<String>,
}

/// A service that goes on only when it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct HeldBack {
    /// The service.
    pub service: Name,
    /// What it is made from.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub from: BlueprintReference,
    /// What is newer.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub to: BlueprintReference,
    /// What that breaks.
    pub reasons: Vec<String>,
}

fn as_text<S: serde::Serializer>(
    reference: &BlueprintReference,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reference)
}

impl HeldBack {
    /// The command that takes it along.
    pub fn command(&self) -> String {
        format!("gantline upgrade {} --to {}", self.service, self.to.version)
    }

    fn refusal(&self) -> Error {
        let error = Error::invalid(format!(
            "going from {} to {} breaks something, so it must be asked for",
            self.from, self.to
        ));
        error
            .since(self.reasons.join("\n"))
            .hint(format!("When you are ready for that: `{}`", self.command()))
    }
}

/// An upgrade before it is done.
#[derive(Debug)]
pub struct Upgrade {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The services that go on.
    pub steps: Vec<Step>,
    /// The services that must be asked for.
    pub held_back: Vec<HeldBack>,
    /// The services that stay, and what they are made from.
    pub stay: Vec<(Name, BlueprintReference)>,
    /// What changes: manifests and generated files; the base, the pins and the lock file along
    /// with them.
    pub plan: FilePlan,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

impl Upgrade {
    /// Plans an upgrade in the workspace of a folder. Nothing is written.
    ///
    /// # Errors
    /// When a file is wrong, a service is unknown or cannot go where it is asked to, or a manifest
    /// does not fit the newer blueprint.
    pub fn prepare(start: &Path, request: &UpgradeRequest) -> Result<Self> {
        let root = project::find(start)?;
        let before = project::load(&root, &Selection::All)?;
        let routes = routes::find(&before, request)?;
        let mut upgrade = Self {
            root,
            steps: routes.steps,
            held_back: routes.held_back,
            stay: routes.stay,
            plan: FilePlan::default(),
            notes: routes.notes,
        };
        if !upgrade.steps.is_empty() {
            upgrade.plan(&before)?;
        }
        Ok(upgrade)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Files that would change and differ from what is committed: git cannot bring those back.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn uncommitted(&self) -> Result<Vec<String>> {
        let changes = self.plan.changes.iter();
        let written = changes.filter(|change| change.outcome.writes() && change.before.is_some());
        let paths: Vec<&TreePath> = written.map(|change| &change.path).collect();
        git::uncommitted(&self.root, &paths).await
    }

    /// Does it: all files, or none; then shows the conflicts to git, and gives those that git
    /// knows of.
    ///
    /// # Errors
    /// When a file is not any more as the plan found it, or the disk refuses.
    pub async fn apply(&self, events: &dyn EventSink) -> Result<Vec<TreePath>> {
        generate::apply(&self.root, &self.plan, Vec::new()).await?;
        Ok(generate::show_to_git(&self.root, &self.plan, events).await)
    }

    fn plan(&mut self, before: &Project) -> Result<()> {
        let tree = DiskTree::new(&self.root);
        let manifests = manifests::changes(before, &self.steps, &tree)?;
        let wanted = self.used_afterwards(before);
        let pins = catalog::repin(&self.root, &wanted, &self.unused(&wanted))?;
        let mut changes = pins.written.clone();
        for manifest in &manifests {
            let file = RenderedFile {
                bytes: manifest.after.clone().unwrap_or_default(),
                ..RenderedFile::default()
            };
            changes.files.insert(manifest.path.clone(), file);
        }
        let after = load_with(&self.root, &changes, &Selection::All)?;
        let names = self.affected(before, &after)?;
        let rendered = generate::render_with((&after, &changes), &names)?;
        let once: BTreeSet<TreePath> = names
            .iter()
            .filter_map(|name| Some((after.services.get(name)?, rendered.get(name)?)))
            .flat_map(|(service, files)| {
                let once = files.files.iter();
                let once = once.filter(|(_, file)| file.merge == MergeKind::Once);
                once.map(move |(path, _)| path.below(&service.directory))
            })
            .collect();
        self.plan = generate::plan(&after, &names, rendered, &tree)?;
        self.note_order(&once, &tree)?;
        self.plan.changes.extend(manifests);
        self.plan
            .changes
            .sort_by(|one, other| one.path.cmp(&other.path));
        let records = generate::pin_records(pins, &tree)?;
        self.plan.records.extend(records);
        Ok(())
    }

    /// The upgraded services, and those for whose code something changes about what they call.
    fn affected(&self, before: &Project, after: &Project) -> Result<Vec<Name>> {
        let mut names: BTreeSet<Name> = self.steps.iter().map(|it| it.service.clone()).collect();
        let mut changed = BTreeSet::new();
        for name in &names {
            let peer = |project: &Project| {
                let service = project.services.get(name);
                service
                    .map(|service| Peer::of(service, &project.workspace))
                    .transpose()
            };
            if peer(before)? != peer(after)? {
                changed.insert(name.clone());
            }
        }
        for service in after.services.values() {
            if service
                .needs
                .iter()
                .any(|need| changed.contains(&need.service))
            {
                names.insert(service.name.clone());
            }
        }
        Ok(names.into_iter().collect())
    }

    /// The blueprints that services are made from once they went on.
    fn used_afterwards(&self, before: &Project) -> Vec<BlueprintReference> {
        let services = before.services.values();
        let used: BTreeSet<_> = services
            .map(|service| {
                let step = self.steps.iter().find(|step| step.service == service.name);
                step.map_or(&service.blueprint, |step| &step.to)
            })
            .collect();
        used.into_iter().cloned().collect()
    }

    /// Blueprints that were upgraded from, and that no service is made from any more.
    fn unused(&self, used: &[BlueprintReference]) -> Vec<BlueprintReference> {
        let left = self.steps.iter().map(|step| &step.from);
        let unused: BTreeSet<_> = left.filter(|from| !used.contains(from)).collect();
        unused.into_iter().cloned().collect()
    }

    /// New files that are written once and do not come last in their folder: a migration before
    /// one that databases may have applied.
    fn note_order(&mut self, once: &BTreeSet<TreePath>, tree: &dyn FileTree) -> Result<()> {
        let created: BTreeSet<&TreePath> = self
            .plan
            .changes
            .iter()
            .filter(|change| change.outcome == Outcome::Created)
            .map(|change| &change.path)
            .collect();
        for path in created.iter().filter(|path| once.contains(**path)) {
            let Some((folder, _)) = path.as_str().rsplit_once('/') else {
                continue;
            };
            let folder = TreePath::new(folder).map_err(|error| Error::failed(error.to_string()))?;
            if let Some(last) = tree.list(&folder)?.last().filter(|last| last > path) {
                self.notes.push(format!(
                    "{path} comes before {}, which databases may have applied: rename the new one \
                     so that it comes last",
                    last.file_name()
                ));
            }
        }
        Ok(())
    }
}
