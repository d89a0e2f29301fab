//! What becomes of the base.

use super::*;

#[test]
fn without_its_base_object_an_edited_file_is_the_users_which_is_said_once() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace
        .tree
        .files
        .retain(|path, _| !path.as_str().contains("/objects/"));
    workspace.edit(FILE, "mine\n");
    workspace.blueprint(FILE, "ours\n");
    assert_eq!(workspace.outcome(), Some(Outcome::BaseMissing));
    assert_eq!(workspace.outcome(), None);
    workspace.blueprint(FILE, "newer\n");
    assert_eq!(workspace.outcome(), None);
    assert_eq!(workspace.text(FILE).as_deref(), Some("mine\n"));
}

#[test]
fn a_corrupt_base_object_counts_as_missing() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    for (path, file) in &mut workspace.tree.files {
        if path.as_str().contains("/objects/") {
            file.bytes = b"garbage".to_vec();
        }
    }
    workspace.edit(FILE, "mine\n");
    workspace.blueprint(FILE, "ours\n");
    assert_eq!(workspace.outcome(), Some(Outcome::BaseMissing));
}

#[test]
fn a_missing_base_object_is_made_again_while_its_content_is_known() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace
        .tree
        .files
        .retain(|path, _| !path.as_str().contains("/objects/"));
    assert_eq!(workspace.outcome(), Some(Outcome::Unchanged));
    assert_eq!(workspace.objects(), 1);
}

#[test]
fn after_git_merged_two_indexes_either_base_serves() {
    let mut workspace = Workspace::generated(FILE, "one\ntwo\nthree\nfour\nfive\n");
    let index = path(".gantline/base/index/orders");
    let mut other = Workspace::generated(FILE, "ONE\ntwo\nthree\nfour\nfive\n");
    let lines = other.tree.files.remove(&index).unwrap().bytes;
    workspace.tree.files.append(&mut other.tree.files);
    workspace
        .tree
        .files
        .get_mut(&index)
        .unwrap()
        .bytes
        .extend(lines);
    workspace.edit(FILE, "ONE\ntwo\nthree\nfour\nmine\n");
    workspace.blueprint(FILE, "ONE\nTWO\nthree\nfour\nfive\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Merged));
    assert_eq!(
        workspace.text(FILE).as_deref(),
        Some("ONE\nTWO\nthree\nfour\nmine\n")
    );
    assert_eq!(workspace.objects(), 1);
}

#[test]
fn objects_that_no_index_names_go_and_shared_ones_stay() {
    let mut workspace = Workspace::generated("services/orders/a", "same\n");
    workspace.blueprint("services/orders/b", "same\n");
    workspace.generate();
    assert_eq!(workspace.objects(), 1);
    workspace.blueprint("services/orders/a", "other\n");
    workspace.generate();
    assert_eq!(workspace.objects(), 2);
    workspace.blueprint("services/orders/b", "other\n");
    workspace.generate();
    assert_eq!(workspace.objects(), 1);
}
