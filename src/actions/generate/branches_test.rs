//! Two branches generate, git merges them, and nothing is left to generate.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::tests::{group, rendered};
use super::*;
use crate::engine::files::DiskTree;
use crate::model::plan::Outcome;

/// What `new` writes for the base.
const ATTRIBUTES: &str =
    ".gantline/base/index/* text eol=lf merge=union\n.gantline/base/objects/** binary\n";

fn git(root: &Path, arguments: &[&str]) -> bool {
    let name = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    let output = Command::new("git")
        .args(name)
        .args(arguments)
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    output.status.success()
}

/// The files of a service: many, so that index lines are neighbours; some the branch changes.
fn service(edit: impl Fn(usize, &mut Vec<String>)) -> BTreeMap<TreePath, RenderedFile> {
    let file = |number: usize| {
        let mut lines: Vec<String> = (0..20)
            .map(|line| format!("{number}: line {line}"))
            .collect();
        edit(number, &mut lines);
        let text = lines.join("\n") + "\n";
        rendered(&format!("services/orders/file{number}.go"), text)
    };
    (0..8).map(file).collect()
}

fn plan_here(root: &Path, files: &BTreeMap<TreePath, RenderedFile>) -> FilePlan {
    let groups = vec![group("orders", files)];
    plan_groups(groups, &Extent::default(), &DiskTree::new(root)).unwrap()
}

async fn generate(root: &Path, files: &BTreeMap<TreePath, RenderedFile>) -> FilePlan {
    let plan = plan_here(root, files);
    apply(root, &plan, Vec::new()).await.unwrap();
    plan
}

async fn on_branch(root: &Path, branch: &str, files: &BTreeMap<TreePath, RenderedFile>) {
    assert!(git(root, &["checkout", "-q", "-b", branch, "main"]));
    generate(root, files).await;
    assert!(git(root, &["add", "--all"]));
    assert!(git(root, &["commit", "-q", "-m", branch]));
}

/// A repository in which both branches were made from a common generation.
async fn repository(attributes: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join(".gitattributes"), attributes).unwrap();
    fs::write(root.join(".gitignore"), ".gantline/run/\n").unwrap();
    assert!(git(root, &["init", "-q", "-b", "main"]));
    generate(root, &service(|_, _| {})).await;
    assert!(git(root, &["add", "--all"]));
    assert!(git(root, &["commit", "-q", "-m", "main"]));
    on_branch(root, "one", &service(one)).await;
    on_branch(root, "two", &service(two)).await;
    folder
}

/// Changes files 1 and 2, each near its beginning.
fn one(number: usize, lines: &mut Vec<String>) {
    if matches!(number, 1 | 2) {
        lines.insert(2, "from one".to_owned());
    }
}

/// Changes files 2 and 3, each near its end: file 2 by both, file 3 beside file 2.
fn two(number: usize, lines: &mut Vec<String>) {
    if matches!(number, 2 | 3) {
        let end = lines.len() - 2;
        lines.insert(end, "from two".to_owned());
    }
}

fn both(number: usize, lines: &mut Vec<String>) {
    one(number, lines);
    two(number, lines);
}

#[tokio::test]
async fn two_branches_that_generated_merge_in_git_and_nothing_is_left_to_do() {
    let folder = repository(ATTRIBUTES).await;
    let root = folder.path();
    assert!(
        git(root, &["merge", "-q", "--no-edit", "one"]),
        "git merges by itself"
    );
    let plan = plan_here(root, &service(both));
    assert!(plan.is_clean(), "{:?}", plan.changes);
    assert!(
        plan.changes
            .iter()
            .all(|change| change.outcome == Outcome::Unchanged)
    );
    // The next generation tidies the index, once.
    generate(root, &service(both)).await;
    assert!(plan_here(root, &service(both)).records.is_empty());
}

#[tokio::test]
async fn an_edit_made_after_such_a_merge_still_merges_with_the_next_version() {
    let folder = repository(ATTRIBUTES).await;
    let root = folder.path();
    assert!(git(root, &["merge", "-q", "--no-edit", "one"]));
    let place = root.join("services/orders/file2.go");
    let text = fs::read_to_string(&place).unwrap();
    fs::write(&place, text.replace("2: line 10\n", "2: line 10\nmine\n")).unwrap();
    let next = service(|number, lines| {
        both(number, lines);
        lines[0].push_str(" changed");
    });
    let plan = generate(root, &next).await;
    let merged = plan
        .changes
        .iter()
        .find(|change| change.path.file_name() == "file2.go");
    assert_eq!(merged.unwrap().outcome, Outcome::Merged);
    let text = fs::read_to_string(&place).unwrap();
    for line in ["line 0 changed\n", "from one\n", "mine\n", "from two\n"] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(plan_here(root, &next).is_clean());
}

#[tokio::test]
async fn without_the_attributes_git_stops_at_the_index_and_its_markers_are_understood() {
    let folder = repository("").await;
    let root = folder.path();
    assert!(
        !git(root, &["merge", "-q", "--no-edit", "one"]),
        "git marks the index"
    );
    let plan = plan_here(root, &service(both));
    assert!(plan.is_clean(), "{:?}", plan.changes);
    generate(root, &service(both)).await;
    let index = fs::read_to_string(root.join(".gantline/base/index/orders")).unwrap();
    assert!(!index.contains("<<<<<<<"), "{index}");
}
