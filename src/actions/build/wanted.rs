//! Which image belongs to the source of a service, and whether a registry has it.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use crate::engine::registry;
use crate::engine::source::image_source;
use crate::error::{Error, Result};
use crate::model::image::{ImageReference, source_tag};
use crate::model::name::Name;
use crate::model::project::Project;

/// The image that belongs to the source of a service, wherever it may be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Wanted {
    /// The service.
    pub service: Name,
    /// The image's repository: `ghcr.io/acme/shop/orders`.
    pub repository: String,
    /// Its tag.
    pub tag: String,
    /// The hash of the source: 64 hexadecimal digits.
    pub source: String,
}

impl Wanted {
    /// Repository and tag.
    pub fn name(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

/// The images of services, as a registry has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// What is there.
    pub found: BTreeMap<Name, ImageReference>,
    /// What has to be built and pushed first.
    pub missing: Vec<Wanted>,
}

/// The image that belongs to the source of a service. `registry` is the prefix of images where it
/// is not the workspace's.
///
/// # Errors
/// When the project has no such service, or its source cannot be read.
pub async fn wanted(project: &Project, service: &Name, registry: Option<&str>) -> Result<Wanted> {
    let found = project
        .services
        .get(service)
        .ok_or_else(|| Error::invalid(format!("there is no service `{service}`")))?;
    let workspace = &project.workspace;
    let prefix = registry.unwrap_or(&workspace.registry);
    let directory = project.root.join(found.directory.as_str());
    let source = image_source(&directory).await?;
    Ok(Wanted {
        service: service.clone(),
        repository: format!("{prefix}/{service}"),
        tag: source_tag(&source, &workspace.platforms),
        source,
    })
}

/// The images of these services, looked for in their registry by the hash of their source.
///
/// # Errors
/// When a source cannot be read, or the registry cannot be reached or refuses.
pub async fn images(
    project: &Project,
    services: &[Name],
    registry: Option<&str>,
) -> Result<Images> {
    let looked_for = services.iter().map(async |service| {
        let wanted = wanted(project, service, registry).await?;
        let digest = registry::find(&wanted.repository, &wanted.tag).await?;
        Ok::<_, Error>((wanted, digest))
    });
    let mut images = Images::default();
    for (wanted, digest) in try_join_all(looked_for).await? {
        match digest {
            Some(digest) => {
                let reference = ImageReference {
                    repository: wanted.repository,
                    tag: wanted.tag,
                    digest,
                };
                images.found.insert(wanted.service, reference);
            }
            None => images.missing.push(wanted),
        }
    }
    Ok(images)
}
