//! A terminal of 40 columns, as beside an editor: what runs takes one line, what there is to read is
//! whole, and answers do what they do elsewhere.

use console::measure_text_width;

use super::published::script;
use super::terminal::{Ended, Terminal, USUAL_WIDTH};
use super::workspace::Workspace;

const COLUMNS: u16 = 40;

/// Runs the binary to its end at a narrow terminal.
fn run(workspace: &Workspace, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
    Terminal::of_width(COLUMNS, workspace, environment, arguments).ends()
}

/// No line is wider than the terminal.
#[track_caller]
fn assert_fits<'a>(lines: impl IntoIterator<Item = &'a str>) {
    let mut seen = 0;
    for line in lines {
        seen += 1;
        let width = measure_text_width(line);
        assert!(width <= usize::from(COLUMNS), "{width} columns: {line}");
    }
    assert!(seen > 0, "nothing was shown");
}

#[test]
fn questions_are_answered_as_at_a_wide_terminal() {
    let [narrow, wide] = [COLUMNS, USUAL_WIDTH].map(|columns| {
        let text =
            "version: 1\nname: shop\nmodule: github.com/acme/shop\nregistry: ghcr.io/acme/shop\n";
        let workspace = Workspace::empty().file("gantline.yaml", text);
        let mut terminal = Terminal::of_width(columns, &workspace, &[], &["add", "service"]);
        terminal.answers_for_orders();
        let ended = terminal.ends();
        assert_eq!(ended.code, 0, "{columns}: {}", ended.written);
        workspace
    });
    assert!(narrow.path("services/orders/service.yaml").exists());
    assert!(narrow.tree() == wide.tree());
}

#[test]
fn what_is_generated_is_listed_with_whole_paths() {
    let (narrow, wide) = (Workspace::shop_with_orders(), Workspace::shop_with_orders());
    let listed = wide.gantline(&["generate"]).succeeds().stdout;
    let ended = run(&narrow, &[], &["generate"]);
    assert_eq!(ended.code, 0, "{}", ended.written);
    let shown = ended.shown();
    for line in listed.lines() {
        assert!(shown.contains(line), "no {line:?} in {shown}");
    }
    assert!(narrow.tree() == wide.tree());
}

#[test]
fn the_table_of_a_stack_that_never_ran_fits() {
    let shop = Workspace::shop_with_orders();
    let elsewhere = shop.gantline(&["status"]).succeeds().stdout;
    let ended = run(&shop, &[], &["status"]);
    assert_eq!(ended.code, 0, "{}", ended.written);
    let shown = ended.shown();
    let rows: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert_fits(rows.iter().copied());
    assert_eq!(rows, elsewhere.lines().collect::<Vec<_>>());
}

#[test]
fn a_table_that_does_not_fit_has_its_cells_below_one_another() {
    let workspace = Workspace::empty();
    let ended = run(&workspace, &[], &["schema"]);
    assert_eq!(ended.code, 0, "{}", ended.written);
    let shown = ended.shown();
    let mut rows = shown.lines().map(str::trim_end);
    assert_eq!(rows.next(), Some("workspace"), "{shown}");
    assert_eq!(rows.next(), Some("  gantline.yaml"), "{shown}");
}

#[test]
fn help_is_wrapped() {
    let workspace = Workspace::empty();
    for command in [&["--help"][..], &["generate", "--help"], &["up", "-h"]] {
        let ended = run(&workspace, &[], command);
        assert_eq!(ended.code, 0, "{}", ended.written);
        // How a command is called stands on one line.
        let shown = ended.shown();
        assert_fits(shown.lines().filter(|line| !line.starts_with("Usage:")));
    }
}

/// A `go` that takes as long as it needs for a step to be drawn, and compiles nothing.
const GO: &str = "#!/bin/sh\nsleep 1\necho cannot compile this >&2\nexit 1\n";
/// The longest name that there is.
const NAME: &str = "a-name-that-is-as-long-as-any-name-may-b";

/// What stands on the line of a step that runs, each time that it is drawn.
fn drawn(written: &str) -> Vec<String> {
    const TICKS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
    let lines = written.split(TICKS).skip(1);
    let until_moved = lines.map(|rest| rest.split(char::is_control).next().unwrap_or_default());
    until_moved.map(|line| format!("⠋{line}")).collect()
}

#[test]
fn a_step_that_runs_takes_one_line_and_its_end_is_told_whole() {
    let pact = format!(
        r#"{{
  "consumer": {{"name": "orders"}},
  "provider": {{"name": "{NAME}"}},
  "interactions": [{{
    "type": "Synchronous/HTTP", "description": "an invoice",
    "request": {{"method": "GET", "path": "/invoices/1"}}, "response": {{"status": 200}}
  }}],
  "metadata": {{"pactSpecification": {{"version": "4.0"}}}}
}}"#
    );
    let manifest = format!("name: {NAME}\nblueprint: go-service\noptions: {{entity: invoice}}\n");
    let shop = Workspace::shop_with_orders()
        .file(&format!("services/{NAME}/service.yaml"), manifest)
        .file(
            &format!("services/{NAME}/internal/contracttest/provider_test.go"),
            "package contracttest_test\n",
        )
        .file(
            &format!("services/orders/contracts/orders--{NAME}.json"),
            pact,
        )
        .file("programs/go", "");
    script(&shop.path("programs/go"), GO);
    let programs = shop.path("programs").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let ended = run(&shop, &[("PATH", &path)], &["contract", "verify"]);
    assert_eq!(ended.code, 1, "{}", ended.written);
    let lines = drawn(&ended.written);
    assert_fits(lines.iter().map(String::as_str));
    let told = format!("{NAME}: 0 of 1 interactions hold");
    assert!(ended.shown().contains(&told), "{}", ended.written);
}
