//! Tar archives for the daemon: files of a container, and the source of an image.

use std::collections::BTreeMap;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::engine::source::{SourceKind, SourcePath};
use crate::error::{Error, Result};
use crate::model::secret::Secret;

/// Modification times are fixed: the builder's cache knows files by content, name and mode.
const MODIFIED: u64 = 0;

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
                append_bytes(&mut archive, &source.path, &bytes, *executable)?;
            }
        }
    }
    archive.into_inner().map_err(failed)
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
