//! Where a value stands in a JSON text: positions for what the parser has lost.

/// The offset in bytes at which the value at `path` (keys and indices) begins, or that of the
/// nearest value above it. The text is known to be JSON.
pub fn offset(text: &str, path: &[&str]) -> usize {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    scanner.skip_space();
    let mut found = scanner.at;
    for step in path {
        if !scanner.enter(step) {
            break;
        }
        found = scanner.at;
    }
    found
}

/// The line, counted from 1, on which each item of a list of the whole begins.
pub fn lines_of_items(text: &str, list: &str) -> Vec<usize> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    scanner.skip_space();
    if !scanner.enter(list) || scanner.peek() != Some(b'[') {
        return Vec::new();
    }
    let (mut lines, mut line, mut counted) = (Vec::new(), 1, 0);
    scanner.at += 1;
    loop {
        scanner.skip_space();
        if matches!(scanner.peek(), None | Some(b']' | b'}')) {
            return lines;
        }
        let between = scanner.bytes.get(counted..scanner.at).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count();
        counted = scanner.at;
        lines.push(line);
        scanner.skip_value();
        scanner.skip_space();
        if scanner.peek() == Some(b',') {
            scanner.at += 1;
        }
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes from a container's beginning to its member's; `false` when it has none.
    fn enter(&mut self, step: &str) -> bool {
        let is_object = match self.peek() {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return false,
        };
        self.at += 1;
        let mut index = 0_usize;
        loop {
            self.skip_space();
            if matches!(self.peek(), None | Some(b'}' | b']')) {
                return false;
            }
            let here = if is_object {
                let key = self.string();
                self.skip_space();
                self.at += 1;
                self.skip_space();
                key == step
            } else {
                index.to_string() == step
            };
            if here {
                return true;
            }
            self.skip_value();
            self.skip_space();
            if self.peek() == Some(b',') {
                self.at += 1;
            }
            index += 1;
        }
    }

    /// The string that begins here, unescaped; leaves it behind.
    fn string(&mut self) -> String {
        let start = self.at;
        self.skip_value();
        let raw = String::from_utf8_lossy(&self.bytes[start..self.at]);
        serde_json::from_str(&raw).unwrap_or_else(|_| raw.into_owned())
    }

    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth == 0 => return,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest<'a>(text: &'a str, path: &[&str]) -> &'a str {
        &text[offset(text, path)..]
    }

    #[test]
    fn a_value_is_found_by_keys_and_indices() {
        let text = r#" {"a\"": [1, {"x": "}]"}, [true]], "b" : {"c": null}}"#;
        assert!(rest(text, &["a\"", "1", "x"]).starts_with("\"}]\""));
        assert!(rest(text, &["a\"", "2", "0"]).starts_with("true"));
        assert!(rest(text, &["b", "c"]).starts_with("null"));
        assert!(rest(text, &[]).starts_with('{'));
    }

    #[test]
    fn each_item_of_a_list_has_its_line() {
        let text = "{\n\"a\": [1, 2],\n\"b\": [\n{\"c\": \"]\"},\n\n[3], 4\n]}";
        assert_eq!(lines_of_items(text, "b"), [4, 6, 6]);
        assert_eq!(lines_of_items(text, "a"), [2, 2]);
        for list in ["c", ""] {
            assert!(lines_of_items(text, list).is_empty());
        }
        assert!(lines_of_items("{\"a\": 1}", "a").is_empty());
        assert_eq!(lines_of_items("{\"a\": [1", "a"), [1]);
    }

    #[test]
    fn what_is_not_there_gives_the_nearest_above_it() {
        let text = r#"{"a": [1, 2], "b": 3}"#;
        assert!(rest(text, &["a", "7"]).starts_with("[1"));
        assert!(rest(text, &["b", "x"]).starts_with('3'));
        assert!(rest(text, &["c"]).starts_with('{'));
        assert_eq!(offset("", &["a"]), 0);
    }
}
