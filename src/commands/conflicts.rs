//! Files that need the user: how many, which, and what to do.

use crate::error::Error;
use crate::model::plan::{FileChange, Outcome};

/// So many files are named in the error; the list above it has them all.
const MOST_NAMED: usize = 10;

/// The error of conflicts that are left.
pub fn error(conflicts: &[&FileChange]) -> Error {
    let headline = match conflicts.len() {
        1 => "1 file needs you".to_owned(),
        count => format!("{count} files need you"),
    };
    let mut names: Vec<&str> = conflicts
        .iter()
        .take(MOST_NAMED)
        .map(|change| change.path.as_str())
        .collect();
    let more = format!("and {} more", conflicts.len() - names.len());
    if conflicts.len() > names.len() {
        names.push(&more);
    }
    let error = Error::failed(headline);
    match conflicts.len() {
        1 => error,
        _ => error.since(names.join("\n")),
    }
}

/// What to do about each kind. `in_git` says whether git knows of the marked ones.
pub fn hints(conflicts: &[&FileChange], in_git: bool) -> Vec<String> {
    let marked = |change: &&FileChange| {
        matches!(
            change.outcome,
            Outcome::Conflict { .. } | Outcome::Unresolved
        )
    };
    let mut hints = Vec::new();
    if let Some(first) = conflicts.iter().copied().find(|change| marked(change)) {
        hints.push(format!(
            "Search `{}` for `<<<<<<< yours`, keep what you want of both sides, remove the \
             markers, then run `gantline generate` again",
            first.path
        ));
    }
    if in_git {
        hints.push(
            "Or run `git mergetool`, which has all three versions; `git add` a file that you \
             resolved by hand"
                .to_owned(),
        );
    }
    if let Some(first) = conflicts.iter().copied().find(|change| !marked(change)) {
        hints.push(format!(
            "Move `{}` away, run `gantline generate` again, then put what you need of yours into \
             the generated file",
            first.path
        ));
    }
    hints
}
