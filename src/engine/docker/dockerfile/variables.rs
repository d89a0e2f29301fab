//! Variables in the names of images (Dockerfile reference, "Environment replacement").

use std::collections::BTreeMap;

/// Takes up what an `ARG` declares; an argument of the build wins over its default.
pub(super) fn declare<'a>(
    values: &mut BTreeMap<String, String>,
    words: impl Iterator<Item = &'a str>,
    arguments: &BTreeMap<String, String>,
) {
    for word in words {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name, Some(default)),
            None => (word, None),
        };
        let default = default.map(|text| expand(text.trim_matches(['"', '\'']), values));
        if let Some(value) = arguments.get(name).cloned().or(default) {
            values.insert(name.to_owned(), value);
        }
    }
}

/// A text with `$NAME`, `${NAME}`, `${NAME:-DEFAULT}` and `${NAME:+ALTERNATIVE}` filled in; what has
/// no value is empty.
pub(super) fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = match after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some((braced, further)) => {
                expanded.push_str(&of_braces(braced, values));
                further
            }
            None => {
                let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let end = after.find(|letter| !is_word(letter));
                let (name, further) = after.split_at(end.unwrap_or(after.len()));
                expanded.push_str(values.get(name).map_or("", String::as_str));
                further
            }
        };
    }
    expanded.push_str(rest);
    expanded
}

fn of_braces(braced: &str, values: &BTreeMap<String, String>) -> String {
    let (name, otherwise) = braced.split_once(':').unwrap_or((braced, ""));
    let value = values.get(name).filter(|value| !value.is_empty());
    match (value, otherwise.split_at_checked(1)) {
        (Some(_), Some(("+", alternative))) => alternative.to_owned(),
        (Some(value), _) => value.clone(),
        (None, Some(("-", default))) => expand(default, values),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_filled_in_with_what_stands_in_for_an_empty_one() {
        let values = BTreeMap::from([("A".to_owned(), "a".to_owned())]);
        for (text, expected) in [
            ("x/$A:1", "x/a:1"),
            ("${A}b$", "ab"),
            ("${B:-c}/${A:-d}", "c/a"),
            ("x${A:+-alpine}${B:+-slim}", "x-alpine"),
            ("$B${B}", ""),
        ] {
            assert_eq!(expand(text, &values), expected, "{text}");
        }
    }
}
