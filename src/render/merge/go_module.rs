//! go.mod and tools.mod: by requirement.
//!
//! What the user added, raised, took out or commented stays. What we added comes in, what we
//! raised is raised, unless the user's version is newer. A requirement that we no longer have
//! stays: the user's code may import it, and `go mod tidy` takes it out if not.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::Texts;
use super::checksums::compare_versions;

/// Merges; `None` when anything but requirements, tools and the Go version differs, or a file
/// is not understood, so that a merge by lines is the safe answer.
pub(super) fn merge(texts: Texts<'_>) -> Option<Vec<u8>> {
    let base = Module::parse(texts.base)?;
    let generated = Module::parse(texts.generated)?;
    let mut yours = Module::parse(texts.yours)?;
    if base.skeleton() != generated.skeleton() {
        return None;
    }
    for keyword in ["go", "toolchain"] {
        yours.raise_scalar(keyword, &base, &generated)?;
    }
    let (before, now) = (base.entries("require")?, generated.entries("require")?);
    for (path, wanted) in &now {
        if before.get(path) != Some(wanted) {
            yours.require(path, wanted, before.get(path))?;
        }
    }
    let (before, now) = (base.entries("tool")?, generated.entries("tool")?);
    for path in now.keys().filter(|path| !before.contains_key(*path)) {
        if !yours.entries("tool")?.contains_key(path) {
            yours.insert("tool", path, false, format!("\t{path}"));
        }
    }
    let text = yours.to_text();
    // Two requirements of one module would mean that the user's file had them already.
    Module::parse(&text)?.entries("require")?;
    Some(text.into_bytes())
}

/// What is required of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    version: String,
    is_indirect: bool,
}

/// A line and the directive that it belongs to.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    /// A comment, an empty line.
    Other,
    /// `go 1.26`, `module x`: keyword and the rest.
    Single(String, String),
    /// `require (`: keyword and the block's number.
    Open(String, usize),
    /// An entry of a block: keyword, number, the rest without indentation.
    Entry(String, usize, String),
    /// `)`.
    Close(usize),
}

#[derive(Debug, Clone)]
struct Module {
    lines: Vec<Line>,
}

impl Module {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = Vec::new();
        let mut block: Option<(String, usize)> = None;
        let mut blocks = 0;
        for line in text.lines() {
            let content = line.trim();
            let role = match (&block, content) {
                (_, "") => Role::Other,
                (_, comment) if comment.starts_with("//") => Role::Other,
                (Some((_, number)), ")") => {
                    let role = Role::Close(*number);
                    block = None;
                    role
                }
                (Some((keyword, number)), entry) => {
                    Role::Entry(keyword.clone(), *number, entry.to_owned())
                }
                (None, directive) => {
                    let (keyword, rest) = directive.split_once(char::is_whitespace)?;
                    let rest = rest.trim();
                    if rest == "(" {
                        blocks += 1;
                        block = Some((keyword.to_owned(), blocks));
                        Role::Open(keyword.to_owned(), blocks)
                    } else if rest.contains('(') && !rest.contains(')') {
                        return None;
                    } else {
                        Role::Single(keyword.to_owned(), rest.to_owned())
                    }
                }
            };
            lines.push(Line {
                text: line.to_owned(),
                role,
            });
        }
        block.is_none().then_some(Self { lines })
    }

    fn to_text(&self) -> String {
        self.lines
            .iter()
            .flat_map(|line| [line.text.as_str(), "\n"])
            .collect()
    }

    /// Everything but the versions, requirements and tools themselves.
    fn skeleton(&self) -> Vec<&str> {
        let is_ours = |keyword: &str| matches!(keyword, "require" | "tool" | "go" | "toolchain");
        self.lines
            .iter()
            .filter(|line| match &line.role {
                Role::Single(keyword, _) | Role::Entry(keyword, _, _) | Role::Open(keyword, _) => {
                    !is_ours(keyword)
                }
                Role::Close(_) => false,
                Role::Other => !line.text.trim().is_empty(),
            })
            .map(|line| line.text.as_str())
            .collect()
    }

    /// Requirements or tools by path; `None` when one is not understood or named twice.
    fn entries(&self, wanted: &str) -> Option<BTreeMap<String, Requirement>> {
        let mut entries = BTreeMap::new();
        for line in &self.lines {
            let (Role::Single(keyword, rest) | Role::Entry(keyword, _, rest)) = &line.role else {
                continue;
            };
            if keyword == wanted {
                let (path, requirement) = parse_entry(rest)?;
                if entries.insert(path, requirement).is_some() {
                    return None;
                }
            }
        }
        Some(entries)
    }

    fn scalar(&self, wanted: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| match &line.role {
            Role::Single(keyword, rest) if keyword == wanted => Some(rest.as_str()),
            _ => None,
        })
    }

    /// Takes our new `go` or `toolchain` version, unless the user's is newer.
    fn raise_scalar(&mut self, keyword: &str, base: &Self, generated: &Self) -> Option<()> {
        let (before, now) = (base.scalar(keyword), generated.scalar(keyword));
        if before == now {
            return Some(());
        }
        let (Some(now), Some(yours)) = (now, self.scalar(keyword)) else {
            return None;
        };
        if Some(yours) != before && compare_go_versions(yours, now) != Ordering::Less {
            return Some(());
        }
        let text = format!("{keyword} {now}");
        let line = self
            .lines
            .iter_mut()
            .find(|line| matches!(&line.role, Role::Single(found, _) if found == keyword))?;
        line.role = Role::Single(keyword.to_owned(), now.to_owned());
        line.text = text;
        Some(())
    }

    /// Brings in a requirement that is new or differs from what was generated before.
    fn require(
        &mut self,
        path: &str,
        wanted: &Requirement,
        before: Option<&Requirement>,
    ) -> Option<()> {
        let Some(yours) = self.entries("require")?.get(path).cloned() else {
            // Absent and known before: the user took it out.
            if before.is_none() {
                self.insert(
                    "require",
                    path,
                    wanted.is_indirect,
                    entry_text(path, wanted),
                );
            }
            return Some(());
        };
        let is_raised = compare_versions(&yours.version, &wanted.version) == Ordering::Less
            || before.is_some_and(|before| before.version == yours.version);
        let merged = Requirement {
            version: if is_raised {
                wanted.version.clone()
            } else {
                yours.version.clone()
            },
            is_indirect: yours.is_indirect && wanted.is_indirect,
        };
        if merged.is_indirect == yours.is_indirect {
            self.rewrite_version(path, &yours.version, &merged.version);
        } else {
            self.remove(path);
            self.insert("require", path, false, entry_text(path, &merged));
        }
        Some(())
    }

    fn position(&self, path: &str) -> Option<usize> {
        self.lines.iter().position(|line| match &line.role {
            Role::Single(keyword, rest) | Role::Entry(keyword, _, rest) => {
                keyword == "require" && parse_entry(rest).is_some_and(|(found, _)| found == path)
            }
            _ => false,
        })
    }

    /// Keeps the rest of the line, comments included.
    fn rewrite_version(&mut self, path: &str, old: &str, new: &str) {
        let Some(line) = self
            .position(path)
            .and_then(|position| self.lines.get_mut(position))
        else {
            return;
        };
        let (old, new) = (format!("{path} {old}"), format!("{path} {new}"));
        line.text = line.text.replacen(&old, &new, 1);
        if let Role::Single(_, rest) | Role::Entry(_, _, rest) = &mut line.role {
            *rest = rest.replacen(&old, &new, 1);
        }
    }

    fn remove(&mut self, path: &str) {
        if let Some(position) = self.position(path) {
            self.lines.remove(position);
        }
    }

    /// Puts an entry into the block of its kind, in order, or into a new block.
    fn insert(&mut self, keyword: &str, path: &str, is_indirect: bool, text: String) {
        let line = |number| Line {
            text: text.clone(),
            role: Role::Entry(keyword.to_owned(), number, text.trim().to_owned()),
        };
        if let Some(number) = self.block(keyword, is_indirect) {
            let position = self.lines.iter().position(|line| match &line.role {
                Role::Entry(_, block, rest) => {
                    *block == number
                        && parse_entry(rest).is_some_and(|(other, _)| other.as_str() > path)
                }
                Role::Close(block) => *block == number,
                _ => false,
            });
            let mut position = position.unwrap_or(self.lines.len());
            // Comments above an entry belong to it.
            while position > 0 && self.lines[position - 1].text.trim().starts_with("//") {
                position -= 1;
            }
            self.lines.insert(position, line(number));
            return;
        }
        let number = self.lines.len() + 1;
        let frame = |text: String, role| Line { text, role };
        let block = [
            frame(String::new(), Role::Other),
            frame(
                format!("{keyword} ("),
                Role::Open(keyword.to_owned(), number),
            ),
            line(number),
            frame(")".to_owned(), Role::Close(number)),
        ];
        let after = self.end_of_last(keyword);
        self.lines.splice(after..after, block);
    }

    /// The block for direct or for indirect requirements.
    fn block(&self, wanted: &str, is_indirect: bool) -> Option<usize> {
        let mut kinds: BTreeMap<usize, BTreeSet<bool>> = BTreeMap::new();
        for line in &self.lines {
            match &line.role {
                Role::Open(keyword, number) if keyword == wanted => {
                    kinds.entry(*number).or_default();
                }
                Role::Entry(keyword, number, rest) if keyword == wanted => {
                    let indirect = parse_entry(rest).is_some_and(|(_, entry)| entry.is_indirect);
                    kinds.entry(*number).or_default().insert(indirect);
                }
                _ => {}
            }
        }
        let blocks = || kinds.iter();
        blocks()
            .find(|(_, kinds)| kinds.contains(&is_indirect) && kinds.len() == 1)
            .or_else(|| blocks().find(|(_, kinds)| kinds.len() != 1))
            .map(|(number, _)| *number)
    }

    /// The line after the last directive of a kind, or after the last line of all.
    fn end_of_last(&self, wanted: &str) -> usize {
        let mut numbers = BTreeSet::new();
        let mut end = None;
        for (position, line) in self.lines.iter().enumerate() {
            match &line.role {
                Role::Open(keyword, number) if keyword == wanted => {
                    numbers.insert(*number);
                }
                Role::Close(number) if numbers.contains(number) => end = Some(position + 1),
                Role::Single(keyword, _) if keyword == wanted => end = Some(position + 1),
                _ => {}
            }
        }
        end.unwrap_or(self.lines.len())
    }
}

fn parse_entry(rest: &str) -> Option<(String, Requirement)> {
    let (entry, comment) = match rest.split_once("//") {
        Some((entry, comment)) => (entry, comment.trim()),
        None => (rest, ""),
    };
    let mut fields = entry.split_whitespace();
    let path = fields.next()?.to_owned();
    let version = fields.next().unwrap_or_default().to_owned();
    let is_indirect = comment == "indirect" || comment.starts_with("indirect;");
    fields.next().is_none().then_some((
        path,
        Requirement {
            version,
            is_indirect,
        },
    ))
}

fn entry_text(path: &str, requirement: &Requirement) -> String {
    let comment = if requirement.is_indirect {
        " // indirect"
    } else {
        ""
    };
    format!("\t{path} {}{comment}", requirement.version)
}

/// Orders `1.26`, `1.26.1`, `go1.26.1` by their numbers.
fn compare_go_versions(one: &str, other: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.trim_start_matches("go")
            .split(['.', '-'])
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    numbers(one).cmp(&numbers(other))
}
