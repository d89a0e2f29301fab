//! A change of a provider that breaks a consumer, made on purpose and taken back.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where the demonstration breaks its shop: a member of an event is renamed, which the compiler
/// lets pass.
const FILE: &str = "services/orders/internal/events/orderplaced.go";
/// What stands there.
const MEMBER: &str = "`json:\"reference\"`";
/// What is written instead.
const RENAMED: &str = "`json:\"customer_reference\"`";

/// A broken provider; whole again when this is dropped.
#[derive(Debug)]
pub struct Breakage {
    path: PathBuf,
    before: String,
}

impl Breakage {
    /// Breaks the shop in this workspace.
    ///
    /// # Errors
    /// When the file is not as it was generated, or cannot be written.
    pub fn make(workspace: &Path) -> Result<Self> {
        let path = workspace.join(FILE);
        let cannot = |error| Error::failed(format!("cannot change {FILE}")).because(error);
        let before = std::fs::read_to_string(&path).map_err(cannot)?;
        let after = before.replace(MEMBER, RENAMED);
        if after == before {
            return Err(Error::failed(format!("{FILE} has no {MEMBER}")));
        }
        std::fs::write(&path, after).map_err(cannot)?;
        Ok(Self { path, before })
    }

    /// What was changed, for people.
    pub fn told() -> String {
        format!("breaking a contract on purpose: {MEMBER} becomes {RENAMED} in {FILE}")
    }
}

impl Drop for Breakage {
    fn drop(&mut self) {
        // Best effort: the demonstration's workspace is the user's to remove.
        let _written = std::fs::write(&self.path, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(content: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        folder
    }

    #[test]
    fn what_was_broken_is_whole_again_afterwards() {
        let text = "Reference string `json:\"reference\"`\n";
        let folder = workspace(text);
        let path = folder.path().join(FILE);
        let breakage = Breakage::make(folder.path()).unwrap();
        assert!(
            std::fs::read_to_string(&path)
                .unwrap()
                .contains("customer_reference")
        );
        drop(breakage);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_provider_that_is_not_as_expected_is_left_alone() {
        let folder = workspace("package events\n");
        assert!(Breakage::make(folder.path()).is_err());
    }
}
