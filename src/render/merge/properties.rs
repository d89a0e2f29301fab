//! Properties that hold for any three versions; git is the judge of merges by lines.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// A merge by git: the text, and whether it is clean.
fn git_merge(folder: &Path, base: &str, yours: &str, generated: &str) -> (String, bool) {
    for (name, text) in [("base", base), ("yours", yours), ("generated", generated)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let output = Command::new("git")
        .args(["merge-file", "-p", "--diff3", "yours", "base", "generated"])
        .current_dir(folder)
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.success(),
    )
}

/// One change of a list of lines.
#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, String),
    Remove(usize),
    Replace(usize, String),
}

fn edits(side: &'static str) -> impl Strategy<Value = Vec<Edit>> {
    let line = move || (0..50u8).prop_map(move |number| format!("{side} {number}"));
    let edit = prop_oneof![
        (0..30usize, line()).prop_map(|(at, line)| Edit::Insert(at, line)),
        (0..30usize).prop_map(Edit::Remove),
        (0..30usize, line()).prop_map(|(at, line)| Edit::Replace(at, line)),
    ];
    proptest::collection::vec(edit, 0..6)
}

fn edited(lines: &[String], edits: &[Edit]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for edit in edits {
        let count = lines.len();
        match edit {
            Edit::Insert(at, line) => lines.insert(at % (count + 1), line.clone()),
            Edit::Remove(at) if count > 0 => drop(lines.remove(at % count)),
            Edit::Replace(at, line) if count > 0 => lines[at % count].clone_from(line),
            Edit::Remove(_) | Edit::Replace(..) => {}
        }
    }
    lines
}

fn text_of(lines: &[String], ends_with_a_break: bool) -> String {
    let mut text = lines.join("\n");
    if ends_with_a_break && !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Base, yours and generated: edits of one text with some repeated lines.
fn triples() -> impl Strategy<Value = (String, String, String)> {
    let line = (0..12u8).prop_map(|number| format!("line {number}"));
    let lines = proptest::collection::vec(line, 0..30);
    let breaks = proptest::array::uniform3(proptest::bool::weighted(0.9));
    (lines, edits("yours"), edits("generated"), breaks).prop_map(
        |(lines, yours, generated, breaks)| {
            (
                text_of(&lines, breaks[0]),
                text_of(&edited(&lines, &yours), breaks[1]),
                text_of(&edited(&lines, &generated), breaks[2]),
            )
        },
    )
}

fn merged(kind: MergeKind, (base, yours, generated): &(String, String, String)) -> Merged {
    merge(
        kind,
        Versions {
            base: base.as_bytes(),
            yours: yours.as_bytes(),
            generated: generated.as_bytes(),
        },
    )
}

fn text(merged: &Merged) -> &str {
    match merged {
        Merged::Clean(bytes) | Merged::Conflict { bytes, .. } => {
            std::str::from_utf8(bytes).unwrap()
        }
        Merged::Unmergeable => panic!("a text is never unmergeable"),
    }
}

/// Git is the judge only where both merge cleanly. Were there hardly such triples, the property
/// about them would hold whatever a merge does.
#[test]
fn of_the_triples_enough_are_merged_cleanly_by_git_and_by_us() {
    const TRIPLES: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let triples = triples();
    let mut runner = TestRunner::deterministic();
    let mut clean = 0;
    for _ in 0..TRIPLES {
        let triple = triples.new_tree(&mut runner).unwrap().current();
        let (base, yours, generated) = &triple;
        // Where one side is as it was, nothing has to be merged.
        if yours == base || generated == base || yours == generated {
            continue;
        }
        let (_, is_clean) = git_merge(folder.path(), base, yours, generated);
        let merged = merged(MergeKind::Text, &triple);
        clean += usize::from(is_clean && matches!(merged, Merged::Clean(_)));
    }
    assert!(clean >= TRIPLES / 10, "{clean} of {TRIPLES}");
}

/// What lines of go.mod, go.sum and YAML are made of, also where they make no sense.
const LINES: [&str; 22] = [
    "module m\n",
    "go 1.26\n",
    "go\n",
    "toolchain go1.26.1\n",
    "require (\n",
    ")\n",
    "\ta v1.0.0\n",
    "\ta v1.1.0 // indirect\n",
    "require b v0.0.0-20200101000000-abcdefabcdef\n",
    "tool x\n",
    "replace a => ../b\n",
    "a v1.0.0 h1:x=\n",
    "a v1.0.0/go.mod h1:y=\n",
    "k: v\n",
    "k:\n",
    "  - a\n",
    "  k: [1\n",
    "# c\n",
    "\r\n",
    "\n",
    "<<<<<<< yours\n",
    "no end",
];

fn lines() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(LINES.to_vec()), 0..12)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn no_text_makes_a_merge_panic(
        base in lines(),
        yours in lines(),
        generated in lines(),
        kind in 0..4usize,
    ) {
        let kinds = [MergeKind::Text, MergeKind::Yaml, MergeKind::GoModule, MergeKind::GoChecksums];
        let result = merged(kinds[kind], &(base, yours, generated));
        prop_assert!(!matches!(result, Merged::Unmergeable));
    }

    #[test]
    fn a_clean_merge_is_the_one_that_git_makes(triple in triples()) {
        let folder = tempfile::tempdir().unwrap();
        let (by_git, is_clean) = git_merge(folder.path(), &triple.0, &triple.1, &triple.2);
        if let Merged::Clean(bytes) = merged(MergeKind::Text, &triple) && is_clean {
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), by_git);
        }
    }

    #[test]
    fn no_line_of_the_users_is_ever_lost(triple in triples(), kind in 0..4usize) {
        let kinds = [MergeKind::Text, MergeKind::Yaml, MergeKind::GoModule, MergeKind::GoChecksums];
        let result = merged(kinds[kind], &triple);
        let found: Vec<&str> = text(&result).lines().collect();
        for line in triple.1.lines().filter(|line| !triple.0.lines().any(|old| old == *line)) {
            prop_assert!(found.contains(&line), "{line} is lost:\n{}", text(&result));
        }
        if let Merged::Conflict { bytes, places } = &result {
            prop_assert!(has_conflict_markers(bytes));
            prop_assert_eq!(text(&result).lines().filter(|line| *line == "<<<<<<< yours").count(), *places);
        }
    }

    #[test]
    fn merging_again_changes_nothing(triple in triples()) {
        if let Merged::Clean(bytes) = merged(MergeKind::Text, &triple) {
            let once = String::from_utf8(bytes.clone()).unwrap();
            let again = merged(MergeKind::Text, &(triple.2.clone(), once, triple.2));
            prop_assert_eq!(again, Merged::Clean(bytes));
        }
    }

    #[test]
    fn windows_line_ends_merge_as_unix_ones_do(triple in triples()) {
        let windows = (triple.0.clone(), triple.1.replace('\n', "\r\n"), triple.2.clone());
        prop_assume!(windows.1.contains('\n'));
        let unix = text(&merged(MergeKind::Text, &triple)).to_owned();
        let result = merged(MergeKind::Text, &windows);
        prop_assert_eq!(text(&result).replace("\r\n", "\n"), unix);
    }

    #[test]
    fn yaml_changed_under_different_keys_always_merges(
        base in proptest::collection::btree_map(0..8u8, 0..4u8, 2..8),
        changes in proptest::collection::btree_map(0..16u8, (any::<bool>(), 4..8u8), 0..12),
    ) {
        let side = |wanted: bool| -> BTreeMap<u8, u8> {
            let mut values = base.clone();
            for (key, (is_yours, value)) in &changes {
                if *is_yours == wanted {
                    values.insert(*key, *value);
                }
            }
            values
        };
        let print = |values: &BTreeMap<u8, u8>| -> String {
            let entry = |(key, value): (&u8, &u8)| format!("  # about {key}\n  k{key}:\n    - v{value}\n");
            format!("top:\n{}", values.iter().map(entry).collect::<String>())
        };
        let mut both = side(true);
        both.extend(changes.iter().map(|(key, (_, value))| (*key, *value)));
        let triple = (print(&base), print(&side(true)), print(&side(false)));
        let result = merged(MergeKind::Yaml, &triple);
        prop_assert!(matches!(result, Merged::Clean(_)), "{}", text(&result));
        let found: serde_yaml::Value = serde_yaml::from_str(text(&result)).unwrap();
        let expected: serde_yaml::Value = serde_yaml::from_str(&print(&both)).unwrap();
        prop_assert_eq!(found, expected);
        for key in both.keys() {
            let comment = format!("# about {key}\n");
            prop_assert_eq!(text(&result).matches(&comment).count(), 1, "{}", text(&result));
        }
    }

    #[test]
    fn go_mod_keeps_every_requirement_of_the_users_and_takes_every_bump_of_ours(
        base in proptest::collection::btree_map(0..8u8, 0..3u8, 1..8),
        yours in proptest::collection::btree_map(0..12u8, 0..9u8, 0..6),
        ours in proptest::collection::btree_map(0..12u8, 0..9u8, 0..6),
    ) {
        let with = |changes: &BTreeMap<u8, u8>| -> BTreeMap<u8, u8> {
            let mut all = base.clone();
            all.extend(changes);
            all
        };
        let print = |values: &BTreeMap<u8, u8>| -> String {
            let entry = |(path, version): (&u8, &u8)| format!("\texample.com/m{path:02} v1.{version}.0\n");
            let entries: String = values.iter().map(entry).collect();
            format!("module m\n\ngo 1.26\n\nrequire (\n{entries})\n")
        };
        let triple = (print(&base), print(&with(&yours)), print(&with(&ours)));
        let result = merged(MergeKind::GoModule, &triple);
        prop_assert!(matches!(result, Merged::Clean(_)), "{}", text(&result));
        let mut expected = with(&yours);
        for (path, version) in with(&ours) {
            if base.get(&path) != Some(&version) {
                let mine = expected.get(&path).copied();
                let is_mine = mine != base.get(&path).copied();
                let best = if is_mine { version.max(mine.unwrap_or(0)) } else { version };
                expected.insert(path, best);
            }
        }
        prop_assert_eq!(text(&result), print(&expected));
    }
}
