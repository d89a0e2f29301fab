//! Which image belongs to the source of a service, and whether a registry has it.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use crate::engine::registry;
use crate::engine::source::{image_source, plain_source};
use crate::error::{Error, Result};
use crate::model::container::{BuildSource, Origin};
use crate::model::image::{ImageReference, source_tag};
use crate::model::name::Name;
use crate::model::project::{Project, Service};

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
    let workspace = &project.workspace;
    let prefix = registry.unwrap_or(&workspace.registry);
    let source = image_source(&source_of(project, service)?).await?;
    Ok(Wanted {
        service: service.clone(),
        repository: format!("{prefix}/{service}"),
        tag: source_tag(&source, &workspace.platforms),
        source,
    })
}

/// What the image of a service is made from; the context is absolute.
///
/// # Errors
/// When the project has no such service, or its image is a vendor's.
pub fn source_of(project: &Project, service: &Name) -> Result<BuildSource> {
    let found = project.service(service)?;
    match found.container.as_ref().map(|it| &it.origin) {
        None => Ok(plain_source(&project.root.join(found.directory.as_str()))),
        Some(Origin::Build(source)) => Ok(BuildSource {
            context: project.root.join(&source.context),
            ..source.clone()
        }),
        Some(Origin::Image(image)) => {
            Err(
                Error::invalid(format!("the image of `{service}` is not built here")).since(
                    format!("{}/service.yaml names {}", found.directory, image.name),
                ),
            )
        }
    }
}

/// The images of vendors among those of these services, with the digests that their registries
/// have for them now.
async fn of_vendors(
    project: &Project,
    services: &[Name],
) -> Result<BTreeMap<Name, ImageReference>> {
    let named = services.iter().filter_map(|name| {
        let container = project.services.get(name)?.container.as_ref()?;
        match &container.origin {
            Origin::Image(image) => Some((name, &image.name)),
            Origin::Build(_) => None,
        }
    });
    let found = named.map(async |(service, name)| {
        let digest = match &name.digest {
            Some(digest) => Some(digest.clone()),
            None => registry::find(&name.repository, &name.tag).await?,
        };
        let digest = digest.ok_or_else(|| {
            Error::missing(format!("its registry has no image {name}"))
                .since(format!("`{service}` is made from it"))
                .hint(format!(
                    "Name another tag as `image` in the service.yaml of {service}"
                ))
        })?;
        let reference = ImageReference {
            repository: name.repository.clone(),
            tag: name.tag.clone(),
            digest,
        };
        Ok::<_, Error>((service.clone(), reference))
    });
    Ok(try_join_all(found).await?.into_iter().collect())
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
    let is_built = |name: &&Name| project.services.get(*name).is_none_or(Service::has_source);
    let looked_for = services.iter().filter(is_built).map(async |service| {
        let wanted = wanted(project, service, registry).await?;
        let digest = registry::find(&wanted.repository, &wanted.tag).await?;
        Ok::<_, Error>((wanted, digest))
    });
    let mut images = Images {
        found: of_vendors(project, services).await?,
        missing: Vec::new(),
    };
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
