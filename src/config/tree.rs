//! A YAML document as a tree that knows where everything was written.
//!
//! The parser is strict (YAML 1.2, core schema) and iterative; what our files do not use
//! (anchors, aliases, tags, merge keys, several documents) is refused in words.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::node::{Entry, Node, Value};
use super::text_file::FileKind;

/// Something wrong with the YAML itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes.
    pub span: Range<usize>,
    /// What, as a sentence without a final stop.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Another place that belongs to it: the first of two equal keys.
    pub other: Option<Range<usize>>,
}

/// What a text says, and what is wrong with how it says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree, with the first of equal keys. None when the text holds nothing but comments, or
    /// when a problem leaves open what it says.
    pub root: Option<Node>,
    /// Duplicate keys and refused features anywhere, up to the first place where the text is no
    /// YAML.
    pub problems: Vec<Problem>,
}

impl Parsed {
    /// The tree of a text that has no problem.
    pub fn faultless(self) -> Option<Node> {
        self.root.filter(|_| self.problems.is_empty())
    }
}

/// Parses one document of ours.
pub fn parse(text: &str) -> Parsed {
    parse_as(text, FileKind::Manifest)
}

/// Parses one document of this kind.
pub fn parse_as(text: &str, kind: FileKind) -> Parsed {
    let mut builder = Builder::new(text, kind);
    let root = match builder.document() {
        Ok(root) => root.filter(|_| !builder.refers),
        Err(problem) => {
            builder.problems.push(problem);
            None
        }
    };
    Parsed {
        root,
        problems: builder.problems,
    }
}

struct Builder<'text> {
    text: &'text str,
    parser: Parser<'text, StrInput<'text>>,
    /// The byte at which each character begins, and the length of the text at the end.
    offsets: Vec<usize>,
    problems: Vec<Problem>,
    /// How deep maps and lists may be nested.
    deepest: usize,
    /// Whether an alias or a merge key was met: the tree lacks what it refers to.
    refers: bool,
}

impl<'text> Builder<'text> {
    fn new(text: &'text str, kind: FileKind) -> Self {
        let mut offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
        offsets.push(text.len());
        Self {
            text,
            parser: Parser::new_from_str(text),
            offsets,
            problems: Vec::new(),
            deepest: kind.deepest(),
            refers: false,
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.problem(
                        span,
                        "this file holds a second document",
                        Some("Keep one document, and remove the line `---`"),
                    ));
                }
                Event::StreamEnd => break,
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.filter(|node: &Node| node.value != Value::Null || !node.span.is_empty()))
    }

    fn node(&mut self, event: Event<'text>, span: Span, depth: usize) -> Result<Node, Problem> {
        if depth > self.deepest {
            let most = self.deepest;
            let message = format!("maps and lists are nested more than {most} levels deep");
            return Err(self.problem(span, &message, None));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_anchor(anchor, span);
                self.refuse_tag(tag.is_some(), span);
                let value = match style {
                    // A tag says what the text is; most say that it stays a text.
                    ScalarStyle::Plain if tag.is_none() => plain_value(&text),
                    _ => Value::Text(text.into_owned()),
                };
                Ok(Node {
                    span: self.range(span),
                    value,
                })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_anchor(anchor, span);
                self.refuse_tag(tag.is_some(), span);
                self.list(span, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_anchor(anchor, span);
                self.refuse_tag(tag.is_some(), span);
                self.map(span, depth)
            }
            Event::Alias(_) => {
                self.refers = true;
                self.problems.push(self.problem(
                    span,
                    "aliases (`*name`) are not used in this file",
                    Some("Write the value out"),
                ));
                Ok(Node {
                    span: self.range(span),
                    value: Value::Null,
                })
            }
            _ => Err(self.problem(span, "a value is missing here", None)),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Problem> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.expect_next(start)?;
            if event == Event::SequenceEnd {
                return Ok(Node {
                    span: self.cover(start, span),
                    value: Value::List(items),
                });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut first_places: HashMap<String, Range<usize>> = HashMap::new();
        loop {
            let (event, span) = self.expect_next(start)?;
            if event == Event::MappingEnd {
                return Ok(Node {
                    span: self.cover(start, span),
                    value: Value::Map(entries),
                });
            }
            let key = self.key(event, span)?;
            let key_span = self.range(span);
            let (event, value_span) = self.expect_next(span)?;
            let value = self.node(event, value_span, depth + 1)?;
            if let Some(first) = first_places.get(&key) {
                self.problems.push(Problem {
                    span: key_span,
                    message: format!("the key `{}` is written twice", shortened(&key)),
                    hint: Some("Keep one of the two".to_owned()),
                    other: Some(first.clone()),
                });
                continue;
            }
            first_places.insert(key.clone(), key_span.clone());
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
    }

    fn key(&mut self, event: Event<'text>, span: Span) -> Result<String, Problem> {
        let Event::Scalar(text, style, anchor, tag) = event else {
            return Err(self.problem(
                span,
                "a key must be a plain word or a quoted text",
                Some("Write the key as a text"),
            ));
        };
        self.refuse_anchor(anchor, span);
        self.refuse_tag(tag.is_some(), span);
        if style == ScalarStyle::Plain && text == "<<" {
            self.refers = true;
            self.problems.push(self.problem(
                span,
                "merge keys (`<<`) are not used in this file",
                Some("Write the keys out"),
            ));
        }
        Ok(text.into_owned())
    }

    fn refuse_anchor(&mut self, anchor: usize, span: Span) {
        if anchor != 0 {
            self.problems.push(self.problem(
                span,
                "anchors (`&name`) are not used in this file",
                Some("Remove the anchor, and write the value out where it is repeated"),
            ));
        }
    }

    fn refuse_tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            self.problems.push(self.problem(
                span,
                "tags (`!name`) are not used in this file",
                Some("Remove the tag; put a text in quotes to keep it a text"),
            ));
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'text>, Span)>, Problem> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(next)) => Ok(Some(next)),
            Some(Err(error)) => Err(self.syntax_problem(&error)),
        }
    }

    fn expect_next(&mut self, last: Span) -> Result<(Event<'text>, Span), Problem> {
        match self.next()? {
            Some((Event::StreamEnd, span)) => Err(self.problem(span, "the file ends here", None)),
            Some(next) => Ok(next),
            None => Err(self.problem(last, "the file ends after this", None)),
        }
    }

    fn syntax_problem(&self, error: &ScanError) -> Problem {
        if let Some(marker) = conflict_marker(self.text) {
            return Problem {
                span: marker,
                message: "the file holds conflict markers".to_owned(),
                hint: Some("Choose between the two sides, and remove the markers".to_owned()),
                other: None,
            };
        }
        let at = self.offset(*error.marker());
        let tab = self.tab_in_indentation(at);
        Problem {
            span: tab.clone().unwrap_or(at..at),
            message: match tab {
                Some(_) => "a line is indented with a tab".to_owned(),
                None => format!("this is no YAML: {}", error.info()),
            },
            hint: tab.map(|_| "Indent with spaces; YAML allows no tabs there".to_owned()),
            other: None,
        }
    }

    /// The tab with which the line of this byte, or the one before it, is indented.
    fn tab_in_indentation(&self, at: usize) -> Option<Range<usize>> {
        let line_start = |at: usize| self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let this = line_start(at);
        let before = line_start(this.saturating_sub(1));
        [this, before].into_iter().find_map(|start| {
            let line = self.text[start..].lines().next().unwrap_or_default();
            let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
            let tab = line[..indentation].find('\t')?;
            Some(start + tab..start + tab + 1)
        })
    }

    fn problem(&self, span: Span, message: &str, hint: Option<&str>) -> Problem {
        Problem {
            span: self.range(span),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            other: None,
        }
    }

    fn offset(&self, marker: Marker) -> usize {
        let last = self.text.len();
        self.offsets.get(marker.index()).copied().unwrap_or(last)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.offset(span.start);
        start..self.offset(span.end).max(start)
    }

    /// From the beginning of a collection to its end. A bracket's span reaches over the blanks
    /// and the comment behind it, which are not part of the collection.
    fn cover(&self, start: Span, end: Span) -> Range<usize> {
        let from = self.offset(start.start);
        let closing = self.offset(end.start);
        let to = match self.text[closing..].starts_with(['}', ']']) {
            true => closing + 1,
            false => self.offset(end.end),
        };
        from..to.max(from)
    }
}

/// The value of an unquoted scalar, by the core schema of YAML 1.2 (chapter 10.3): `yes` and
/// `no` are texts.
fn plain_value(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Boolean(true),
        "false" | "False" | "FALSE" => return Value::Boolean(false),
        _ => {}
    }
    if let Some(number) = integer(text) {
        return Value::Integer(number);
    }
    let numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text
            .chars()
            .all(|letter| letter.is_ascii_digit() || "+-.eE".contains(letter));
    match text.parse::<f64>() {
        Ok(number) if numeric && number.is_finite() => Value::Float(number),
        _ => Value::Text(text.to_owned()),
    }
}

fn integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    text.parse().ok()
}

/// A text cut to a length that fits a message.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.escape_debug().to_string();
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{}...", head.escape_debug())
}

/// The first line by which git marks a conflict in a text.
pub fn conflict_marker(text: &str) -> Option<Range<usize>> {
    const MARKER: &str = "<<<<<<< ";
    let later = || Some(text.find(&format!("\n{MARKER}"))? + 1);
    let start = match text.starts_with(MARKER) {
        true => 0,
        false => later()?,
    };
    let line = text[start..].lines().next().unwrap_or_default();
    Some(start..start + line.len())
}

#[cfg(test)]
mod tests;
