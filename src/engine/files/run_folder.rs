//! `.gantline/run`: what gantline keeps there for itself is changed there, and nowhere else.
//!
//! A repository can hold a link in spite of its `.gitignore`, and what is locked, written or
//! cleared through one would be changed where it leads.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::error::{Error, Result};

use super::RUN_FOLDER;

/// Its owner alone enters it.
const PRIVATE: u32 = 0o700;
/// Its owner looks into it, and those who run a server below it pass through.
const PASSABLE: u32 = 0o711;
/// How deep below it links are looked for. What lies deeper is of servers and builds, whose folders
/// are made anew or checked when they are used.
const DEPTH: usize = 2;

/// `.gantline/run` of the workspace at `root`, which need not exist yet.
///
/// # Errors
/// When it, the folder above it, or what gantline keeps in it is a link.
pub fn run_folder(root: &Path) -> Result<PathBuf> {
    let run = root.join(RUN_FOLDER);
    let above = run.parent().filter(|folder| is_link(folder));
    let itself = Some(run.as_path()).filter(|folder| is_link(folder));
    let found = above.or(itself).map(Path::to_path_buf);
    match found.or_else(|| link_in(&run, DEPTH)) {
        None => Ok(run),
        Some(link) => {
            let shown = link.strip_prefix(root).unwrap_or(&link).display();
            Err(Error::invalid(format!(
                "`{shown}` is a link, and gantline keeps its own files behind none"
            ))
            .since("what it leads to would be changed")
            .hint("Remove it, with `git rm` where it is committed: gantline makes its own"))
        }
    }
}

/// Whether a link is there.
pub(super) fn is_link(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_symlink())
}

/// A link in a folder; none in one that cannot be looked into, since its owner is somebody else.
fn link_in(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.find_map(|entry| {
        let kind = entry.file_type().ok()?;
        match kind.is_dir() && depth > 1 {
            true => link_in(&entry.path(), depth - 1),
            false => kind.is_symlink().then(|| entry.path()),
        }
    })
}

/// Makes `.gantline/run` at its path, where git does not see it: for its owner alone, or
/// `passable` for those who run a server below it. One that they pass through stays so.
///
/// # Errors
/// When it cannot be made, or something else is there.
pub fn make_run_folder(run: &Path, passable: bool) -> io::Result<()> {
    fs::create_dir_all(run)?;
    let found = fs::symlink_metadata(run)?;
    if !found.is_dir() {
        return Err(io::Error::other("a link is there, and no folder"));
    }
    let wanted = if passable { PASSABLE } else { PRIVATE };
    let mode = found.permissions().mode() & 0o777;
    if mode != wanted && mode != PASSABLE {
        fs::set_permissions(run, Permissions::from_mode(wanted))?;
    }
    match own_file().create_new(true).open(run.join(".gitignore")) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// How a file of gantline's own is opened to be written: made for its owner alone when it is not
/// there, and never through a link.
pub fn own_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options.custom_flags(OFlag::O_NOFOLLOW.bits());
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error::ErrorKind::Invalid;

    #[test]
    fn a_link_on_the_way_to_what_gantline_keeps_is_refused_and_named() {
        for link in [
            ".gantline",
            ".gantline/run",
            ".gantline/run/lock",
            ".gantline/run/transaction",
            ".gantline/run/logs/orders.log",
        ] {
            let root = tempfile::tempdir().unwrap();
            let place = root.path().join(link);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            symlink("/nowhere", &place).unwrap();
            let error = run_folder(root.path()).unwrap_err();
            assert_eq!(error.kind(), Invalid, "{link}");
            assert!(error.message().contains(&format!("`{link}`")), "{error}");
            assert!(!error.hints().is_empty(), "{link}");
        }
    }

    #[test]
    fn what_servers_keep_may_hold_links() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join(RUN_FOLDER).join("data/postgres-17");
        fs::create_dir_all(&data).unwrap();
        symlink("/nowhere", data.join("link")).unwrap();
        run_folder(root.path()).unwrap();
    }

    #[test]
    fn a_folder_that_servers_pass_through_stays_open_to_them() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join(RUN_FOLDER);
        let mode = || fs::metadata(&run).unwrap().permissions().mode() & 0o777;
        make_run_folder(&run, false).unwrap();
        assert_eq!(mode(), 0o700);
        make_run_folder(&run, true).unwrap();
        assert_eq!(mode(), 0o711);
        make_run_folder(&run, false).unwrap();
        assert_eq!(mode(), 0o711);
        fs::set_permissions(&run, Permissions::from_mode(0o755)).unwrap();
        make_run_folder(&run, false).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_file_of_its_own_is_not_opened_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "mine").unwrap();
        symlink(&target, &link).unwrap();
        assert!(own_file().open(&link).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    }
}
