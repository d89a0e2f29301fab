//! Patterns of `.Files.Glob`, as the library reads them that Helm uses.

use std::iter::Peekable;
use std::str::Chars;

/// A pattern with `*`, `**`, `?`, `[a-c]`, `[!abc]`, `{a,b}` and `\` as a regular expression; `None`
/// when it is none.
pub fn expression_of(pattern: &str) -> Option<String> {
    let mut reader = Reader {
        letters: pattern.chars().peekable(),
        expression: String::from("^(?s:"),
        open: 0,
    };
    while let Some(letter) = reader.letters.next() {
        reader.take(letter)?;
    }
    // Braces that nobody closes end with the pattern.
    let closing = ")".repeat(reader.open);
    Some(format!("{}{closing})$", reader.expression))
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    expression: String,
    /// How many braces are open.
    open: usize,
}

impl Reader<'_> {
    fn take(&mut self, letter: char) -> Option<()> {
        match letter {
            '*' if self.letters.next_if_eq(&'*').is_some() => self.expression.push_str(".*"),
            '*' => self.expression.push_str("[^/]*"),
            '?' => self.expression.push_str("[^/]"),
            '[' => self.class()?,
            '{' => {
                self.open += 1;
                self.expression.push_str("(?:");
            }
            ',' if self.open > 0 => self.expression.push('|'),
            '}' if self.open > 0 => {
                self.open -= 1;
                self.expression.push(')');
            }
            '\\' => {
                let escaped = self.letters.next();
                escaped.into_iter().for_each(|letter| self.literal(letter));
            }
            other => self.literal(other),
        }
        Some(())
    }

    fn literal(&mut self, letter: char) {
        let mut text = [0; 4];
        let text: &str = letter.encode_utf8(&mut text);
        self.expression.push_str(&regex::escape(text));
    }

    /// What follows `[`: one range, or letters, and not both.
    fn class(&mut self) -> Option<()> {
        let negated = self.letters.next_if_eq(&'!').is_some();
        self.expression.push_str(if negated { "[^" } else { "[" });
        let first = self.letters.next()?;
        if self.letters.next_if_eq(&'-').is_some() {
            let last = self.letters.next()?;
            self.letters.next_if_eq(&']')?;
            if first > last {
                return None;
            }
            self.literal(first);
            self.expression.push('-');
            self.literal(last);
        } else {
            let mut letter = first;
            while letter != ']' {
                let escaped = match letter {
                    '\\' => self.letters.next()?,
                    letter => letter,
                };
                self.literal(escaped);
                letter = self.letters.next()?;
            }
            if first == ']' {
                return None;
            }
        }
        self.expression.push(']');
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 12] = [
        "!x",
        "-",
        "\\w",
        "]",
        "_x.txt",
        "a*b",
        "a,b",
        "a.txt",
        "b.txt",
        "c/a.txt",
        "c/d/a.txt",
        "{q",
    ];

    /// What `helm template` gives for each.
    #[test]
    fn patterns_match_what_helm_matches() {
        for (pattern, expected) in [
            ("*", "!x - \\w ] _x.txt a*b a,b a.txt b.txt {q"),
            ("[!_]*", "!x - \\w ] a*b a,b a.txt b.txt {q"),
            ("[^_]*", "_x.txt"),
            ("a,b", "a,b"),
            ("{a,b}*", "a*b a,b a.txt b.txt"),
            ("{a,{b,_x}}.txt", "_x.txt a.txt b.txt"),
            ("{[a,b],c}.txt", "a.txt b.txt"),
            ("{a.txt,b.txt", "a.txt b.txt"),
            ("{c/,}a.txt", "a.txt c/a.txt"),
            ("a}", ""),
            ("a\\*b", "a*b"),
            ("\\{q", "{q"),
            ("\\\\w", "\\w"),
            ("a.txt\\", "a.txt"),
            ("?.txt", "a.txt b.txt"),
            ("[a-b].txt", "a.txt b.txt"),
            ("[!a-b].txt", ""),
            ("[ab].txt", "a.txt b.txt"),
            ("[a,]*", "a*b a,b a.txt"),
            ("[!a]", "- ]"),
            ("[!!]x", ""),
            ("[\\]]", "]"),
            ("[-]", "-"),
            ("c?d/a.txt", ""),
            ("c[!x]a.txt", "c/a.txt"),
            ("c/**.txt", "c/a.txt c/d/a.txt"),
            ("**/a.txt", "c/a.txt c/d/a.txt"),
            ("*/a.txt", "c/a.txt"),
            ("", ""),
        ] {
            let expression = regex::Regex::new(&expression_of(pattern).unwrap()).unwrap();
            let found = PATHS.into_iter().filter(|path| expression.is_match(path));
            assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{pattern}");
        }
    }

    #[test]
    fn what_helm_takes_for_no_pattern_is_none_here() {
        for pattern in ["[", "[]", "[!]", "[b-a]*", "[a-b_].txt", "[a-]*", "[a"] {
            assert_eq!(expression_of(pattern), None, "{pattern}");
        }
    }
}
