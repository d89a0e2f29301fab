//! What may reach a terminal: text, and our own colours. A file, a log or another program's
//! message may hold anything, also what moves the cursor or answers for the user.

/// Takes the place of a control character.
const REPLACEMENT: char = '\u{fffd}';
/// Begins what drives a terminal.
const ESCAPE: char = '\u{1b}';

/// The text without control characters other than line breaks; tabs become blanks.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' => '\n',
            '\t' => ' ',
            control if control.is_control() => REPLACEMENT,
            other => other,
        })
        .collect()
}

/// An answer as a terminal may have it: colours and tabs stay, every other control character is
/// replaced.
pub(super) fn for_terminal(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(letter) = rest.chars().next() {
        let taken = match color(rest) {
            Some(color) => color,
            None => &rest[..letter.len_utf8()],
        };
        let is_driving = taken.chars().count() == 1 && letter.is_control();
        match is_driving && !matches!(letter, '\n' | '\t') {
            true => safe.push(REPLACEMENT),
            false => safe.push_str(taken),
        }
        rest = &rest[taken.len()..];
    }
    safe
}

/// The colour that a text begins with: Select Graphic Rendition (ECMA-48, 8.3.117).
fn color(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix(ESCAPE)?.strip_prefix('[')?;
    let end = parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    let before = text.len() - parameters.len();
    parameters[end..]
        .starts_with('m')
        .then(|| &text[..before + end + 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;

    #[test]
    fn colours_pass() {
        let text = Style::new(true).bad("é\tgone\n");
        assert!(text.contains(ESCAPE));
        assert_eq!(for_terminal(text.as_bytes()), text);
    }

    #[test]
    fn nothing_that_drives_the_terminal_passes() {
        for hostile in [
            "\u{1b}[2J",
            "\u{1b}]0;title\u{7}",
            "\u{1b}[6n",
            "\u{1b}\u{1b}[H",
            "\u{1b}[1;1",
            "\u{1b}",
            "a\rb",
            "\u{8}",
            "\u{9b}2J",
        ] {
            for text in [for_terminal(hostile.as_bytes()), printable(hostile)] {
                assert!(!text.contains(char::is_control), "{text:?}");
                assert!(text.contains(REPLACEMENT), "{text:?}");
            }
        }
    }
}
