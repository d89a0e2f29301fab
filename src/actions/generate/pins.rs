//! The pinned blueprints of a workspace, as records of a plan.

use super::records::record;
use crate::config::catalog::Pins;
use crate::engine::files::{FileTree, Found};
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;
use crate::model::plan::FileChange;

/// What is written and removed so that a workspace pins other blueprints.
///
/// # Errors
/// When something that is no file lies in the way.
pub fn pin_records(pins: Pins, tree: &dyn FileTree) -> Result<Vec<FileChange>> {
    let written = pins.written.files.into_iter();
    let written = written.map(|(path, file)| (path, Some(file.bytes)));
    let removed = pins.removed.into_iter().map(|path| (path, None));
    let mut records = Vec::new();
    for (path, after) in written.chain(removed) {
        let before = read(&path, tree)?;
        records.extend(record(path, before, after));
    }
    Ok(records)
}

fn read(path: &TreePath, tree: &dyn FileTree) -> Result<Option<Vec<u8>>> {
    match tree.read(path)? {
        Found::Absent => Ok(None),
        Found::File(content) => Ok(Some(content.bytes)),
        Found::Other(kind) => {
            Err(Error::invalid(format!("`{path}` is {kind}"))
                .hint("Restore it with `git checkout`"))
        }
    }
}
