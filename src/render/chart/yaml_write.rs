//! YAML as Helm's `toYaml` writes it: sorted keys, lists not indented below their key, quotes
//! where YAML 1.1 would read something else, lines folded after 80 columns.

use std::cmp::Ordering;

use super::value::{Value, general};
use crate::model::kubernetes_yaml::{Scalar, resolve};

/// Text is folded at the first space after this column.
const WIDEST: usize = 80;

/// A value as YAML, without the line break at its end.
///
/// # Errors
/// When it is nested too deeply, or a number is none of JSON's.
pub fn to_yaml(value: &Value) -> Result<String, String> {
    Ok(json_to_yaml(&value.to_json()?))
}

/// The same of JSON.
pub fn json_to_yaml(value: &serde_json::Value) -> String {
    let mut writer = Writer { out: String::new() };
    writer.node(value, 0, Parent::Document);
    // Helm takes one line end off, no more: further ones belong to a text that ends in several.
    let text = writer.out.strip_suffix('\n').unwrap_or(&writer.out);
    text.to_owned()
}

/// What a node stands in.
#[derive(Clone, Copy, PartialEq)]
enum Parent {
    Document,
    Map,
    List,
}

struct Writer {
    out: String,
}

impl Writer {
    fn node(&mut self, value: &serde_json::Value, indent: usize, parent: Parent) {
        match value {
            serde_json::Value::Object(map) if map.is_empty() => self.plain("{}"),
            serde_json::Value::Array(items) if items.is_empty() => self.plain("[]"),
            serde_json::Value::Object(map) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_by(|one, other| natural(one, other));
                for (index, key) in keys.into_iter().enumerate() {
                    self.begin(index == 0, indent, parent);
                    self.scalar_text(key, indent, true);
                    self.out.push(':');
                    let inner = match &map[key] {
                        serde_json::Value::Array(_) => indent,
                        _ => indent + 2,
                    };
                    self.node(&map[key], inner, Parent::Map);
                }
            }
            serde_json::Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.begin(index == 0, indent, parent);
                    self.out.push('-');
                    self.node(item, indent + 2, Parent::List);
                }
            }
            serde_json::Value::String(text) => {
                self.separate();
                self.scalar_text(text, indent.saturating_sub(2), false);
                self.end_line();
            }
            serde_json::Value::Number(number) => {
                let text = match (number.is_f64(), number.as_f64()) {
                    (true, Some(float)) => general(float),
                    _ => number.to_string(),
                };
                self.plain(&text);
            }
            serde_json::Value::Null => self.plain("null"),
            serde_json::Value::Bool(flag) => self.plain(if *flag { "true" } else { "false" }),
        }
    }

    /// Goes to where an entry begins: beside the hyphen for the first of a map in a list.
    fn begin(&mut self, first: bool, indent: usize, parent: Parent) {
        if first && parent == Parent::List {
            self.out.push(' ');
            return;
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.push_str(&" ".repeat(indent));
    }

    fn plain(&mut self, text: &str) {
        self.separate();
        self.out.push_str(text);
        self.end_line();
    }

    fn separate(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
    }

    fn end_line(&mut self) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn column(&self) -> usize {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        line.chars().count()
    }

    fn scalar_text(&mut self, text: &str, indent: usize, is_key: bool) {
        match style_of(text, is_key) {
            Style::Plain => self.folded(text, indent, is_key),
            Style::Single => {
                self.out.push('\'');
                self.folded(&text.replace('\'', "''"), indent, is_key);
                self.out.push('\'');
            }
            Style::Double => self.double_quoted(text, indent, is_key),
            Style::Literal => self.literal(text, indent + 2),
        }
    }

    fn folded(&mut self, text: &str, indent: usize, is_key: bool) {
        let letters: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (index, letter) in letters.iter().enumerate() {
            let single = !after_space && letters.get(index + 1).is_some_and(|next| *next != ' ');
            if *letter == ' ' && index > 0 && single && !is_key && self.column() > WIDEST {
                self.out.push('\n');
                self.out.push_str(&" ".repeat(indent + 2));
            } else {
                self.out.push(*letter);
            }
            after_space = *letter == ' ';
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.out.push('"');
        let letters: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (index, letter) in letters.iter().enumerate() {
            let inside = index > 0 && index + 1 < letters.len();
            if *letter == ' ' && inside && !after_space && !is_key && self.column() > WIDEST {
                self.out.push('\n');
                self.out.push_str(&" ".repeat(indent + 2));
                if letters[index + 1] == ' ' {
                    self.out.push('\\');
                }
                after_space = true;
                continue;
            }
            after_space = *letter == ' ';
            self.out.push_str(&escaped(*letter));
        }
        self.out.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        if !text.ends_with('\n') {
            self.out.push('-');
        } else if text == "\n" || text.ends_with("\n\n") {
            self.out.push('+');
        }
        self.out.push('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.out.push_str(&" ".repeat(indent));
            }
            self.out.push_str(line);
        }
    }
}

fn escaped(letter: char) -> String {
    match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        other if is_printable(other) => other.to_string(),
        other => {
            let code = u32::from(other);
            match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            }
        }
    }
}

#[derive(PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && letter != '\u{feff}'
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// How libyaml, which Go's packages descend from, would write a text.
fn style_of(text: &str, is_key: bool) -> Style {
    let reads_as_text = matches!(resolve(text), Scalar::Text) && !is_base_60(text);
    let has_break = text.contains(is_break);
    let letters: Vec<char> = text.chars().collect();
    let blank = |index: usize| letters.get(index).is_none_or(|letter| is_blank(*letter));
    let special = letters
        .iter()
        .any(|letter| !is_printable(*letter) && !is_break(*letter) || *letter == '\r');
    let pairs = || letters.windows(2);
    let space_break = pairs().any(|pair| pair[0] == ' ' && is_break(pair[1]));
    let break_space = pairs().any(|pair| is_break(pair[0]) && pair[1] == ' ');
    if text.contains('\n') {
        let blocked = special || space_break || text.ends_with(' ') || is_key;
        return if blocked {
            Style::Double
        } else {
            Style::Literal
        };
    }
    if !reads_as_text {
        return Style::Double;
    }
    if special || space_break || break_space {
        return Style::Double;
    }
    let indicates = letters
        .iter()
        .enumerate()
        .any(|(index, letter)| match letter {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if index == 0 =>
            {
                true
            }
            '?' | '-' if index == 0 => blank(1),
            ':' => blank(index + 1),
            '#' => is_blank(letters[index - 1]),
            _ => false,
        });
    let outer = text.starts_with(' ') || text.ends_with(' ') || has_break;
    let document = text.starts_with("---") || text.starts_with("...");
    if indicates || outer || document || (text.is_empty() && is_key) {
        Style::Single
    } else {
        Style::Plain
    }
}

fn is_blank(letter: char) -> bool {
    letter == ' ' || letter == '\t' || is_break(letter)
}

/// `190:20:30`, which YAML 1.1 takes for a number.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|letter: char| letter.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && !rest.is_empty()
        && rest
            .iter()
            .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// The order of keys: digits by their number, letters after all else.
fn natural(one: &str, other: &str) -> Ordering {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    for at in 0..one.len().min(other.len()) {
        let (a, b) = (one[at], other[at]);
        if a == b {
            continue;
        }
        match (a.is_alphabetic(), b.is_alphabetic()) {
            (true, true) => return a.cmp(&b),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        // A zero within a number is a digit of it, and counts.
        let before = one[..at]
            .iter()
            .rev()
            .take_while(|letter| letter.is_ascii_digit());
        let within = (a == '0' || b == '0') && before.into_iter().any(|digit| *digit != '0');
        let number = |letters: &[char]| {
            let digits: Vec<char> = letters[at..]
                .iter()
                .copied()
                .take_while(char::is_ascii_digit)
                .collect();
            let start = i64::from(within);
            let value = digits.iter().fold(start, |sum, digit| {
                sum.wrapping_mul(10)
                    .wrapping_add(i64::from(digit.to_digit(10).unwrap_or(0)))
            });
            (value, digits.len())
        };
        return number(&one).cmp(&number(&other)).then(a.cmp(&b));
    }
    one.len().cmp(&other.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::json_to_yaml;

    #[test]
    fn what_yaml_1_1_would_misread_is_quoted() {
        let value = json!({
            "a": "no", "b": "0440", "c": "1_000", "d": "12:30", "e": "2024-01-01", "f": "null",
            "g": "", "h": "a: b", "i": "- x", "j": "it's", "k": "@x", "l": "x #y", "m": "1.5",
            "n": "~", "o": "plain text", "p": "tab\there",
        });
        let text = "a: \"no\"\nb: \"0440\"\nc: \"1_000\"\nd: \"12:30\"\ne: \"2024-01-01\"\n\
            f: \"null\"\ng: \"\"\nh: 'a: b'\ni: '- x'\nj: it's\nk: '@x'\nl: 'x #y'\nm: \"1.5\"\n\
            \"n\": \"~\"\no: plain text\np: \"tab\\there\"";
        assert_eq!(json_to_yaml(&value), text);
    }

    #[test]
    fn lists_stand_below_their_key_and_maps_beside_the_hyphen() {
        let value = json!({"b": [{"x": 1, "a": [1, 2]}, [3, [4]]], "a10": {}, "a9": [], "c": null});
        let text = "a9: []\na10: {}\nb:\n- a:\n  - 1\n  - 2\n  x: 1\n- - 3\n  - - 4\nc: null";
        assert_eq!(json_to_yaml(&value), text);
    }

    #[test]
    fn lines_of_a_text_are_kept() {
        let value = json!({"a": {"b": "one\n  two\n\nthree\n"}, "c": ["x\ny"], "d": "x\n\n"});
        let text = "a:\n  b: |\n    one\n      two\n\n    three\nc:\n- |-\n  x\n  y\nd: |+\n  x\n";
        assert_eq!(json_to_yaml(&value), text);
        // As Helm 4.3 writes them.
        assert_eq!(json_to_yaml(&json!("\n")), "|2+\n");
        assert_eq!(json_to_yaml(&json!(["\n"])), "- |2+\n");
        assert_eq!(json_to_yaml(&json!({"k": "x\n"})), "k: |\n  x");
    }
}
