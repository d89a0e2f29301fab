//! From the manifests on disk to a plan.

use std::collections::BTreeMap;
use std::path::Path;

use super::service_files;
use crate::config::catalog;
use crate::config::project::{Selection, find, load};
use crate::engine::files::{self, DiskTree};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::plan::FilePlan;
use crate::model::project::Project;

/// What generating would change in a workspace, and what it was planned from.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The workspace, with the services that were asked for and those that they refer to.
    pub project: Project,
    /// The services that are generated.
    pub services: Vec<Name>,
    /// What changes.
    pub plan: FilePlan,
}

impl Generation {
    /// Plans the generation of these services, or of all when none is named, in the workspace
    /// of a folder. Nothing is written.
    ///
    /// # Errors
    /// When a file is wrong or cannot be read, or a service is unknown.
    pub fn prepare(start: &Path, names: &[Name]) -> Result<Self> {
        let root = find(start)?;
        let project = load(&root, &Selection::named(names))?;
        let services: Vec<Name> = if names.is_empty() {
            project.services.keys().cloned().collect()
        } else {
            names.to_vec()
        };
        let rendered = render(&project, &services)?;
        let tree = DiskTree::new(&root);
        let plan = super::plan(&project, &services, rendered, FileSet::default(), &tree)?;
        Ok(Self {
            project,
            services,
            plan,
        })
    }
}

/// Completes or takes back what a killed command left half done in the workspace of a folder,
/// where it is in one, and says so. It happens before the files of a workspace are read.
///
/// # Errors
/// As [`complete_interrupted`].
pub fn complete_interrupted_above(start: &Path, events: &dyn EventSink) -> Result<()> {
    match find(start) {
        Ok(root) => complete_interrupted(&root, events),
        // The command itself says what is wrong with the folder.
        Err(_) => Ok(()),
    }
}

/// The same in the folder of a workspace, also one that is only about to become one.
///
/// # Errors
/// When another gantline is writing, or the disk refuses.
pub fn complete_interrupted(root: &Path, events: &dyn EventSink) -> Result<()> {
    if let Some(recovery) = files::recover(root)? {
        events.warn(recovery.to_string());
    }
    Ok(())
}

/// The generated files of services, from the blueprints that the workspace pins.
///
/// # Errors
/// When a blueprint is missing or cannot be rendered.
pub fn render(project: &Project, services: &[Name]) -> Result<BTreeMap<Name, FileSet>> {
    render_with((project, &FileSet::default()), services)
}

/// The same as it would be with these files written.
///
/// # Errors
/// As [`render`].
pub fn render_with(
    (project, changes): (&Project, &FileSet),
    services: &[Name],
) -> Result<BTreeMap<Name, FileSet>> {
    let mut blueprints = BTreeMap::new();
    let mut rendered = BTreeMap::new();
    for name in services {
        let service = project
            .services
            .get(name)
            .ok_or_else(|| Error::invalid(format!("there is no service `{name}`")))?;
        if !blueprints.contains_key(&service.blueprint) {
            let blueprint = catalog::blueprint(Some(&project.root), &service.blueprint)?;
            blueprints.insert(service.blueprint.clone(), blueprint);
        }
        if let Some(blueprint) = blueprints.get(&service.blueprint) {
            let files = service_files((project, changes), blueprint, service)?;
            rendered.insert(name.clone(), files);
        }
    }
    Ok(rendered)
}
