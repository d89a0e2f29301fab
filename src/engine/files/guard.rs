//! Keeps paths inside the workspace.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

/// Folders of the tree that were looked at before, relative to its root.
pub(super) type CheckedFolders = HashSet<String>;

/// The place of `path` on disk, once no folder above it is a link that leaves `root`.
///
/// `checked` remembers folders that were looked at before.
pub(super) fn locate(
    root: &Path,
    path: &TreePath,
    checked: &mut CheckedFolders,
) -> Result<PathBuf> {
    let text = path.as_str();
    let folder = text.rsplit_once('/').map(|(folder, _)| folder);
    if let Some(folder) = folder.filter(|folder| !checked.contains(*folder)) {
        let ends = folder.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([folder.len()]) {
            check_folder(root, path, &folder[..end], checked)?;
        }
    }
    Ok(root.join(text))
}

fn check_folder(
    root: &Path,
    path: &TreePath,
    folder: &str,
    checked: &mut CheckedFolders,
) -> Result<()> {
    if checked.contains(folder) {
        return Ok(());
    }
    let place = root.join(folder);
    match std::fs::symlink_metadata(&place) {
        Ok(metadata) if metadata.is_symlink() => inside(root, path, &place)?,
        Ok(_) => {}
        Err(error) if is_absence(&error) => return Ok(()),
        Err(error) => return Err(unreadable(&place, error)),
    }
    checked.insert(folder.to_owned());
    Ok(())
}

fn inside(root: &Path, path: &TreePath, link: &Path) -> Result<()> {
    let real_root = std::fs::canonicalize(root).map_err(|error| unreadable(root, error))?;
    let target = std::fs::canonicalize(link).map_err(|error| unreadable(link, error))?;
    if target.starts_with(&real_root) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{path}` is not touched: `{}` is a link that leaves the workspace, to `{}`",
        link.strip_prefix(root).unwrap_or(link).display(),
        target.display()
    ))
    .hint("Replace the link by a folder, or link to a folder inside the workspace"))
}

/// Whether an error says that nothing is there.
pub(super) fn is_absence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The error for what cannot be read.
pub(super) fn unreadable(place: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("cannot read `{}`", place.display())).because(error)
}
