//! What a plan writes below `.gantline/base`: indexes, new objects, and the removal of objects
//! that no index names any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::files::{
    BaseIndex, BaseStore, ContentHash, Expected, FileTree, Found, StoredObject, encode_object,
};
use crate::error::Result;
use crate::model::base::WORKSPACE_INDEX;
use crate::model::file_set::TreePath;
use crate::model::plan::{FileChange, Outcome};

use super::decide::Situation;

/// All indexes of a workspace, as they are and as they will be.
pub(super) struct Indexes {
    before: BTreeMap<String, (BaseIndex, Option<Vec<u8>>)>,
    after: BTreeMap<String, BaseIndex>,
    /// Content that was seen, and may become or mend an object.
    seen: BTreeMap<ContentHash, Vec<u8>>,
    stored: BTreeSet<ContentHash>,
}

impl Indexes {
    pub fn read(store: &BaseStore<'_>) -> Result<Self> {
        let mut before = BTreeMap::new();
        for name in store.index_names()? {
            let index = store.index(&name)?;
            before.insert(name, index);
        }
        Ok(Self {
            before,
            after: BTreeMap::new(),
            seen: BTreeMap::new(),
            stored: store.object_hashes()?,
        })
    }

    pub fn get(&self, name: &str) -> BaseIndex {
        self.before
            .get(name)
            .map(|(index, _)| index.clone())
            .unwrap_or_default()
    }

    /// Those of services, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &BaseIndex)> {
        let services = self
            .before
            .iter()
            .filter(|(name, _)| *name != WORKSPACE_INDEX);
        services.map(|(name, (index, _))| (name.as_str(), index))
    }

    pub fn set(&mut self, name: String, index: BaseIndex) {
        self.after.insert(name, index);
    }

    /// Content whose object is missing, or that is new to its index.
    pub fn unknown(&self, situation: &Situation<'_>) -> Vec<(ContentHash, Vec<u8>)> {
        let is_known = |hash: &ContentHash| {
            self.stored.contains(hash)
                && situation
                    .entry
                    .is_some_and(|entry| entry.hashes.contains(hash))
        };
        let contents = situation.contents();
        contents
            .filter(|(hash, _)| !is_known(hash))
            .map(|(hash, bytes)| (hash, bytes.to_vec()))
            .collect()
    }

    /// Remembers such content.
    pub fn learn(&mut self, contents: BTreeMap<ContentHash, Vec<u8>>) {
        self.seen.extend(contents);
    }

    /// The writes that bring the base up to date.
    pub fn into_records(
        self,
        store: &BaseStore<'_>,
        tree: &dyn FileTree,
    ) -> Result<Vec<FileChange>> {
        let mut records = Vec::new();
        let mut wanted = BTreeSet::new();
        for (name, (index, _)) in &self.before {
            if !self.after.contains_key(name) {
                wanted.extend(hashes(index));
            }
        }
        for (name, index) in &self.after {
            wanted.extend(hashes(index));
            let before = self.before.get(name).and_then(|(_, text)| text.clone());
            let after = (!index.entries.is_empty()).then(|| index.to_text().into_bytes());
            records.extend(record(BaseStore::index_path(name)?, before, after));
        }
        for hash in wanted.difference(&self.stored) {
            // Content that nobody knows any more stays missing; it is said when it is needed.
            if let Some(bytes) = self.seen.get(hash) {
                let packed = encode_object(bytes)?;
                records.extend(record(BaseStore::object_path(*hash)?, None, Some(packed)));
            }
        }
        for hash in self.stored.difference(&wanted) {
            let path = BaseStore::object_path(*hash)?;
            if let Found::File(content) = tree.read(&path)? {
                records.extend(record(path, Some(content.bytes), None));
            }
        }
        self.mend(store, &mut records)?;
        records.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(records)
    }

    /// An object that is stored, new to an index and corrupt would fail its next merge.
    fn mend(&self, store: &BaseStore<'_>, records: &mut Vec<FileChange>) -> Result<()> {
        let known = |name: &String| self.before.get(name).map(|(index, _)| index);
        for (name, index) in &self.after {
            let old: BTreeSet<ContentHash> = known(name).into_iter().flat_map(hashes).collect();
            let new: BTreeSet<ContentHash> = hashes(index).collect();
            for hash in new
                .difference(&old)
                .filter(|hash| self.stored.contains(hash))
            {
                if store.object(*hash)? == StoredObject::Corrupt
                    && let Some(bytes) = self.seen.get(hash)
                {
                    let path = BaseStore::object_path(*hash)?;
                    records.extend(record(path, Some(Vec::new()), Some(encode_object(bytes)?)));
                }
            }
        }
        Ok(())
    }
}

fn hashes(index: &BaseIndex) -> impl Iterator<Item = ContentHash> {
    index
        .entries
        .values()
        .flat_map(|entry| entry.hashes.iter().copied())
}

/// The change of a file from one content to another; `None` when they are the same.
pub(super) fn record(
    path: TreePath,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
) -> Option<FileChange> {
    let outcome = match (&before, &after) {
        (before, after) if before == after => return None,
        (None, _) => Outcome::Created,
        (Some(_), Some(_)) => Outcome::Updated,
        (Some(_), None) => Outcome::Deleted,
    };
    Some(FileChange {
        path,
        outcome,
        before,
        after,
        executable: false,
    })
}

/// Objects are what their name says, whoever writes them first; indexes must be as they were read.
pub(super) fn expectation(path: &TreePath) -> Option<Expected> {
    path.as_str()
        .starts_with(".gantline/base/objects/")
        .then_some(Expected::Anything)
}
