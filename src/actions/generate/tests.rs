mod base;
mod former;
mod properties;

use super::*;
use crate::engine::files::MemoryTree;
use crate::model::file_set::MergeKind;
use crate::model::plan::Outcome;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// A file that a blueprint makes.
pub(super) fn rendered(name: &str, content: impl Into<Vec<u8>>) -> (TreePath, RenderedFile) {
    let file = RenderedFile {
        bytes: content.into(),
        executable: false,
        merge: MergeKind::Text,
    };
    (path(name), file)
}

/// What a service generates.
pub(super) fn group(name: &str, files: &BTreeMap<TreePath, RenderedFile>) -> Group {
    Group {
        name: name.to_owned(),
        directory: Some(path(&format!("services/{name}"))),
        files: files.clone(),
    }
}

/// A workspace in memory that generates one service.
#[derive(Default)]
struct Workspace {
    tree: MemoryTree,
    files: BTreeMap<TreePath, RenderedFile>,
}

impl Workspace {
    /// A workspace in which `name` was generated as `content`.
    fn generated(name: &str, content: &str) -> Self {
        let mut workspace = Self::default();
        workspace.blueprint(name, content);
        workspace.generate();
        workspace
    }

    /// The blueprint makes this from now on.
    fn blueprint(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        let (path, file) = rendered(name, content);
        self.files.insert(path, file);
    }

    /// The blueprint makes this from now on, once.
    fn blueprint_once(&mut self, name: &str, content: &str) {
        let (path, file) = rendered(name, content);
        let merge = MergeKind::Once;
        self.files.insert(path, RenderedFile { merge, ..file });
    }

    fn blueprint_drops(&mut self, name: &str) {
        self.files.remove(&path(name));
    }

    fn edit(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.tree.put(path(name), FileContent::plain(content));
    }

    fn delete(&mut self, name: &str) {
        self.tree.files.remove(&path(name));
    }

    fn text(&self, name: &str) -> Option<String> {
        let file = self.tree.files.get(&path(name))?;
        Some(String::from_utf8_lossy(&file.bytes).into_owned())
    }

    fn plan(&self) -> FilePlan {
        self.plan_restoring(&[])
    }

    fn plan_restoring(&self, restored: &[TreePath]) -> FilePlan {
        let extent = Extent {
            restored,
            ..Extent::default()
        };
        plan_groups(vec![group("orders", &self.files)], &extent, &self.tree).unwrap()
    }

    /// Generates; gives what happened to each path.
    fn generate(&mut self) -> BTreeMap<String, Outcome> {
        let plan = self.plan();
        self.tree.apply(&plan);
        let again = self.plan();
        assert!(
            again.is_clean(),
            "generating twice changes something: {again:?}"
        );
        assert!(
            again.records.is_empty(),
            "the base changes twice: {again:?}"
        );
        let outcome = |change: &FileChange| (change.path.to_string(), change.outcome.clone());
        plan.changes.iter().map(outcome).collect()
    }

    /// Generates; gives what happened to the only path, if anything is said.
    fn outcome(&mut self) -> Option<Outcome> {
        let mut outcomes = self.generate();
        assert!(outcomes.len() < 2, "{outcomes:?}");
        outcomes.pop_first().map(|(_, outcome)| outcome)
    }

    fn objects(&self) -> usize {
        let is_object = |path: &&TreePath| path.as_str().starts_with(".gantline/base/objects/");
        self.tree.files.keys().filter(is_object).count()
    }
}

const FILE: &str = "services/orders/main.go";

#[test]
fn a_new_file_is_created() {
    let mut workspace = Workspace::default();
    workspace.blueprint(FILE, "one\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Created));
    assert_eq!(workspace.text(FILE).as_deref(), Some("one\n"));
    assert_eq!(workspace.outcome(), Some(Outcome::Unchanged));
}

#[test]
fn a_file_that_only_the_blueprint_changed_is_updated() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.blueprint(FILE, "two\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Updated));
    assert_eq!(workspace.text(FILE).as_deref(), Some("two\n"));
}

#[test]
fn a_file_that_only_the_user_edited_is_kept() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.edit(FILE, "mine\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Kept));
    assert_eq!(workspace.text(FILE).as_deref(), Some("mine\n"));
}

#[test]
fn a_file_that_both_changed_in_different_places_is_merged() {
    let mut workspace = Workspace::generated(FILE, "one\ntwo\nthree\n");
    workspace.edit(FILE, "one\ntwo\nthree\nmine\n");
    workspace.blueprint(FILE, "ours\ntwo\nthree\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Merged));
    assert_eq!(
        workspace.text(FILE).as_deref(),
        Some("ours\ntwo\nthree\nmine\n")
    );
    assert_eq!(workspace.outcome(), Some(Outcome::Kept));
}

#[test]
fn lines_that_both_changed_are_marked_and_the_file_waits_until_the_marks_are_gone() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.edit(FILE, "mine\n");
    workspace.blueprint(FILE, "ours\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Conflict { places: 1 }));
    let marked = workspace.text(FILE).unwrap();
    assert!(marked.starts_with("<<<<<<< yours\nmine\n"), "{marked}");

    workspace.blueprint(FILE, "newer\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Unresolved));
    assert_eq!(workspace.text(FILE), Some(marked));

    workspace.edit(FILE, "mine and ours\n");
    assert_eq!(
        workspace.outcome(),
        Some(Outcome::Conflict { places: 1 }),
        "the base is now what was generated when the conflict was marked"
    );
}

#[test]
fn a_file_that_the_user_deleted_stays_deleted_which_is_said_once() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.delete(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::StaysDeleted));
    assert_eq!(workspace.outcome(), None);
    workspace.blueprint(FILE, "two\n");
    assert_eq!(workspace.outcome(), None);
    assert_eq!(workspace.text(FILE), None);
}

#[test]
fn a_deleted_file_that_the_user_brings_back_is_generated_again() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.delete(FILE);
    workspace.generate();
    workspace.edit(FILE, "one\n");
    workspace.blueprint(FILE, "two\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Updated));
}

#[test]
fn an_unchanged_file_that_nobody_generates_any_more_is_deleted() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.blueprint_drops(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::Deleted));
    assert_eq!(workspace.tree, MemoryTree::default());
}

#[test]
fn an_edited_file_that_nobody_generates_any_more_is_the_users_from_now_on() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.edit(FILE, "mine\n");
    workspace.blueprint_drops(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::Released));
    assert_eq!(workspace.text(FILE).as_deref(), Some("mine\n"));
    assert_eq!(workspace.outcome(), None);
}

#[test]
fn a_file_of_the_users_at_a_new_path_is_a_conflict_and_not_overwritten() {
    let mut workspace = Workspace::default();
    workspace.edit(FILE, "mine\n");
    workspace.blueprint(FILE, "ours\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Occupied));
    assert_eq!(workspace.outcome(), Some(Outcome::Occupied));
    assert_eq!(workspace.text(FILE).as_deref(), Some("mine\n"));
    workspace.delete(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::Created));
}

#[test]
fn a_file_of_the_users_that_is_as_generated_is_adopted() {
    let mut workspace = Workspace::default();
    workspace.edit(FILE, "one\n");
    workspace.blueprint(FILE, "one\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Unchanged));
    workspace.blueprint(FILE, "two\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Updated));
}

#[test]
fn a_folder_of_the_users_at_a_new_path_is_a_conflict() {
    let mut workspace = Workspace::default();
    workspace.edit(&format!("{FILE}/mine"), "mine\n");
    workspace.blueprint(FILE, "ours\n");
    let outcomes = workspace.generate();
    assert_eq!(outcomes[FILE], Outcome::Occupied);
}

#[test]
fn a_binary_file_that_both_changed_is_not_overwritten() {
    let mut workspace = Workspace::default();
    workspace.blueprint(FILE, *b"\0one");
    workspace.generate();
    workspace.edit(FILE, *b"\0mine");
    workspace.blueprint(FILE, *b"\0ours");
    assert_eq!(workspace.outcome(), Some(Outcome::Occupied));
    assert_eq!(workspace.text(FILE).as_deref(), Some("\0mine"));
    workspace.delete(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::Created));
}

#[test]
fn line_ends_that_git_changed_are_no_edit_and_stay() {
    let mut workspace = Workspace::generated(FILE, "one\ntwo\n");
    workspace.edit(FILE, "one\r\ntwo\r\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Unchanged));
    workspace.blueprint(FILE, "one\nthree\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Updated));
    assert_eq!(workspace.text(FILE).as_deref(), Some("one\r\nthree\r\n"));
}

#[test]
fn a_file_that_is_written_once_is_never_updated_merged_or_deleted() {
    let mut workspace = Workspace::default();
    workspace.blueprint_once(FILE, "create\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Created));
    workspace.blueprint_once(FILE, "create if\n");
    assert_eq!(workspace.outcome(), Some(Outcome::WrittenOnce));
    workspace.edit(FILE, "mine\n");
    assert_eq!(workspace.outcome(), Some(Outcome::WrittenOnce));
    workspace.blueprint_once(FILE, "create\n");
    assert_eq!(workspace.outcome(), Some(Outcome::Kept));
    workspace.blueprint_drops(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::WrittenOnce));
    assert_eq!(workspace.text(FILE).as_deref(), Some("mine\n"));
    assert_eq!(workspace.outcome(), None);
}

#[test]
fn a_file_that_a_later_version_writes_once_is_left_as_it_is_from_then_on() {
    let mut workspace = Workspace::generated(FILE, "create\n");
    workspace.blueprint_once(FILE, "create if\n");
    assert_eq!(workspace.outcome(), Some(Outcome::WrittenOnce));
    workspace.blueprint_drops(FILE);
    assert_eq!(workspace.outcome(), Some(Outcome::WrittenOnce));
    assert_eq!(workspace.text(FILE).as_deref(), Some("create\n"));
}

#[test]
fn a_deleted_file_comes_back_when_it_or_its_folder_is_asked_for() {
    for wanted in [FILE, "services/orders"] {
        let mut workspace = Workspace::generated(FILE, "one\n");
        workspace.delete(FILE);
        workspace.generate();
        workspace.blueprint(FILE, "two\n");
        let plan = workspace.plan_restoring(&[path(wanted)]);
        assert_eq!(plan.changes[0].outcome, Outcome::Created);
        workspace.tree.apply(&plan);
        assert_eq!(workspace.text(FILE).as_deref(), Some("two\n"));
        workspace.blueprint(FILE, "three\n");
        assert_eq!(workspace.outcome(), Some(Outcome::Updated));
    }
}

#[test]
fn asking_for_a_file_that_is_there_changes_nothing_about_it() {
    let mut workspace = Workspace::generated(FILE, "one\n");
    workspace.edit(FILE, "mine\n");
    let plan = workspace.plan_restoring(&[path(FILE)]);
    assert_eq!(plan.changes[0].outcome, Outcome::Kept);
}

#[test]
fn a_blueprint_may_not_write_where_git_or_gantline_act_on_it() {
    for name in [
        "x/.git/hooks/post-merge",
        "x/.GIT/config",
        "x/.gantline/lock.yaml",
    ] {
        let files = BTreeMap::from([(path(name), RenderedFile::default())]);
        assert!(refuse_forbidden(&[group("x", &files)]).is_err(), "{name}");
    }
    let twins = BTreeMap::from([
        (path("x/README.md"), RenderedFile::default()),
        (path("x/readme.md"), RenderedFile::default()),
    ]);
    assert!(refuse_forbidden(&[group("x", &twins)]).is_err());
}
