//! The base of an image: from its registry, or from the local Docker.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, Shared, try_join_all};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Image, Layer, cache, contents};
use crate::engine::docker::connection::{DockerEnvironment, connect};
use crate::engine::docker::transfer;
use crate::engine::registry::{Access, Repository, StoredManifest};
use crate::engine::runtime::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::model::image::{Digest, Platform};

/// What a layer that Docker made is called in OCI's terms: the bytes are the same.
const RENAMED: [(&str, &str); 3] = [
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.oci.image.layer.v1.tar",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "application/vnd.oci.image.layer.v1.tar+zstd",
    ),
];
/// What a base is annotated with: its name and its digest.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// Where a base is looked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// In its registry: what is pushed must not depend on what this machine has.
    Registry,
    /// In the local Docker: what stays on this machine needs no network.
    Local,
}

type Obtained = Shared<BoxFuture<'static, Result<Arc<Image>>>>;

/// Bases of one run; each is fetched once for each platform.
pub struct Bases {
    environment: DockerEnvironment,
    preference: Preference,
    obtained: Mutex<BTreeMap<(String, Platform), Obtained>>,
}

impl Bases {
    /// Bases that are looked for there first.
    pub fn new(environment: DockerEnvironment, preference: Preference) -> Self {
        Self {
            environment,
            preference,
            obtained: Mutex::default(),
        }
    }

    /// The base of that name for a platform.
    ///
    /// # Errors
    /// When neither its registry nor the local Docker has it.
    pub async fn obtain(
        &self,
        name: &str,
        platform: &Platform,
        progress: &Progress,
    ) -> Result<Arc<Image>> {
        let key = (name.to_owned(), platform.clone());
        let mut obtained = self.obtained.lock().await;
        let found = obtained.entry(key).or_insert_with(|| {
            let search = Search {
                name: name.to_owned(),
                platform: platform.clone(),
                environment: self.environment.clone(),
                progress: progress.clone(),
            };
            let preference = self.preference;
            async move { search.run(preference).await.map(Arc::new) }
                .boxed()
                .shared()
        });
        let found = found.clone();
        drop(obtained);
        found.await
    }
}

struct Search {
    name: String,
    platform: Platform,
    environment: DockerEnvironment,
    progress: Progress,
}

impl Search {
    async fn run(self, preference: Preference) -> Result<Image> {
        self.progress
            .say(format!("looking for {} for {}", self.name, self.platform));
        if preference == Preference::Local
            && let Ok(Some(image)) = self.of_docker().await
        {
            return Ok(image);
        }
        let refused = match self.of_registry().await {
            Ok(image) => return Ok(image),
            Err(error) if error.kind() == ErrorKind::Missing => error,
            Err(error) => return Err(error),
        };
        let local = match preference {
            Preference::Registry => self.of_docker().await,
            Preference::Local => Ok(None),
        };
        if let Ok(Some(image)) = local {
            self.progress.warn(format!(
                "{} comes from the local Docker: {}",
                self.name,
                refused.message()
            ));
            return Ok(image);
        }
        Err(self.absent(&refused))
    }

    fn absent(&self, refused: &Error) -> Error {
        let Self { name, platform, .. } = self;
        Error::missing(format!("the base {name} for {platform} cannot be had"))
            .since(refused.to_string())
            .hint(format!("The local Docker has none for that platform either: `docker pull --platform {platform} {name}`"))
            .with_hints(refused.hints())
    }

    /// From the local Docker; `None` where there is no Docker, or it has no such image for the
    /// platform.
    async fn of_docker(&self) -> Result<Option<Image>> {
        let client = match connect(&self.environment).await {
            Ok(client) => client,
            Err(error) if error.kind() == ErrorKind::Missing => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(mut image) = transfer::export(&client, &self.name).await? else {
            return Ok(None);
        };
        if !fits(&image.platform, &self.platform) {
            return Ok(None);
        }
        image.platform = self.platform.clone();
        self.annotate(&mut image, None);
        Ok(Some(image))
    }

    async fn of_registry(&self) -> Result<Image> {
        let repository = Repository::open(&self.name, Access::Read, &self.environment).await?;
        let stored = self.stored(&repository, repository.name()).await?;
        let digest = stored.digest.clone();
        let manifest = self.manifest(&repository, &stored).await?;
        let configuration = self.digest_of(&manifest["config"])?;
        let configuration = cache::blob(&repository, &configuration).await?;
        let configuration: Value =
            serde_json::from_slice(&configuration).map_err(|error| self.broken().because(error))?;
        let layers = manifest["layers"].as_array().ok_or_else(|| self.broken())?;
        let contents =
            contents(&configuration, layers.len()).map_err(|error| self.broken().because(error))?;
        let layers = layers.iter().zip(contents).map(async |(layer, content)| {
            let digest = self.digest_of(layer)?;
            let bytes = cache::blob(&repository, &digest).await?;
            let media_type = layer["mediaType"].as_str().unwrap_or_default();
            let renamed = RENAMED.iter().find(|(docker, _)| *docker == media_type);
            Ok::<_, Error>(Layer {
                media_type: renamed.map_or(media_type, |(_, oci)| oci).to_owned(),
                digest,
                content,
                bytes,
            })
        });
        let layers = try_join_all(layers).await?;
        let mut image = Image::of(self.platform.clone(), &configuration, layers);
        self.annotate(&mut image, Some(&digest));
        Ok(image)
    }

    async fn stored(&self, repository: &Repository, name: &str) -> Result<StoredManifest> {
        let found = repository.manifest(name).await?;
        found.ok_or_else(|| Error::missing(format!("the registry has no {}", self.name)))
    }

    /// The manifest of the platform: itself, or the one that an index names.
    async fn manifest(&self, repository: &Repository, stored: &StoredManifest) -> Result<Value> {
        let parsed = |bytes: &[u8]| {
            serde_json::from_slice::<Value>(bytes).map_err(|error| self.broken().because(error))
        };
        let document = parsed(&stored.bytes)?;
        let Some(entries) = document["manifests"].as_array() else {
            return Ok(document);
        };
        let entry = entries.iter().find(|entry| {
            let text = |member: &str| entry["platform"][member].as_str().map(str::to_owned);
            let platform = Platform {
                system: text("os").unwrap_or_default(),
                architecture: text("architecture").unwrap_or_default(),
                variant: text("variant"),
            };
            fits(&platform, &self.platform)
        });
        let Some(entry) = entry else {
            let (name, platform) = (&self.name, &self.platform);
            return Err(
                Error::missing(format!("{name} is not there for {platform}")).hint(
                    "Take the platform out of `platforms` in gantline.yaml, or choose another base",
                ),
            );
        };
        let digest = self.digest_of(entry)?;
        parsed(&self.stored(repository, digest.as_str()).await?.bytes)
    }

    fn annotate(&self, image: &mut Image, digest: Option<&Digest>) {
        let annotations = &mut image.annotations;
        annotations.insert(BASE_NAME.to_owned(), self.name.clone());
        if let Some(digest) = digest {
            annotations.insert(BASE_DIGEST.to_owned(), digest.to_string());
        }
    }

    fn digest_of(&self, descriptor: &Value) -> Result<Digest> {
        let text = descriptor["digest"].as_str().unwrap_or_default();
        Digest::parse(text).map_err(|error| self.broken().because(error))
    }

    fn broken(&self) -> Error {
        Error::failed(format!("the registry's {} cannot be understood", self.name))
            .hint("Choose another base, or have this one pushed again")
    }
}

/// Whether an image of one platform runs on another one. Only `arm` has variants that matter.
fn fits(image: &Platform, wanted: &Platform) -> bool {
    let variant = wanted.variant.is_none() || wanted.variant == image.variant;
    image.system == wanted.system && image.architecture == wanted.architecture && variant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_matters_only_when_it_is_asked_for() {
        let platform = |text| Platform::parse(text).unwrap();
        assert!(fits(&platform("linux/arm64/v8"), &platform("linux/arm64")));
        assert!(fits(&platform("linux/arm/v7"), &platform("linux/arm/v7")));
        assert!(!fits(&platform("linux/arm/v6"), &platform("linux/arm/v7")));
        assert!(!fits(&platform("linux/amd64"), &platform("linux/arm64")));
    }
}
