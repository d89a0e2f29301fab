//! `generate`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use snapbox::{assert_data_eq, str};

use super::workspace::{Run, Workspace};

const VALUES: &str = "services/orders/chart/values.yaml";
const MANIFEST: &str = "services/orders/service.yaml";
const README: &str = "services/orders/README.md";

/// A shop whose service was generated.
fn generated() -> Workspace {
    let workspace = Workspace::shop_with_orders();
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

/// A shop whose service listens elsewhere since it was generated.
fn moved() -> Workspace {
    let workspace = generated();
    let manifest = workspace.read(MANIFEST);
    workspace.file(MANIFEST, manifest + "ports: {http: 8088, admin: 9099}\n")
}

/// The output without its last line, whose numbers change with the blueprint.
fn without_numbers(run: &Run) -> String {
    let is_number = |line: &&str| line.contains("unchanged");
    let lines: Vec<&str> = run.stdout.lines().filter(|line| !is_number(line)).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

#[test]
fn generating_again_changes_nothing() {
    let workspace = generated();
    let index = workspace.read(".gantline/base/index/orders");
    workspace.gantline(&["generate", "--check"]).succeeds();
    let again = workspace.gantline(&["generate", "orders"]).succeeds();
    assert!(again.stdout.starts_with("No file changed; "), "{again}");
    assert_eq!(workspace.read(".gantline/base/index/orders"), index);
    assert!(!workspace.path(".gantline/run/journal.json").exists());
    assert!(!workspace.path(".gantline/run/transaction").exists());
}

#[test]
fn a_check_lists_what_would_change_and_where_it_comes_from_and_writes_nothing() {
    let workspace = moved();
    let before = workspace.read(VALUES);
    let run = workspace.gantline(&["generate", "--check"]).fails(3);
    assert!(
        run.stdout
            .contains("updated  services/orders/chart/values.yaml\n"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("come from services/orders/service.yaml (go-service@1)"),
        "{run}"
    );
    assert!(run.stderr.contains("Run `gantline generate`"), "{run}");
    assert_eq!(workspace.read(VALUES), before);
    workspace.gantline(&["generate", "--dry-run"]).succeeds();
    assert_eq!(workspace.read(VALUES), before);
}

#[test]
fn a_difference_is_shown_and_nothing_is_written() {
    let workspace = moved();
    let run = workspace.gantline(&["generate", "--diff"]).succeeds();
    assert!(
        run.stdout
            .contains("--- a/services/orders/chart/values.yaml\n"),
        "{run}"
    );
    assert!(run.stdout.contains("\n-  http: 8080\n"), "{run}");
    assert!(run.stdout.contains("\n+  http: 8088\n"), "{run}");
    assert!(workspace.read(VALUES).contains("http: 8080"));
}

#[test]
fn an_edit_is_kept_and_merged_with_what_the_manifest_changes() {
    let workspace = moved();
    let edited = workspace.read(VALUES) + "\n# mine\nmine: true\n";
    let workspace = workspace.file(VALUES, edited).file(README, "mine\n");
    let run = workspace.gantline(&["generate"]).succeeds();
    assert!(
        run.stdout
            .contains("merged   services/orders/chart/values.yaml\n"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("kept     services/orders/README.md (you edited it)"),
        "{run}"
    );
    let values = workspace.read(VALUES);
    assert!(
        values.contains("http: 8088") && values.ends_with("# mine\nmine: true\n"),
        "{values}"
    );
    assert_eq!(workspace.read(README), "mine\n");
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_conflict_is_marked_and_the_file_waits_until_it_is_resolved() {
    let workspace = moved().replace(VALUES, "http: 8080", "http: 8111");
    let run = workspace.gantline(&["generate"]).fails(1);
    assert!(
        run.stdout
            .contains("conflict  services/orders/chart/values.yaml (1 place is marked)"),
        "{run}"
    );
    assert_data_eq!(
        run.stderr,
        str![[r#"
error: 1 file needs you
 next: Search `services/orders/chart/values.yaml` for `<<<<<<< yours`, keep what you want of both sides, remove the markers, then run `gantline generate` again

"#]]
    );
    let marked = workspace.read(VALUES);
    assert!(marked.contains("<<<<<<< yours\n  http: 8111\n"), "{marked}");

    let again = workspace.gantline(&["generate"]).fails(1);
    assert_data_eq!(
        without_numbers(&again),
        str![[r#"
unresolved  services/orders/chart/values.yaml (conflict markers from before: not touched)

"#]]
    );
    assert_eq!(workspace.read(VALUES), marked);
    let check = workspace.gantline(&["generate", "--check"]).fails(3);
    assert!(check.stderr.contains("remove the markers"), "{check}");

    let workspace = workspace.file(
        VALUES,
        marked
            .replace("<<<<<<< yours", "")
            .replace(">>>>>>> generated", ""),
    );
    workspace.gantline(&["generate"]).succeeds();
}

#[test]
fn a_deleted_file_stays_deleted_which_is_said_once() {
    let workspace = generated();
    fs::remove_file(workspace.path(README)).unwrap();
    let run = workspace.gantline(&["generate"]);
    assert_data_eq!(
        without_numbers(&run),
        str![[r#"
stays deleted  services/orders/README.md (you deleted it)

"#]]
    );
    let again = workspace.gantline(&["generate"]);
    assert!(!again.stdout.contains("README.md"), "{again}");
    assert!(!workspace.path(README).exists());
}

#[test]
fn a_file_of_the_users_is_never_overwritten() {
    let workspace = Workspace::shop_with_orders().file(README, "mine\n");
    let run = workspace.gantline(&["generate"]).fails(1);
    assert!(
        run.stdout.contains("in the way  services/orders/README.md"),
        "{run}"
    );
    assert!(
        run.stderr.contains("Move `services/orders/README.md` away"),
        "{run}"
    );
    assert_eq!(workspace.read(README), "mine\n");
}

#[test]
fn a_service_folder_that_leads_out_of_the_workspace_is_not_written() {
    let workspace = Workspace::shop_with_orders();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), workspace.path("services/orders/chart")).unwrap();
    let run = workspace.gantline(&["generate"]).fails(2);
    assert!(run.stderr.contains("leaves the workspace"), "{run}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(
        !workspace.path(README).exists(),
        "nothing else is written, too"
    );
}

#[test]
fn what_a_killed_command_left_is_completed_and_said() {
    let content = "x\n";
    let hash = "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac";
    let journal = format!(
        r#"{{"version":1,"steps":[{{"path":"notes/x.txt","before":null,"after":"{hash}"}}],"folders":["notes"]}}"#
    );
    let workspace = generated()
        .file(".gantline/run/transaction/new-0", content)
        .file(".gantline/run/journal.json", journal);
    let run = workspace.gantline(&["generate", "--check"]).succeeds();
    assert!(
        run.stderr.contains(
            "an earlier command was killed while it changed 1 file: its changes were completed"
        ),
        "{run}"
    );
    assert_eq!(workspace.read("notes/x.txt"), content);
    assert!(!workspace.path(".gantline/run/journal.json").exists());
}

#[test]
fn a_check_asks_for_what_the_next_merge_needs() {
    let workspace = generated();
    std::fs::remove_file(workspace.path(".gantline/lock.yaml")).unwrap();
    let run = workspace.gantline(&["generate", "--check"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 3
--- stdout
No file would change; 113 unchanged
--- stderr
error: what gantline keeps beside the generated files is not there
  why: missing: .gantline/lock.yaml
 next: Run `gantline generate`, and commit what it writes in `.gantline`

"#]]
    );
    workspace.gantline(&["generate"]).succeeds();
    std::fs::remove_dir_all(workspace.path(".gantline/base")).unwrap();
    workspace.gantline(&["generate", "--check"]).fails(3);
    workspace.gantline(&["generate"]).succeeds();
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_service_that_is_named_twice_is_generated_once() {
    let once = generated()
        .gantline(&["generate", "orders", "--dry-run"])
        .succeeds();
    let twice = generated()
        .gantline(&["generate", "orders", "orders", "--dry-run"])
        .succeeds();
    assert_eq!(once.stdout, twice.stdout);
}

#[test]
fn programs_get_one_document() {
    let workspace = moved();
    let run = workspace
        .gantline(&["generate", "--dry-run", "--diff", "--format", "json"])
        .succeeds();
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["applied"], false);
    assert_eq!(document["changes"], true);
    assert!(document["counts"]["unchanged"].as_u64().unwrap() > 20);
    let files = document["files"].as_array().unwrap();
    let values = files.iter().find(|file| file["path"] == VALUES).unwrap();
    assert_eq!(values["outcome"], "updated");
    assert_eq!(
        values["from"],
        "services/orders/service.yaml (go-service@1)"
    );
    assert!(values["diff"].as_str().unwrap().contains("+  http: 8088\n"));
}

#[test]
fn a_check_does_not_look_into_a_service_again_until_something_is_touched() {
    let workspace = generated();
    let record = workspace.path(".gantline/run/unchanged/orders");
    let check = || {
        let run = workspace
            .gantline(&["generate", "--check", "--format", "json"])
            .succeeds();
        let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        answer["counts"].clone()
    };
    // What was written a moment ago might be written again within one tick of the clock.
    let began = Instant::now();
    let mut counts = check();
    while !record.exists() && began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(200));
        counts = check();
    }
    // Only what is not looked into can be said to be what it is not.
    let text = fs::read_to_string(&record).unwrap();
    let other = text.replacen("\"unchanged\"", "\"kept\"", 1);
    fs::write(&record, other).unwrap();
    assert_eq!(check()["kept"], 1);
    fs::write(workspace.path(MANIFEST), workspace.read(MANIFEST)).unwrap();
    assert_eq!(check(), counts);
}
