//! One gantline at a time writes to a workspace.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

use super::RUN_FOLDER;
use super::storage::way_out;

/// How long a command waits for another one that is writing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks again.
const INTERVAL: Duration = Duration::from_millis(25);

/// The right to write to a workspace, until it is dropped or the process ends.
///
/// It is an advisory lock (flock) on `.gantline/run/lock`, which the kernel releases with the
/// process: there is never a lock to delete by hand.
#[derive(Debug)]
pub struct WorkspaceLock {
    _file: File,
}

impl WorkspaceLock {
    /// Takes the lock of the workspace at `root`, waiting for a few seconds if need be.
    ///
    /// # Errors
    /// When another process holds it for longer, which is named, or it cannot be made.
    pub fn acquire(root: &Path) -> Result<Self> {
        Self::acquire_within(root, PATIENCE)
    }

    /// As [`WorkspaceLock::acquire`], waiting at most this long.
    ///
    /// # Errors
    /// As [`WorkspaceLock::acquire`].
    pub fn acquire_within(root: &Path, patience: Duration) -> Result<Self> {
        let folder = root.join(RUN_FOLDER);
        let path = folder.join("lock");
        let unusable = |error: std::io::Error| {
            let hint = way_out(&error);
            Error::failed(format!("cannot lock the workspace at `{}`", path.display()))
                .because(error)
                .hint(hint)
        };
        fs::create_dir_all(&folder).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        let begin = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begin.elapsed() < patience => {
                    std::thread::sleep(INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Err(held(&mut file, root)),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
        note_holder(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn note_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn held(file: &mut File, root: &Path) -> Error {
    let mut text = String::new();
    let holder = match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("gantline with process id {}", text.trim()),
        _ => "another gantline".to_owned(),
    };
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
}
