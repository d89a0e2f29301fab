//! Which builder builds the image of a service.

use super::BuildRequest;
pub use crate::engine::docker::Builder;
use crate::engine::docker::dockerfile::{LastStage, Standing, standing};
use crate::error::{Error, Result};
use crate::model::name::Name;

/// The builder of one image, and what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Go of this host, on the base of this last stage.
    Native(LastStage),
    /// BuildKit, and why where nobody asked for it.
    Docker {
        /// For people, to be said: `its Dockerfile was edited`.
        reason: Option<&'static str>,
    },
}

impl Chosen {
    /// Which one it is.
    pub fn builder(&self) -> Builder {
        match self {
            Self::Native(_) => Builder::Native,
            Self::Docker { .. } => Builder::Docker,
        }
    }
}

/// Chooses the builder: native while that gives what the Dockerfile says.
///
/// # Errors
/// When the native one was asked for and the Dockerfile says something else.
pub fn choose(request: &BuildRequest<'_>, service: &Name) -> Result<Chosen> {
    let root = &request.project.root;
    let found = request.project.service(service)?;
    let directory = root.join(found.directory.as_str());
    if request.builder == Some(Builder::Docker) {
        return Ok(Chosen::Docker { reason: None });
    }
    if found.container.is_some() && request.builder.is_none() {
        // Nobody could expect another one.
        return Ok(Chosen::Docker { reason: None });
    }
    let standing = match found.container {
        Some(_) => Standing::Edited,
        None => standing(root, service.as_str(), &directory)?,
    };
    let reason = match standing {
        Standing::Same(stage) => return Ok(Chosen::Native(stage)),
        Standing::Edited => "its Dockerfile is not as generated",
        Standing::Unusual => "the last stage of its Dockerfile does more than hold a program",
    };
    if request.builder.is_none() {
        return Ok(Chosen::Docker {
            reason: Some(reason),
        });
    }
    Err(Error::invalid(format!(
        "the native builder cannot build {service}: {reason}"
    ))
    .since("it stands in for a Dockerfile only while that means the same; the edit would be lost")
    .hint("Let BuildKit build it: leave out `--builder native`")
    .hint(format!(
        "Or take the edit back in {}/Dockerfile",
        directory.display()
    )))
}
