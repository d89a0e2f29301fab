//! YAML as Kubernetes and Helm read it: plain scalars by YAML 1.1, so that `no` is false and
//! `0440` is a file mode; anchors; several documents.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// Maps and lists may be nested this deep.
const DEEPEST: usize = 100;
/// Values that one text may hold, aliases counted each time.
const MOST: usize = 1_000_000;

/// Why a text is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// Reads one document; null when the text holds nothing.
///
/// # Errors
/// When it is no YAML, nested too deeply, or holds a second document.
pub fn read(text: &str) -> Result<Value, Problem> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        count: 0,
        line: 1,
    };
    let mut document = None;
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(document.unwrap_or(Value::Null)),
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if document.is_some() => {
                return Err(reader.problem("a second document begins here"));
            }
            Event::DocumentStart(_) => {
                let event = reader.next()?;
                document = Some(reader.node(event, 0)?);
            }
            _ => return Err(reader.problem("this is no document")),
        }
    }
}

struct Reader<'text> {
    parser: Parser<'text, saphyr_parser::StrInput<'text>>,
    anchors: HashMap<usize, (Value, usize)>,
    count: usize,
    line: usize,
}

impl<'text> Reader<'text> {
    fn problem(&self, message: &str) -> Problem {
        Problem {
            message: message.to_owned(),
            line: self.line,
        }
    }

    fn next(&mut self) -> Result<Event<'text>, Problem> {
        match self.parser.next() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(Problem {
                message: error.info().to_owned(),
                line: error.marker().line(),
            }),
        }
    }

    fn node(&mut self, event: Event<'text>, depth: usize) -> Result<Value, Problem> {
        if depth > DEEPEST {
            return Err(self.problem("this is nested too deeply"));
        }
        self.counted(1)?;
        let before = self.count;
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let found = self.anchors.get(&id).cloned();
                let (value, size) =
                    found.ok_or_else(|| self.problem("the anchor contains itself"))?;
                self.counted(size)?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(depth)?, anchor),
            _ => return Err(self.problem("a value is missing")),
        };
        if anchor > 0 {
            let size = self.count - before;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    fn counted(&mut self, more: usize) -> Result<(), Problem> {
        self.count += more;
        if self.count > MOST {
            return Err(self.problem("there are too many values"));
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::Array(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut map = Map::new();
        let mut merged = Map::new();
        loop {
            let event = self.next()?;
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, _) if text == "<<");
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let line = self.line;
            let key = self.key(event, depth)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if merges {
                merge_into(&mut merged, value);
            } else if map.insert(key.clone(), value).is_some() {
                return Err(Problem {
                    message: format!("the key `{key}` is there twice"),
                    line,
                });
            }
        }
        for (key, value) in merged {
            map.entry(key).or_insert(value);
        }
        Ok(Value::Object(map))
    }

    /// JSON's keys are texts: numbers and booleans become theirs.
    fn key(&mut self, event: Event<'text>, depth: usize) -> Result<String, Problem> {
        match self.node(event, depth + 1)? {
            Value::String(text) => Ok(text),
            Value::Null => Ok("null".to_owned()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Array(_) | Value::Object(_) => Err(self.problem("a key is no text")),
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Problem> {
        let tagged = tag.map(|tag| tag.suffix.as_str());
        if tagged == Some("str") || (style != ScalarStyle::Plain && tagged.is_none()) {
            return Ok(text.into());
        }
        let value = match resolve(text) {
            Scalar::Null => Value::Null,
            Scalar::Bool(flag) => flag.into(),
            Scalar::Int(number) => number.into(),
            Scalar::Unsigned(number) => number.into(),
            Scalar::Float(number) => serde_json::Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| self.problem("JSON has no such number"))?,
            Scalar::Time | Scalar::Text => text.into(),
        };
        Ok(value)
    }
}

fn merge_into(merged: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                merged.entry(key).or_insert(value);
            }
        }
        Value::Array(items) => {
            for item in items {
                merge_into(merged, item);
            }
        }
        _ => {}
    }
}

/// What a plain scalar is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// `yes`, `off` and so on.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that needs all 64 bits.
    Unsigned(u64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A date; a text for JSON, which has no dates.
    Time,
    /// Anything else.
    Text,
}

/// What a plain scalar is by YAML 1.1, as Go's packages read it.
pub fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        "<<" => return Scalar::Null,
        _ => {}
    }
    let starts = |letter: u8| letter.is_ascii_digit() || matches!(letter, b'+' | b'-');
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or(Scalar::Text, Scalar::Float),
        Some(first) if starts(*first) => number(text),
        _ => Scalar::Text,
    }
}

fn number(text: &str) -> Scalar {
    if is_time(text) {
        return Scalar::Time;
    }
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let prefixed = |lower: &str, upper: &str| {
        digits
            .strip_prefix(lower)
            .or_else(|| digits.strip_prefix(upper))
    };
    let (radix, digits) = if let Some(rest) = prefixed("0x", "0X") {
        (16, rest)
    } else if let Some(rest) = prefixed("0o", "0O") {
        (8, rest)
    } else if let Some(rest) = prefixed("0b", "0B") {
        (2, rest)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else {
        (10, digits)
    };
    if !digits.starts_with(['+', '-'])
        && let Ok(magnitude) = i128::from_str_radix(digits, radix)
    {
        let value = if negative { -magnitude } else { magnitude };
        if let Ok(value) = i64::try_from(value) {
            return Scalar::Int(value);
        }
        if let Ok(value) = u64::try_from(value) {
            return Scalar::Unsigned(value);
        }
    }
    float(&plain).map_or(Scalar::Text, Scalar::Float)
}

/// A float as YAML writes it: digits, a point, an exponent.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let allowed = |letter: char| letter.is_ascii_digit() || ".eE+-".contains(letter);
    let begins = unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    (begins && unsigned.chars().all(allowed))
        .then(|| text.parse().ok())
        .flatten()
}

/// `2024-01-31`, with or without a time.
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let within = |part: &str, most: u8| {
        (1..=2).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part
                .parse::<u8>()
                .is_ok_and(|value| (1..=most).contains(&value))
    };
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && within(month, 12)
        && within(day, 31)
        && time.is_none_or(|time| {
            time.split(':').count() == 3 && time.starts_with(|letter: char| letter.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn plain_scalars_are_what_kubernetes_takes_them_for() {
        let value = read(concat!(
            "a: no\nb: 0440\nc: 1_000\nd: 2024-01-01\ne: 1e3\nf: \"no\"\ng: ~\nh: 0x1F\n",
            "i: 1.5\nj: -7\nk: 12:30\nl: 18446744073709551615\nm: v1\n8: x\ny: z\n",
        ))
        .unwrap();
        let expected = json!({
            "a": false, "b": 288, "c": 1000, "d": "2024-01-01", "e": 1000.0, "f": "no",
            "g": null, "h": 31, "i": 1.5, "j": -7, "k": "12:30",
            "l": 18446744073709551615_u64, "m": "v1", "8": "x", "true": "z",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn anchors_are_followed_and_bombs_refused() {
        let value = read("a: &a {x: 1}\nb: *a\nc: {<<: *a, z: 2}\n").unwrap();
        assert_eq!(
            value,
            json!({"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "z": 2}})
        );
        let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for level in 1..10 {
            let before = vec![format!("*a{}", level - 1); 10].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        assert!(read(&bomb).is_err());
        assert!(read(&"[".repeat(5000)).is_err());
    }

    #[test]
    fn a_problem_has_its_line() {
        assert_eq!(read("a: 1\nb: [\nc: 2\n").unwrap_err().line, 3);
        assert_eq!(read("a: 1\na: 2\n").unwrap_err().line, 2);
    }
}
