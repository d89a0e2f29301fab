//! Reads a YAML file with positions, and reports all of its problems in one run.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::node::{Node, Value};
use super::schema_check;
use super::text_file::{self, FileKind};
pub use super::tree::conflict_marker;
use super::tree::{self, Problem};
use crate::error::{Error, Place, Result};

/// A YAML file that was read, with the place of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    file: PathBuf,
    text: String,
    root: Node,
    /// What is wrong with the YAML, although it is plain what it says.
    problems: Vec<Error>,
    /// The second file of a document that was put together from two.
    over: Option<Over>,
}

/// A file whose text follows that of another.
#[derive(Debug, Clone)]
struct Over {
    file: PathBuf,
    begins: usize,
}

impl Document {
    /// Reads a file; messages name it relative to the current folder where it lies below.
    ///
    /// # Errors
    /// When it is missing, unreadable, too large, not UTF-8, empty or no YAML.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_as(path, FileKind::Manifest)
    }

    /// The same for an OpenAPI or AsyncAPI document, which may be larger than a file of ours.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn read_api(path: &Path) -> Result<Self> {
        Self::read_as(path, FileKind::ApiDocument)
    }

    fn read_as(path: &Path, kind: FileKind) -> Result<Self> {
        let shown = shown_path(path);
        Self::parse_as(&shown, &text_file::read(path, &shown, kind)?, kind)
    }

    /// The same for a file that need not be there.
    ///
    /// # Errors
    /// As [`Document::read`], but for a missing file.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>> {
        match path.symlink_metadata() {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            // A link that leads nowhere is there, and worth saying.
            _ => Self::read(path).map(Some),
        }
    }

    /// Parses the content of `file`, which is only named in messages. Problems that leave no doubt
    /// about what it says, such as duplicate keys, wait for [`Document::decode`], which finds more.
    ///
    /// # Errors
    /// When it is not UTF-8, empty or no YAML.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self> {
        Self::parse_as(file, bytes, FileKind::Manifest)
    }

    /// The same for an OpenAPI or AsyncAPI document.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_api(file: &Path, bytes: &[u8]) -> Result<Self> {
        Self::parse_as(file, bytes, FileKind::ApiDocument)
    }

    fn parse_as(file: &Path, bytes: &[u8], kind: FileKind) -> Result<Self> {
        let text = decode_text(file, bytes)?;
        let parsed = tree::parse_as(text, kind);
        let problems = placed(file, text, parsed.problems);
        match parsed.root {
            Some(root) => Ok(Self {
                file: file.to_path_buf(),
                text: text.to_owned(),
                root,
                problems,
                over: None,
            }),
            None => Err(all_of(file, problems).unwrap_or_else(|| empty(file, text, kind))),
        }
    }

    /// The document, for readers who look at its tree without decoding it.
    ///
    /// # Errors
    /// All problems of its YAML.
    pub fn faultless(self) -> Result<Self> {
        self.none_of(Vec::new())?;
        Ok(self)
    }

    /// Adds problems of its content, which [`Document::decode`] reports with those it finds.
    pub fn refuse(&mut self, problems: Vec<Error>) {
        self.problems.extend(problems);
    }

    /// This document with another one laid over it by RFC 7386: maps merge, all else replaces,
    /// nothing takes away. Each part keeps its own place.
    #[must_use]
    pub fn overlaid(mut self, mut over: Self) -> Self {
        let begins = self.text.len() + 1;
        over.root.shift(begins);
        self.text = format!("{}\n{}", self.text, over.text);
        self.root.lay_over(over.root);
        self.problems.append(&mut over.problems);
        self.over = Some(Over {
            file: over.file,
            begins,
        });
        self
    }

    /// Turns the document into `T`, after checking it against the schema of `T`.
    ///
    /// # Errors
    /// All problems at once, by line: duplicate keys and the like, unknown keys, wrong types,
    /// missing keys, values out of range.
    pub fn decode<T: DeserializeOwned + JsonSchema>(&self) -> Result<T> {
        let problems = schema_check::check::<T>(self)?;
        self.none_of(problems)?;
        self.decode_checked()
    }

    /// The same of a file that is known to fit the schema of `T`, whose check takes longer than all
    /// the rest.
    ///
    /// # Errors
    /// The first problem.
    pub(super) fn decode_checked<T: DeserializeOwned>(&self) -> Result<T> {
        self.none_of(Vec::new())?;
        serde_json::from_value(self.root.to_json(true)).map_err(|cause| {
            Error::invalid(format!("{} cannot be understood", self.file.display()))
                .at(self.place(&[]))
                .because(cause)
        })
    }

    /// One error out of these and the problems of its YAML, by line.
    pub fn all_of(&self, errors: Vec<Error>) -> Option<Error> {
        let own = self.problems.iter().cloned();
        all_of(&self.file, own.chain(errors).collect())
    }

    /// Done, when neither these nor problems of its YAML were found.
    ///
    /// # Errors
    /// All of them as one, by line.
    pub fn none_of(&self, errors: Vec<Error>) -> Result<()> {
        self.all_of(errors).map_or(Ok(()), Err)
    }

    /// The file, as the user would name it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The text written at a path of keys; `None` when there is none.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        match &self.root.find(path)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether something is written at a path of keys.
    pub fn has(&self, path: &[&str]) -> bool {
        self.root.find(path).is_some()
    }

    /// The place of the value at a path of keys and list indices, or of what comes nearest.
    pub fn place(&self, path: &[&str]) -> Place {
        (0..=path.len())
            .rev()
            .find_map(|length| self.root.find(&path[..length]))
            .map_or_else(|| self.place_of(0..0), |node| self.place_of_node(node))
    }

    /// The place of the key at a path of keys, or of what comes nearest.
    pub fn key_place(&self, path: &[&str]) -> Place {
        let found = path.split_last().and_then(|(key, parents)| {
            let parent = self.root.find(parents)?;
            parent.entries().iter().find(|entry| entry.key == *key)
        });
        match found {
            Some(entry) => self.place_of(entry.key_span.clone()),
            None => self.place(path),
        }
    }

    /// The place of these bytes.
    pub fn place_of(&self, span: Range<usize>) -> Place {
        if let Some(over) = self.over.as_ref().filter(|over| span.start >= over.begins) {
            let (text, start) = (&self.text[over.begins..], span.start - over.begins);
            let length = characters(&self.text, &span);
            return Place::of_offset(&over.file, text, start, length);
        }
        Place::of_offset(
            &self.file,
            &self.text,
            span.start,
            characters(&self.text, &span),
        )
    }

    fn place_of_node(&self, node: &Node) -> Place {
        match node.entries().first() {
            Some(entry) if self.text[node.span.start..].starts_with(|at| at != '{') => {
                self.place_of(entry.key_span.clone())
            }
            _ => self.place_of(node.span.clone()),
        }
    }
}

/// A path as the user would name it: relative to the current folder where it lies below.
pub fn shown_path(path: &Path) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|current| path.strip_prefix(current).map(Path::to_path_buf).ok())
        .filter(|relative| !relative.as_os_str().is_empty())
        .unwrap_or_else(|| path.to_path_buf())
}

/// Where a file begins: the place of what is wrong with its name.
pub fn start_of(path: &Path) -> Place {
    let shown = shown_path(path);
    let bytes = text_file::read(path, &shown, FileKind::Manifest).unwrap_or_default();
    let text = text_file::decode(&bytes).unwrap_or_default();
    Place::of_offset(&shown, text, 0, characters(text, &(0..text.len())))
}

/// The text without a byte order mark.
fn decode_text<'bytes>(file: &Path, bytes: &'bytes [u8]) -> Result<&'bytes str> {
    text_file::decode(bytes).map_err(|problem| {
        let error = Error::invalid(format!("{} {}", file.display(), problem.what));
        let error = match problem.at {
            Some(at) => {
                let before = String::from_utf8_lossy(&bytes[..at]);
                error.at(Place::of_offset(file, &before, before.len(), 1))
            }
            None => error,
        };
        error.hint(problem.hint)
    })
}

fn placed(file: &Path, text: &str, problems: Vec<Problem>) -> Vec<Error> {
    let place =
        |span: Range<usize>| Place::of_offset(file, text, span.start, characters(text, &span));
    let placed = problems.into_iter().map(|problem| {
        let mut error = Error::invalid(problem.message).at(place(problem.span));
        if let Some(first) = problem.other {
            error = error.since(format!("it is first written at {}", place(first)));
        }
        match problem.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    });
    placed.collect()
}

fn all_of(file: &Path, mut errors: Vec<Error>) -> Option<Error> {
    errors.sort_by_key(Error::position);
    let file = file.display();
    Error::all_of(|count| format!("{file} has {count} problems"), errors)
}

fn empty(file: &Path, text: &str, kind: FileKind) -> Error {
    Error::invalid(format!("{} is empty", file.display()))
        .at(Place::of_offset(file, text, 0, 1))
        .hint(kind.filled())
}

fn characters(text: &str, span: &Range<usize>) -> usize {
    text.get(span.clone())
        .and_then(|marked| marked.lines().next())
        .map_or(1, |line| line.trim_end().chars().count())
}

#[cfg(test)]
mod tests;
