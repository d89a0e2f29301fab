//! `.gantline/local.env`: values of secrets on this machine, which git ignores.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::text_file::{self, FileKind};
use crate::error::{Error, Place, Result};
use crate::model::secret::Secret;

/// The file, below the workspace.
const FILE: &str = ".gantline/local.env";

/// Reads the local secrets of a workspace; none when there is no file.
///
/// # Errors
/// When it cannot be read, or a line is no `NAME=value`.
pub fn read(root: &Path) -> Result<BTreeMap<String, Secret>> {
    let path = root.join(FILE);
    match path.symlink_metadata() {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        _ => parse_bytes(&text_file::read(
            &path,
            Path::new(FILE),
            FileKind::Manifest,
        )?),
    }
}

fn parse_bytes(bytes: &[u8]) -> Result<BTreeMap<String, Secret>> {
    let text = text_file::decode(bytes).map_err(|problem| {
        let error = Error::invalid(format!("{FILE} {}", problem.what)).hint(problem.hint);
        match problem.at {
            Some(at) => {
                let before = &bytes[..at];
                error.at(hidden(
                    before.iter().filter(|byte| **byte == b'\n').count() + 1,
                ))
            }
            None => error,
        }
    })?;
    parse(text)
}

fn parse(text: &str) -> Result<BTreeMap<String, Secret>> {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.strip_prefix("export ").unwrap_or(line).split_once('=');
        match pair {
            Some((name, value)) if is_variable(name.trim()) => {
                values.insert(name.trim().to_owned(), Secret::new(unquoted(value.trim())));
            }
            _ => errors.push(no_pair(index + 1)),
        }
    }
    let message = |count| format!("{count} lines of {FILE} are no `NAME=value`");
    Error::none_of(message, errors)?;
    Ok(values)
}

fn no_pair(line: usize) -> Error {
    Error::invalid(format!("line {line} of {FILE} is no `NAME=value`")).at(hidden(line))
}

/// The line itself is not shown: it may hold a secret.
fn hidden(line: usize) -> Place {
    Place {
        file: FILE.into(),
        line,
        column: 1,
        length: 1,
        source_line: "***".to_owned(),
    }
}

fn is_variable(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    name.starts_with(is_letter)
        && name
            .chars()
            .all(|letter| is_letter(letter) || letter.is_ascii_digit())
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_with_and_without_quotes() {
        let values = parse("# local\n\nA=1\nexport B='two words'\nC=\"a=b\"\nD=\n").unwrap();
        let read: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.reveal()))
            .collect();
        assert_eq!(
            read,
            [("A", "1"), ("B", "two words"), ("C", "a=b"), ("D", "")]
        );
    }

    #[test]
    fn every_faulty_line_is_named_and_none_is_shown() {
        let error = parse("A=1\nhunter2\n1B=x\n").unwrap_err();
        assert_eq!(error.related().len(), 2);
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn a_byte_order_mark_belongs_to_no_name() {
        let values = parse_bytes(b"\xef\xbb\xbfA=1\r\nB=2\r\n").unwrap();
        assert_eq!(values.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(values["B"].reveal(), "2");
    }

    #[test]
    fn what_is_no_text_is_said_with_its_line_and_without_its_content() {
        for bytes in [b"A=1\nB=hunter2\xff\n".as_slice(), b"A=1\nB=hunter2\0\n"] {
            let error = parse_bytes(bytes).unwrap_err();
            assert_eq!(error.place().unwrap().line, 2, "{error:?}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_bytes(&bytes);
        }

        #[test]
        fn lines_that_look_like_variables_never_panic(
            text in "[A-C_1= \"'#\n\r\t\u{e9}export]{0,80}"
        ) {
            let _ = parse_bytes(text.as_bytes());
        }
    }
}
