//! `.gantline/base`: what was generated last time, the ancestor of every merge.
//!
//! - `index/SERVICE` has one line for each file, `path hash`, in order of path. git merges two
//!   of them by taking the lines of both (`merge=union`), so a path may have several hashes
//!   until the next `generate`; each of them was generated, so each can be an ancestor.
//! - `objects/ab/cdef...` holds each content once, compressed, under its SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::Read;

use crate::error::{Error, Result};
use crate::model::base::INDEX_FOLDER;
use crate::model::file_set::TreePath;

use super::FileTree;
use super::content::{ContentHash, Found};

const OBJECT_FOLDER: &str = ".gantline/base/objects";
/// No generated file is larger; a guard against archives that unpack without end.
const LARGEST_OBJECT: u64 = 64 << 20;
/// How many characters of a line that is no entry are shown.
const LONGEST_SHOWN: usize = 200;
/// zstd's own default: fast, and small enough.
const COMPRESSION_LEVEL: i32 = 3;

/// How a generated file stands with the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum BaseState {
    /// It is kept up to date.
    #[default]
    Generated,
    /// It is written once: a migration that databases may have applied.
    Once,
    /// The user deleted it, and has been told that it stays so.
    Deleted,
    /// Its object was missing when it was needed: it is the user's, who has been told.
    Released,
}

/// What is known of one generated file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseEntry {
    /// How it stands.
    pub state: BaseState,
    /// What was generated last time; several after git has merged two branches.
    pub hashes: BTreeSet<ContentHash>,
}

impl BaseEntry {
    /// A file that was generated with this content.
    pub fn generated(hash: ContentHash) -> Self {
        Self {
            state: BaseState::Generated,
            hashes: BTreeSet::from([hash]),
        }
    }

    /// The same content in another state.
    #[must_use]
    pub fn in_state(&self, state: BaseState) -> Self {
        Self {
            state,
            hashes: self.hashes.clone(),
        }
    }
}

/// The generated files of one service, or of the workspace itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseIndex {
    /// Entries by path, relative to the workspace.
    pub entries: BTreeMap<TreePath, BaseEntry>,
}

impl BaseIndex {
    /// Reads an index. Conflict markers of git are passed over, since the lines of both sides
    /// together are what is wanted.
    ///
    /// # Errors
    /// The text of the first line that is no entry.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut index = Self::default();
        for line in text.lines() {
            let is_marker = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"]
                .iter()
                .any(|marker| line.starts_with(marker));
            if is_marker || line.is_empty() {
                continue;
            }
            let (path, state, hash) = parse_line(line).ok_or_else(|| line.to_owned())?;
            let entry = index.entries.entry(path).or_insert_with(|| BaseEntry {
                state,
                hashes: BTreeSet::new(),
            });
            // Where two branches differ, the one that still generates the file is right: the
            // file itself shows whether it was deleted.
            entry.state = entry.state.min(state);
            entry.hashes.insert(hash);
        }
        Ok(index)
    }

    /// The index as a file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (path, entry) in &self.entries {
            let state = match entry.state {
                BaseState::Generated => "",
                BaseState::Once => "once:",
                BaseState::Deleted => "deleted:",
                BaseState::Released => "released:",
            };
            for hash in &entry.hashes {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{path} {state}{hash}");
            }
        }
        text
    }
}

fn parse_line(line: &str) -> Option<(TreePath, BaseState, ContentHash)> {
    let (path, rest) = line.trim_end_matches('\r').rsplit_once(' ')?;
    let (state, hash) = match rest.split_once(':') {
        None => (BaseState::Generated, rest),
        Some(("once", hash)) => (BaseState::Once, hash),
        Some(("deleted", hash)) => (BaseState::Deleted, hash),
        Some(("released", hash)) => (BaseState::Released, hash),
        Some(_) => return None,
    };
    Some((TreePath::new(path).ok()?, state, ContentHash::parse(hash)?))
}

/// What became of the content behind a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredObject {
    /// Here it is.
    Content(Vec<u8>),
    /// There is no such file.
    Missing,
    /// The file's content is another.
    Corrupt,
}

/// Reads `.gantline/base` through a file tree.
pub struct BaseStore<'a> {
    tree: &'a dyn FileTree,
}

impl<'a> BaseStore<'a> {
    /// The store of this workspace.
    pub fn new(tree: &'a dyn FileTree) -> Self {
        Self { tree }
    }

    /// The tree that it is part of.
    pub fn tree(&self) -> &'a dyn FileTree {
        self.tree
    }

    /// The file of an index.
    ///
    /// # Errors
    /// When the name is none.
    pub fn index_path(name: &str) -> Result<TreePath> {
        inner_path(format!("{INDEX_FOLDER}/{name}"))
    }

    /// The file of an object.
    ///
    /// # Errors
    /// Never in practice: hexadecimal digits are a path.
    pub fn object_path(hash: ContentHash) -> Result<TreePath> {
        let digits = hash.to_string();
        let (folder, file) = digits.split_at(2);
        inner_path(format!("{OBJECT_FOLDER}/{folder}/{file}"))
    }

    /// The index of a service, with its text; empty when there is none yet.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn index(&self, name: &str) -> Result<(BaseIndex, Option<Vec<u8>>)> {
        let path = Self::index_path(name)?;
        let bytes = match self.tree.read(&path)? {
            Found::Absent => return Ok((BaseIndex::default(), None)),
            Found::File(content) => content.bytes,
            Found::Other(kind) => {
                return Err(Error::invalid(format!("`{path}` is {kind}"))
                    .hint("Restore it with `git checkout`"));
            }
        };
        let index = BaseIndex::parse(&String::from_utf8_lossy(&bytes)).map_err(|line| {
            Error::invalid(format!("`{path}` has a line that is no `path hash`"))
                .since(line.chars().take(LONGEST_SHOWN).collect::<String>())
                .hint(format!("Restore it with `git checkout -- {path}`"))
        })?;
        Ok((index, Some(bytes)))
    }

    /// The names of all indexes.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn index_names(&self) -> Result<Vec<String>> {
        let paths = self.tree.list(&inner_path(INDEX_FOLDER.to_owned())?)?;
        Ok(paths
            .iter()
            .map(|path| path.file_name().to_owned())
            .collect())
    }

    /// The hashes of all objects.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn object_hashes(&self) -> Result<BTreeSet<ContentHash>> {
        let paths = self.tree.list(&inner_path(OBJECT_FOLDER.to_owned())?)?;
        let hash = |path: &TreePath| {
            let digits = path.as_str().strip_prefix(OBJECT_FOLDER)?.replace('/', "");
            ContentHash::parse(&digits)
        };
        Ok(paths.iter().filter_map(hash).collect())
    }

    /// The content behind a hash.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn object(&self, hash: ContentHash) -> Result<StoredObject> {
        let Found::File(packed) = self.tree.read(&Self::object_path(hash)?)? else {
            return Ok(StoredObject::Missing);
        };
        Ok(match decode(&packed.bytes) {
            Some(bytes) if ContentHash::of(&bytes) == hash => StoredObject::Content(bytes),
            _ => StoredObject::Corrupt,
        })
    }
}

fn inner_path(text: String) -> Result<TreePath> {
    TreePath::new(text).map_err(|error| Error::failed(error.to_string()))
}

/// An object's file.
///
/// # Errors
/// When compressing fails.
pub fn encode_object(bytes: &[u8]) -> Result<Vec<u8>> {
    // At once, not as a stream: who knows how little comes needs no tables of megabytes.
    zstd::bulk::compress(bytes, COMPRESSION_LEVEL)
        .map_err(|error| Error::failed("a generated file cannot be compressed").because(error))
}

fn decode(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader = zstd::Decoder::new(packed).ok()?;
    let read = reader.take(LARGEST_OBJECT + 1).read_to_end(&mut bytes);
    (read.is_ok() && bytes.len() as u64 <= LARGEST_OBJECT).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::files::{FileContent, MemoryTree};

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn an_index_reads_back_what_it_prints_in_order_of_path() {
        let hash = ContentHash::of(b"x");
        let mut index = BaseIndex::default();
        index
            .entries
            .insert(path("services/b/with space.md"), BaseEntry::generated(hash));
        index.entries.insert(
            path("services/a"),
            BaseEntry::generated(hash).in_state(BaseState::Deleted),
        );
        let text = index.to_text();
        assert!(text.starts_with("services/a deleted:"), "{text}");
        assert_eq!(BaseIndex::parse(&text).unwrap(), index);
    }

    #[test]
    fn lines_of_two_branches_are_taken_together_with_or_without_markers() {
        let (one, two) = (ContentHash::of(b"1"), ContentHash::of(b"2"));
        let union = format!("a {one}\na {two}\n");
        let marked = format!("<<<<<<< HEAD\na {one}\n=======\na deleted:{two}\n>>>>>>> other\n");
        let expected = BaseEntry {
            state: BaseState::Generated,
            hashes: BTreeSet::from([one, two]),
        };
        for text in [union, marked] {
            let index = BaseIndex::parse(&text).unwrap();
            assert_eq!(index.entries[&path("a")], expected, "{text}");
        }
    }

    #[test]
    fn a_line_that_is_no_entry_is_an_error() {
        for line in ["a", "a 12", "../a ", "a other:00"] {
            assert!(BaseIndex::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_object_is_known_by_its_hash() {
        let hash = ContentHash::of(b"content");
        let file = BaseStore::object_path(hash).unwrap();
        let mut tree = MemoryTree::default();
        assert_eq!(
            BaseStore::new(&tree).object(hash).unwrap(),
            StoredObject::Missing
        );
        tree.put(
            file.clone(),
            FileContent::plain(encode_object(b"content").unwrap()),
        );
        let found = BaseStore::new(&tree).object(hash).unwrap();
        assert_eq!(found, StoredObject::Content(b"content".to_vec()));
        assert_eq!(
            BaseStore::new(&tree).object_hashes().unwrap(),
            BTreeSet::from([hash])
        );
        tree.put(
            file.clone(),
            FileContent::plain(encode_object(b"other").unwrap()),
        );
        assert_eq!(
            BaseStore::new(&tree).object(hash).unwrap(),
            StoredObject::Corrupt
        );
        tree.put(file, FileContent::plain(*b"not zstd"));
        assert_eq!(
            BaseStore::new(&tree).object(hash).unwrap(),
            StoredObject::Corrupt
        );
    }
}
