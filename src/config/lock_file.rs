//! `.gantline/lock.yaml`: which archive holds each blueprint of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::yaml::Document;
use crate::error::Result;
use crate::model::project::BlueprintReference;

/// Where the file lies in a workspace.
pub const PATH: &str = ".gantline/lock.yaml";
/// Where the archives lie in a workspace.
pub const ARCHIVES: &str = ".gantline/blueprints";

/// What is pinned in a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "lock.yaml")]
pub struct LockFile {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// The digest of each blueprint's archive, by NAME@VERSION.
    #[serde(default)]
    blueprints: BTreeMap<String, DigestText>,
}

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
struct DigestText(
    #[schemars(
        regex(pattern = "^sha256:[0-9a-f]{64}$"),
        extend("x-expected" = "`sha256:` and 64 hexadecimal digits")
    )]
    String,
);

impl LockFile {
    /// Reads the lock file of a workspace; an empty one when there is none.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn read(root: &Path) -> Result<Self> {
        match Document::read_if_there(&root.join(PATH))? {
            Some(document) => document.decode(),
            None => Ok(Self::default()),
        }
    }

    /// The digest of a blueprint's archive, in hexadecimal.
    pub fn digest(&self, reference: &BlueprintReference) -> Option<&str> {
        let text = self.blueprints.get(&reference.to_string())?;
        text.0.strip_prefix("sha256:")
    }

    /// The newest pinned version of a blueprint.
    pub fn newest(&self, name: &str) -> Option<u32> {
        self.versions(name).pop_last()
    }

    /// The pinned versions of a blueprint, in order.
    pub fn versions(&self, name: &str) -> BTreeSet<u32> {
        self.blueprints
            .keys()
            .filter_map(|key| key.split_once('@'))
            .filter(|(pinned, _)| *pinned == name)
            .filter_map(|(_, version)| version.parse().ok())
            .collect()
    }

    /// Forgets a blueprint; gives the digest of its archive, in hexadecimal, when it was pinned.
    pub fn remove(&mut self, reference: &BlueprintReference) -> Option<String> {
        let text = self.blueprints.remove(&reference.to_string())?;
        text.0.strip_prefix("sha256:").map(str::to_owned)
    }

    /// Records the digest of a blueprint's archive.
    pub fn insert(&mut self, reference: &BlueprintReference, digest: &str) {
        let text = DigestText(format!("sha256:{digest}"));
        self.blueprints.insert(reference.to_string(), text);
    }

    /// The file's text; one line for each blueprint, so that two branches merge by lines.
    pub fn to_yaml(&self) -> String {
        let mut text = String::from(
            "# The exact blueprints of this workspace. Written by gantline; commit it.\nversion: 1\nblueprints:",
        );
        if self.blueprints.is_empty() {
            text.push_str(" {}");
        }
        text.push('\n');
        for (reference, digest) in &self.blueprints {
            let _ = writeln!(text, "  {reference}: {}", digest.0);
        }
        text
    }
}

/// The file name of an archive.
pub fn archive_name(reference: &BlueprintReference, digest: &str) -> String {
    let short: String = digest.chars().take(12).collect();
    format!("{}-{}-{short}.tar.zst", reference.name, reference.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    #[test]
    fn what_is_written_is_read_again() {
        let mut lock = LockFile {
            version: 1,
            ..LockFile::default()
        };
        assert_eq!(read(&lock.to_yaml()), lock);
        let reference = BlueprintReference {
            name: Name::new("go-service").unwrap(),
            version: 3,
        };
        lock.insert(&reference, &"ab".repeat(32));
        assert_eq!(read(&lock.to_yaml()), lock);
        assert_eq!(lock.newest("go-service"), Some(3));
        assert_eq!(lock.digest(&reference), Some("ab".repeat(32).as_str()));
        let expected = "go-service-3-abababababab.tar.zst";
        assert_eq!(archive_name(&reference, &"ab".repeat(32)), expected);
    }

    fn read(text: &str) -> LockFile {
        let document = Document::parse(Path::new("lock.yaml"), text.as_bytes()).unwrap();
        document.decode().unwrap()
    }
}
