//! Two gantlines in one workspace.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;

use super::scaffold::BILLING;
use super::terminal::Terminal;
use super::workspace::{Run, Workspace};

fn ended(workspace: &Workspace, child: Child) -> Run {
    workspace.ended(&child.wait_with_output().unwrap())
}

/// The lock of a command that changes the workspace, held by this test.
fn held(workspace: &Workspace) -> File {
    let folder = workspace.path(".gantline/run");
    std::fs::create_dir_all(&folder).unwrap();
    let mut file = File::create(folder.join("change.lock")).unwrap();
    file.lock().unwrap();
    write!(file, "{}", std::process::id()).unwrap();
    file
}

#[test]
fn two_commands_that_change_files_at_once_both_do_their_work() {
    let workspace = Workspace::shop_with_orders();
    let both: Vec<Child> = [&["generate"][..], &BILLING, &["generate"]]
        .into_iter()
        .map(|arguments| workspace.start(&[], arguments))
        .collect();
    for child in both {
        ended(&workspace, child).succeeds();
    }
    let lock = workspace.read(".gantline/lock.yaml");
    for blueprint in ["go-service", "go-worker"] {
        assert_eq!(lock.matches(blueprint).count(), 1, "{lock}");
    }
    let check = workspace.gantline(&["generate", "--check"]).succeeds();
    assert!(check.stdout.contains("unchanged"), "{check}");
    for service in ["orders", "billing"] {
        assert!(
            workspace
                .path(&format!("services/{service}/go.mod"))
                .exists()
        );
    }
}

#[test]
fn a_command_waits_for_another_one_and_says_for_which() {
    let workspace = Workspace::shop_with_orders();
    let lock = held(&workspace);
    let mut child = workspace.start(&[], &["generate"]);
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    let holder = format!("waiting: gantline with process id {}", std::process::id());
    assert!(line.contains(&holder), "{line}");
    drop(lock);
    progress.read_to_string(&mut line).unwrap();
    let run = ended(&workspace, child);
    assert_eq!(run.code, 0, "{run}{line}");
    assert!(workspace.path("services/orders/go.mod").exists());
}

#[test]
fn a_command_gives_up_on_another_one_that_does_not_end() {
    let workspace = Workspace::shop_with_orders();
    let before = workspace.tree();
    let _lock = held(&workspace);
    let run = workspace.gantline(&BILLING).fails(1);
    let holder = format!("error: gantline with process id {}", std::process::id());
    assert!(run.stderr.contains(&holder), "{run}");
    assert!(
        run.stderr.contains("Run this again when it has ended"),
        "{run}"
    );
    assert!(workspace.tree() == before);
}

#[test]
fn what_only_reads_does_not_wait_for_a_command_that_changes_files() {
    let workspace = Workspace::shop_with_orders();
    let _lock = held(&workspace);
    for (arguments, code) in [
        (&["generate", "--check"][..], 3),
        (&["generate", "--dry-run"], 0),
        (&["upgrade", "--dry-run"], 0),
        (&["status"], 0),
    ] {
        let run = workspace.gantline(arguments);
        assert_eq!(run.code, code, "{run}");
        assert!(!run.stderr.contains("waiting"), "{run}");
    }
}

#[test]
fn a_command_that_asks_keeps_nobody_waiting_and_goes_on_with_what_was_agreed_to() {
    let workspace = Workspace::shop_with_orders();
    workspace.gantline(&["generate"]).succeeds();
    let mut terminal = Terminal::start(&workspace, &[], &["add", "resource", "notes-db"]);
    terminal.answers("Type", "postgres");
    terminal.sees("to gantline.yaml?");
    // It changes nothing of what is agreed to.
    std::fs::remove_file(workspace.path("services/orders/README.md")).unwrap();
    let run = workspace
        .gantline(&["generate", "--restore", "services/orders/README.md"])
        .succeeds();
    assert!(!run.stderr.contains("waiting"), "{run}");
    terminal.types("y");
    let ended = terminal.ends();
    assert_eq!(ended.code, 0, "{}", ended.written);
    assert!(workspace.read("gantline.yaml").contains("notes-db"));
}

#[test]
fn a_plan_that_another_command_changed_while_it_was_agreed_to_is_not_carried_out() {
    let workspace = Workspace::shop_with_orders();
    let mut terminal = Terminal::start(&workspace, &[], &["add", "resource", "notes-db"]);
    terminal.answers("Type", "postgres");
    terminal.sees("to gantline.yaml?");
    let other = ["add", "resource", "letters", "--type", "nats"];
    workspace.gantline(&other).succeeds();
    terminal.types("y");
    let ended = terminal.ends();
    assert_eq!(ended.code, 1, "{}", ended.written);
    let said = "the workspace changed while you were asked";
    assert!(ended.written.contains(said), "{}", ended.written);
    let manifest = workspace.read("gantline.yaml");
    assert!(manifest.contains("letters") && !manifest.contains("notes-db"));
}
