//! What git knows of an upgrade: conflicts, merge tools, and what was staged.

use super::*;

#[test]
fn a_conflict_is_one_to_git_too_in_a_workspace_below_the_root_of_the_repository() {
    let workspace = in_conflict();
    let run = upgraded(&workspace).fails(1);
    assert!(run.stderr.contains("1 file needs you"), "{run}");
    assert!(run.stderr.contains("git mergetool"), "{run}");
    let marked = workspace.read(SETTINGS);
    assert_eq!(
        marked,
        "a: 1\n<<<<<<< yours\nb: 9\n||||||| base\nb: 1\n=======\nb: 2\n>>>>>>> generated\nc: 1\n"
    );
    let status = git(&workspace, ".", &["status"]);
    assert!(
        status.contains("both modified:   services/notes/config/settings.txt"),
        "{status}"
    );
    let stages = git(&workspace, "..", &["ls-files", "--unmerged"]);
    assert_eq!(stages.lines().count(), 3, "{stages}");
    for (stage, text) in [(1, "b: 1"), (2, "b: 9"), (3, "b: 2")] {
        let object = format!(":{stage}:work/{SETTINGS}");
        let shown = git(&workspace, "..", &["show", &object]);
        assert_eq!(shown, format!("a: 1\n{text}\nc: 1\n"));
    }
    workspace.gantline(&["generate"]).fails(1);
    assert_eq!(workspace.read(SETTINGS), marked, "it waits for the user");
}

#[test]
fn a_merge_tool_gets_all_three_versions_and_its_result_is_generated_on() {
    let workspace = in_conflict();
    upgraded(&workspace).fails(1);
    let tool = "mergetool.fake.cmd=cp \"$BASE\" \"$HOME/base\" && cp \"$LOCAL\" \"$HOME/yours\" && cp \"$REMOTE\" \"$MERGED\"";
    let arguments = ["-c", tool, "-c", "mergetool.fake.trustExitCode=true"];
    let call = ["mergetool", "--no-prompt", "--tool=fake"];
    git(&workspace, ".", &[arguments.as_slice(), &call].concat());
    assert_eq!(workspace.read("../home/base"), "a: 1\nb: 1\nc: 1\n");
    assert_eq!(workspace.read("../home/yours"), "a: 1\nb: 9\nc: 1\n");
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 2\nc: 1\n");
    assert_eq!(git(&workspace, ".", &["ls-files", "--unmerged"]), "");
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn an_upgrade_is_taken_back_as_the_guide_says() {
    let workspace = in_conflict();
    upgraded(&workspace).fails(1);
    git(
        &workspace,
        ".",
        &[
            "restore",
            "--source=HEAD",
            "--staged",
            "--worktree",
            "--",
            ".",
        ],
    );
    git(
        &workspace,
        ".",
        &[
            "clean",
            "--force",
            "-d",
            "--quiet",
            "--",
            "services",
            ".gantline",
        ],
    );
    assert_eq!(
        git(&workspace, "..", &["status", "--porcelain", "work"]),
        ""
    );
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 9\nc: 1\n");
    workspace.gantline(&["generate", "--check"]).succeeds();
    assert_eq!(upgraded(&workspace).code, 1, "and can be tried again");
}

#[test]
fn an_edit_that_is_not_committed_is_merged_and_said() {
    let workspace = committed(with_newer()).file(SETTINGS, "a: 1\nb: 9\nc: 1\n");
    let run = upgraded(&workspace).fails(1);
    assert!(run.stderr.contains("is not committed"), "{run}");
    let shown = git(&workspace, ".", &["show", &format!(":2:./{SETTINGS}")]);
    assert_eq!(shown, "a: 1\nb: 9\nc: 1\n", "stage 2 is what was on disk");
}

#[test]
fn what_is_staged_and_nowhere_else_stays_staged() {
    let workspace = committed(with_newer()).file(SETTINGS, "a: 1\nb: 7\nc: 1\n");
    git(&workspace, ".", &["add", SETTINGS]);
    let workspace = workspace.file(SETTINGS, "a: 1\nb: 9\nc: 1\n");
    let run = upgraded(&workspace).fails(1);
    assert!(!run.stderr.contains("git mergetool"), "{run}");
    let staged = git(&workspace, ".", &["show", &format!(":0:./{SETTINGS}")]);
    assert_eq!(staged, "a: 1\nb: 7\nc: 1\n");
    assert!(workspace.read(SETTINGS).contains("<<<<<<< yours\nb: 9\n"));
}

#[test]
fn a_file_that_git_does_not_track_is_only_marked() {
    let workspace = in_conflict();
    git(&workspace, ".", &["rm", "--quiet", "--cached", SETTINGS]);
    upgraded(&workspace).fails(1);
    assert_eq!(git(&workspace, ".", &["ls-files", "--unmerged"]), "");
    assert!(workspace.read(SETTINGS).contains("<<<<<<< yours"));
}
