//! A shop as an earlier version made it and a team committed it. A newer version changes nothing in
//! it until it is told to.
//!
//! `kept/` grows by an archive with each version that generates something else: a folder without
//! `.git` and `.gantline/run`, packed by tar and zstd.

use std::fs;
use std::path::Path;

use super::workspace::Workspace;

/// A workspace for each archive, with its name.
fn kept() -> Vec<(String, Workspace)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/kept");
    let archives = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let workspaces: Vec<_> = archives
        .map(|archive| {
            let name = archive.file_name().unwrap().to_string_lossy().into_owned();
            let workspace = Workspace::empty();
            let packed = fs::File::open(archive).unwrap();
            let mut unpacked = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
            unpacked.unpack(workspace.path(".")).unwrap();
            (name, workspace)
        })
        .collect();
    assert!(!workspaces.is_empty(), "no workspace is kept");
    workspaces
}

#[test]
fn a_workspace_of_an_earlier_version_is_up_to_date_and_stays_as_it_is() {
    for (name, workspace) in kept() {
        let before = workspace.tree();
        for command in [&["generate", "--check"][..], &["generate"]] {
            let run = workspace.gantline(command).succeeds();
            assert!(run.stdout.starts_with("No file "), "{name}: {run}");
        }
        assert!(workspace.tree() == before, "{name} was changed");
    }
}

#[test]
fn pacts_of_an_earlier_version_are_read_as_they_were() {
    for (name, workspace) in kept() {
        let run = workspace.gantline(&["contract", "check"]).succeeds();
        assert!(run.stdout.contains("5 fit"), "{name}: {run}");
    }
}

#[test]
fn what_is_added_to_a_workspace_of_an_earlier_version_is_of_its_pinned_blueprint() {
    for (name, workspace) in kept() {
        let before = workspace.tree();
        let lines = "add service ledger --blueprint go-worker --with entity=entry --consumes order-placed=orders --yes";
        let added: Vec<&str> = lines.split(' ').collect();
        workspace.gantline(&added).succeeds();
        workspace.gantline(&["generate", "--check"]).succeeds();
        let after = workspace.tree();
        for (path, bytes) in &before {
            let records = path.starts_with(".gantline/") && !path.ends_with(".zst");
            if !records && path != "gantline.yaml" {
                assert!(after.get(path) == Some(bytes), "{name}: {path} was changed");
            }
        }
        let archives = |tree: &std::collections::BTreeMap<String, Vec<u8>>| {
            let paths = tree.keys().filter(|path| path.ends_with(".tar.zst"));
            paths.cloned().collect::<Vec<_>>()
        };
        assert_eq!(archives(&after), archives(&before), "{name}");
    }
}
