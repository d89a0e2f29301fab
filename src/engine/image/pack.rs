//! From images to what a registry keeps: configuration, manifest and index.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::Image;
use crate::engine::registry::{INDEX, MANIFEST, Repository};
use crate::error::{Error, Result};
use crate::model::image::{Digest, Platform};

/// The media type of a configuration.
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
/// How many blobs are sent at the same time.
const AT_ONCE: usize = 4;

/// An image with its documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// The image.
    pub image: Image,
    /// Its configuration, whose digest is the image's id in Docker.
    pub configuration: Vec<u8>,
    /// The digest of the configuration.
    pub id: Digest,
    /// Its manifest.
    pub manifest: Vec<u8>,
    /// The digest of the manifest.
    pub digest: Digest,
}

/// An index of images of several platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedIndex {
    /// The index.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
}

/// Makes the documents of an image.
///
/// # Errors
/// Never in practice: JSON of our own can be written.
pub fn pack(image: Image) -> Result<Packed> {
    let configuration = written(&image.configuration())?;
    let id = Digest::of(&configuration);
    let layers: Vec<Value> = image
        .layers
        .iter()
        .map(|layer| {
            json!({
                "mediaType": layer.media_type,
                "digest": layer.digest,
                "size": layer.bytes.len(),
            })
        })
        .collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": CONFIGURATION,
            "digest": id,
            "size": configuration.len(),
        },
        "layers": layers,
    });
    if !image.annotations.is_empty() {
        manifest["annotations"] = json!(image.annotations);
    }
    let manifest = written(&manifest)?;
    Ok(Packed {
        digest: Digest::of(&manifest),
        image,
        configuration,
        id,
        manifest,
    })
}

/// Makes the index of images, in the order of their platforms.
///
/// # Errors
/// Never in practice: JSON of our own can be written.
pub fn pack_index(
    images: &[Packed],
    annotations: &BTreeMap<String, String>,
) -> Result<PackedIndex> {
    let mut sorted: Vec<&Packed> = images.iter().collect();
    sorted.sort_by(|one, other| one.image.platform.cmp(&other.image.platform));
    let manifests: Vec<Value> = sorted
        .into_iter()
        .map(|packed| {
            json!({
                "mediaType": MANIFEST,
                "digest": packed.digest,
                "size": packed.manifest.len(),
                "platform": platform(&packed.image.platform),
            })
        })
        .collect();
    let mut index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": manifests,
    });
    if !annotations.is_empty() {
        index["annotations"] = json!(annotations);
    }
    let bytes = written(&index)?;
    Ok(PackedIndex {
        digest: Digest::of(&bytes),
        bytes,
    })
}

/// Gives a registry these images under a tag: one as itself, several as an index. The tag comes
/// last, so that it never names what is not there.
///
/// # Errors
/// When the registry cannot be reached or refuses.
pub async fn push(
    repository: &Repository,
    tag: &str,
    images: &[Packed],
    annotations: &BTreeMap<String, String>,
) -> Result<Digest> {
    let mut seen = BTreeSet::new();
    let blobs = images.iter().flat_map(|packed| {
        let layers = packed.image.layers.iter();
        let layers = layers.map(|layer| (&layer.digest, &layer.bytes));
        layers.chain([(&packed.id, &packed.configuration)])
    });
    let blobs: Vec<_> = blobs.filter(|(digest, _)| seen.insert(*digest)).collect();
    futures::stream::iter(blobs)
        .map(|(digest, bytes)| repository.push_blob(digest, bytes))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    if let [only] = images {
        let pushed = repository.push_manifest(tag, MANIFEST, &only.manifest);
        return pushed.await.map(|()| only.digest.clone());
    }
    for packed in images {
        let name = packed.digest.as_str();
        repository
            .push_manifest(name, MANIFEST, &packed.manifest)
            .await?;
    }
    let index = pack_index(images, annotations)?;
    let pushed = repository.push_manifest(tag, INDEX, &index.bytes);
    pushed.await.map(|()| index.digest)
}

fn platform(platform: &Platform) -> Value {
    let mut written = json!({
        "architecture": platform.architecture,
        "os": platform.system,
    });
    if let Some(variant) = &platform.variant {
        written["variant"] = json!(variant);
    }
    written
}

fn written(document: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(document)
        .map_err(|error| Error::failed("cannot write a document of the image").because(error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::image::{Settings, compressed, program_archive};

    const DOCKERFILE: &[&str] = &[
        "LABEL org.opencontainers.image.title=\"orders\"",
        "USER 65532:65532",
        "EXPOSE 8080",
        "ENTRYPOINT [\"/app/orders\"]",
    ];

    fn image(architecture: &str) -> Image {
        let base = json!({
            "created": "2026-11-22T16:12:32Z",
            "docker_version": "20.10.24",
            "config": {"User": "65532", "Env": ["PATH=/bin"], "Cmd": ["sh"], "Image": ""},
            "history": [{"created": "2026-11-22T16:12:32Z", "created_by": "import"}],
        });
        let platform = Platform::parse(&format!("linux/{architecture}")).unwrap();
        let program = program_archive(Path::new("/app/orders"), architecture.as_bytes()).unwrap();
        let program = compressed(program).unwrap();
        let mut image = Image::of(platform, &base, vec![program]);
        let lines: Vec<String> = DOCKERFILE.iter().map(|&line| line.to_owned()).collect();
        Settings::of(&lines).unwrap().apply(&mut image.settings);
        image
    }

    #[test]
    fn an_image_holds_no_date_and_nothing_of_where_it_was_built() {
        let packed = pack(image("amd64")).unwrap();
        let text = String::from_utf8(packed.configuration.clone()).unwrap();
        assert!(!text.contains("2026"), "{text}");
        assert!(!text.contains("docker_version"), "{text}");
        let configuration: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(configuration["config"]["User"], "65532:65532");
        assert_eq!(configuration["config"]["Env"][0], "PATH=/bin");
        assert_eq!(configuration["config"]["Entrypoint"][0], "/app/orders");
        // What the base would have run is no argument of this program.
        assert!(configuration["config"]["Cmd"].is_null(), "{text}");
        assert_eq!(pack(image("amd64")).unwrap(), packed);
    }

    #[test]
    fn an_index_is_the_same_in_whatever_order_the_platforms_were_built() {
        let (one, other) = (pack(image("amd64")).unwrap(), pack(image("arm64")).unwrap());
        let annotations = BTreeMap::new();
        let index = pack_index(&[one.clone(), other.clone()], &annotations).unwrap();
        assert_eq!(pack_index(&[other, one], &annotations).unwrap(), index);
        let text: Value = serde_json::from_slice(&index.bytes).unwrap();
        assert_eq!(text["manifests"][1]["platform"]["architecture"], "arm64");
    }
}
