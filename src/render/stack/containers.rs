//! Services without a blueprint, as the stack runs them.

use crate::model::container::{BuildSource, Container, Health, Origin};
use crate::model::project::{Project, Service};
use crate::model::resource_type::ReadyCheck;
use crate::model::secret::Secret;
use crate::model::stack::{ContainerImage, ContainerProgram, Program, Readiness};

/// What runs.
pub(super) fn program(project: &Project, service: &Service, container: &Container) -> Program {
    let image = match &container.origin {
        Origin::Image(image) => ContainerImage::Named(image.name.to_string()),
        Origin::Build(source) => ContainerImage::Built {
            repository: service.image(&project.workspace),
            source: BuildSource {
                context: project.root.join(&source.context),
                ..source.clone()
            },
        },
    };
    Program::Container(ContainerProgram {
        service: service.name.clone(),
        image,
        command: container.command.clone(),
        arguments: container.args.clone(),
        user: container.user,
        writable: container.writable.clone(),
    })
}

/// What proves that it serves.
pub(super) fn readiness(container: &Container) -> Readiness {
    let check = match &container.health {
        Health::Http { port, path, .. } => ReadyCheck::Http {
            port: port.clone(),
            path: path.clone(),
        },
        Health::Tcp { port } => ReadyCheck::Tcp { port: port.clone() },
        Health::Exec(words) => ReadyCheck::Exec(words.clone()),
    };
    Readiness {
        check,
        user: String::new(),
        password: Secret::default(),
    }
}
