//! A migration that takes away what the running version uses, written on purpose and taken back.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where the demonstration writes it.
const FILE: &str = "services/orders/internal/postgres/migrations/00003_drop_reference.sql";
/// What it says.
const MIGRATION: &str = "\
-- +goose Up
alter table orders drop column reference;

-- +goose Down
alter table orders add column reference text;
";

/// A workspace with the migration; without it again when this is dropped.
#[derive(Debug)]
pub struct Contraction {
    path: PathBuf,
}

impl Contraction {
    /// Writes the migration into this workspace.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub fn make(workspace: &Path) -> Result<Self> {
        let path = workspace.join(FILE);
        let mut file = std::fs::File::create_new(&path)
            .map_err(|error| Error::failed(format!("cannot make {FILE}")).because(error))?;
        let made = Self { path };
        std::io::Write::write_all(&mut file, MIGRATION.as_bytes())
            .map_err(|error| Error::failed(format!("cannot write {FILE}")).because(error))?;
        Ok(made)
    }

    /// What was written, for people.
    pub fn told() -> String {
        format!("a migration that drops a column in use, {FILE}:\n{MIGRATION}")
    }
}

impl Drop for Contraction {
    fn drop(&mut self) {
        // Best effort: the demonstration's workspace is the user's to remove.
        let _removed = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migration_is_gone_again_afterwards_and_no_other_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let contraction = Contraction::make(folder.path()).unwrap();
        assert!(path.exists());
        assert!(Contraction::make(folder.path()).is_err());
        assert!(path.exists());
        drop(contraction);
        assert!(!path.exists());
    }
}
