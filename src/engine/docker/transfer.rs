//! Images out of the local Docker and into it, as archives.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{ImportImageOptionsBuilder, RemoveImageOptions};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tar::{Archive, Builder, EntryType};

use super::archive::append_bytes;
use super::build::blocking;
use super::images::identity;
use super::{failure, is_absent};
use crate::engine::image::{Image, Packed, contents, known};
use crate::error::{Error, Result};
use crate::model::image::Platform;

/// How long the daemon may go without a byte.
const SILENCE: Duration = Duration::from_secs(120);
/// The file of such an archive that lists what is in it.
const LIST: &str = "manifest.json";

/// Whether the daemon has an image of that name.
///
/// # Errors
/// When the daemon cannot be asked.
pub async fn has(client: &Docker, image: &str) -> Result<bool> {
    identity(client, image).await.map(|found| found.is_some())
}

/// Takes a name away from an image; one that is absent is no error.
///
/// # Errors
/// When the daemon refuses.
pub async fn remove(client: &Docker, image: &str) -> Result<()> {
    let removed = client
        .remove_image(image, None::<RemoveImageOptions>, None)
        .await;
    match removed {
        Ok(_) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(failure(format!("cannot remove the image {image}"), error)),
    }
}

/// An image of the local Docker; `None` when it has none of that name.
///
/// # Errors
/// When the daemon does not give it, or what it gives cannot be understood.
pub async fn export(client: &Docker, image: &str) -> Result<Option<Image>> {
    if !has(client, image).await? {
        return Ok(None);
    }
    let mut parts = client.export_image(image).boxed();
    let mut bytes = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, parts.try_next()).await {
            Ok(Ok(Some(part))) => bytes.extend_from_slice(&part),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                return Err(failure(format!("Docker does not give {image}"), error));
            }
            Err(_) => return Err(silent(image)),
        }
    }
    let image = image.to_owned();
    blocking(move || read(&image, &bytes).map(Some)).await
}

/// Gives the local Docker an image under a name.
///
/// # Errors
/// When the daemon does not take it.
pub async fn load(client: &Docker, packed: &Packed, name: &str) -> Result<()> {
    let archive = written(packed, name)?;
    let options = ImportImageOptionsBuilder::new().quiet(true).build();
    let body = bollard::body_full(archive.into());
    let mut events = client.import_image(options, body, None).boxed();
    loop {
        match tokio::time::timeout(SILENCE, events.try_next()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(failure(format!("Docker does not take {name}"), error)),
            Err(_) => return Err(silent(name)),
        }
    }
}

fn silent(image: &str) -> Error {
    Error::failed(format!("{image} does not come out of Docker or into it"))
        .since(format!("it said nothing for {} s", SILENCE.as_secs()))
}

/// The archive of `docker save`, written so that `docker load` takes it.
fn written(packed: &Packed, name: &str) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let mut layers = Vec::new();
    for layer in &packed.image.layers {
        let path = format!("{}.tar", layer.digest.digits());
        // A layer may occur twice; its file need not.
        if !layers.contains(&path) {
            append_bytes(&mut archive, Path::new(&path), &layer.bytes, false)?;
        }
        layers.push(path);
    }
    let configuration = format!("{}.json", packed.id.digits());
    let path = Path::new(&configuration);
    append_bytes(&mut archive, path, &packed.configuration, false)?;
    let list = json!([{"Config": configuration, "RepoTags": [name], "Layers": layers}]);
    append_bytes(
        &mut archive,
        Path::new(LIST),
        list.to_string().as_bytes(),
        false,
    )?;
    archive
        .into_inner()
        .map_err(|error| Error::failed("cannot pack an image for Docker").because(error))
}

/// Reads the archive of `docker save`.
fn read(image: &str, bytes: &[u8]) -> Result<Image> {
    let broken = || Error::failed(format!("what Docker gives as {image} cannot be understood"));
    let files = files(bytes).map_err(|error| broken().because(error))?;
    let parsed = |path: &str| -> Result<Value> {
        let bytes = files.get(Path::new(path)).ok_or_else(broken)?;
        serde_json::from_slice(bytes).map_err(|error| broken().because(error))
    };
    let list = parsed(LIST)?;
    let configuration = parsed(list[0]["Config"].as_str().ok_or_else(broken)?)?;
    let paths = list[0]["Layers"].as_array().ok_or_else(broken)?;
    let contents =
        contents(&configuration, paths.len()).map_err(|error| broken().because(error))?;
    let layers = paths.iter().zip(contents).map(|(path, content)| {
        let path = path.as_str().ok_or_else(broken)?;
        let layer = files.get(Path::new(path)).ok_or_else(broken)?;
        known(layer.clone(), &content).map_err(|error| broken().because(error))
    });
    let text = |member: &str| configuration[member].as_str().map(str::to_owned);
    let platform = Platform {
        system: text("os").unwrap_or_else(|| "linux".to_owned()),
        architecture: text("architecture").ok_or_else(broken)?,
        variant: text("variant"),
    };
    let layers = layers.collect::<Result<Vec<_>>>()?;
    Ok(Image::of(platform, &configuration, layers))
}

/// Files of an archive, links to other files of it followed: Docker keeps a layer once.
fn files(bytes: &[u8]) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    let mut archive = Archive::new(bytes);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        match entry.header().entry_type() {
            EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                files.insert(path, content);
            }
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name()?.unwrap_or_default().into_owned();
                links.push((path, target));
            }
            _ => {}
        }
    }
    for (path, target) in links {
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(content) = files.get(&resolved(&folder.join(target))) {
            let content = content.clone();
            files.insert(path, content);
        }
    }
    Ok(files)
}

fn resolved(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::{compressed, pack, program_archive};
    use crate::model::image::Digest;

    #[test]
    fn what_docker_load_is_given_is_read_back_as_docker_save_gives_it() {
        let layer =
            compressed(program_archive(Path::new("/app/orders"), b"program").unwrap()).unwrap();
        let base = json!({"config": {"User": "65532"}, "history": [{"created_by": "x"}, {"created_by": "y"}]});
        let platform = Platform::parse("linux/amd64").unwrap();
        let image = Image::of(platform, &base, vec![layer.clone(), layer]);
        let packed = pack(image.clone()).unwrap();
        let archive = written(&packed, "ghcr.io/acme/shop/orders:1").unwrap();
        assert_eq!(read("orders", &archive).unwrap(), image);
    }

    #[test]
    fn a_layer_of_zstandard_stays_as_docker_keeps_it() {
        let mut layer = compressed(b"archive".to_vec()).unwrap();
        layer.media_type = "application/vnd.oci.image.layer.v1.tar+zstd".to_owned();
        layer.bytes = [[0x28, 0xb5, 0x2f, 0xfd].as_slice(), b"packed"].concat();
        layer.digest = Digest::of(&layer.bytes);
        let platform = Platform::parse("linux/amd64").unwrap();
        let packed = pack(Image::of(platform, &json!({}), vec![layer])).unwrap();
        let archive = written(&packed, "orders:1").unwrap();
        assert_eq!(read("orders", &archive).unwrap(), packed.image);
    }

    #[test]
    fn a_configuration_of_other_layers_is_refused_with_both_numbers() {
        let layer = compressed(b"archive".to_vec()).unwrap();
        let platform = Platform::parse("linux/amd64").unwrap();
        let image = Image::of(platform, &json!({}), vec![layer.clone(), layer]);
        let mut packed = pack(image).unwrap();
        packed.image.layers.pop();
        let archive = written(&packed, "orders:1").unwrap();
        let refused = read("orders", &archive).unwrap_err().to_string();
        assert!(
            refused.contains("its manifest has 1 layers, and its configuration 2"),
            "{refused}"
        );
    }

    #[test]
    fn a_layer_that_docker_keeps_once_is_found_through_its_link() {
        let mut archive = Builder::new(Vec::new());
        append_bytes(&mut archive, Path::new("a/layer.tar"), b"layer", false).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        archive
            .append_link(&mut header, "b/layer.tar", "../a/layer.tar")
            .unwrap();
        let found = files(&archive.into_inner().unwrap()).unwrap();
        assert_eq!(found[Path::new("b/layer.tar")], b"layer");
    }
}

#[cfg(test)]
mod properties;
