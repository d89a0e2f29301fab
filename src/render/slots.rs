//! Joints: a file with named slots that the chosen folders fill.
//!
//! A slot that stands alone on its line is replaced by its parts, one after another; parts carry
//! their own indentation. An empty slot's line vanishes, and with it the blank line that set it
//! apart. Blank lines at the edges of parts merge with those around.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Private-use characters that no template holds.
const OPENING: char = '\u{E000}';
const CLOSING: char = '\u{E001}';

/// What a template sees as `slots`: a mark for each slot, found again by [`fill`].
pub fn marks<'a>(slots: impl IntoIterator<Item = &'a String>) -> Value {
    let mark = |slot: &String| (slot.clone(), Value::String(mark(slot)));
    Value::Object(slots.into_iter().map(mark).collect::<Map<_, _>>())
}

fn mark(slot: &str) -> String {
    format!("{OPENING}{slot}{CLOSING}")
}

/// Whether a rendered text holds a slot.
pub fn holds(text: &str, slot: &str) -> bool {
    text.contains(&mark(slot))
}

/// A slot's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot {
    /// The rendered parts in order.
    pub parts: Vec<String>,
    /// Whether its lines are sorted by import path, without duplicates.
    pub sorted: bool,
}

impl Slot {
    fn lines(&self) -> Vec<Cow<'_, str>> {
        let all = self.parts.iter().flat_map(|part| part.lines());
        if !self.sorted {
            let mut lines = Vec::new();
            for line in all {
                push_line(&mut lines, line);
            }
            return lines;
        }
        let mut lines: Vec<&str> = all.filter(|line| !line.trim().is_empty()).collect();
        lines.sort_by_key(|line| (import_path(line), *line));
        lines.dedup();
        lines.into_iter().map(Cow::Borrowed).collect()
    }
}

/// The text between the first quotes: gofmt sorts imports by it; the whole line without quotes.
fn import_path(line: &str) -> &str {
    line.split('"').nth(1).unwrap_or(line)
}

/// The text with its marks replaced by the slots' content.
pub fn fill(text: &str, slots: &BTreeMap<String, Slot>) -> String {
    let content: BTreeMap<&str, Vec<Cow<'_, str>>> = slots
        .iter()
        .map(|(name, slot)| (name.as_str(), slot.lines()))
        .collect();
    let source: Vec<&str> = text.lines().collect();
    let mut lines: Vec<Cow<'_, str>> = Vec::with_capacity(source.len());
    let mut at = 0;
    while let Some(line) = source.get(at) {
        at += 1;
        let Some(slot) = alone(line) else {
            lines.push(inline(line, &content));
            continue;
        };
        let before = lines.len();
        for line in content.get(slot).into_iter().flatten() {
            push_line(&mut lines, line);
        }
        at += usize::from(join(&mut lines, source.get(at).copied(), before));
    }
    let mut filled = lines.join("\n");
    if text.ends_with('\n') && !filled.is_empty() {
        filled.push('\n');
    }
    filled
}

/// JSON whose parts each end in a comma, without those that come last in their list.
pub fn without_last_commas(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for at in 1..lines.len() {
        if let (Some(last), true) = (lines[at - 1].strip_suffix(','), closes(lines[at])) {
            lines[at - 1] = last;
        }
    }
    lines.join("\n") + "\n"
}

/// Adds a line of a part; a blank one only where it sets something apart.
fn push_line<'l>(lines: &mut Vec<Cow<'l, str>>, line: &'l str) {
    let blank = line.trim().is_empty();
    let needless = lines
        .last()
        .is_none_or(|last| last.trim().is_empty() || opens(last));
    if !(blank && needless) {
        lines.push(Cow::Borrowed(line));
    }
}

/// Removes blank lines that a slot's end left over; says whether the next line is one of them.
fn join(lines: &mut Vec<Cow<'_, str>>, next: Option<&str>, before: usize) -> bool {
    let next_is_blank = next.is_some_and(|line| line.trim().is_empty());
    let next_closes = next.is_none_or(closes);
    let last_is_blank = lines.last().is_some_and(|last| last.trim().is_empty());
    if last_is_blank && (next_closes || (next_is_blank && lines.len() > before)) {
        lines.pop();
        return false;
    }
    let last_stands_alone = lines.last().is_none_or(|last| opens(last));
    next_is_blank && (last_is_blank || last_stands_alone)
}

fn opens(line: &str) -> bool {
    line.trim_end().ends_with(['(', '{', '['])
}

fn closes(line: &str) -> bool {
    line.trim_start().starts_with([')', '}', ']'])
}

/// The slot of a line that holds nothing else.
fn alone(line: &str) -> Option<&str> {
    let slot = line.trim().strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    (!slot.contains(OPENING)).then_some(slot)
}

/// A line with slots beside other text, such as arguments of a call.
fn inline<'l>(line: &'l str, slots: &BTreeMap<&str, Vec<Cow<'_, str>>>) -> Cow<'l, str> {
    if !line.contains(OPENING) {
        return Cow::Borrowed(line);
    }
    let mut text = line.to_owned();
    for (name, lines) in slots {
        let mark = mark(name);
        if text.contains(&mark) {
            text = text.replace(&mark, &lines.join("\n"));
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &str = "import (\n\t\"context\"\n\t{imports}\n\n\t{own}\n)\n\nfunc wire() {\n\t{construct}\n\n\trun()\n}\n";

    fn filled(text: &str, parts: &[(&str, &[&str])]) -> String {
        let mut slots = BTreeMap::new();
        let mut text = text.to_owned();
        for slot in ["imports", "own", "construct"] {
            text = text.replace(&format!("{{{slot}}}"), &mark(slot));
            slots.insert(
                slot.to_owned(),
                Slot {
                    parts: parts
                        .iter()
                        .filter(|(name, _)| *name == slot)
                        .flat_map(|(_, parts)| parts.iter().map(|part| (*part).to_owned()))
                        .collect(),
                    sorted: slot != "construct",
                },
            );
        }
        fill(&text, &slots)
    }

    #[test]
    fn the_last_comma_of_a_list_of_json_vanishes() {
        let text =
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    },\n  ],\n  \"c\": \"x,\"\n}\n";
        let valid =
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": \"x,\"\n}\n";
        assert_eq!(without_last_commas(text), valid);
        assert_eq!(without_last_commas(valid), valid);
    }

    #[test]
    fn an_empty_slot_leaves_no_trace() {
        assert_eq!(
            filled(WIRE, &[]),
            "import (\n\t\"context\"\n)\n\nfunc wire() {\n\trun()\n}\n"
        );
    }

    #[test]
    fn parts_follow_one_another_with_their_own_indentation() {
        let parts: &[(&str, &[&str])] = &[
            ("own", &["\t\"x/z\"\n\t\"x/a\"\n", "\t\"x/a\"\n"]),
            ("construct", &["\ta := 1\n", "\n\tif a {\n\t\tb()\n\t}\n"]),
        ];
        assert_eq!(
            filled(WIRE, parts),
            "import (\n\t\"context\"\n\n\t\"x/a\"\n\t\"x/z\"\n)\n\nfunc wire() {\n\ta := 1\n\n\tif a {\n\t\tb()\n\t}\n\n\trun()\n}\n"
        );
    }

    #[test]
    fn blank_lines_at_the_edges_of_parts_merge_with_those_around() {
        let parts: &[(&str, &[&str])] = &[("construct", &["\na()\n\n", "\nb()\n\n"])];
        assert_eq!(
            filled("func wire() {\n{construct}\n\n\trun()\n}\n", parts),
            "func wire() {\na()\n\nb()\n\n\trun()\n}\n"
        );
        assert_eq!(
            filled("{\n\trun()\n\n{construct}\n}\n", parts),
            "{\n\trun()\n\na()\n\nb()\n}\n"
        );
    }

    #[test]
    fn imports_are_sorted_by_path_and_not_by_alias() {
        let parts: &[(&str, &[&str])] =
            &[("imports", &["\tz \"a/b\"\n", "\t\"a/c\"\n", "\t\"a/a\"\n"])];
        assert_eq!(
            filled("(\n\t{imports}\n)\n", parts),
            "(\n\t\"a/a\"\n\tz \"a/b\"\n\t\"a/c\"\n)\n"
        );
    }

    #[test]
    fn a_slot_beside_other_text_is_put_there() {
        let parts: &[(&str, &[&str])] = &[("construct", &[", pool\n"])];
        assert_eq!(filled("run(ctx{construct})\n", parts), "run(ctx, pool)\n");
        assert_eq!(filled("run(ctx{construct})\n", &[]), "run(ctx)\n");
    }
}
