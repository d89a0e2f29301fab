//! go.sum: the union of lines, in the order in which Go writes them.
//!
//! Nothing is taken out, even what is generated no more: the user's code may import it, and a
//! line too many does no harm, while a missing one stops the build.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use semver::Version;

use super::Texts;

/// Merges two files of checksums.
pub(super) fn merge(texts: Texts<'_>) -> Vec<u8> {
    let lines: BTreeSet<&str> = texts
        .yours
        .lines()
        .chain(texts.generated.lines())
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let mut lines: Vec<Line<'_>> = lines.into_iter().map(Line::of).collect();
    lines.sort_by(Line::order);
    let mut text = String::new();
    for line in lines {
        text.push_str(line.text);
        text.push('\n');
    }
    text.into_bytes()
}

struct Line<'a> {
    text: &'a str,
    module: &'a str,
    version: &'a str,
    is_go_mod: bool,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Self {
        let mut fields = text.split_whitespace();
        let module = fields.next().unwrap_or_default();
        let version = fields.next().unwrap_or_default();
        let (version, is_go_mod) = match version.strip_suffix("/go.mod") {
            Some(version) => (version, true),
            None => (version, false),
        };
        Self {
            text,
            module,
            version,
            is_go_mod,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.module
            .cmp(other.module)
            .then_with(|| compare_versions(self.version, other.version))
            .then_with(|| self.is_go_mod.cmp(&other.is_go_mod))
            .then_with(|| self.text.cmp(other.text))
    }
}

/// Orders two versions of a Go module (semantic versions with a `v`); others as text.
pub(super) fn compare_versions(one: &str, other: &str) -> Ordering {
    let parse = |text: &str| Version::parse(text.strip_prefix('v')?).ok();
    match (parse(one), parse(other)) {
        // `+incompatible` is build metadata, which says nothing about precedence.
        (Some(left), Some(right)) => left.cmp_precedence(&right),
        _ => one.cmp(other),
    }
}
