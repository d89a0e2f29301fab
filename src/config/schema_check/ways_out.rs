//! What to write instead of a value that is none: the next step of a fault.

use serde_json::{Value as Json, json};

use crate::config::node::{Node, Value};
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
    /// The keys of a map that would do here.
    pub(super) keys: &'a [String],
    /// The ports of the document.
    pub(super) ports: Option<&'a Node>,
    /// Whether another value would do.
    pub(super) would_do: &'a dyn Fn(&Json) -> bool,
}

impl Wrong<'_> {
    /// The next step, where one can be told.
    pub(super) fn way_out(&self) -> Option<String> {
        if self.expected.starts_with("the name of a port") {
            let hint = self.number().map(|port| self.of_named_port(port));
            if hint.is_some() || !matches!(self.value, Value::Text(_)) {
                return hint;
            }
        }
        match self.value {
            Value::Text(text) => self.of_text(text).or_else(|| self.of_only_key(text)),
            Value::Integer(number) => self
                .of_unit(*number)
                .or_else(|| self.of_port(*number))
                .or_else(|| self.of_only_port(*number))
                .or_else(|| self.of_scalar())
                .or_else(|| self.as_list(self.written)),
            Value::Float(_) | Value::Boolean(_) => {
                self.of_scalar().or_else(|| self.as_list(self.written))
            }
            Value::Null => (self.would_do)(&Json::from(""))
                .then(|| "Write \"\" where an empty text is meant".to_owned()),
            Value::List(items) => match items.as_slice() {
                [
                    Node {
                        value: Value::Integer(number),
                        ..
                    },
                ] => self.of_only_port(*number),
                items => self.as_map(items),
            },
            Value::Map(_) => None,
        }
    }

    /// The number that stands there, also in quotes.
    fn number(&self) -> Option<i64> {
        match self.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.trim_start_matches(':').parse().ok(),
            _ => None,
        }
    }

    /// A number where the name of a port is meant.
    fn of_named_port(&self, number: i64) -> String {
        let mut ports = self.ports.into_iter().flat_map(Node::entries);
        match ports
            .find(|port| matches!(port.value.value, Value::Integer(known) if known == number))
        {
            Some(port) => format!("Write `{}`, its name under `ports`", port.key),
            None => {
                format!("Give the port {number} a name under `ports`, and write that name here")
            }
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
        if expected.contains("a path that begins with `/`") {
            let path = format!("/{text}");
            return (self.would_do)(&Json::from(path.as_str())).then(|| format!("Write `{path}`"));
        }
        if expected.contains("name") {
            let name = Name::nearest(text)?;
            return (self.would_do)(&Json::from(name.as_str())).then(|| format!("Write `{name}`"));
        }
        if expected.starts_with("one of") {
            let words = quoted_words(expected);
            let nearest = suggest::nearest(text, words.iter().copied());
            return nearest.map(|word| format!("Did you mean `{word}`?"));
        }
        if expected.contains("`true` or `false`") {
            return truth(text).map(|value| format!("Write `{value}`"));
        }
        let number = text.parse::<i64>().ok()?;
        (self.would_do)(&Json::from(number)).then(|| format!("Remove the quotes: {text}"))
    }

    fn of_scalar(&self) -> Option<String> {
        (self.would_do)(&Json::from(self.written))
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

    /// A value of a map's key that stands in the place of the map, where it fits one key alone.
    fn of_only_key(&self, text: &str) -> Option<String> {
        let fits = |key: &&String| (self.would_do)(&json!({ key.as_str(): text }));
        let mut fitting = self.keys.iter().filter(fits);
        let (only, key) = (fitting.next()?, self.key?);
        let hint = format!("Write a map: `{key}: {{{only}: {}}}`", in_list(text));
        fitting.next().is_none().then_some(hint)
    }

    /// A port without a name, where ports are named.
    fn of_only_port(&self, number: i64) -> Option<String> {
        let is_ports = self.key == Some("ports") && self.expected == "a map";
        (is_ports && (self.would_do)(&json!({"http": number})))
            .then(|| format!("Write a map: `ports: {{http: {number}}}`"))
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
        let words: Vec<&str> = text
            .split(|letter: char| letter.is_whitespace() || letter == ',')
            .filter(|word| !word.is_empty())
            .collect();
        let list = match text.contains(['"', '\'']) {
            true => "[WORD, ...]".to_owned(),
            false => {
                let words: Vec<String> = words.iter().map(|word| in_list(word)).collect();
                format!("[{}]", words.join(", "))
            }
        };
        let would_do = (self.would_do)(&Json::from(words.clone()));
        (!words.is_empty() && list.len() <= 100 && would_do).then(|| match self.key {
            Some(key) => format!("Write a list: `{key}: {list}`"),
            None => format!("Write a list: `{list}`"),
        })
    }

    /// The map with the pairs of a list of `KEY=VALUE`.
    fn as_map(&self, items: &[Node]) -> Option<String> {
        let pair = |item: &Node| match &item.value {
            Value::Text(text) => text
                .split_once('=')
                .map(|(key, value)| (key.to_owned(), Json::from(value))),
            _ => None,
        };
        let pairs: serde_json::Map<String, Json> = items.iter().map(pair).collect::<Option<_>>()?;
        let words = pairs.iter().map(|(key, value)| format!("{key}: {value}"));
        let words = words.collect::<Vec<_>>().join(", ");
        let key = self
            .key
            .filter(|_| words.len() <= 100 && !pairs.is_empty())?;
        (self.would_do)(&Json::Object(pairs)).then(|| format!("Write a map: `{key}: {{{words}}}`"))
    }
}

/// A word as it is written in a list.
fn in_list(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=@+".contains(letter);
    let begins_plain = word
        .trim_start_matches('-')
        .starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/' || letter == '_');
    let is_other = ["true", "false", "null"].contains(&word.to_lowercase().as_str());
    match begins_plain && word.chars().all(is_plain) && !is_other {
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
