//! The workspace that a folder belongs to.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Finding, FindingState};
use crate::actions::generate::{Generation, GenerationRequest};
use crate::config::project::{Selection, find, load};
use crate::engine::files::{ChangeLock, WorkspaceLock, run_folder};
use crate::error::Error;

/// A file larger than this is not looked through for conflict markers.
const LARGEST_SEARCHED: u64 = 1024 * 1024;
/// How many files with conflict markers are named.
const MOST_NAMED: usize = 5;

/// How a workspace is.
#[derive(Debug)]
pub enum WorkspaceHealth {
    /// The folder belongs to none.
    None,
    /// It can be worked with.
    Valid(Vec<Finding>),
    /// Its files are wrong, and every other command would say so, too.
    Invalid(Box<Error>),
}

/// Looks at the workspace that a folder belongs to, and changes nothing.
pub fn workspace_health(start: &Path) -> WorkspaceHealth {
    let Ok(root) = find(start) else {
        return WorkspaceHealth::None;
    };
    let project = match load(&root, &Selection::All) {
        Ok(project) => project,
        Err(error) => return WorkspaceHealth::Invalid(Box::new(error)),
    };
    let services = match project.services.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    let about = format!(
        "{} in {}, {services}",
        project.workspace.name,
        root.display()
    );
    let unfinished = unfinished(&root);
    let mut findings = vec![Finding::ok("workspace", about)];
    // What a killed command left is neither the old nor the new state, and tells nothing.
    if unfinished.state == FindingState::Ok {
        findings.push(drift(&root));
    }
    findings.extend([unfinished, conflicts(&root)]);
    WorkspaceHealth::Valid(findings)
}

/// Whether the generated files are what the manifests imply.
fn drift(root: &Path) -> Finding {
    let request = GenerationRequest {
        outcomes_only: true,
        ..GenerationRequest::default()
    };
    let plan = match Generation::prepare(root, &request) {
        Ok(generation) => generation.plan,
        Err(error) => {
            return Finding::attention(
                "generated",
                error.to_string(),
                "run `gantline generate` to see more",
            );
        }
    };
    let changes = plan.changes.iter();
    let behind = changes.filter(|change| change.outcome.writes()).count();
    match (behind, plan.conflicts().count()) {
        (0, 0) => Finding::ok("generated", "files are what the manifests imply"),
        (0, waiting) => Finding::attention(
            "generated",
            format!("files that wait for you: {waiting}"),
            "run `gantline generate` to see which, and why",
        ),
        (behind, _) => Finding::attention(
            "generated",
            format!("files that the manifests have left behind: {behind}"),
            "run `gantline generate`, look at the result, and commit it",
        ),
    }
}

/// Whether a command was killed while it wrote, or is writing now.
fn unfinished(root: &Path) -> Finding {
    let run = match run_folder(root) {
        Ok(run) => run,
        Err(link) => return Finding::attention("writes", link.message(), link.hints().join("; ")),
    };
    if run.is_dir() && matches!(ChangeLock::acquire_within(root, Duration::ZERO), Ok(None)) {
        return Finding::attention(
            "writes",
            "you may not write to the workspace",
            "make it writable for you: commands that change it or run the stack need that",
        );
    }
    // Taking the lock would make its folder.
    let busy = run.is_dir() && WorkspaceLock::acquire_within(root, Duration::ZERO).is_err();
    if busy {
        return Finding::attention(
            "writes",
            "another gantline is writing to the workspace now",
            "wait for it",
        );
    }
    if run.join("journal.json").exists() {
        return Finding::attention(
            "writes",
            "a command was killed while it wrote",
            "run any command, such as `gantline status`: it completes or takes back what that one began",
        );
    }
    Finding::ok("writes", "none is unfinished")
}

/// Whether files still hold the markers of a merge.
fn conflicts(root: &Path) -> Finding {
    let marked = marked_files(root);
    if marked.is_empty() {
        return Finding::ok("conflicts", "no file holds conflict markers");
    }
    let named: Vec<String> = marked
        .iter()
        .take(MOST_NAMED)
        .map(|path| path.display().to_string())
        .collect();
    let more = match marked.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Finding::attention(
        "conflicts",
        format!("conflict markers in {}{more}", named.join(", ")),
        "choose between the two sides in each, then run `gantline generate`",
    )
}

fn marked_files(root: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | ".gantline")))
        .build();
    let files = walk
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut marked: Vec<PathBuf> = files
        .filter(|entry| has_markers(entry.path()))
        .filter_map(|entry| entry.path().strip_prefix(root).ok().map(Path::to_path_buf))
        .collect();
    marked.sort();
    marked
}

fn has_markers(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    let mut text = Vec::new();
    if file.take(LARGEST_SEARCHED).read_to_end(&mut text).is_err() {
        return false;
    }
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(b"<<<<<<< "))
        && lines.any(|line| line.starts_with(b">>>>>>> "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_markers_are_found_where_they_are() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("clean.go"), "package main\n// =======\n").unwrap();
        let marked = "a\n<<<<<<< yours\nb\n=======\nc\n>>>>>>> generated\n";
        std::fs::write(root.path().join("marked.go"), marked).unwrap();
        let finding = conflicts(root.path());
        assert_eq!(finding.state, FindingState::Attention);
        assert!(
            finding.detail.ends_with("in marked.go"),
            "{}",
            finding.detail
        );
    }

    #[test]
    fn a_folder_outside_a_workspace_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let health = workspace_health(folder.path());
        assert!(matches!(health, WorkspaceHealth::None));
    }

    #[test]
    fn a_link_in_place_of_what_gantline_keeps_is_named_and_not_taken_for_another_command() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join(".gantline/run");
        std::fs::create_dir_all(&run).unwrap();
        std::os::unix::fs::symlink("/nowhere", run.join("lock")).unwrap();
        let found = unfinished(root.path());
        assert_eq!(found.state, FindingState::Attention);
        assert!(found.detail.contains("run/lock` is a link"), "{found:?}");
    }

    #[test]
    fn a_killed_command_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(unfinished(root.path()).state, FindingState::Ok);
        assert!(!root.path().join(".gantline").exists());
        std::fs::create_dir_all(root.path().join(".gantline/run")).unwrap();
        std::fs::write(root.path().join(".gantline/run/journal.json"), "{}").unwrap();
        assert_eq!(unfinished(root.path()).state, FindingState::Attention);
    }
}
