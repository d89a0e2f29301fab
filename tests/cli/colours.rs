//! Colours at a terminal: there unless somebody says that they are not to be.

use super::terminal::Terminal;
use super::workspace::Workspace;

/// Variables, and flags.
type Refusal = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

/// Each way to refuse colours: in the environment, or by a flag.
const REFUSALS: [Refusal; 3] = [
    (&[("NO_COLOR", "1")], &[]),
    (&[("TERM", "dumb")], &[]),
    (&[], &["--color", "never"]),
];

/// What is read rather than answered, and its exit code.
const COMMANDS: [(&[&str], i32); 5] = [
    (&["status"], 0),
    (&["generate", "--check", "--diff"], 3),
    (&["up", "ordres"], 2),
    (&["generate", "--frobnicate"], 2),
    (&["generate", "--help"], 0),
];

/// The colours in what a terminal was told: Select Graphic Rendition (ECMA-48, 8.3.117).
fn colours(written: &str) -> Vec<&str> {
    let sequences = written.split("\u{1b}[").skip(1);
    let colours = sequences.filter_map(|rest| {
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == ';'))?;
        rest[end..].starts_with('m').then(|| &rest[..end])
    });
    colours.collect()
}

#[test]
fn what_is_read_has_colours_unless_they_are_refused() {
    let shop = Workspace::shop_with_orders();
    for (arguments, code) in COMMANDS {
        let usual = Terminal::start(&shop, &[], arguments).ends();
        assert_eq!(usual.code, code, "{arguments:?}: {}", usual.written);
        assert!(!colours(&usual.written).is_empty(), "{arguments:?}");
        for (environment, flags) in REFUSALS {
            let arguments = [arguments, flags].concat();
            let ended = Terminal::start(&shop, environment, &arguments).ends();
            let written = &ended.written;
            assert_eq!(ended.code, code, "{environment:?} {arguments:?}: {written}");
            let found = colours(written);
            assert!(found.is_empty(), "{environment:?} {arguments:?}: {found:?}");
        }
    }
}

/// Asks for a type, and looks for it by two letters, which are marked in what is found.
fn searched(environment: &[(&str, &str)], flags: &[&str]) -> String {
    let shop = Workspace::shop();
    let add = ["add", "resource", "cache"];
    let mut terminal = Terminal::start(&shop, environment, &[&add[..], flags].concat());
    terminal.sees("Type");
    terminal.sees("nats");
    terminal.types("na");
    // Drawn again, with what was typed.
    terminal.sees("nats");
    terminal.interrupts().written
}

#[test]
fn questions_have_colours_unless_they_are_refused() {
    assert!(!colours(&searched(&[], &[])).is_empty());
    for (environment, flags) in REFUSALS {
        let written = searched(environment, flags);
        assert_eq!(
            colours(&written),
            [""; 0],
            "{environment:?} {flags:?}: {written:?}"
        );
    }
}

#[test]
fn a_terminal_that_cannot_draw_is_told_of_warnings_all_the_same() {
    let shop = Workspace::shop_with_orders();
    let environments: [&[(&str, &str)]; 2] = [&[], &[("TERM", "dumb")]];
    for environment in environments {
        let print = ["env", "orders", "--runtime", "process"];
        let ended = Terminal::start(&shop, environment, &print).ends();
        let shown = ended.shown();
        assert_eq!(ended.code, 0, "{environment:?}: {shown}");
        let warning = "warning: nats-2-12 does not run";
        assert!(shown.contains(warning), "{environment:?}: {shown}");
    }
}
