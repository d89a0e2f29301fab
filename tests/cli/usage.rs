//! A command line that cannot be parsed.

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

#[test]
fn a_program_that_asks_wrongly_gets_its_answer_as_a_document() {
    let workspace = Workspace::empty();
    let run = workspace.gantline(&["--format", "json", "frobnicate"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
{"version":1,"error":{"kind":"invalid","message":"unrecognized subcommand 'frobnicate'","hints":["See `gantline --help`"]}}

"#]]
    );
    let after = workspace.gantline(&["up", "--runtime", "x", "--format=json"]);
    let document: serde_json::Value = serde_json::from_str(&after.stderr).unwrap();
    assert_eq!(document["error"]["kind"], "invalid", "{after}");
}

#[test]
fn a_person_who_asks_wrongly_gets_words() {
    let run = Workspace::empty().gantline(&["frobnicate"]);
    assert!(
        run.stderr.starts_with("error: unrecognized subcommand"),
        "{run}"
    );
}
