//! One gantline at a time plans changes of a workspace, and one at a time writes to it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::error::{Error, Result};

use super::RUN_FOLDER;
use super::run_folder::{own_file, run_folder};
use super::storage::way_out;

/// How long a command waits for another one that is writing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks again.
const INTERVAL: Duration = Duration::from_millis(25);

/// How much of a lock's file is read: the id of a process, and no more than that.
const LONGEST_HOLDER: u64 = 32;

/// The file that is locked while a workspace is written to.
pub(super) const WRITING: &str = "lock";
/// The file that is locked from before a change is planned until it is made.
const CHANGING: &str = "change.lock";

/// The right to write to a workspace, until it is dropped or the process ends.
///
/// It is an advisory lock (flock) on `.gantline/run/lock`, which the kernel releases with the
/// process: there is never a lock to delete by hand.
#[derive(Debug)]
pub struct WorkspaceLock {
    file: File,
}

impl WorkspaceLock {
    /// Takes the lock of the workspace at `root`, waiting for a few seconds if need be.
    ///
    /// # Errors
    /// When another process holds it for longer, which is named, or it cannot be made, or a link
    /// leads out of `.gantline/run`.
    pub fn acquire(root: &Path) -> Result<Self> {
        Self::acquire_within(root, PATIENCE)
    }

    /// As [`WorkspaceLock::acquire`], waiting at most this long.
    ///
    /// # Errors
    /// As [`WorkspaceLock::acquire`].
    pub fn acquire_within(root: &Path, patience: Duration) -> Result<Self> {
        match take(root, WRITING, patience) {
            Ok(file) => Ok(Self { file }),
            Err(Refusal::Held(holder)) => Err(held(&holder, root)),
            Err(Refusal::Linked(error)) => Err(error),
            Err(Refusal::Unusable(cause)) => {
                let path = root.join(RUN_FOLDER).join(WRITING);
                let error =
                    Error::failed(format!("cannot lock the workspace at `{}`", path.display()));
                let hint = way_out(&cause);
                Err(error.because(cause).hint(hint))
            }
        }
    }

    /// Whether it is still the lock of the folder at `root`, which may have been moved or removed
    /// while it was waited for.
    pub(super) fn is_of(&self, root: &Path) -> bool {
        let there = fs::symlink_metadata(root.join(RUN_FOLDER).join(WRITING));
        match (self.file.metadata(), there) {
            (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
}

/// The right to change a workspace, from before the change is planned until it is made; until it is
/// dropped or the process ends.
///
/// A plan is checked file by file when it is carried out, but not against what another one took for
/// granted: the base of one service names content that the plan of another is about to remove.
#[derive(Debug)]
pub struct ChangeLock {
    _file: File,
}

impl ChangeLock {
    /// Takes the lock of the workspace at `root`, waiting for a few seconds if need be; `None` where
    /// nothing can be written, which whoever writes will say.
    ///
    /// # Errors
    /// When another process holds it for longer, which is named, or a link leads out of
    /// `.gantline/run`.
    pub fn acquire(root: &Path) -> Result<Option<Self>> {
        Self::acquire_within(root, PATIENCE)
    }

    /// As [`ChangeLock::acquire`], waiting at most this long.
    ///
    /// # Errors
    /// As [`ChangeLock::acquire`].
    pub fn acquire_within(root: &Path, patience: Duration) -> Result<Option<Self>> {
        match take(root, CHANGING, patience) {
            Ok(file) => Ok(Some(Self { _file: file })),
            Err(Refusal::Held(holder)) => Err(held(&holder, root)),
            Err(Refusal::Linked(error)) => Err(error),
            Err(Refusal::Unusable(_)) => Ok(None),
        }
    }
}

/// Why a lock was not taken.
enum Refusal {
    /// This process has it.
    Held(String),
    /// It lies behind a link.
    Linked(Error),
    /// It cannot be made.
    Unusable(std::io::Error),
}

fn take(root: &Path, name: &str, patience: Duration) -> std::result::Result<File, Refusal> {
    let folder = run_folder(root).map_err(Refusal::Linked)?;
    fs::create_dir_all(&folder).map_err(Refusal::Unusable)?;
    let mut file = open(&folder.join(name)).map_err(Refusal::Unusable)?;
    if !lock_within(&file, patience).map_err(Refusal::Unusable)? {
        return Err(Refusal::Held(holder(&mut file)));
    }
    // Without it, whoever waits is told less: on a full disk the first write says what is wrong.
    let _ = note_holder(&mut file);
    Ok(file)
}

/// Locks a file, waiting at most this long for whoever holds it; whether it did.
///
/// # Errors
/// When the file system has no locks.
pub fn lock_within(file: &File, patience: Duration) -> std::io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if begin.elapsed() < patience => {
                std::thread::sleep(INTERVAL);
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Opens a file that is locked, without touching what its holder wrote.
///
/// # Errors
/// When it is a link, or cannot be made.
pub fn open(path: &Path) -> std::io::Result<File> {
    own_file().read(true).open(path)
}

/// Says in a lock's file who holds it.
///
/// # Errors
/// When it cannot be written.
pub fn note_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Who holds a lock, as its file says. A process that is not there held it once: who holds it now has
/// not written yet.
pub fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(LONGEST_HOLDER).read_to_string(&mut text));
    let id = read.ok().and_then(|_| text.trim().parse::<i32>().ok());
    match id.filter(|id| *id > 0 && kill(Pid::from_raw(*id), None) != Err(Errno::ESRCH)) {
        Some(id) => format!("gantline with process id {id}"),
        None => "another gantline".to_owned(),
    }
}

fn held(holder: &str, root: &Path) -> Error {
    Error::failed(format!("{holder} is writing to `{}`", root.display()))
        .hint("Run this again when it has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = WorkspaceLock::acquire(folder.path()).unwrap();
        let error =
            WorkspaceLock::acquire_within(folder.path(), Duration::from_millis(50)).unwrap_err();
        let holder = format!("process id {}", std::process::id());
        assert!(error.message().contains(&holder), "{error}");
        drop(first);
        WorkspaceLock::acquire_within(folder.path(), Duration::ZERO).unwrap();
    }

    #[test]
    fn who_changes_a_workspace_can_write_to_it_and_nobody_else_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let _first = ChangeLock::acquire(folder.path()).unwrap().unwrap();
        WorkspaceLock::acquire_within(folder.path(), Duration::ZERO).unwrap();
        let error = ChangeLock::acquire_within(folder.path(), Duration::ZERO).unwrap_err();
        let holder = format!("process id {}", std::process::id());
        assert!(error.message().contains(&holder), "{error}");
    }

    #[test]
    fn a_lock_names_who_holds_it_however_often_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "a longer text of another time\n4711\n").unwrap();
        note_holder(&mut open(&path).unwrap()).unwrap();
        let mut file = open(&path).unwrap();
        let expected = format!("gantline with process id {}", std::process::id());
        assert_eq!(holder(&mut file), expected);
        assert_eq!(holder(&mut file), expected, "read again");
    }

    #[test]
    fn an_earlier_holder_is_not_taken_for_the_one_that_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        for text in [&ended.id().to_string(), "-1", "0", "no number", ""] {
            fs::write(&path, text).unwrap();
            assert_eq!(
                holder(&mut open(&path).unwrap()),
                "another gantline",
                "{text}"
            );
        }
    }

    #[test]
    fn a_workspace_that_cannot_be_written_to_is_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(ChangeLock::acquire(&file).unwrap().is_none());
    }
}
