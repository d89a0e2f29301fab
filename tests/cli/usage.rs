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
{"version":1,"error":{"kind":"invalid","message":"unknown command `frobnicate`","hints":["See `gantline --help`"]}}

"#]]
    );
    let after = workspace.gantline(&["up", "--runtime", "x", "--format=json"]);
    let document: serde_json::Value = serde_json::from_str(&after.stderr).unwrap();
    assert_eq!(document["error"]["kind"], "invalid", "{after}");
}

#[test]
fn a_person_who_asks_wrongly_gets_words() {
    let workspace = Workspace::empty();
    let told = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        format!("{line}: {}", workspace.gantline(&words))
    };
    let lines = [
        "deploly",
        "add environment dev",
        "add resource Orders --type postgres",
    ];
    assert_data_eq!(
        lines.map(told).concat(),
        str![[r#"
deploly: exit code 2
--- stderr
error: unknown command `deploly`
 next: Did you mean `deploy`?
add environment dev: exit code 2
--- stderr
error: `--context <CONTEXT>` and `--namespace <NAMESPACE>` are missing
 next: Write `gantline add environment --context CONTEXT --namespace NAMESPACE NAME`
add resource Orders --type postgres: exit code 2
--- stderr
error: `Orders` is no value of `<NAME>`
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
 next: Did you mean `orders`?

"#]]
    );
}
