//! The images of services: those that the registry has, and what to do about those that it has not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::open::Opened;
use crate::actions::build::{self, BuildRequest, Wanted};
use crate::config::environment::FOLDER;
use crate::error::{Error, Result};
use crate::model::image::ImageReference;
use crate::model::name::Name;

/// Whether images that are missing are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingImages {
    /// They are built and pushed.
    Build,
    /// They are an error.
    Refuse,
}

impl Opened {
    /// The images of the services, by digest.
    ///
    /// # Errors
    /// When one is missing, cannot be made, or the registry refuses.
    pub(super) async fn images(
        &self,
        missing: MissingImages,
    ) -> Result<BTreeMap<Name, ImageReference>> {
        let registry = self.environment.registry.as_deref();
        let images = build::images(&self.project, &self.services, registry).await?;
        if images.missing.is_empty() {
            return Ok(images.found);
        }
        if missing == MissingImages::Refuse {
            return Err(self.not_pushed(&images.missing));
        }
        let names: Vec<Name> = images.missing.iter().map(|it| it.service.clone()).collect();
        let request = BuildRequest {
            project: &self.project,
            services: &names,
            registry,
            push: true,
            builder: None,
            dry_run: false,
        };
        tokio::select! {
            built = build::build(&request, Arc::clone(&self.site.events)) => drop(built?),
            () = self.site.interrupted.clone() => return Err(Error::interrupted()),
        }
        let images = build::images(&self.project, &self.services, registry).await?;
        match images.missing.first() {
            None => Ok(images.found),
            Some(missing) => Err(Error::failed(format!(
                "the registry does not have {} although it was pushed",
                missing.name()
            ))),
        }
    }

    fn not_pushed(&self, missing: &[Wanted]) -> Error {
        let environment = &self.environment;
        let own = environment.registry.as_deref();
        let prefix = own.unwrap_or(&self.project.workspace.registry);
        not_pushed(
            missing,
            &Pushing {
                environment: &environment.name,
                prefix,
                is_own: own.is_some(),
            },
        )
    }
}

/// Where the images of an environment are pushed to.
struct Pushing<'a> {
    environment: &'a Name,
    prefix: &'a str,
    /// Whether the environment names it, and not the workspace.
    is_own: bool,
}

/// The error of images that nobody pushed.
fn not_pushed(missing: &[Wanted], to: &Pushing<'_>) -> Error {
    let Pushing {
        environment,
        prefix,
        is_own,
    } = to;
    let lines = missing
        .iter()
        .map(|it| format!("{}: {}", it.service, it.name()));
    let services: Vec<&str> = missing.iter().map(|it| it.service.as_str()).collect();
    let services = services.join(" ");
    let (flag, file) = match is_own {
        true => (
            format!(" --registry {prefix}"),
            format!("{FOLDER}/{environment}.yaml"),
        ),
        false => (String::new(), "gantline.yaml".to_owned()),
    };
    Error::missing(format!("{prefix} has no image of this source"))
        .with_causes(lines)
        .hint(format!(
            "Make it: `gantline build {services} --push{flag}`, or deploy with `--build`"
        ))
        .hint(format!(
            "If it lies elsewhere, correct `registry` in {file}"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of the image of `orders` that this registry lacks.
    fn said(prefix: &str, is_own: bool) -> Error {
        let wanted = Wanted {
            service: Name::new("orders").unwrap(),
            repository: format!("{prefix}/orders"),
            tag: "abc".to_owned(),
            source: "abcd".to_owned(),
        };
        let to = Pushing {
            environment: &Name::new("staging").unwrap(),
            prefix,
            is_own,
        };
        not_pushed(&[wanted], &to)
    }

    #[test]
    fn an_image_that_nobody_pushed_is_told_with_the_command_that_pushes_it_there() {
        let error = said("ghcr.io/acme/shop", false);
        let expected = "ghcr.io/acme/shop has no image of this source";
        assert_eq!(error.message(), expected);
        assert_eq!(error.causes(), ["orders: ghcr.io/acme/shop/orders:abc"]);
        assert!(error.hints()[0].contains("`gantline build orders --push`"));
        assert!(error.hints()[1].ends_with("gantline.yaml"));
    }

    #[test]
    fn the_registry_of_an_environment_is_named_in_the_command_that_pushes() {
        let error = said("eu.gcr.io/shop", true);
        let expected = "`gantline build orders --push --registry eu.gcr.io/shop`";
        assert!(error.hints()[0].contains(expected), "{error:?}");
        assert!(error.hints()[1].ends_with("environments/staging.yaml"));
    }
}
