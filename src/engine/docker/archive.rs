//! Tar archives for the daemon: files of a container, and the source of an image.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::engine::source::{SourceKind, SourcePath};
use crate::error::{Error, Result};
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

/// The source of an image below a folder.
pub fn of_source(directory: &Path, paths: &[SourcePath]) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for source in paths {
        match &source.kind {
            SourceKind::Link { target } => {
                let mut header = header(EntryType::Symlink, 0, true);
                archive
                    .append_link(&mut header, &source.path, target)
                    .map_err(failed)?;
            }
            SourceKind::File { executable } => {
                let bytes = std::fs::read(directory.join(&source.path)).map_err(failed)?;
                let mut header = header(EntryType::Regular, bytes.len() as u64, *executable);
                header.set_mtime(time_of(&bytes));
                archive
                    .append_data(&mut header, &source.path, bytes.as_slice())
                    .map_err(failed)?;
            }
        }
    }
    archive.into_inner().map_err(failed)
}

/// A time that changes with the content and with nothing else. Go, whose cache outlives a build
/// in a mount, takes a file of the same size and time for the same file.
fn time_of(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    SOURCE_TIMES.start + number % (SOURCE_TIMES.end - SOURCE_TIMES.start)
}

/// Appends the files below a folder of the host, links as links.
pub fn of_files_at(archive: &mut Builder<Vec<u8>>, folder: &Path, target: &Path) -> Result<()> {
    archive.follow_symlinks(false);
    archive.append_dir_all(target, folder).map_err(failed)
}

/// Appends one file.
pub fn append_bytes(
    archive: &mut Builder<Vec<u8>>,
    path: &Path,
    bytes: &[u8],
    executable: bool,
) -> Result<()> {
    let mut header = header(EntryType::Regular, bytes.len() as u64, executable);
    archive
        .append_data(&mut header, path, bytes)
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

fn failed(error: std::io::Error) -> Error {
    Error::failed("cannot pack files for Docker").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.go"), text).unwrap();
        let paths = crate::engine::source::source_paths(folder.path()).unwrap();
        let bytes = of_source(folder.path(), &paths).unwrap();
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
