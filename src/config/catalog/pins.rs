//! Which blueprints a workspace pins: archives, and the lock file that lists them.

use std::path::Path;

use super::{blueprint, offering_shelf, pinned_shelf, tree_path};
use crate::config::archive::{self, Archive};
use crate::config::lock_file::{self, LockFile};
use crate::error::Result;
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::project::BlueprintReference;

/// The files that pin blueprints which a workspace does not have yet: their archives and the
/// lock file that lists them; none when all are pinned.
///
/// # Errors
/// When there is no such blueprint, or the lock file is broken.
pub fn pins(root: &Path, references: &[BlueprintReference]) -> Result<FileSet> {
    Ok(repin(root, references, &[])?.written)
}

/// What changes when a workspace pins other blueprints.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// Archives and the lock file.
    pub written: FileSet,
    /// Archives that go.
    pub removed: Vec<TreePath>,
}

/// The same, and what pins blueprints that are not used any more goes.
///
/// # Errors
/// As [`pins`].
pub fn repin(
    root: &Path,
    wanted: &[BlueprintReference],
    unused: &[BlueprintReference],
) -> Result<Pins> {
    let mut lock = LockFile::read(root)?;
    let mut pins = Pins::default();
    for reference in unused {
        if let Some(digest) = lock.remove(reference) {
            let name = lock_file::archive_name(reference, &digest);
            let path = format!("{}/{name}", lock_file::ARCHIVES);
            pins.removed.push(tree_path(&path)?);
        }
    }
    for reference in wanted {
        if lock.digest(reference).is_none() {
            let (path, archive) = archive_of(root, reference)?;
            lock.insert(reference, &archive.digest);
            pins.written.files.insert(path, plain(archive.bytes));
        }
    }
    if !pins.written.files.is_empty() || !pins.removed.is_empty() {
        let text = lock.to_yaml().into_bytes();
        let path = tree_path(lock_file::PATH)?;
        pins.written.files.insert(path, plain(text));
    }
    Ok(pins)
}

fn archive_of(root: &Path, reference: &BlueprintReference) -> Result<(TreePath, Archive)> {
    // Whether there is one of this version, too.
    blueprint(Some(root), reference)?;
    let shelf = match pinned_shelf(root, reference)? {
        Some(shelf) => shelf,
        None => offering_shelf(Some(root), reference.name.as_str())?,
    };
    let archive = archive::pack(&shelf.part_for(reference.name.as_str())?)?;
    let name = lock_file::archive_name(reference, &archive.digest);
    Ok((
        tree_path(&format!("{}/{name}", lock_file::ARCHIVES))?,
        archive,
    ))
}

fn plain(bytes: Vec<u8>) -> RenderedFile {
    RenderedFile {
        bytes,
        ..RenderedFile::default()
    }
}
