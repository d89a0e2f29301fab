//! A change of a provider that breaks a consumer, made on purpose and taken back.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A way to break the shop, of which no compiler knows.
#[derive(Debug)]
pub struct Break {
    /// What is done, in a few words.
    told: &'static str,
    /// The file in which it is done.
    file: &'static str,
    /// What stands there, and what is written instead.
    changes: &'static [(&'static str, &'static str)],
}

/// A member of an event gets another name in the code.
pub const OF_THE_CODE: Break = Break {
    told: "breaking a contract on purpose: a member of an event gets another name",
    file: "services/orders/internal/events/orderplaced.go",
    changes: &[("`json:\"reference\"`", "`json:\"customer_reference\"`")],
};

/// A member of an answer gets another name in the provider's OpenAPI document.
pub const OF_THE_DOCUMENT: Break = Break {
    told: "breaking an API document on purpose: a member of an answer gets another name",
    file: "services/orders/api/openapi.yaml",
    changes: &[
        (
            "required: [id, reference, quantity, created_at]",
            "required: [number, reference, quantity, created_at]",
        ),
        (
            "        id: {type: string, format: uuid}",
            "        number: {type: string, format: uuid}",
        ),
    ],
};

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
    pub fn make(workspace: &Path, way: &Break) -> Result<Self> {
        let file = way.file;
        let path = workspace.join(file);
        let cannot = |error| Error::failed(format!("cannot change {file}")).because(error);
        let before = std::fs::read_to_string(&path).map_err(cannot)?;
        let mut after = before.clone();
        for (from, to) in way.changes {
            if !after.contains(from) {
                return Err(Error::failed(format!("{file} has no {}", from.trim())));
            }
            after = after.replace(from, to);
        }
        std::fs::write(&path, after).map_err(cannot)?;
        Ok(Self { path, before })
    }
}

impl Break {
    /// What is changed, for people.
    pub fn told(&self) -> String {
        let changes = self.changes.iter();
        let changes: Vec<String> = changes
            .map(|(from, to)| format!("{} becomes {}", from.trim(), to.trim()))
            .collect();
        format!("{}: {} in {}", self.told, changes.join(", "), self.file)
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

    fn workspace(way: &Break, content: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(way.file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        folder
    }

    #[test]
    fn what_was_broken_is_whole_again_afterwards() {
        for way in [OF_THE_CODE, OF_THE_DOCUMENT] {
            let texts: Vec<&str> = way.changes.iter().map(|(from, _)| *from).collect();
            let text = texts.join("\n");
            let folder = workspace(&way, &text);
            let path = folder.path().join(way.file);
            let breakage = Breakage::make(folder.path(), &way).unwrap();
            let broken = std::fs::read_to_string(&path).unwrap();
            assert!(way.changes.iter().all(|(from, to)| {
                broken.contains(to) && !broken.contains(from) && way.told().contains(to.trim())
            }));
            drop(breakage);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_provider_that_is_not_as_expected_is_left_alone() {
        let first = OF_THE_DOCUMENT.changes[0].0;
        let folder = workspace(&OF_THE_DOCUMENT, first);
        assert!(Breakage::make(folder.path(), &OF_THE_DOCUMENT).is_err());
        let path = folder.path().join(OF_THE_DOCUMENT.file);
        assert_eq!(std::fs::read_to_string(path).unwrap(), first);
    }
}
