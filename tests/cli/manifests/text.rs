//! Manifests whose text is no YAML, is too much of it, or comes from another system.

use super::*;

#[test]
fn text_that_is_no_yaml_is_refused_in_words() {
    let cases: [(&str, &[u8]); 7] = [
        ("tab", b"name: shop\nresources:\n\tdb: nats\n"),
        ("no utf-8", b"name: caf\xe9\n"),
        ("utf-16", b"\xff\xfen\0a\0"),
        ("empty", b"# nothing yet\n"),
        ("anchor", b"name: &shop shop\nmodule: *shop\n"),
        ("two documents", b"name: shop\n---\nname: shop\n"),
        ("unclosed", b"name: [shop\n"),
    ];
    let mut said = String::new();
    for (case, content) in cases {
        let workspace = Workspace::empty().file("gantline.yaml", content);
        said += &format!("== {case}: {}", read(&workspace));
    }
    assert_data_eq!(
        said,
        str![[r#"
== tab: exit code 2
--- stderr
error: a line is indented with a tab
 --> gantline.yaml:3:1
  |
3 |  db: nats
  | ^
 next: Indent with spaces; YAML allows no tabs there
== no utf-8: exit code 2
--- stderr
error: gantline.yaml is no UTF-8 text
 --> gantline.yaml:1:10
  |
1 | name: caf
  |          ^
 next: Save it as UTF-8
== utf-16: exit code 2
--- stderr
error: gantline.yaml is written in UTF-16
 next: Save it as UTF-8
== empty: exit code 2
--- stderr
error: gantline.yaml is empty
 --> gantline.yaml:1:1
  |
1 | # nothing yet
  | ^
 next: Write what it describes; `gantline schema` prints what may stand in it
== anchor: exit code 2
--- stderr
error: anchors (`&name`) are not used in this file
 --> gantline.yaml:1:7
  |
1 | name: &shop shop
  |       ^^^^^^^^^^
 next: Remove the anchor, and write the value out where it is repeated

error: aliases (`*name`) are not used in this file
 --> gantline.yaml:2:9
  |
2 | module: *shop
  |         ^^^^^
 next: Write the value out

error: gantline.yaml has 2 problems
== two documents: exit code 2
--- stderr
error: this file holds a second document
 --> gantline.yaml:2:1
  |
2 | ---
  | ^^^
 next: Keep one document, and remove the line `---`
== unclosed: exit code 2
--- stderr
error: this is no YAML: while parsing a flow sequence, expected ',' or ']'
 --> gantline.yaml:2:1
  |
2 |
  | ^

"#]]
    );
}

#[test]
fn large_and_deep_files_end_with_an_error() {
    let deep = format!("name: {}", "[".repeat(100_000));
    let cases = [
        vec![b'a'; 10 * 1024 * 1024],
        deep.into_bytes(),
        b"a: \n  ".repeat(1000),
    ];
    for content in cases {
        let workspace = Workspace::empty().file("gantline.yaml", content);
        let run = workspace.gantline(&["generate", "--dry-run"]).fails(2);
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
}

#[test]
fn a_byte_order_mark_and_crlf_are_accepted() {
    let text = Workspace::shop()
        .read("gantline.yaml")
        .replace('\n', "\r\n");
    let workspace = Workspace::empty().file("gantline.yaml", format!("\u{feff}{text}"));
    workspace.gantline(&["generate", "--dry-run"]).succeeds();
}
