//! Questions at a terminal: the answers do what flags do, and Ctrl-C leaves all as it was.

use super::terminal::{ENTER, Terminal};
use super::workspace::Workspace;

const HIDDEN: &str = "\u{1b}[?25l";
const VISIBLE: &str = "\u{1b}[?25h";

/// A workspace without resources or services.
fn empty() -> Workspace {
    let text =
        "version: 1\nname: shop\nmodule: github.com/acme/shop\nregistry: ghcr.io/acme/shop\n";
    Workspace::empty().file("gantline.yaml", text)
}

/// Adds a service by flags.
fn add(workspace: &Workspace, name: &str, flags: &[&str]) {
    workspace
        .gantline(&[&["add", "service", name], flags].concat())
        .succeeds();
}

/// Two services that can be called, and one that cannot.
fn three() -> Workspace {
    let workspace = Workspace::shop_with_orders();
    workspace.gantline(&["generate"]).succeeds();
    let of = |blueprint| ["--blueprint", blueprint, "--with", "entity=note"];
    add(&workspace, "storefront", &of("go-service"));
    let consumes = ["--consumes", "order-placed=orders"];
    add(
        &workspace,
        "billing",
        &[&of("go-worker")[..], &consumes].concat(),
    );
    workspace
}

#[test]
fn a_service_that_is_asked_for_is_the_one_that_flags_give() {
    let asked = empty();
    let mut terminal = Terminal::start(&asked, &[], &["add", "service"]);
    terminal.answers_for_orders();
    let ended = terminal.ends();
    assert_eq!(ended.code, 0, "{}", ended.written);
    let given = empty();
    let options = ["entity=order", "store=postgres", "messaging=nats"];
    let options = options.iter().flat_map(|option| ["--with", option]);
    let event = ["--publishes", "order-placed"];
    let flags: Vec<&str> = ["--blueprint", "go-service"]
        .into_iter()
        .chain(options)
        .chain(event)
        .collect();
    add(&given, "orders", &flags);
    assert!(asked.tree() == given.tree(), "{}", ended.written);
}

#[test]
fn a_client_is_offered_of_services_that_can_be_called() {
    let workspace = three();
    let before = workspace.tree();
    let no_go = [("PATH", "/nonexistent")];
    let mut terminal = Terminal::start(&workspace, &no_go, &["add", "client"]);
    terminal.answers("Service that calls", "storefront");
    terminal.sees("Service to call");
    terminal.sees("orders");
    let shown = terminal.shown();
    let offered = shown.rsplit("Service to call").next().unwrap();
    assert!(!offered.contains("storefront"), "{shown}");
    assert!(!offered.contains("billing"), "{shown}");
    terminal.types(ENTER);
    let ended = terminal.ends();
    assert_eq!(ended.code, 4, "{}", ended.written);
    assert!(ended.written.contains("Go is not installed"));
    assert!(workspace.tree() == before, "something was written");
}

#[test]
fn a_caller_is_offered_where_it_may_call_the_named_provider() {
    let workspace = three();
    let no_go = [("PATH", "/nonexistent")];
    let mut terminal = Terminal::start(&workspace, &no_go, &["add", "client", "orders"]);
    terminal.sees("Service that calls");
    terminal.sees("billing");
    terminal.sees("storefront");
    let shown = terminal.shown();
    let offered = shown.rsplit("Service that calls").next().unwrap();
    assert!(!offered.contains("orders"), "{shown}");
    let ended = terminal.interrupts();
    assert_eq!(ended.code, 130, "{}", ended.written);
}

#[test]
fn without_a_terminal_what_a_client_lacks_is_named() {
    let workspace = Workspace::shop_with_orders();
    for (arguments, said) in [
        (
            &["add", "client"][..],
            "gantline add client PROVIDER --in SERVICE",
        ),
        (&["add", "client", "orders"], "Add `--in SERVICE`"),
        (&["add", "client", "orders", "--yes"], "Add `--in SERVICE`"),
    ] {
        let run = workspace.gantline(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains(said), "{arguments:?}: {run}");
    }
}

#[test]
fn ctrl_c_at_any_question_writes_nothing_and_shows_the_cursor_again() {
    for (arguments, question) in [
        (&["add", "service"][..], "Name of the service"),
        (&["add", "service", "orders"], "Blueprint"),
        (&["add", "resource", "cache"], "Type"),
    ] {
        let workspace = empty();
        let before = workspace.tree();
        let mut terminal = Terminal::start(&workspace, &[], arguments);
        terminal.sees(question);
        let ended = terminal.interrupts();
        let written = &ended.written;
        assert_eq!(ended.code, 130, "{arguments:?}: {written}");
        assert!(written.contains("interrupted"), "{arguments:?}: {written}");
        let last = |code| written.rfind(code);
        assert!(last(VISIBLE) > last(HIDDEN), "{arguments:?}: {written:?}");
        assert!(before == workspace.tree(), "{arguments:?}");
    }
}

#[test]
fn ctrl_c_makes_no_workspace() {
    let workspace = Workspace::empty();
    let mut terminal = Terminal::start(&workspace, &[], &["new", "shop"]);
    terminal.answers("Go module", "");
    terminal.sees("Registry of images");
    let ended = terminal.interrupts();
    assert_eq!(ended.code, 130, "{}", ended.written);
    assert!(!workspace.path("shop").exists());
}
