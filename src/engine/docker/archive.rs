//! Tar archives for the daemon: files of a container, and the source of an image.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::engine::source::{ContentHash, SourceHash, SourceKind, content_hash, source_paths_with};
use crate::error::{Error, Result};
use crate::model::container::BuildSource;
use crate::model::secret::Secret;

/// Modification times of what is no source are fixed.
const MODIFIED: u64 = 0;
/// The range of modification times of sources, in seconds since 1970: the years 1980 to 2011.
const SOURCE_TIMES: std::ops::Range<u64> = 315_532_800..1_325_376_000;

/// Files by absolute path, readable by every user of the container.
pub fn of_files(files: &BTreeMap<String, Secret>) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (path, content) in files {
        let path = Path::new(path.trim_start_matches('/'));
        append_bytes(&mut archive, path, content.reveal().as_bytes(), false)?;
    }
    archive.into_inner().map_err(failed)
}

/// Adds the source of an image, no file of which is held as a whole, and gives the hash of what was
/// added: that of [`crate::engine::source::image_source`], unless a file changed meanwhile.
///
/// # Errors
/// When a file cannot be read, or the archive not be written.
pub fn add_source<W: Write>(archive: &mut Builder<W>, source: &BuildSource) -> Result<String> {
    let mut hash = SourceHash::default();
    for path in source_paths_with(&source.context, &source.dockerfile)? {
        match &path.kind {
            SourceKind::Link { target } => {
                let mut header = header(EntryType::Symlink, 0, true);
                archive
                    .append_link(&mut header, &path.path, target)
                    .map_err(failed)?;
                hash.add_link(&path.path, target);
            }
            SourceKind::File { executable } => {
                let content = add_file(archive, &source.context, (&path.path, *executable))?;
                hash.add_file(&path.path, *executable, &content);
            }
        }
    }
    Ok(hash.of(source))
}

/// Adds a file below a folder, and gives the hash of what was added. It is read twice, since its time
/// comes before its content.
fn add_file<W: Write>(
    archive: &mut Builder<W>,
    folder: &Path,
    (path, executable): (&Path, bool),
) -> Result<ContentHash> {
    let place = folder.join(path);
    let (size, content) = content_hash(&place)?;
    let mut header = header(EntryType::Regular, size, executable);
    header.set_mtime(time_of(&content));
    let file = File::open(&place).map_err(failed)?;
    let mut reader = HashingReader {
        // A file that grew would be written over the next one's header.
        inner: file.take(size),
        hash: Sha256::new(),
    };
    archive
        .append_data(&mut header, path, &mut reader)
        .map_err(failed)?;
    Ok(reader.hash.finalize().into())
}

/// Hashes what is read through it.
struct HashingReader<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// A time that changes with the content and with nothing else. Go, whose cache outlives a build
/// in a mount, takes a file of the same size and time for the same file.
fn time_of(content: &ContentHash) -> u64 {
    let number = content
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    SOURCE_TIMES.start + number % (SOURCE_TIMES.end - SOURCE_TIMES.start)
}

/// Appends the files below a folder of the host, links as links.
pub fn of_files_at<W: Write>(archive: &mut Builder<W>, folder: &Path, target: &Path) -> Result<()> {
    archive.follow_symlinks(false);
    archive.append_dir_all(target, folder).map_err(failed)
}

/// Appends one file.
pub fn append_bytes<W: Write>(
    archive: &mut Builder<W>,
    path: &Path,
    bytes: &[u8],
    executable: bool,
) -> Result<()> {
    let mut header = header(EntryType::Regular, bytes.len() as u64, executable);
    archive
        .append_data(&mut header, path, bytes)
        .map_err(failed)
}

/// Appends a file of the host, which is not held as a whole.
pub fn append_program<W: Write>(archive: &mut Builder<W>, path: &Path, file: &Path) -> Result<()> {
    let mut file = File::open(file).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut header = header(EntryType::Regular, size, true);
    archive
        .append_data(&mut header, path, &mut file)
        .map_err(failed)
}

fn header(kind: EntryType, size: u64, executable: bool) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_mtime(MODIFIED);
    header
}

/// The error of an archive that cannot be written.
pub fn failed(error: std::io::Error) -> Error {
    Error::failed("cannot pack files for Docker").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::source::plain_source;

    fn times(text: &str) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.go"), text).unwrap();
        let mut archive = Builder::new(Vec::new());
        add_source(&mut archive, &plain_source(folder.path())).unwrap();
        let bytes = archive.into_inner().unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap();
        entries
            .map(|entry| entry.unwrap().header().mtime().unwrap())
            .collect()
    }

    #[test]
    fn an_edit_that_leaves_the_size_changes_the_time() {
        let first = times("import \"example.com/live\"");
        assert_eq!(first, times("import \"example.com/live\""));
        assert_ne!(first, times("import \"example.com/shop\""));
        assert!(SOURCE_TIMES.contains(&first[0]));
    }
}
