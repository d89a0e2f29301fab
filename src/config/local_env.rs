//! `.gantline/local.env`: values of secrets on this machine, which git ignores.

use std::collections::BTreeMap;
use std::path::Path;

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
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Error::invalid(format!("cannot read {FILE}")).because(error)),
    }
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
    Error::all_of(message, errors).map_or(Ok(values), Err)
}

/// The line itself is not shown: it may hold a secret.
fn no_pair(line: usize) -> Error {
    Error::invalid(format!("line {line} of {FILE} is no `NAME=value`")).at(Place {
        file: FILE.into(),
        line,
        column: 1,
        length: 1,
        source_line: "***".to_owned(),
    })
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
}
