//! Layers: archives whose bytes depend on nothing but what is in them.

use std::io::{Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::error::{Error, Result};
use crate::model::image::Digest;

/// The media type of a layer that is not compressed.
const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
/// The media type of a layer that is compressed with gzip.
const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The media type of a layer that is compressed with Zstandard.
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// How much is compressed: what takes a quarter less time than the usual level, 6, for a program that
/// gets hardly larger.
const LEVEL: Compression = Compression::new(5);
/// What a gzip stream begins with (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// What a frame of Zstandard begins with (RFC 8878).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A layer as a registry keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The media type of the bytes.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The digest of the archive in them, uncompressed.
    pub content: Digest,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The archive of a layer that holds one program at an absolute path, owned by root and executable by
/// all.
///
/// # Errors
/// When the path cannot be written into an archive.
pub fn program_archive(path: &Path, program: &[u8]) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let path = path.strip_prefix("/").unwrap_or(path);
    let folders: Vec<&Path> = path.ancestors().skip(1).collect();
    for folder in folders.into_iter().rev() {
        if folder.as_os_str().is_empty() {
            continue;
        }
        let mut header = header(EntryType::Directory, 0);
        // The slash at the end tells a folder, as other programs write it.
        let name = format!("{}/", folder.display());
        archive
            .append_data(&mut header, name, std::io::empty())
            .map_err(unpackable)?;
    }
    let mut header = header(EntryType::Regular, program.len() as u64);
    archive
        .append_data(&mut header, path, program)
        .map_err(unpackable)?;
    archive.into_inner().map_err(unpackable)
}

/// A layer of an archive as it is: the local Docker would only unpack it.
pub fn uncompressed(archive: Vec<u8>) -> Layer {
    let digest = Digest::of(&archive);
    Layer {
        media_type: PLAIN.to_owned(),
        content: digest.clone(),
        digest,
        bytes: archive,
    }
}

/// A layer of an archive, compressed unless it is.
///
/// # Errors
/// When a compressed archive cannot be read.
pub fn compressed(archive: Vec<u8>) -> Result<Layer> {
    if archive.starts_with(&GZIP_MAGIC) {
        let mut content = Vec::new();
        GzDecoder::new(archive.as_slice())
            .read_to_end(&mut content)
            .map_err(unpackable)?;
        return Ok(Layer {
            media_type: GZIP.to_owned(),
            digest: Digest::of(&archive),
            content: Digest::of(&content),
            bytes: archive,
        });
    }
    // No name, no date, and no system: `unknown` is what the builder writes.
    let mut encoder = GzBuilder::new().write(Vec::new(), LEVEL);
    encoder.write_all(&archive).map_err(unpackable)?;
    let bytes = encoder.finish().map_err(unpackable)?;
    Ok(Layer {
        media_type: GZIP.to_owned(),
        digest: Digest::of(&bytes),
        content: Digest::of(&archive),
        bytes,
    })
}

/// A layer of an archive that an image's configuration knows by this digest: compressed with gzip
/// unless it is compressed.
///
/// # Errors
/// When it is another archive than that.
pub fn known(archive: Vec<u8>, content: &Digest) -> Result<Layer> {
    if archive.starts_with(&ZSTD_MAGIC) {
        // Nothing here unpacks it: who runs the image checks what is in it.
        return Ok(Layer {
            media_type: ZSTD.to_owned(),
            digest: Digest::of(&archive),
            content: content.clone(),
            bytes: archive,
        });
    }
    let layer = compressed(archive)?;
    match layer.content == *content {
        true => Ok(layer),
        false => Err(Error::failed(format!(
            "a layer is {}, and the image's configuration names {content}",
            layer.content
        ))),
    }
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o755);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn unpackable(error: std::io::Error) -> Error {
    Error::failed("cannot pack a layer of the image").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(path: &str, program: &[u8]) -> Layer {
        compressed(program_archive(Path::new(path), program).unwrap()).unwrap()
    }

    #[test]
    fn the_same_program_gives_the_same_bytes() {
        let packed = layer("/app/orders", b"program");
        assert_eq!(packed, layer("/app/orders", b"program"));
        // A new version of a library that packs otherwise would make every image a new one.
        assert_eq!(
            packed.content.digits(),
            "b647a474ad15fd68463e03f4be9e95b0fd30eecf216fe928cdac0835905bbf56"
        );
        assert_ne!(packed, layer("/app/orders", b"another"));
    }

    #[test]
    fn a_layer_holds_folders_and_program_of_root_without_a_date() {
        let layer = layer("/opt/app/orders", b"program");
        let mut content = Vec::new();
        GzDecoder::new(layer.bytes.as_slice())
            .read_to_end(&mut content)
            .unwrap();
        assert_eq!(Digest::of(&content), layer.content);
        let mut archive = tar::Archive::new(content.as_slice());
        let found: Vec<(String, u32, u64)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 0));
                let path = entry.path().unwrap().display().to_string();
                (path, header.mode().unwrap(), header.size().unwrap())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("opt/".to_owned(), 0o755, 0),
                ("opt/app/".to_owned(), 0o755, 0),
                ("opt/app/orders".to_owned(), 0o755, 7)
            ]
        );
    }

    #[test]
    fn a_layer_is_the_same_to_docker_whether_it_is_compressed_or_not() {
        let archive = program_archive(Path::new("/app/orders"), b"program").unwrap();
        let plain = uncompressed(archive.clone());
        assert_eq!((&plain.bytes, &plain.digest), (&archive, &plain.content));
        assert_eq!(plain.content, compressed(archive).unwrap().content);
    }

    #[test]
    fn a_layer_is_the_one_that_the_configuration_knows() {
        let archive = b"archive".to_vec();
        let content = Digest::of(&archive);
        let plain = known(archive.clone(), &content).unwrap();
        assert_eq!(plain, compressed(archive).unwrap());
        assert_eq!(known(plain.bytes.clone(), &content).unwrap(), plain);
        let another = known(b"another".to_vec(), &content).unwrap_err();
        assert!(another.message().contains(content.as_str()), "{another}");
        // What is in it is what the configuration says: packed again, it would be another layer.
        let bytes = [ZSTD_MAGIC.as_slice(), b"..."].concat();
        let packed = known(bytes.clone(), &content).unwrap();
        assert_eq!(
            (packed.media_type.as_str(), packed.content),
            (ZSTD, content)
        );
        assert_eq!(packed.bytes, bytes);
    }

    #[test]
    fn a_compressed_archive_is_left_as_it_is() {
        let once = compressed(b"archive".to_vec()).unwrap();
        assert_eq!(compressed(once.bytes.clone()).unwrap(), once);
    }
}
