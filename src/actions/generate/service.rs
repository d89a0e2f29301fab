//! All generated files of one service: the blueprint's, and the values of each environment.

use crate::config::project::Selection;
use crate::config::{environment, overlay};
use crate::error::{Error, Result};
use crate::model::blueprint::Blueprint;
use crate::model::file_set::FileSet;
use crate::model::project::{Project, Service};
use crate::render::code::{self, CodeInput};
use crate::render::environment_values::{self, ValuesInput};

/// The generated files of a service, by path relative to its folder. `changes` are files of the
/// workspace that are about to be written.
///
/// # Errors
/// When the blueprint cannot be rendered, or an environment is wrong.
pub fn service_files(
    (project, changes): (&Project, &FileSet),
    blueprint: &Blueprint,
    service: &Service,
) -> Result<FileSet> {
    let mut files = code::service_files(&CodeInput::of(blueprint, project, service)?)?;
    for name in environment::names_with(&project.root, changes)? {
        let directory = project.root.join(service.directory.as_str());
        let differs = directory.join(overlay::file_name(&name)).is_file();
        let there = if differs {
            let selection = Selection::Services(vec![service.name.clone()]);
            Some(environment::load_with(&project.root, &name, changes, &selection)?.1)
        } else {
            None
        };
        let overlaid_service = match &there {
            Some(there) => there
                .services
                .get(&service.name)
                .ok_or_else(|| Error::failed(format!("`{}` was not found again", service.name)))?,
            None => service,
        };
        let overlaid = match &there {
            Some(there) => {
                let input = CodeInput::of(blueprint, there, overlaid_service)?;
                Some(code::service_files(&input)?)
            }
            None => None,
        };
        let file = environment_values::file(&ValuesInput {
            environment: &environment::read_with(
                (&project.root, changes),
                &name,
                &project.workspace,
            )?,
            workspace: &project.workspace,
            service: overlaid_service,
            files: &files,
            overlaid: overlaid.as_ref(),
        })?;
        files.files.extend(file);
    }
    Ok(files)
}
