//! Nothing that stands in gantline's own files makes it panic or leave the workspace.

use proptest::prelude::*;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{BaseIndex, ChangeLock, FileWrite, Transaction, recover};
use crate::model::file_set::TreePath;

const PIECES: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"version\":1",
    "\"version\":2",
    "\"steps\"",
    "\"folders\"",
    "null",
    "\"path\":\"a\"",
    "\"path\":\"../outside\"",
    "\"path\":\"/outside\"",
    "\"before\":null",
    "\"after\":null",
    "\"after\":\"00\"",
    "\"x\"",
    "\u{e9}",
    "\0",
];

fn journals() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec!["a", "../outside", "/outside", "a/../../outside", ""]);
    let hash = prop_oneof![
        Just("null".to_owned()),
        Just(format!("\"{}\"", "ab".repeat(32))),
        Just("\"short\"".to_owned()),
    ];
    let step = (path, hash.clone(), hash).prop_map(|(path, before, after)| {
        format!("{{\"path\":\"{path}\",\"before\":{before},\"after\":{after}}}")
    });
    let folder = prop::sample::select(vec![
        "\"a\"",
        "\"../outside/empty\"",
        "\"/outside\"",
        "\"link/empty\"",
        "\"a/../../outside/empty\"",
    ]);
    let folders = prop::collection::vec(folder, 0..3);
    let whole = (prop::collection::vec(step, 0..4), folders).prop_map(|(steps, folders)| {
        format!(
            "{{\"version\":1,\"steps\":[{}],\"folders\":[{}]}}",
            steps.join(","),
            folders.join(",")
        )
    });
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..20)
        .prop_map(|pieces| pieces.concat());
    prop_oneof![whole, pieces]
}

/// What can be a link in a repository, with what the link leads to in the folder outside.
const LINKS: [(&str, &str); 10] = [
    ("link", ""),
    (".gantline", ""),
    (".gantline/run", ""),
    (".gantline/run/transaction", ""),
    (".gantline/run/transaction/new-0", "file"),
    (".gantline/run/transaction/old-0", "file"),
    (".gantline/run/lock", "file"),
    (".gantline/run/change.lock", "file"),
    (".gantline/run/journal.json", "file"),
    (".gantline/run/journal.unfinished", "file"),
];

/// Everything below a folder; `None` is a folder.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(listing(&entry.path()));
        }
        found.insert(entry.path(), fs::read_to_string(entry.path()).ok());
    }
    found
}

proptest! {
    #[test]
    fn no_journal_or_link_makes_a_command_panic_or_leave_the_workspace(
        text in journals(),
        links in prop::sample::subsequence(LINKS.to_vec(), 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("work"), folder.path().join("outside"));
        fs::create_dir_all(outside.join("empty")).unwrap();
        fs::create_dir_all(&root).unwrap();
        fs::write(outside.join("file"), "mine").unwrap();
        for (place, target) in links {
            let (place, target) = (root.join(place), outside.join(target));
            // One that lies behind another link is in the folder outside already.
            if fs::create_dir_all(place.parent().unwrap()).is_ok() {
                let _ = symlink(target, place);
            }
        }
        let run = root.join(".gantline/run");
        if !fs::symlink_metadata(run.join("journal.json")).is_ok_and(|it| it.is_symlink()) {
            let _ = fs::create_dir_all(&run);
            let _ = fs::write(run.join("journal.json"), text);
        }
        let before = listing(&outside);
        let _ = recover(&root);
        let _ = ChangeLock::acquire(&root);
        let mut transaction = Transaction::new(&root);
        transaction.add(FileWrite::create(TreePath::new("new").unwrap(), *b"x")).unwrap();
        let _ = transaction.commit();
        prop_assert_eq!(listing(&outside), before);
    }

    #[test]
    fn no_text_makes_the_reader_of_the_base_panic(text in "([a-c/. ]|deleted:|released:|x:|<<<<<<< |\\n|\u{e9}){0,40}") {
        if let Ok(index) = BaseIndex::parse(&text) {
            prop_assert_eq!(BaseIndex::parse(&index.to_text()).unwrap(), index);
        }
    }
}
