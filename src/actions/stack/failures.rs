//! What kept things from coming up, kept for `status`: a runtime knows nothing of what it was
//! never asked to start.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::arrival::{Absence, Change};

/// Reasons by instance, in a file of the checkout. They are for people: what cannot be written or
/// read is left out, and fails nothing.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    file: Option<PathBuf>,
}

impl Failures {
    /// Kept in this file.
    pub fn in_file(file: PathBuf) -> Self {
        Self { file: Some(file) }
    }

    /// Why instances are not there.
    pub fn read(&self) -> BTreeMap<String, String> {
        let bytes = self.file.as_ref().and_then(|file| fs::read(file).ok());
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Takes in how instances arrived; what is known of others stays.
    pub(super) fn update(&self, outcomes: &BTreeMap<&str, Result<Change, Absence>>) {
        let Some(file) = &self.file else { return };
        let before = self.read();
        let mut reasons = before.clone();
        for (name, outcome) in outcomes {
            match outcome {
                Ok(_) => reasons.remove(*name),
                Err(Absence::Failed(error)) => {
                    reasons.insert((*name).to_owned(), error.message().to_owned())
                }
                Err(Absence::Skipped(reason)) => reasons.insert((*name).to_owned(), reason.clone()),
            };
        }
        if reasons != before
            && let Ok(bytes) = serde_json::to_vec(&reasons)
        {
            let _unwritten = fs::write(file, bytes);
        }
    }
}
