//! What the disk has to say before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Expected, FileWrite};
use crate::engine::files::content::{ContentHash, FileContent, Found, ObjectKind};
use crate::engine::files::disk::{metadata_of, read_place};
use crate::engine::files::guard::{CheckedFolders, locate};
use crate::engine::files::storage::FileMode;
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

/// A write that was checked against the disk.
pub(super) struct Prepared {
    /// The write.
    pub write: FileWrite,
    /// The place of its file.
    pub target: PathBuf,
    /// What is there.
    pub before: Option<ContentHash>,
    /// The permissions of what shall be there.
    pub mode: FileMode,
}

/// Checks all writes, and leaves out those that change nothing.
///
/// # Errors
/// When something is not as expected or in the way.
pub(super) fn prepare(root: &Path, writes: BTreeMap<TreePath, FileWrite>) -> Result<Vec<Prepared>> {
    let mut checks = Checks::new(root);
    let mut prepared = Vec::new();
    let mut problems = Vec::new();
    for write in writes.into_values() {
        match checks.check(&write) {
            // Removing what is absent is no change.
            Ok((_, None)) if write.content.is_none() => {}
            Ok((target, before)) => {
                let mode = mode_for(&target, write.content.as_ref());
                prepared.push(Prepared {
                    write,
                    target,
                    before,
                    mode,
                });
            }
            Err(error) => problems.push(error),
        }
    }
    let headline = |count| format!("nothing was changed: {count} files are not as expected");
    Error::none_of(headline, problems)?;
    Ok(prepared)
}

/// The permissions of the file that is replaced, except for whether it is a program.
fn mode_for(target: &Path, content: Option<&FileContent>) -> FileMode {
    let executable = content.is_some_and(|content| content.executable);
    let Ok(metadata) = fs::symlink_metadata(target) else {
        return FileMode::New { executable };
    };
    let bits = metadata.permissions().mode() & 0o7777;
    let readers = (bits & 0o444) >> 2;
    FileMode::Exactly(if executable {
        bits | readers
    } else {
        bits & !0o111
    })
}

/// Looks at paths before they are written; remembers folders.
pub(super) struct Checks<'a> {
    root: &'a Path,
    inside: CheckedFolders,
    names: BTreeMap<PathBuf, BTreeMap<String, String>>,
}

impl<'a> Checks<'a> {
    /// Nothing was looked at yet.
    pub fn new(root: &'a Path) -> Self {
        Self {
            root,
            inside: CheckedFolders::new(),
            names: BTreeMap::new(),
        }
    }

    /// The file's place and the hash of its content.
    ///
    /// # Errors
    /// When the content is not as expected, or something is in the way.
    pub fn check(&mut self, write: &FileWrite) -> Result<(PathBuf, Option<ContentHash>)> {
        let path = &write.path;
        let target = locate(self.root, path, &mut self.inside)?;
        let before = match read_place(&target)? {
            Found::Absent => None,
            Found::File(content) => Some(ContentHash::of(&content.bytes)),
            Found::Other(kind) => return Err(in_the_way(path, kind)),
        };
        as_expected(path, write.expected, before)?;
        if before.is_some() && metadata_of(&target)?.is_some_and(|metadata| metadata.read_only) {
            return Err(Error::failed(format!("`{path}` is read-only"))
                .hint(format!("Allow writing with `chmod u+w {path}`")));
        }
        if before.is_none() && write.content.is_some() {
            self.refuse_twin(path)?;
        }
        Ok((target, before))
    }

    /// Refuses a path of which another spelling exists: on a Mac they are one file.
    fn refuse_twin(&mut self, path: &TreePath) -> Result<()> {
        let mut folder = self.root.to_path_buf();
        for part in path.as_str().split('/') {
            let names = self
                .names
                .entry(folder.clone())
                .or_insert_with(|| names_in(&folder));
            match names.get(&part.to_lowercase()) {
                Some(existing) if existing != part && !folder.join(part).exists() => {
                    return Err(Error::invalid(format!(
                        "`{path}` is not written: `{existing}` exists beside `{part}`, and both are one file where case does not count"
                    ))
                    .hint(format!("Rename `{existing}`")));
                }
                _ => folder.push(part),
            }
        }
        Ok(())
    }
}

fn names_in(folder: &Path) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| (name.to_lowercase(), name))
        .collect()
}

fn in_the_way(path: &TreePath, kind: ObjectKind) -> Error {
    Error::failed(match kind {
        ObjectKind::BelowFile => {
            format!("`{path}` cannot be written: something above it is no folder")
        }
        kind => format!("`{path}` cannot be written: {kind} is there"),
    })
    .hint("Move it away, then run this again")
}

/// Whether what is at a path is what was expected there.
///
/// # Errors
/// When it is not.
pub(super) fn as_expected(
    path: &TreePath,
    expected: Expected,
    before: Option<ContentHash>,
) -> Result<()> {
    let message = match (expected, before) {
        (Expected::Anything, _) | (Expected::Absent, None) => return Ok(()),
        (Expected::Content(expected), Some(found)) if expected == found => return Ok(()),
        (Expected::Absent, Some(_)) => format!("`{path}` exists already"),
        (Expected::Content(_), Some(_)) => {
            format!("`{path}` changed while gantline was at work")
        }
        (Expected::Content(_), None) => format!("`{path}` vanished while gantline was at work"),
    };
    Err(Error::failed(message)
        .since("it was not overwritten, and no other file was changed")
        .hint("Run this again: it plans anew from what is there now"))
}
