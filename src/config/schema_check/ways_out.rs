//! What to write instead of a value that is none: the next step of a fault.

use crate::config::node::Value;
use crate::model::name::Name;
use crate::model::suggest;

/// Words that other programs take for truth values.
const TRUE: [&str; 3] = ["yes", "on", "y"];
const FALSE: [&str; 3] = ["no", "off", "n"];

/// A value that is wrong.
pub(super) struct Wrong<'a> {
    /// The key that it stands at, where it has one.
    pub(super) key: Option<&'a str>,
    /// The value.
    pub(super) value: &'a Value,
    /// The same as it is written.
    pub(super) written: &'a str,
    /// What is expected, in words.
    pub(super) expected: &'a str,
    /// The rule of texts at this place, in words.
    pub(super) rule: Option<&'a str>,
}

impl Wrong<'_> {
    /// The next step, where one can be told.
    pub(super) fn way_out(&self) -> Option<String> {
        match self.value {
            Value::Text(text) => self.of_text(text),
            Value::Integer(number) => self
                .of_unit(*number)
                .or_else(|| self.of_port(*number))
                .or_else(|| self.of_scalar()),
            Value::Float(_) | Value::Boolean(_) => self.of_scalar(),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    fn of_text(&self, text: &str) -> Option<String> {
        let expected = self.expected;
        if let Some(amount) = self.amount(text) {
            return Some(format!("Did you mean `{amount}`?"));
        }
        if expected.contains("a list") {
            return self.as_list(text);
        }
        if expected.contains("name") {
            return nearest_name(text);
        }
        if expected.starts_with("one of") {
            let words = quoted_words(expected);
            let nearest = suggest::nearest(text, words.iter().copied());
            return nearest.map(|word| format!("Did you mean `{word}`?"));
        }
        if expected.contains("`true` or `false`") {
            return truth(text).map(|value| format!("Write `{value}`"));
        }
        (expected.contains("a number") && text.parse::<i64>().is_ok())
            .then(|| format!("Remove the quotes: {text}"))
    }

    fn of_scalar(&self) -> Option<String> {
        self.expected
            .contains("a text")
            .then(|| format!("Put it in quotes: \"{}\"", self.written))
    }

    /// A number where an amount with a unit is meant.
    fn of_unit(&self, number: i64) -> Option<String> {
        let amount = self.amount(&number.to_string())?;
        Some(format!("Write it with its unit: `{amount}`"))
    }

    /// A port that only root may listen on.
    fn of_port(&self, number: i64) -> Option<String> {
        let is_low = self.expected.starts_with("a number from 1024 to") && number > 0;
        (is_low && number < 1024).then(|| {
            "Let the program listen on another one, such as 8080: those below 1024 are for root, and nothing runs as root"
                .to_owned()
        })
    }

    /// An amount in bytes with the unit that was meant.
    fn amount(&self, text: &str) -> Option<String> {
        let rule = self.rule.filter(|rule| rule.starts_with("an amount"))?;
        let example = *quoted_words(rule).first()?;
        let usual = example.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let text = text.trim();
        let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let number = &text[..text.len() - unit.len()];
        let unit = match unit.trim_start().to_lowercase().as_str() {
            "" if usual.ends_with('i') => usual,
            "k" | "kb" | "kib" | "ki" => "Ki",
            "m" | "mb" | "mib" | "mi" => "Mi",
            "g" | "gb" | "gib" | "gi" => "Gi",
            _ => return None,
        };
        let is_amount = !number.is_empty() && !number.starts_with('0') && usual.ends_with('i');
        is_amount.then(|| format!("{number}{unit}"))
    }

    /// The list with the words of a text.
    fn as_list(&self, text: &str) -> Option<String> {
        let words: Vec<String> = text
            .split(|letter: char| letter.is_whitespace() || letter == ',')
            .filter(|word| !word.is_empty())
            .map(in_list)
            .collect();
        let list = match text.contains(['"', '\'']) {
            true => "[WORD, ...]".to_owned(),
            false => format!("[{}]", words.join(", ")),
        };
        (!words.is_empty() && list.len() <= 100).then(|| match self.key {
            Some(key) => format!("Write a list: `{key}: {list}`"),
            None => format!("Write a list: `{list}`"),
        })
    }
}

/// A word as it is written in a list.
fn in_list(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=@+".contains(letter);
    match word.chars().all(is_plain) && word.parse::<f64>().is_err() {
        true => word.to_owned(),
        false => format!("{word:?}"),
    }
}

fn truth(text: &str) -> Option<bool> {
    let lower = text.to_lowercase();
    let is = |value: bool| lower == value.to_string();
    if is(true) || TRUE.contains(&lower.as_str()) {
        return Some(true);
    }
    (is(false) || FALSE.contains(&lower.as_str())).then_some(false)
}

/// The name that a text comes nearest to, when that is another one.
pub(super) fn nearest_name(text: &str) -> Option<String> {
    let name = Name::nearest(text).filter(|name| name.as_str() != text)?;
    Some(format!("Write `{name}`"))
}

fn quoted_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
