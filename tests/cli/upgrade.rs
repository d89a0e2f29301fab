//! `upgrade`: a blueprint of the workspace in two versions, and services that were edited.

mod git;

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, str};

use super::workspace::{Run, Workspace};

const README: &str = "services/notes/README.md";
const SETTINGS: &str = "services/notes/config/settings.txt";
const MANIFEST: &str = "services/notes/service.yaml";
const MIGRATION: &str = "services/notes/migrations/00001_create.sql";
const LOCK: &str = ".gantline/lock.yaml";

/// Files below `blueprints/tiny/base`.
type Files = &'static [(&'static str, &'static str)];

const FIRST: Files = &[
    ("README.md.tera", "# <{ service.kebab }>\n\nfirst\n\nend\n"),
    ("config/settings.txt", "a: 1\nb: 1\nc: 1\n"),
    ("config/gone.txt", "gone soon\n"),
    ("config/dropped.txt", "dropped\n"),
    ("config/plain.txt", "plain 1\n"),
    ("migrations/00001_create.sql", "create table notes ();\n"),
];

const SECOND: Files = &[
    (
        "README.md.tera",
        "# <{ service.kebab }>\n\nfirst\n\nsecond\n\nend\n",
    ),
    ("config/settings.txt", "a: 1\nb: 2\nc: 1\n"),
    ("config/added.txt", "added\n"),
    ("config/dropped.txt", "dropped 2\n"),
    ("config/plain.txt", "plain 2\n"),
    ("migrations/00001_create.sql", "create table notes ();\n"),
    ("migrations/00002_add.sql", "alter table notes add x int;\n"),
];

/// The blueprint in this version, in place of what was there.
fn with_blueprint(workspace: Workspace, version: u32, more: &str, files: Files) -> Workspace {
    let folder = workspace.path("blueprints/tiny");
    let _ = fs::remove_dir_all(folder);
    let head = format!(
        "name: tiny\nversion: {version}\nsummary: Notes\nonce: [migrations]\n{more}ports: {{admin: 9090}}\n"
    );
    let workspace = workspace.file("blueprints/tiny/blueprint.yaml", head);
    files.iter().fold(workspace, |workspace, (path, text)| {
        workspace.file(&format!("blueprints/tiny/base/{path}"), text)
    })
}

/// A shop whose service `notes` was generated from the first version.
fn generated() -> Workspace {
    let workspace = Workspace::shop().file(MANIFEST, "name: notes\nblueprint: tiny\n");
    let workspace = with_blueprint(workspace, 1, "", FIRST);
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

/// The same, with a newer version beside it.
fn with_newer() -> Workspace {
    with_blueprint(generated(), 2, "", SECOND)
}

/// The names of the pinned archives, without their digests.
fn archives(workspace: &Workspace) -> Vec<String> {
    let folder = fs::read_dir(workspace.path(".gantline/blueprints")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .map(|name| name.rsplit_once('-').unwrap().0.to_owned())
        .collect();
    names.sort();
    names
}

fn git(workspace: &Workspace, folder: &str, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(workspace.path(folder))
        .env("HOME", workspace.path("../home"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {text}");
    text
}

/// A repository that begins above the workspace, with everything committed.
fn committed(workspace: Workspace) -> Workspace {
    let workspace = workspace.file(".gitignore", "/.gantline/run/\n");
    git(
        &workspace,
        "..",
        &["init", "--quiet", "--initial-branch=main"],
    );
    git(&workspace, "..", &["add", "work"]);
    git(&workspace, "..", &["commit", "--quiet", "--message=all"]);
    workspace
}

/// An edit where the second version changes, too.
fn in_conflict() -> Workspace {
    committed(with_newer().file(SETTINGS, "a: 1\nb: 9\nc: 1\n"))
}

fn upgraded(workspace: &Workspace) -> Run {
    workspace.gantline(&["upgrade", "--yes"])
}

#[test]
fn a_newer_blueprint_changes_nothing_until_it_is_asked_for() {
    let workspace = with_newer();
    workspace.gantline(&["generate", "--check"]).succeeds();
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 1\nc: 1\n");
    fs::remove_dir_all(workspace.path("blueprints")).unwrap();
    let run = workspace.gantline(&["generate", "--check"]);
    assert_eq!(run.code, 0, "the pin is enough: {run}");
}

#[test]
fn what_happens_to_each_file_is_shown_before_anything_is_written() {
    let workspace = with_newer()
        .replace(README, "# notes", "# Our notes")
        .file("services/notes/config/gone.txt", "edited\n")
        .file(SETTINGS, "a: 1\nb: 9\nc: 1\n")
        .file("services/notes/migrations/00003_mine.sql", "select 1;\n");
    fs::remove_file(workspace.path("services/notes/config/dropped.txt")).unwrap();
    let run = workspace.gantline(&["upgrade", "--dry-run"]);
    assert_data_eq!(
        run.stdout.clone(),
        str![[r#"
notes goes from tiny@1 to tiny@2

created        services/notes/config/added.txt
created        services/notes/migrations/00002_add.sql
updated        services/notes/config/plain.txt
updated        services/notes/service.yaml
merged         services/notes/README.md
released       services/notes/config/gone.txt (not generated any more, and edited: yours from now on)
stays deleted  services/notes/config/dropped.txt (you deleted it)
conflict       services/notes/config/settings.txt (1 place is marked)

6 files would change: 2 created, 2 updated, 1 merged, 1 conflict; 1 released, 1 stays deleted, 1 unchanged

"#]]
    );
    assert!(
        run.stderr.contains(
            "services/notes/migrations/00002_add.sql comes before 00003_mine.sql, which databases \
             may have applied"
        ),
        "{run}"
    );
    assert_eq!(workspace.read(MANIFEST), "name: notes\nblueprint: tiny\n");
    let without_yes = workspace.gantline(&["upgrade"]).fails(2);
    assert!(without_yes.stdout.contains("conflict  "), "{without_yes}");
    assert!(without_yes.stderr.contains("`--yes`"), "{without_yes}");
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 9\nc: 1\n");
}

#[test]
fn an_upgrade_keeps_edits_and_moves_the_pin() {
    let workspace = with_newer().replace(README, "# notes", "# Our notes");
    upgraded(&workspace).succeeds();
    let readme = workspace.read(README);
    assert_eq!(readme, "# Our notes\n\nfirst\n\nsecond\n\nend\n");
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 2\nc: 1\n");
    assert!(!workspace.path("services/notes/config/gone.txt").exists());
    assert_eq!(workspace.read(MANIFEST), "name: notes\nblueprint: tiny@2\n");
    assert_eq!(archives(&workspace), ["tiny-2"]);
    assert!(!workspace.read(LOCK).contains("tiny@1"));
    workspace.gantline(&["generate", "--check"]).succeeds();
    let again = upgraded(&workspace);
    assert_eq!(again.stdout, "notes is up to date: tiny@2\n", "{again}");
}

#[test]
fn a_difference_is_shown_and_nothing_is_written() {
    let workspace = with_newer();
    let run = workspace.gantline(&["upgrade", "--diff"]).succeeds();
    for part in [
        "+++ b/services/notes/service.yaml\n",
        "-blueprint: tiny\n+blueprint: tiny@2\n",
        "-b: 1\n+b: 2\n",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run}");
    }
    assert_eq!(archives(&workspace), ["tiny-1"]);
}

#[test]
fn services_of_one_blueprint_are_upgraded_one_by_one() {
    let workspace = generated().file(
        "services/other/service.yaml",
        "name: other\nblueprint: tiny\n",
    );
    workspace.gantline(&["generate"]).succeeds();
    let workspace = with_blueprint(workspace, 2, "", SECOND);
    workspace
        .gantline(&["upgrade", "notes", "--yes"])
        .succeeds();
    assert_eq!(archives(&workspace), ["tiny-1", "tiny-2"]);
    let other = workspace.read("services/other/service.yaml");
    assert_eq!(other, "name: other\nblueprint: tiny@1\n");
    assert_eq!(
        workspace.read("services/other/config/plain.txt"),
        "plain 1\n"
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
    upgraded(&workspace).succeeds();
    assert_eq!(
        workspace.read("services/other/config/plain.txt"),
        "plain 2\n"
    );
    assert_eq!(archives(&workspace), ["tiny-2"]);
}

#[test]
fn a_version_that_breaks_something_must_be_asked_for() {
    let breaking = "breaking: {2: \"settings have other names: rename yours first\"}\n";
    let workspace = with_blueprint(generated(), 2, breaking, SECOND);
    let all = upgraded(&workspace);
    assert_data_eq!(
        all.to_string(),
        str![[r#"
exit code 0
--- stdout
notes stays at tiny@1, though there is tiny@2
  version 2: settings have other names: rename yours first
  when you are ready: gantline upgrade notes --to 2

"#]]
    );
    let named = workspace.gantline(&["upgrade", "notes", "--yes"]);
    assert_data_eq!(
        named.to_string(),
        str![[r#"
exit code 2
--- stderr
error: going from tiny@1 to tiny@2 breaks something, so it must be asked for
  why: version 2: settings have other names: rename yours first
 next: When you are ready for that: `gantline upgrade notes --to 2`

"#]]
    );
    let asked = workspace
        .gantline(&["upgrade", "notes", "--to", "2", "--yes"])
        .succeeds();
    assert!(
        asked.stdout.contains("settings have other names"),
        "{asked}"
    );
    assert_eq!(workspace.read(SETTINGS), "a: 1\nb: 2\nc: 1\n");
}

#[test]
fn a_version_that_nobody_has_or_that_is_older_is_refused() {
    let workspace = with_newer();
    let absent = workspace
        .gantline(&["upgrade", "notes", "--to", "7", "--yes"])
        .fails(4);
    assert!(absent.stderr.contains("have 1 and 2"), "{absent}");
    workspace
        .gantline(&["upgrade", "--to", "7", "--yes"])
        .fails(2);
    upgraded(&workspace).succeeds();
    let older = workspace
        .gantline(&["upgrade", "notes", "--to", "1", "--yes"])
        .fails(2);
    assert!(older.stderr.contains("git revert"), "{older}");
    let unknown = workspace.gantline(&["upgrade", "note"]);
    assert!(
        unknown.stderr.contains("Did you mean `notes`?"),
        "{unknown}"
    );
}

#[test]
fn a_manifest_that_does_not_fit_the_newer_version_is_told_so_and_nothing_is_written() {
    let required = "options: {flavour: {summary: Which, choices: {plain: {summary: P}}}}\n";
    let workspace = with_blueprint(generated(), 2, required, SECOND);
    let run = upgraded(&workspace).fails(2);
    assert!(run.stderr.contains("flavour"), "{run}");
    assert_eq!(workspace.read(MANIFEST), "name: notes\nblueprint: tiny\n");
    assert_eq!(archives(&workspace), ["tiny-1"]);
}

#[test]
fn a_pin_that_differs_from_what_is_offered_under_the_same_number_counts() {
    // A workspace from before: its go-service@1 is not the one of this program.
    let workspace = Workspace::shop()
        .file(MANIFEST, "name: notes\nblueprint: go-service@1\n")
        .file(
            "blueprints/go-service/blueprint.yaml",
            "name: go-service\nversion: 1\nsummary: From before\n",
        )
        .file("blueprints/go-service/base/old.txt", "old\n");
    workspace.gantline(&["generate"]).succeeds();
    fs::remove_dir_all(workspace.path("blueprints")).unwrap();
    workspace.gantline(&["generate", "--check"]).succeeds();
    let run = upgraded(&workspace).succeeds();
    assert!(
        run.stderr.contains("though its number is the same"),
        "{run}"
    );
    assert_eq!(workspace.read("services/notes/old.txt"), "old\n");
}

#[test]
fn a_migration_that_a_newer_version_changed_is_left_as_it_was() {
    const EDITED: Files = &[("migrations/00001_create.sql", "create table other ();\n")];
    let workspace = with_blueprint(generated(), 2, "", EDITED);
    let check = workspace
        .gantline(&["blueprint", "check", "blueprints/tiny"])
        .fails(2);
    assert!(
        check
            .stderr
            .contains("`migrations/00001_create.sql` is not what tiny@1 makes"),
        "{check}"
    );
    let run = upgraded(&workspace).succeeds();
    assert!(
        run.stdout
            .contains("written once  services/notes/migrations/00001_create.sql"),
        "{run}"
    );
    assert_eq!(workspace.read(MIGRATION), "create table notes ();\n");
}

#[test]
fn programs_get_one_document() {
    let workspace = in_conflict();
    let run = workspace
        .gantline(&["upgrade", "--yes", "--format", "json"])
        .fails(1);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["applied"], true);
    assert_eq!(document["conflicts"], 1);
    let step = serde_json::json!({
        "service": "notes", "from": "tiny@1", "to": "tiny@2", "breaking": []
    });
    assert_eq!(document["services"], serde_json::json!([step]));
    let files = document["files"].as_array().unwrap();
    let settings = files.iter().find(|file| file["path"] == SETTINGS).unwrap();
    assert_eq!(settings["outcome"], "conflict");
}

#[test]
fn a_deleted_file_is_brought_back_on_request() {
    let workspace = generated();
    fs::remove_file(workspace.path(README)).unwrap();
    workspace.gantline(&["generate"]).succeeds();
    assert!(!workspace.path(README).exists());
    let run = workspace
        .gantline_in("services", &["generate", "--restore", "notes/README.md"])
        .succeeds();
    assert!(
        run.stdout.contains("created  services/notes/README.md"),
        "{run}"
    );
    assert_eq!(workspace.read(README), "# notes\n\nfirst\n\nend\n");
    let nothing = workspace
        .gantline(&["generate", "--restore", "services/notes/none.md"])
        .fails(2);
    assert!(nothing.stderr.contains("nothing comes back"), "{nothing}");
    workspace
        .gantline(&["generate", "--restore", "../x"])
        .fails(2);
}

/// Blueprints that extend another, directly or not, are found beside it, wherever it lies.
#[test]
fn a_blueprint_that_is_only_extended_is_checked_through_the_others() {
    let workspace = Workspace::empty();
    // go-base, which is only extended, too, stands between it and two of them.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints/service-chart");
    let folder = folder.display().to_string();
    let run = workspace
        .gantline(&["blueprint", "check", &folder])
        .succeeds();
    assert!(
        run.stdout
            .contains("through container@1 and go-service@1 and go-worker@1"),
        "{run}"
    );
}
