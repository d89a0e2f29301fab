//! All generated files of a service: the blueprint's, and the values of each environment.

use std::collections::BTreeMap;

use crate::config::project::Selection;
use crate::config::{environment, overlay};
use crate::error::Result;
use crate::model::environment::Environment;
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::project::{Project, Service};
use crate::render::code::{self, CodeInput};
use crate::render::environment_values::{self, ValuesInput};

/// Renders the services of a workspace.
#[derive(Debug)]
pub struct Renderer<'a> {
    project: &'a Project,
    /// Files of the workspace that are about to be written.
    changes: &'a FileSet,
    environments: BTreeMap<Name, Environment>,
}

impl<'a> Renderer<'a> {
    /// That of a workspace as it is with these files written.
    ///
    /// # Errors
    /// When an environment is wrong.
    pub fn new(project: &'a Project, changes: &'a FileSet) -> Result<Self> {
        let root = project.root.as_path();
        let names = environment::names_with(root, changes)?.into_iter();
        let environments = names.map(|name| {
            let read = environment::read_with((root, changes), &name, &project.workspace)?;
            Ok((name, read))
        });
        Ok(Self {
            project,
            changes,
            environments: environments.collect::<Result<_>>()?,
        })
    }

    /// The generated files of a service, by path relative to its folder.
    ///
    /// # Errors
    /// When the blueprint cannot be rendered, or what differs in an environment is wrong.
    pub fn files(&self, service: &Service) -> Result<FileSet> {
        let mut files = rendered(self.project, service)?;
        for environment in self.environments.values() {
            let there = self.in_environment(service, &environment.name)?;
            let (overlaid_service, overlaid) = match &there {
                Some(there) => {
                    let service = there.service(&service.name)?;
                    (service, Some(rendered(there, service)?))
                }
                None => (service, None),
            };
            let file = environment_values::file(&ValuesInput {
                environment,
                workspace: &self.project.workspace,
                service: overlaid_service,
                files: &files,
                overlaid: overlaid.as_ref(),
            })?;
            files.files.extend(file);
        }
        Ok(files)
    }

    /// The service and its peers as they are in an environment; `None` where it does not differ.
    fn in_environment(&self, service: &Service, environment: &Name) -> Result<Option<Project>> {
        let root = &self.project.root;
        let directory = root.join(service.directory.as_str());
        if !directory.join(overlay::file_name(environment)).is_file() {
            return Ok(None);
        }
        let selection = Selection::Services(vec![service.name.clone()]);
        let loaded = environment::load_with(root, environment, self.changes, &selection);
        loaded.map(|(_, project)| Some(project))
    }
}

fn rendered(project: &Project, service: &Service) -> Result<FileSet> {
    let blueprint = project.blueprint_of(service)?;
    code::service_files(&CodeInput::of(blueprint, project, service)?)
}
