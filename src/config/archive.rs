//! A blueprint as one archive, and back. Same files, same bytes; and whatever an archive
//! holds, it is read as a list of plain files with checked paths and bounded sizes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::blueprint::BlueprintFile;
use crate::model::file_set::TreePath;

/// An archive has at most this many files.
const MOST_FILES: usize = 4_096;
/// All files of an archive together are at most this large, in bytes.
const LARGEST_TOTAL: u64 = 32 * 1024 * 1024;
/// An archive is at most this large on disk, in bytes.
pub const LARGEST_ARCHIVE: u64 = 16 * 1024 * 1024;
/// The largest window that unpacking may ask for: 2^25 bytes of memory.
const LARGEST_WINDOW: u32 = 25;
/// zstd's level: higher ones save three hundredths of the size and take twice the time.
const LEVEL: i32 = 6;

/// An archive and the digest of what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// A tar file, compressed by zstd.
    pub bytes: Vec<u8>,
    /// The SHA-256 of the tar file, in hexadecimal: of what is inside, so that another
    /// compressor gives the same.
    pub digest: String,
}

/// Packs files, in order of path, with no owner and no time.
///
/// # Errors
/// When they are more than an archive may hold.
pub fn pack(files: &BTreeMap<TreePath, BlueprintFile>) -> Result<Archive> {
    let tar = tar_of(files)?;
    Ok(Archive {
        digest: digest(&tar),
        bytes: zstd::bulk::compress(&tar, LEVEL).map_err(not_packed)?,
    })
}

/// The digest that an archive of these files has.
///
/// # Errors
/// As [`pack`].
pub fn digest_of(files: &BTreeMap<TreePath, BlueprintFile>) -> Result<String> {
    Ok(digest(&tar_of(files)?))
}

fn tar_of(files: &BTreeMap<TreePath, BlueprintFile>) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, file) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        header.set_entry_type(tar::EntryType::Regular);
        builder
            .append_data(&mut header, path.as_str(), file.bytes.as_slice())
            .map_err(not_packed)?;
    }
    let tar = builder.into_inner().map_err(not_packed)?;
    if files.len() > MOST_FILES || tar.len() as u64 > LARGEST_TOTAL {
        return Err(Error::invalid(
            "the blueprint has more files than an archive may hold",
        ));
    }
    Ok(tar)
}

fn not_packed(cause: std::io::Error) -> Error {
    Error::failed("the blueprint cannot be packed").because(cause)
}

/// Unpacks an archive whose content must have this digest.
///
/// # Errors
/// When the digest differs, or the archive holds anything but plain files with paths below
/// its root, in bounds.
pub fn unpack(bytes: &[u8], expected: &str) -> Result<BTreeMap<TreePath, BlueprintFile>> {
    let tar = decompressed(bytes)?;
    let found = digest(&tar);
    if found != expected {
        return Err(refused(format!(
            "its content has the digest {found}, and {expected} is recorded"
        )));
    }
    let broken = |cause: std::io::Error| refused("it is no tar file").because(cause);
    let mut files = BTreeMap::new();
    // What is skipped is not read: tar clears a buffer for each piece that it reads past.
    let mut archive = tar::Archive::new(Cursor::new(tar.as_slice()));
    for entry in archive.entries_with_seek().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let (path, file) = plain_file(&mut entry)?;
        if files.len() == MOST_FILES {
            return Err(refused(format!("it holds more than {MOST_FILES} files")));
        }
        if let Some(twice) = files.insert(path.clone(), file).map(|_| path) {
            return Err(refused(format!("it holds `{twice}` twice")));
        }
    }
    Ok(files)
}

fn plain_file<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<(TreePath, BlueprintFile)> {
    let text = String::from_utf8(entry.path_bytes().into_owned()).map_err(|cause| {
        let shown = String::from_utf8_lossy(cause.as_bytes()).into_owned();
        refused(format!("the path `{}` is no UTF-8", shown.escape_debug()))
    })?;
    if entry.header().entry_type() != tar::EntryType::Regular {
        let shown = text.escape_debug();
        return Err(refused(format!("`{shown}` is no plain file")));
    }
    let path = TreePath::new(text).map_err(|cause| refused(cause.to_string()))?;
    let mut bytes = Vec::new();
    entry
        .take(LARGEST_TOTAL)
        .read_to_end(&mut bytes)
        .map_err(|cause| refused(format!("`{path}` cannot be read")).because(cause))?;
    let mode = entry.header().mode().unwrap_or_default();
    let file = BlueprintFile {
        bytes,
        executable: mode & 0o111 != 0,
    };
    Ok((path, file))
}

fn decompressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let broken = |cause: std::io::Error| refused("it is not compressed by zstd").because(cause);
    let mut decoder = zstd::Decoder::new(bytes).map_err(broken)?;
    decoder.window_log_max(LARGEST_WINDOW).map_err(broken)?;
    let mut tar = Vec::new();
    decoder
        .take(LARGEST_TOTAL + 1)
        .read_to_end(&mut tar)
        .map_err(broken)?;
    if tar.len() as u64 > LARGEST_TOTAL {
        return Err(refused(format!("it holds more than {LARGEST_TOTAL} bytes")));
    }
    Ok(tar)
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn refused(cause: impl Into<String>) -> Error {
    Error::invalid("the archive of a blueprint is refused").since(cause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::damaged::damaged_tar;

    /// Paths of entries whose archives are damaged.
    const PATHS: &[&str] = &[
        "blueprint.yaml",
        "base/a.go",
        "base/run.sh",
        "base/",
        "../x",
        "/x",
        "",
    ];

    fn files(paths: &[&str]) -> BTreeMap<TreePath, BlueprintFile> {
        paths
            .iter()
            .map(|path| {
                let file = BlueprintFile {
                    bytes: path.as_bytes().to_vec(),
                    executable: path.ends_with(".sh"),
                };
                (TreePath::new(*path).unwrap(), file)
            })
            .collect()
    }

    /// An archive made by hand, as someone hostile would.
    fn archive_with(change: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Archive {
        let mut builder = tar::Builder::new(Vec::new());
        change(&mut builder);
        let tar = builder.into_inner().unwrap();
        Archive {
            digest: digest(&tar),
            bytes: zstd::encode_all(tar.as_slice(), 3).unwrap(),
        }
    }

    fn entry(builder: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType) {
        let mut header = tar::Header::new_gnu();
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    }

    fn refusal(archive: &Archive) -> String {
        unpack(&archive.bytes, &archive.digest)
            .expect_err("should be refused")
            .to_string()
    }

    #[test]
    fn what_is_packed_is_unpacked_and_packs_to_the_same_bytes() {
        let long = format!(
            "go-service/{}/x.go",
            "deep/".repeat(40).trim_end_matches('/')
        );
        let files = files(&["go-service/blueprint.yaml", "go-service/base/run.sh", &long]);
        let archive = pack(&files).unwrap();
        let again = unpack(&archive.bytes, &archive.digest).unwrap();
        assert_eq!(again, files);
        assert_eq!(pack(&again).unwrap(), archive);
    }

    #[test]
    fn a_changed_archive_is_refused() {
        let archive = pack(&files(&["a/b"])).unwrap();
        let other = pack(&files(&["a/c"])).unwrap();
        let error = unpack(&other.bytes, &archive.digest).unwrap_err();
        assert!(error.to_string().contains("is recorded"));
    }

    #[test]
    fn paths_that_leave_the_archive_are_refused() {
        for path in ["/etc/passwd", "../x", "a/../../x", "a//b", "a\\b"] {
            let archive = archive_with(|builder| entry(builder, path, tar::EntryType::Regular));
            assert!(refusal(&archive).contains("no path inside"), "{path}");
        }
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [
            tar::EntryType::Symlink,
            tar::EntryType::Link,
            tar::EntryType::Char,
            tar::EntryType::Fifo,
            tar::EntryType::Directory,
        ] {
            let archive = archive_with(|builder| entry(builder, "a/b", kind));
            assert!(refusal(&archive).contains("no plain file"), "{kind:?}");
        }
    }

    #[test]
    fn a_file_that_comes_twice_is_refused() {
        let archive = archive_with(|builder| {
            entry(builder, "a", tar::EntryType::Regular);
            entry(builder, "a", tar::EntryType::Regular);
        });
        assert!(refusal(&archive).contains("twice"));
    }

    #[test]
    fn too_many_files_and_too_many_bytes_are_refused() {
        let many = archive_with(|builder| {
            for number in 0..=MOST_FILES {
                entry(builder, &format!("f{number}"), tar::EntryType::Regular);
            }
        });
        assert!(refusal(&many).contains("more than"));
        let zeros = std::io::repeat(0).take(LARGEST_TOTAL + 1);
        let bomb = Archive {
            bytes: zstd::encode_all(zeros, 3).unwrap(),
            digest: String::new(),
        };
        assert!(bomb.bytes.len() < 10_000);
        assert!(refusal(&bomb).contains("more than"));
    }

    proptest! {
        #[test]
        fn arbitrary_archives_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = unpack(&bytes, "");
            let tar = Archive { bytes: zstd::encode_all(bytes.as_slice(), 1).unwrap(), digest: digest(&bytes) };
            let _ = unpack(&tar.bytes, &tar.digest);
        }

        #[test]
        fn archives_of_any_entries_never_panic(tar in damaged_tar(PATHS)) {
            let bytes = zstd::encode_all(tar.as_slice(), 1).unwrap();
            if let Ok(files) = unpack(&bytes, &digest(&tar)) {
                let packed = pack(&files).unwrap();
                prop_assert!(unpack(&packed.bytes, &packed.digest).unwrap() == files);
            }
        }
    }
}
