//! A disk that fails, stops or ends the process at a given change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use gantline::engine::files::{DiskStorage, FileMode, Storage};

/// What happens at the chosen change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It and all further ones fail, and a write is torn: as if the process had been killed.
    Stop,
    /// It alone fails, with this reason.
    Refuse(io::ErrorKind),
    /// The process ends there.
    Abort,
}

pub struct FailingStorage {
    fault: Fault,
    at: usize,
    changes: AtomicUsize,
}

impl FailingStorage {
    /// Fails at the change with this number, counted from 1.
    pub fn new(fault: Fault, at: usize) -> Self {
        Self {
            fault,
            at,
            changes: AtomicUsize::new(0),
        }
    }

    /// Whether the chosen change was reached.
    pub fn has_failed(&self) -> bool {
        self.changes.load(Ordering::SeqCst) >= self.at
    }

    fn step(&self) -> io::Result<()> {
        let number = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        match self.fault {
            Fault::Stop if number >= self.at => Err(io::Error::other("stopped")),
            Fault::Refuse(kind) if number == self.at => Err(kind.into()),
            Fault::Abort if number == self.at => std::process::abort(),
            _ => Ok(()),
        }
    }
}

impl Storage for FailingStorage {
    fn make_folder(&self, path: &Path, private: bool) -> io::Result<()> {
        self.step()?;
        DiskStorage.make_folder(path, private)
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: FileMode) -> io::Result<()> {
        let is_first = !self.has_failed();
        if let Err(error) = self.step() {
            if is_first {
                DiskStorage.write(path, &bytes[..bytes.len() / 2], mode)?;
            }
            return Err(error);
        }
        DiskStorage.write(path, bytes, mode)
    }

    fn keep(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        DiskStorage.keep(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        DiskStorage.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        DiskStorage.remove_file(path)
    }

    fn remove_empty_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        DiskStorage.remove_empty_folder(path)
    }

    fn sync(&self, _: &[PathBuf]) -> io::Result<()> {
        // A killed process loses nothing that it wrote, so the tests need not wait for the disk.
        self.step()
    }
}
