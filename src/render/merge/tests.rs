use super::*;

fn merged(kind: MergeKind, base: &str, yours: &str, generated: &str) -> Merged {
    merge(
        kind,
        Versions {
            base: base.as_bytes(),
            yours: yours.as_bytes(),
            generated: generated.as_bytes(),
        },
    )
}

fn clean(kind: MergeKind, base: &str, yours: &str, generated: &str) -> String {
    match merged(kind, base, yours, generated) {
        Merged::Clean(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("not clean: {other:?}"),
    }
}

fn conflict(kind: MergeKind, base: &str, yours: &str, generated: &str) -> (String, usize) {
    match merged(kind, base, yours, generated) {
        Merged::Conflict { bytes, places } => (String::from_utf8(bytes).unwrap(), places),
        other => panic!("no conflict: {other:?}"),
    }
}

#[test]
fn edits_in_different_places_come_together() {
    let text = clean(
        MergeKind::Text,
        "one\ntwo\nthree\nfour\n",
        "one\ntwo\nthree\nfour\nmine\n",
        "ours\ntwo\nthree\nfour\n",
    );
    assert_eq!(text, "ours\ntwo\nthree\nfour\nmine\n");
}

#[test]
fn edits_of_one_line_are_marked_counted_and_found_again() {
    let (text, places) = conflict(MergeKind::Text, "a\nb\nc\n", "a\nmine\nc\n", "a\nours\nc\n");
    assert_eq!(
        text,
        "a\n<<<<<<< yours\nmine\n||||||| base\nb\n=======\nours\n>>>>>>> generated\nc\n"
    );
    assert_eq!(places, 1);
    assert!(has_conflict_markers(text.as_bytes()));
    assert!(!has_conflict_markers(b"a\n=======\nb\n"));
}

#[test]
fn markers_that_a_file_had_before_are_left_alone() {
    let (text, places) = conflict(
        MergeKind::Text,
        "<<<<<<< ours\nb\n",
        "<<<<<<< ours\nmine\n",
        "<<<<<<< ours\nours\n",
    );
    assert!(
        text.starts_with("<<<<<<< ours\n<<<<<<< yours\nmine\n"),
        "{text}"
    );
    assert_eq!(places, 1);
}

#[test]
fn a_last_line_without_a_break_is_no_obstacle() {
    let (text, _) = conflict(MergeKind::Text, "a", "mine", "ours");
    assert_eq!(
        text,
        "<<<<<<< yours\nmine\n||||||| base\na\n=======\nours\n>>>>>>> generated\n"
    );
}

#[test]
fn a_merge_that_depends_on_how_repeated_lines_are_matched_is_a_conflict() {
    let base = "a\n}\n}\n}\nb\nc\n";
    let yours = "mine\na\n}\n}\nb\nc\n";
    let generated = "a\nours\n}\n}\nb\nc\n";
    let result = merged(MergeKind::Text, base, yours, generated);
    let Merged::Conflict { bytes, .. } = result else {
        panic!("{result:?}");
    };
    assert!(String::from_utf8(bytes).unwrap().ends_with("b\nc\n"));
}

#[test]
fn two_edits_that_take_one_of_equal_lines_each_are_not_taken_for_one() {
    let base = |before: &str| format!("{before}1\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n0\n1\n");
    let (three, two) = (base("0\n0\n0\n"), base("0\n0\n"));
    let (text, places) = conflict(
        MergeKind::Text,
        &format!("{three}2\n2\n2\n2\n"),
        &format!("{three}2\n2\n2\n"),
        &format!("{two}2\ngenerated\n2\n2\n"),
    );
    assert_eq!(places, 1);
    assert!(text.contains("generated\n"), "{text}");
}

#[test]
fn windows_line_ends_of_the_user_stay() {
    let text = clean(
        MergeKind::Text,
        "one\ntwo\nthree\nfour\n",
        "one\r\ntwo\r\nthree\r\nmine\r\n",
        "ours\ntwo\nthree\nfour\n",
    );
    assert_eq!(text, "ours\r\ntwo\r\nthree\r\nmine\r\n");
    assert!(is_same_text(b"a\r\nb\r\n", b"a\nb\n"));
    assert!(!is_same_text(b"a\r\nb\r\n", b"a\nc\n"));
    assert!(!is_same_text(b"\xff\r\n", b"\xff\n"));
}

#[test]
fn a_binary_file_that_both_changed_cannot_be_merged() {
    let versions = Versions {
        base: b"\0one",
        yours: b"\0two",
        generated: b"\0three",
    };
    assert_eq!(merge(MergeKind::Text, versions), Merged::Unmergeable);
}

const GO_MOD: &str = "\
module example.com/shop/services/orders

go 1.26.0

require (
	example.com/a v1.0.0
	example.com/c v1.2.0
)

require example.com/x v0.1.0 // indirect
";

#[test]
fn go_mod_keeps_additions_bumps_and_comments_and_takes_ours() {
    let yours = GO_MOD
        .replace(
            "\texample.com/a v1.0.0\n",
            "\texample.com/a v1.9.0 // pinned, see #12\n",
        )
        .replace(
            "\texample.com/c",
            "\t// mine\n\texample.com/b v0.3.0\n\texample.com/c",
        )
        + "\nreplace example.com/b => ../b\n";
    let generated = GO_MOD
        .replace("a v1.0.0", "a v1.5.0")
        .replace("c v1.2.0", "c v1.3.0\n\texample.com/d v1.0.0")
        .replace("go 1.26.0", "go 1.26.1");
    let text = clean(MergeKind::GoModule, GO_MOD, &yours, &generated);
    let expected = "\
module example.com/shop/services/orders

go 1.26.1

require (
	example.com/a v1.9.0 // pinned, see #12
	// mine
	example.com/b v0.3.0
	example.com/c v1.3.0
	example.com/d v1.0.0
)

require example.com/x v0.1.0 // indirect

replace example.com/b => ../b
";
    assert_eq!(text, expected);
}

#[test]
fn go_mod_makes_an_indirect_requirement_direct() {
    let yours = format!("{GO_MOD}\n// a comment of mine\n");
    let generated = GO_MOD
        .replace("\nrequire example.com/x v0.1.0 // indirect\n", "")
        .replace("c v1.2.0\n", "c v1.2.0\n\texample.com/x v0.2.0\n");
    let text = clean(MergeKind::GoModule, GO_MOD, &yours, &generated);
    assert!(
        text.contains("\texample.com/c v1.2.0\n\texample.com/x v0.2.0\n)"),
        "{text}"
    );
    assert!(!text.contains("indirect"), "{text}");
    assert!(text.contains("// a comment of mine"), "{text}");
}

#[test]
fn go_mod_keeps_out_what_the_user_took_out_and_keeps_what_we_dropped() {
    let yours = GO_MOD.replace("\texample.com/a v1.0.0\n", "");
    let generated = GO_MOD
        .replace("a v1.0.0", "a v1.1.0")
        .replace("\texample.com/c v1.2.0\n", "");
    let text = clean(MergeKind::GoModule, GO_MOD, &yours, &generated);
    assert!(!text.contains("example.com/a"), "{text}");
    assert!(text.contains("example.com/c v1.2.0"), "{text}");
}

#[test]
fn go_mod_gets_a_block_for_the_first_indirect_requirement() {
    let base = "module m\n\ngo 1.26\n\nrequire (\n\texample.com/a v1.0.0\n)\n";
    let yours = base.replace("a v1.0.0", "a v1.1.0");
    let generated = format!("{base}\nrequire (\n\texample.com/i v1.0.0 // indirect\n)\n");
    assert_eq!(
        clean(MergeKind::GoModule, base, &yours, &generated),
        "module m\n\ngo 1.26\n\nrequire (\n\texample.com/a v1.1.0\n)\n\nrequire (\n\texample.com/i v1.0.0 // indirect\n)\n"
    );
}

#[test]
fn go_mod_falls_back_to_lines_where_other_directives_changed() {
    let yours = GO_MOD.replace("a v1.0.0", "a v1.1.0");
    let generated = format!("{GO_MOD}\nexclude example.com/z v1.0.0\n");
    let text = clean(MergeKind::GoModule, GO_MOD, &yours, &generated);
    assert!(text.contains("a v1.1.0") && text.ends_with("exclude example.com/z v1.0.0\n"));
}

#[test]
fn go_sum_is_the_union_in_the_order_of_go() {
    let text = clean(
        MergeKind::GoChecksums,
        "example.com/a v1.0.0 h1:x=\n",
        "example.com/a v1.0.0 h1:x=\nexample.com/a v1.10.0 h1:y=\nexample.com/a v1.10.0/go.mod h1:z=\n",
        "example.com/a v1.9.0/go.mod h1:q=\nexample.com/A v1.0.0 h1:w=\n",
    );
    assert_eq!(
        text,
        "example.com/A v1.0.0 h1:w=\nexample.com/a v1.0.0 h1:x=\nexample.com/a v1.9.0/go.mod h1:q=\nexample.com/a v1.10.0 h1:y=\nexample.com/a v1.10.0/go.mod h1:z=\n"
    );
}

const VALUES: &str = "\
# How many replicas.
replicas: 2
env:
  LOG_LEVEL: info
list:
  - one
  - two
containers:
  - name: orders
    port: 8080
";

#[test]
fn yaml_merges_maps_by_key_and_lists_by_element_with_comments() {
    let yours = VALUES
        .replace("info\n", "debug\n  # mine\n  MINE: \"1\"\n")
        .replace("- two\n", "- two\n  - mine\n")
        .replace("8080\n", "8080\n    mine: true\n");
    let generated = VALUES
        .replace("info\n", "info\n  OURS: \"2\"\n")
        .replace("- two\n", "- two\n  - ours\n")
        .replace(
            "8080\n",
            "8080\n    ours: true\n  - name: proxy\n    port: 1\n",
        );
    let text = clean(MergeKind::Yaml, VALUES, &yours, &generated);
    let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let expected: serde_yaml::Value = serde_yaml::from_str(
        "{replicas: 2, env: {LOG_LEVEL: debug, MINE: '1', OURS: '2'}, list: [one, two, ours, mine], \
         containers: [{name: orders, port: 8080, mine: true, ours: true}, {name: proxy, port: 1}]}",
    )
    .unwrap();
    assert_eq!(value, expected, "{text}");
    assert!(text.contains("  # mine\n  MINE"), "{text}");
    assert!(text.starts_with("# How many replicas.\n"), "{text}");
}

#[test]
fn yaml_marks_one_key_changed_by_both() {
    let yours = VALUES.replace("replicas: 2", "replicas: 3");
    let generated = VALUES.replace("replicas: 2", "replicas: 4");
    let (text, places) = conflict(MergeKind::Yaml, VALUES, &yours, &generated);
    assert_eq!(places, 1);
    assert!(text.contains("<<<<<<< yours\nreplicas: 3\n"), "{text}");
}

#[test]
fn yaml_never_ends_with_one_key_twice() {
    let yours = format!("mine: 1\n{VALUES}");
    let generated = format!("{VALUES}mine: 2\n");
    let (text, places) = conflict(MergeKind::Yaml, VALUES, &yours, &generated);
    assert_eq!(places, 1);
    assert!(has_conflict_markers(text.as_bytes()), "{text}");
    let same = format!("{VALUES}mine: 1\n");
    let text = clean(MergeKind::Yaml, VALUES, &yours, &same);
    assert_eq!(text.matches("mine: 1").count(), 1, "{text}");
}

#[test]
fn yaml_that_is_not_understood_merges_by_lines() {
    let documents = "a: 1\n---\nb: 1\n---\nc: 1\n";
    let text = clean(
        MergeKind::Yaml,
        documents,
        &documents.replace("a: 1", "a: 2"),
        &documents.replace("c: 1", "c: 2"),
    );
    assert_eq!(text, "a: 2\n---\nb: 1\n---\nc: 2\n");
}
