//! The one error type: what kind it is, what happened, where, why, and what to do next.
//!
//! Engines and parsers may have typed errors of their own; they become an [`Error`] where the
//! place and the next step are known. `report` renders it, `main` turns it into an exit code.

use std::fmt;
use std::path::{Path, PathBuf};

/// Every action's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Exit code 0: done, also after `--dry-run` and `--diff`, whatever they showed.
pub const EXIT_DONE: u8 = 0;
/// Exit code 1: the work failed, or the answer is no.
pub const EXIT_FAILED: u8 = 1;
/// Exit code 2: wrong usage, an invalid file, or the wrong cluster.
pub const EXIT_INVALID: u8 = 2;
/// Exit code 3: differences were found, and finding them was the question.
pub const EXIT_DIFFERENCES: u8 = 3;
/// Exit code 4: something needed is missing, unreachable or forbidden.
pub const EXIT_MISSING: u8 = 4;
/// Exit code 130: interrupted, as shells report SIGINT (128 + 2).
pub const EXIT_INTERRUPTED: u8 = 130;

/// What kind of failure this is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The work failed, or the answer is no: exit code 1.
    Failed,
    /// Wrong usage or an invalid file: exit code 2.
    Invalid,
    /// Differences were found: exit code 3.
    Differences,
    /// Something needed is missing, unreachable or forbidden: exit code 4.
    Missing,
    /// The user interrupted the work: exit code 130.
    Interrupted,
}

impl ErrorKind {
    /// The process exit code for this kind.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => EXIT_FAILED,
            Self::Invalid => EXIT_INVALID,
            Self::Differences => EXIT_DIFFERENCES,
            Self::Missing => EXIT_MISSING,
            Self::Interrupted => EXIT_INTERRUPTED,
        }
    }
}

/// How many characters of a line are shown: a file may be one line of a megabyte.
const LONGEST_SOURCE_LINE: usize = 1_000;
/// How many errors of one run are kept: more help nobody.
const MOST_ERRORS: usize = 100;

/// A position in a file of the user's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Place {
    /// The file, as the user would name it.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// How many characters the marked text spans; at least 1.
    pub length: usize,
    /// The text of that line, without its line break; cut where no person would read on.
    pub source_line: String,
}

impl Place {
    /// The place of the bytes `start..start + length` of `text`, the content of `file`.
    ///
    /// A `start` past the end, or within a character, is moved back to the nearest position.
    pub fn of_offset(file: &Path, text: &str, start: usize, length: usize) -> Self {
        let mut start = start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let source_line = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count() + 1;
        let source_line = match source_line.char_indices().nth(LONGEST_SOURCE_LINE) {
            Some((end, _)) => &source_line[..end],
            None => source_line,
        };
        let rest = source_line.chars().count().saturating_sub(column - 1);
        Self {
            file: file.to_path_buf(),
            line: text[..start].matches('\n').count() + 1,
            column,
            length: length.clamp(1, rest.max(1)),
            source_line: source_line.to_owned(),
        }
    }
}

impl Place {
    /// Whether [`Place::source_line`] reaches as far as this place.
    pub fn shows_its_source(&self) -> bool {
        self.column <= self.source_line.chars().count() + 1
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}",
            self.file.display(),
            self.line,
            self.column
        )
    }
}

/// What went wrong, where, why, and what to do next.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Error {
    /// What kind of failure it is; decides the exit code.
    kind: ErrorKind,
    /// What happened, in a sentence without a final stop.
    message: String,
    /// Where, in a file of the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Box<Place>>,
    /// Why, from the nearest cause on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
    /// Errors that this one sums up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Error>,
}

impl Error {
    /// An error of this kind that says `message`: one sentence, no final stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            place: None,
            causes: Vec::new(),
            hints: Vec::new(),
            related: Vec::new(),
        }
    }

    /// The work failed, or the answer is no.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Wrong usage or an invalid file.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Something needed is missing, unreachable or forbidden.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Missing, message)
    }

    /// Differences were found, and finding them was the question.
    pub fn differences(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Differences, message)
    }

    /// The user interrupted the work.
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
    }

    /// Adds why: the error that led here, with its own sources.
    #[must_use]
    pub fn because(mut self, cause: impl std::error::Error) -> Self {
        self.causes.push(cause.to_string());
        let mut source = cause.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            if self.causes.last().is_none_or(|last| !last.contains(&text)) {
                self.causes.push(text);
            }
            source = inner.source();
        }
        self
    }

    /// Adds why, in words of our own.
    #[must_use]
    pub fn since(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds several causes, from the nearest on.
    #[must_use]
    pub fn with_causes(mut self, causes: impl IntoIterator<Item: Into<String>>) -> Self {
        self.causes.extend(causes.into_iter().map(Into::into));
        self
    }

    /// Points at a place in a file of the user's.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// Points at a place in a file of the user's, unless it already points at one.
    #[must_use]
    pub fn at_when_missing(self, place: Place) -> Self {
        match self.place {
            Some(_) => self,
            None => self.at(place),
        }
    }

    /// Adds a next step: an imperative sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several next steps: imperative sentences.
    #[must_use]
    pub fn with_hints(mut self, hints: impl IntoIterator<Item: Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Takes back next steps that became untrue.
    #[must_use]
    pub fn without_hints(mut self, untrue: &[&str]) -> Self {
        self.hints.retain(|hint| !untrue.contains(&hint.as_str()));
        self
    }

    /// Adds errors found in the same run, each with a place of its own.
    #[must_use]
    pub fn with_related(mut self, related: Vec<Error>) -> Self {
        self.related.extend(related);
        self
    }

    /// One error out of all that were found, or the only one itself; `None` when there are none.
    /// What is said more than once, is said once.
    pub fn all_of(message: impl FnOnce(usize) -> String, errors: Vec<Error>) -> Option<Self> {
        let mut said = std::collections::HashSet::new();
        let mut errors = errors;
        errors.retain(|error| said.insert(format!("{error:?}")));
        match errors.len() {
            0 => None,
            1 => errors.pop(),
            count => {
                let summary = Self::new(errors[0].kind, message(count));
                let summary = match count > MOST_ERRORS {
                    true => summary.since(format!("the first {MOST_ERRORS} of them are shown")),
                    false => summary,
                };
                errors.truncate(MOST_ERRORS);
                Some(summary.with_related(errors))
            }
        }
    }

    /// Done, when no errors were found.
    ///
    /// # Errors
    /// All of `errors` as one, as [`Error::all_of`] puts them together.
    pub fn none_of(message: impl FnOnce(usize) -> String, errors: Vec<Error>) -> Result<()> {
        Self::all_of(message, errors).map_or(Ok(()), Err)
    }

    /// File, line and column that it points at: the order in which people read several.
    pub fn position(&self) -> Option<(PathBuf, usize, usize)> {
        let place = self.place.as_ref()?;
        Some((place.file.clone(), place.line, place.column))
    }

    /// The errors that it sums up; itself when it sums up none.
    pub fn parts(self) -> Vec<Self> {
        match self.related.is_empty() {
            true => vec![self],
            false => self.related,
        }
    }

    /// The kind, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether this error, or one of those that it stands for, is of this kind.
    pub fn has(&self, kind: ErrorKind) -> bool {
        self.kind == kind || self.related.iter().any(|related| related.has(kind))
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where, in a file of the user's.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    /// Why, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Errors found in the same run.
    pub fn related(&self) -> &[Error] {
        &self.related
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for cause in &self.causes {
            write!(formatter, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_megabyte_is_cut() {
        let text = "a".repeat(1 << 20);
        for start in [0, 5_000] {
            let place = Place::of_offset(Path::new("x.yaml"), &text, start, 70_000);
            assert_eq!(place.column, start + 1);
            assert_eq!(place.source_line.len(), LONGEST_SOURCE_LINE);
            assert!(place.length <= LONGEST_SOURCE_LINE);
        }
    }

    #[test]
    fn more_errors_than_anybody_reads_are_counted_and_not_kept() {
        let numbers = 0..3 * MOST_ERRORS;
        let errors = numbers.map(|number| Error::invalid(format!("wrong {number}")));
        let error = Error::all_of(|count| format!("{count} problems"), errors.collect()).unwrap();
        assert_eq!(error.message(), "300 problems");
        assert_eq!(error.related().len(), MOST_ERRORS);
        assert_eq!(error.causes(), ["the first 100 of them are shown"]);
    }

    #[test]
    fn several_causes_and_hints_keep_their_order() {
        let error = Error::failed("it failed")
            .since("first")
            .with_causes(["second", "third"])
            .hint("look")
            .with_hints(vec!["try".to_owned(), "ask".to_owned()]);
        assert_eq!(error.causes(), ["first", "second", "third"]);
        assert_eq!(error.hints(), ["look", "try", "ask"]);
    }

    #[test]
    fn no_errors_are_no_failure() {
        let message = |count| format!("{count} problems");
        assert!(Error::none_of(message, Vec::new()).is_ok());
        let failed = Error::none_of(message, vec![Error::failed("a"), Error::failed("b")]);
        assert_eq!(failed.unwrap_err().message(), "2 problems");
    }

    #[test]
    fn what_several_say_is_said_once() {
        let errors = vec![Error::missing("there is no Go"); 3];
        let error = Error::all_of(|count| format!("{count} problems"), errors).unwrap();
        assert_eq!(error.message(), "there is no Go");
        assert!(error.related().is_empty());
    }
}
