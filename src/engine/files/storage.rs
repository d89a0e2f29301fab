//! The few ways in which a transaction changes a disk, so that tests can stop it at each one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The permissions of a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMode {
    /// As the user's umask allows for a new file.
    New {
        /// Whether it is a program.
        executable: bool,
    },
    /// Exactly these bits: those of the file that it replaces.
    Exactly(u32),
}

/// What to do about a disk that refuses.
pub(crate) fn way_out(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Free some space on that disk, then run this again"
        }
        ErrorKind::ReadOnlyFilesystem => "Mount that disk for writing, then run this again",
        ErrorKind::PermissionDenied => "Make the folder writable for you, then run this again",
        _ => "Remove the cause, then run this again",
    }
}

/// Changes a disk.
pub trait Storage: Send + Sync {
    /// Makes one folder, for its owner alone when `private`; its parent exists.
    ///
    /// # Errors
    /// When it cannot be made. One that exists already is fine.
    fn make_folder(&self, path: &Path, private: bool) -> io::Result<()>;

    /// Writes a file that does not exist yet.
    ///
    /// # Errors
    /// When it exists or cannot be written.
    fn write(&self, path: &Path, bytes: &[u8], mode: FileMode) -> io::Result<()>;

    /// Gives a file a second name, or a copy where the file system has no links.
    ///
    /// # Errors
    /// When neither can be made.
    fn keep(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Moves a file, replacing another one at once.
    ///
    /// # Errors
    /// When it cannot be moved.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is absent is fine.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder if it is empty; otherwise it stays.
    ///
    /// # Errors
    /// When it cannot be removed for another reason.
    fn remove_empty_folder(&self, path: &Path) -> io::Result<()>;

    /// Waits until these files and folders are on the disk itself.
    ///
    /// # Errors
    /// When the disk reports one.
    fn sync(&self, paths: &[PathBuf]) -> io::Result<()>;
}

/// How many files are flushed at the same time: a journalling file system commits them together.
const SYNC_THREADS: usize = 16;

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskStorage;

impl Storage for DiskStorage {
    fn make_folder(&self, path: &Path, private: bool) -> io::Result<()> {
        let mode = if private { 0o700 } else { 0o777 };
        match fs::DirBuilder::new().mode(mode).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: FileMode) -> io::Result<()> {
        let create = match mode {
            FileMode::New { executable: true } => 0o777,
            FileMode::New { executable: false } => 0o666,
            FileMode::Exactly(_) => 0o600,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(create)
            .open(path)?;
        file.write_all(bytes)?;
        if let FileMode::Exactly(bits) = mode {
            file.set_permissions(Permissions::from_mode(bits))?;
        }
        Ok(())
    }

    fn keep(&self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::hard_link(from, to) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) => fs::copy(from, to).map(drop),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn remove_empty_folder(&self, path: &Path) -> io::Result<()> {
        match fs::remove_dir(path) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Ok(())
            }
            result => result,
        }
    }

    fn sync(&self, paths: &[PathBuf]) -> io::Result<()> {
        let share = paths.len().div_ceil(SYNC_THREADS).max(1);
        std::thread::scope(|scope| {
            let flushing: Vec<_> = paths
                .chunks(share)
                .map(|part| scope.spawn(move || flush(part)))
                .collect();
            flushing.into_iter().try_for_each(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a flushing thread failed")))
            })
        })
    }
}

fn flush(paths: &[PathBuf]) -> io::Result<()> {
    paths
        .iter()
        .try_for_each(|path| File::open(path)?.sync_all())
}
