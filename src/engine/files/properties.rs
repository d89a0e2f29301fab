//! Nothing that stands in gantline's own files makes it panic or leave the workspace.

use proptest::prelude::*;

use super::{BaseIndex, recover};

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
    let whole = prop::collection::vec(step, 0..4).prop_map(|steps| {
        format!(
            "{{\"version\":1,\"steps\":[{}],\"folders\":[]}}",
            steps.join(",")
        )
    });
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..20)
        .prop_map(|pieces| pieces.concat());
    prop_oneof![whole, pieces]
}

proptest! {
    #[test]
    fn no_journal_makes_a_recovery_panic_or_leave_the_workspace(text in journals()) {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("work"), folder.path().join("outside"));
        let run = root.join(".gantline/run");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(&outside, "mine").unwrap();
        std::fs::write(run.join("journal.json"), text).unwrap();
        let _ = recover(&root);
        prop_assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
    }

    #[test]
    fn no_text_makes_the_reader_of_the_base_panic(text in "([a-c/. ]|deleted:|released:|x:|<<<<<<< |\\n|\u{e9}){0,40}") {
        if let Ok(index) = BaseIndex::parse(&text) {
            prop_assert_eq!(BaseIndex::parse(&index.to_text()).unwrap(), index);
        }
    }
}
