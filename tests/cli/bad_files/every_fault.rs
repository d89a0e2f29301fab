//! Every fault of a file, as it is read.

use super::*;

#[test]
fn every_fault_of_a_file_reads_well() {
    let mut said = String::new();
    for (content, bytes, _) in contents() {
        let run = run(&shop().file("gantline.yaml", bytes), GENERATE);
        let lines: Vec<&str> = run.stderr.lines().take(14).collect();
        said += &format!("== {content}\n{}\n", lines.join("\n"));
    }
    assert_data_eq!(
        said,
        str![[r##"
== 10 MB
error: gantline.yaml is larger than 1048576 bytes
 next: Check that it is the file you mean: such a file is a few lines long
== one line of a megabyte
error: this is no YAML: recursion limit exceeded
 --> gantline.yaml:1:256
  |
1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
  |                                                                    ^
== binary
error: gantline.yaml is no UTF-8 text
 --> gantline.yaml:2:118
  |
2 | ��������������������� !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[/]^_`abcdefghijklmnopqrstuvwxyz{|}~�
  |                                                                                                                      ^
 next: Save it as UTF-8
== zeros
error: gantline.yaml holds a zero byte
 --> gantline.yaml:1:1
  |
1 |
  | ^
 next: Check that it is a text file
== not UTF-8
error: gantline.yaml is no UTF-8 text
 --> gantline.yaml:1:10
  |
1 | name: caf
  |          ^
 next: Save it as UTF-8
== UTF-16
error: gantline.yaml is written in UTF-16
 next: Save it as UTF-8
== a tab
error: a line is indented with a tab
 --> gantline.yaml:2:1
  |
2 |  x: y
  | ^
 next: Indent with spaces; YAML allows no tabs there
== an anchor
error: anchors (`&name`) are not used in this file
 --> gantline.yaml:1:1
  |
1 | &x name: y
  | ^^^^^^^
 next: Remove the anchor, and write the value out where it is repeated

error: the key `version` is missing
 --> gantline.yaml:1:1
  |
1 | &x name: y
  | ^^^^^^^
 next: Add `version: ...`

== an alias bomb
error: anchors (`&name`) are not used in this file
 --> gantline.yaml:1:5
  |
1 | a0: &a0 lol
  |     ^^^^^^^
 next: Remove the anchor, and write the value out where it is repeated

error: anchors (`&name`) are not used in this file
 --> gantline.yaml:2:5
  |
2 | a1: &a1 [*a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0, ]
  |     ^^^^^
 next: Remove the anchor, and write the value out where it is repeated

== a tag
error: tags (`!name`) are not used in this file
 --> gantline.yaml:1:1
  |
1 | !!python/object name: x
  | ^^^^^^^^^^^^^^^^^^^^
 next: Remove the tag; put a text in quotes to keep it a text

error: the key `version` is missing
 --> gantline.yaml:1:1
  |
1 | !!python/object name: x
  | ^^^^^^^^^^^^^^^^^^^^
 next: Add `version: ...`

== a depth bomb
error: maps and lists are nested more than 32 levels deep
 --> gantline.yaml:1:67
  |
1 | - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -...
  |                                                                   ^
== two documents
error: this file holds a second document
 --> gantline.yaml:2:1
  |
2 | ---
  | ^^^
 next: Keep one document, and remove the line `---`
== nothing
error: gantline.yaml is empty
 --> gantline.yaml:1:1
  |
1 |
  | ^
 next: Write what it describes; `gantline schema` prints what may stand in it
== a list
error: expected a map, found a list
 --> gantline.yaml:1:1
  |
1 | - name
  | ^^^^^^
== an escape
error: unknown key `/u{1b}[2J`
 --> gantline.yaml:1:1
  |
1 | �[2J: 1
  | ^^^^
 next: Known here: `version`, `gantline`, `name`, `module`, `registry`, `services`, `platforms`, `resources`

error: the key `version` is missing
 --> gantline.yaml:1:1
  |
1 | �[2J: 1
  | ^^^^
 next: Add `version: ...`


"##]]
    );
}
