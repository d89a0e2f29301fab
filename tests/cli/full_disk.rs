//! A disk without space: a small file system of its own, filled up, which only the test sees.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::workspace::{Workspace, tree_of};

/// Copies a workspace to a new file system and fills that but for some KiB; runs a command there,
/// and again once there is space. What it wrote and left lies beside each other afterwards.
const SCRIPT: &str = r#"
set -eu
program=$1 workspace=$2 place=$3 free=$4
shift 4
mkdir "$place/disk"
mount -t tmpfs -o size=8m tmpfs "$place/disk"
cp -r "$workspace" "$place/disk/here"
cd "$place/disk/here"
space=$(df -k --output=avail . | tail -n 1)
head -c "$(((space - free) * 1024))" /dev/zero > ../filler
for run in first second; do
  code=0
  "$program" "$@" > "$place/$run.stdout" 2> "$place/$run.stderr" || code=$?
  echo "$code" > "$place/$run.code"
  cp -r . "$place/$run"
  rm -f ../filler
done
"#;

/// A command on a full disk, and the same once there is space.
struct Runs {
    place: tempfile::TempDir,
}

impl Runs {
    fn of(workspace: &Workspace, free: u32, arguments: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        fs::create_dir(&home).unwrap();
        let output = apart()
            .args([
                "sh",
                "-c",
                SCRIPT,
                "full-disk",
                env!("CARGO_BIN_EXE_gantline"),
            ])
            .arg(workspace.path("."))
            .arg(place.path())
            .arg(free.to_string())
            .args(arguments)
            .env("HOME", home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        Self { place }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.place.path().join(name)).unwrap()
    }

    fn code(&self, run: &str) -> i32 {
        self.text(&format!("{run}.code")).trim().parse().unwrap()
    }

    fn tree(&self, run: &str) -> BTreeMap<String, Vec<u8>> {
        tree_of(&self.place.path().join(run))
    }
}

/// A command in a mount namespace of its own: as root, else in a user namespace, too.
fn apart() -> Command {
    let mine = |more: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(more).arg("--mount");
        command
    };
    let may_mount = mine(&[])
        .args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .stderr(Stdio::null())
        .status();
    match may_mount.unwrap().success() {
        true => mine(&[]),
        false => mine(&["--user", "--map-root-user"]),
    }
}

/// Nothing changes on a disk with so many free KiB, that is said, and the next run is whole.
fn assert_all_or_nothing(workspace: &Workspace, free: &[u32], arguments: &[&str]) {
    let before = workspace.tree();
    for free in free {
        let runs = Runs::of(workspace, *free, arguments);
        let said = runs.text("first.stderr");
        assert_eq!(runs.code("first"), 1, "{free} KiB free: {said}");
        for part in [
            "No space left on device",
            "next: Free some space on that disk, then run this again",
        ] {
            assert!(said.contains(part), "{free} KiB free, no {part}: {said}");
        }
        assert!(runs.tree("first") == before, "{free} KiB free: {said}");
        let again = runs.text("second.stderr");
        assert_eq!(runs.code("second"), 0, "{free} KiB free: {again}");
        assert!(runs.tree("second") != before, "{free} KiB free: {again}");
    }
}

#[test]
fn generate_on_a_full_disk_changes_nothing_and_says_why() {
    let workspace = Workspace::shop_with_orders();
    assert_all_or_nothing(&workspace, &[0, 4, 128, 400], &["generate"]);
}

#[test]
fn adding_a_service_on_a_full_disk_changes_nothing_and_says_why() {
    let workspace = Workspace::shop();
    let add = ["add", "service", "orders", "--blueprint", "go-service"];
    let options = ["--with", "entity=order", "--with", "store=postgres"];
    assert_all_or_nothing(&workspace, &[0, 128, 400], &[&add[..], &options].concat());
}

#[test]
fn a_new_workspace_on_a_full_disk_is_not_made_and_that_is_said() {
    let workspace = Workspace::empty();
    assert_all_or_nothing(&workspace, &[0, 4, 16], &["new", "shop"]);
    let runs = Runs::of(&workspace, 4, &["new", "shop"]);
    let said = runs.text("first.stderr");
    assert!(said.contains("/disk/here/shop` was not made"), "{said}");
    let first = runs.place.path().join("first");
    assert_eq!(entries(&first), 0, "nothing is left beside it");
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_workspace_without_space_for_a_repository_is_told_to_be_none() {
    // Enough for the workspace, and not for what git makes.
    let runs = Runs::of(&Workspace::empty(), 40, &["new", "shop"]);
    assert_eq!(runs.code("first"), 0);
    let (said, warned) = (runs.text("first.stdout"), runs.text("first.stderr"));
    assert!(!said.contains("git repository"), "{said}");
    assert!(
        warned.contains("Run `git init` in the workspace"),
        "{warned}"
    );
}
