//! What an image says about itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::{Access, Repository};
use crate::engine::docker::connection::DockerEnvironment;
use crate::error::{Error, Result};
use crate::model::image::{BUILDER, Digest};

/// The largest configuration of an image that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Asks for what images say about themselves.
#[async_trait]
pub trait ImageLabels: Send + Sync {
    /// The labels of the image of this digest; `None` when there is no such image.
    ///
    /// # Errors
    /// When whoever has it cannot be reached, refuses, or has something else there.
    async fn labels(&self, repository: &str, digest: &Digest) -> Result<Option<Labels>>;
}

/// Asks the images' registries.
#[derive(Debug, Clone, Default)]
pub struct RegistryLabels {
    environment: DockerEnvironment,
}

impl RegistryLabels {
    /// With the credentials that this environment names.
    pub fn new(environment: DockerEnvironment) -> Self {
        Self { environment }
    }
}

#[async_trait]
impl ImageLabels for RegistryLabels {
    async fn labels(&self, repository: &str, digest: &Digest) -> Result<Option<Labels>> {
        let repository = Repository::open(repository, Access::Read, &self.environment).await?;
        let Some(mut manifest) = document(&repository, digest.as_str()).await? else {
            return Ok(None);
        };
        // What gantline built says the same in its manifest, which spares a request.
        if let Some(annotations) = annotations(&manifest) {
            return Ok(Some(annotations));
        }
        if let Some(first) = first_platform(&manifest) {
            let found = document(&repository, &first).await?;
            manifest = found.ok_or_else(|| unusual(digest, "it names a manifest that is gone"))?;
            if let Some(annotations) = annotations(&manifest) {
                return Ok(Some(annotations));
            }
        }
        let configuration = &manifest["config"];
        if configuration["size"]
            .as_u64()
            .is_none_or(|size| size > LARGEST)
        {
            return Err(unusual(digest, "it has no configuration of a usual size"));
        }
        let named = configuration["digest"].as_str().unwrap_or_default();
        let named = Digest::parse(named).map_err(|error| unusual(digest, &error.to_string()))?;
        let bytes = repository.blob(&named).await?;
        let configuration: Value =
            serde_json::from_slice(&bytes).map_err(|error| unusual(digest, &error.to_string()))?;
        Ok(Some(texts(&configuration["config"]["Labels"])))
    }
}

async fn document(repository: &Repository, name: &str) -> Result<Option<Value>> {
    let Some(found) = repository.manifest(name).await? else {
        return Ok(None);
    };
    serde_json::from_slice(&found.bytes)
        .map(Some)
        .map_err(|error| unusual(&found.digest, &error.to_string()))
}

/// The annotations of a manifest that gantline wrote.
fn annotations(manifest: &Value) -> Option<Labels> {
    let annotations = texts(&manifest["annotations"]);
    annotations.contains_key(BUILDER).then_some(annotations)
}

/// The digest of an index' first image that runs somewhere: attestations do not.
fn first_platform(index: &Value) -> Option<String> {
    let runs = |entry: &&Value| entry["platform"]["os"].as_str() != Some("unknown");
    let first = index["manifests"].as_array()?.iter().find(runs)?;
    first["digest"].as_str().map(str::to_owned)
}

fn texts(members: &Value) -> Labels {
    let members = members.as_object().into_iter().flatten();
    let texts =
        members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.collect()
}

fn unusual(digest: &Digest, why: &str) -> Error {
    Error::failed(format!("the image {digest} is not understood")).since(why)
}
