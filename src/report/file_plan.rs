//! A plan of file changes: a list for people, a document for programs, differences for both.

use std::collections::BTreeMap;
use std::io::{self, Write};

use similar::{ChangeTag, TextDiff};

use super::Style;
use crate::model::plan::{FileChange, FilePlan, Outcome};

/// Lines shown around a difference.
const CONTEXT: usize = 3;

/// Where a plan stands, which decides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStage {
    /// It is only shown.
    Planned,
    /// It was carried out.
    Done,
}

/// What happens to a file, in one word or two.
pub fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Merged => "merged",
        Outcome::Deleted => "deleted",
        Outcome::Conflict { .. } => "conflict",
        Outcome::Occupied => "in the way",
        Outcome::Unresolved => "unresolved",
        Outcome::WrittenOnce => "written once",
        Outcome::Released => "released",
        Outcome::StaysDeleted => "stays deleted",
        Outcome::Kept => "kept",
        Outcome::BaseMissing => "no base",
        Outcome::Unchanged => "unchanged",
    }
}

/// Why it happens, where the label does not say it all.
fn explanation(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Conflict { places: 1 } => "1 place is marked".to_owned(),
        Outcome::Conflict { places } => format!("{places} places are marked"),
        Outcome::Occupied => "yours is there, and a file is generated now: not touched".to_owned(),
        Outcome::Unresolved => "conflict markers from before: not touched".to_owned(),
        Outcome::Released => "not generated any more, and edited: yours from now on".to_owned(),
        Outcome::WrittenOnce => "databases may have applied it: not touched".to_owned(),
        Outcome::StaysDeleted => "you deleted it".to_owned(),
        Outcome::Kept => "you edited it".to_owned(),
        Outcome::BaseMissing => {
            "edited, and what was generated last is not at hand: yours from now on".to_owned()
        }
        Outcome::Created
        | Outcome::Updated
        | Outcome::Merged
        | Outcome::Deleted
        | Outcome::Unchanged => return None,
    })
}

/// The order in which outcomes are shown: what needs the user comes last, next to the prompt.
fn rank(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Unchanged => 0,
        Outcome::Kept => 1,
        Outcome::Created => 2,
        Outcome::Updated => 3,
        Outcome::Merged => 4,
        Outcome::Deleted => 5,
        Outcome::Released => 6,
        Outcome::WrittenOnce => 7,
        Outcome::StaysDeleted => 8,
        Outcome::BaseMissing => 9,
        Outcome::Occupied => 10,
        Outcome::Unresolved => 11,
        Outcome::Conflict { .. } => 12,
    }
}

/// Lists the changes, grouped by what happens, without unchanged files, and their numbers.
///
/// # Errors
/// What the stream says.
pub fn write_changes(
    plan: &FilePlan,
    stage: PlanStage,
    out: &mut dyn Write,
    style: &Style,
) -> io::Result<()> {
    let mut shown: Vec<&FileChange> = shown(plan).collect();
    shown.sort_by_key(|change| rank(&change.outcome));
    let width = shown
        .iter()
        .map(|change| label(&change.outcome).len())
        .max()
        .unwrap_or_default();
    for change in &shown {
        let word = painted(&change.outcome, width, style);
        let reason = explanation(&change.outcome)
            .map(|text| style.dim(format!(" ({text})")))
            .unwrap_or_default();
        writeln!(out, "{word}  {}{reason}", change.path)?;
    }
    if !shown.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(plan, stage))
}

fn painted(outcome: &Outcome, width: usize, style: &Style) -> String {
    let word = format!("{:width$}", label(outcome));
    match outcome {
        Outcome::Created | Outcome::Updated | Outcome::Merged => style.good(word),
        Outcome::Conflict { .. } | Outcome::Occupied | Outcome::Unresolved | Outcome::Deleted => {
            style.bad(word)
        }
        Outcome::Released | Outcome::WrittenOnce | Outcome::StaysDeleted | Outcome::BaseMissing => {
            style.caution(word)
        }
        Outcome::Kept | Outcome::Unchanged => style.dim(word),
    }
}

/// The numbers in one line: `2 files changed: 1 created, 1 merged; 1 kept, 57 unchanged`.
pub fn summary(plan: &FilePlan, stage: PlanStage) -> String {
    let written = plan
        .changes
        .iter()
        .filter(|change| change.outcome.writes())
        .count();
    let files = match written {
        0 => "No file".to_owned(),
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let headline = match stage {
        PlanStage::Planned => format!("{files} would change"),
        PlanStage::Done => format!("{files} changed"),
    };
    let part = |writes: bool| -> String {
        let numbers = counts(plan, |outcome| outcome.writes() == writes);
        let parts: Vec<String> = numbers
            .iter()
            .map(|(label, count)| format!("{count} {label}"))
            .collect();
        parts.join(", ")
    };
    match (part(true), part(false)) {
        (made, rest) if made.is_empty() && rest.is_empty() => headline,
        (made, rest) if rest.is_empty() => format!("{headline}: {made}"),
        (made, rest) if made.is_empty() => format!("{headline}; {rest}"),
        (made, rest) => format!("{headline}: {made}; {rest}"),
    }
}

fn counts(plan: &FilePlan, wanted: impl Fn(&Outcome) -> bool) -> Vec<(&'static str, usize)> {
    let mut numbers: BTreeMap<u8, (&'static str, usize)> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| wanted(&change.outcome)) {
        let number = numbers
            .entry(rank(&change.outcome))
            .or_insert((label(&change.outcome), 0));
        number.1 += 1;
    }
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    // Unchanged files are what is said last.
    numbers.sort_by_key(|(rank, _)| if *rank == 0 { u8::MAX } else { *rank });
    numbers.into_iter().map(|(_, number)| number).collect()
}

/// How many files there are of each outcome, for programs.
pub fn numbers(plan: &FilePlan) -> BTreeMap<String, usize> {
    counts(plan, |_| true)
        .into_iter()
        .map(|(label, count)| (label.replace(' ', "-"), count))
        .collect()
}

/// Writes the difference that a plan makes, as `git diff` would.
///
/// # Errors
/// What the stream says.
pub fn write_differences(plan: &FilePlan, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    for change in plan.changes.iter().filter(|change| change.outcome.writes()) {
        write_difference(change, out, style)?;
    }
    Ok(())
}

/// All but the unchanged files for programs, each with its difference where that is asked for.
pub fn shown_files(
    plan: &FilePlan,
    with_differences: bool,
) -> impl Iterator<Item = (&FileChange, Option<String>)> {
    shown(plan).map(move |change| {
        let has_difference = with_differences && change.outcome.writes();
        (change, has_difference.then(|| difference_text(change)))
    })
}

fn shown(plan: &FilePlan) -> impl Iterator<Item = &FileChange> {
    let changes = plan.changes.iter();
    changes.filter(|change| change.outcome != Outcome::Unchanged)
}

fn difference_text(change: &FileChange) -> String {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_difference(change, &mut text, &Style::new(false));
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes the difference of one file.
///
/// # Errors
/// What the stream says.
fn write_difference(change: &FileChange, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let name = |side: &str, content: &Option<Vec<u8>>| match content {
        Some(_) => format!("{side}/{}", change.path),
        None => "/dev/null".to_owned(),
    };
    let (old, new) = (name("a", &change.before), name("b", &change.after));
    let (Some(before), Some(after)) = (text(&change.before), text(&change.after)) else {
        return writeln!(
            out,
            "{}",
            style.strong(format!("Binary files {old} and {new} differ"))
        );
    };
    writeln!(out, "{}", style.strong(format!("--- {old}")))?;
    writeln!(out, "{}", style.strong(format!("+++ {new}")))?;
    let difference = TextDiff::from_lines(before, after);
    for hunk in difference
        .unified_diff()
        .context_radius(CONTEXT)
        .iter_hunks()
    {
        writeln!(out, "{}", style.name(hunk.header()))?;
        for line in hunk.iter_changes() {
            let content = line.value().trim_end_matches(['\n', '\r']);
            match line.tag() {
                ChangeTag::Equal => writeln!(out, " {content}")?,
                ChangeTag::Delete => writeln!(out, "{}", style.bad(format!("-{content}")))?,
                ChangeTag::Insert => writeln!(out, "{}", style.good(format!("+{content}")))?,
            }
            if line.missing_newline() {
                writeln!(out, "{}", style.dim("\\ No newline at end of file"))?;
            }
        }
    }
    Ok(())
}

fn text(content: &Option<Vec<u8>>) -> Option<&str> {
    match content {
        None => Some(""),
        Some(bytes) => std::str::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::file_set::TreePath;

    fn change(
        path: &str,
        outcome: Outcome,
        before: Option<&str>,
        after: Option<&str>,
    ) -> FileChange {
        FileChange {
            path: TreePath::new(path).unwrap(),
            outcome,
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.map(|text| text.as_bytes().to_vec()),
            executable: false,
        }
    }

    fn plan() -> FilePlan {
        FilePlan {
            changes: vec![
                change(
                    "a/conflict.go",
                    Outcome::Conflict { places: 2 },
                    Some("a\n"),
                    Some("b\n"),
                ),
                change("a/created.go", Outcome::Created, None, Some("new\n")),
                change("a/kept.go", Outcome::Kept, Some("k\n"), Some("k\n")),
                change("a/same.go", Outcome::Unchanged, Some("s\n"), Some("s\n")),
            ],
            ..FilePlan::default()
        }
    }

    #[test]
    fn changes_are_grouped_with_what_needs_the_user_last() {
        let mut out = Vec::new();
        write_changes(&plan(), PlanStage::Done, &mut out, &Style::new(false)).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        kept      a/kept.go (you edited it)
        created   a/created.go
        conflict  a/conflict.go (2 places are marked)

        2 files changed: 1 created, 1 conflict; 1 kept, 1 unchanged
        ");
    }

    #[test]
    fn a_plan_without_changes_says_so() {
        let mut clean = plan();
        clean
            .changes
            .retain(|change| change.outcome == Outcome::Unchanged);
        assert_eq!(
            summary(&clean, PlanStage::Planned),
            "No file would change; 1 unchanged"
        );
        assert_eq!(
            summary(&FilePlan::default(), PlanStage::Done),
            "No file changed"
        );
    }

    #[test]
    fn a_difference_is_shown_as_git_shows_it() {
        let mut out = Vec::new();
        write_differences(&plan(), &mut out, &Style::new(false)).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        --- a/a/conflict.go
        +++ b/a/conflict.go
        @@ -1 +1 @@
        -a
        +b
        --- /dev/null
        +++ b/a/created.go
        @@ -0,0 +1 @@
        +new
        ");
    }
}
