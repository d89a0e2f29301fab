//! `add service`, `add client` and `blueprint`, with flags alone.

use std::fs;

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const ORDERS: [&str; 14] = [
    "add",
    "service",
    "orders",
    "--blueprint",
    "go-service",
    "--with",
    "entity=order",
    "--with",
    "store=postgres",
    "--with",
    "messaging=nats",
    "--publishes",
    "order-placed",
    "--quiet",
];
const STOREFRONT: [&str; 9] = [
    "add",
    "service",
    "storefront",
    "--blueprint",
    "go-service",
    "--with",
    "entity=checkout",
    "--needs",
    "orders",
];
pub(super) const BILLING: [&str; 9] = [
    "add",
    "service",
    "billing",
    "--blueprint",
    "go-worker",
    "--with",
    "entity=invoice",
    "--consumes",
    "order-placed=orders",
];

/// A workspace without resources or services.
fn empty() -> Workspace {
    Workspace::empty().file(
        "gantline.yaml",
        "# The shop\nversion: 1\nname: shop\nmodule: github.com/acme/shop\nregistry: ghcr.io/acme/shop\n\nresources:  # backing services\n",
    )
}

fn with_orders() -> Workspace {
    let workspace = empty();
    workspace.gantline(&ORDERS).succeeds();
    workspace
}

fn refused(workspace: &Workspace, arguments: &[&str]) -> String {
    let before = workspace.tree();
    let run = workspace.gantline(arguments).fails(2);
    assert_eq!(run.stdout, "", "{run}");
    assert!(before == workspace.tree(), "something was written");
    run.stderr
}

#[test]
fn a_service_brings_its_resources_and_keeps_comments() {
    let workspace = with_orders();
    assert_data_eq!(
        workspace.read("gantline.yaml"),
        str![[r#"
# The shop
version: 1
name: shop
module: github.com/acme/shop
registry: ghcr.io/acme/shop

resources:  # backing services
  orders-db: {type: postgres, version: "17"}
  events: {type: nats, version: "2.12"}

"#]]
    );
    assert_data_eq!(
        workspace.read("services/orders/service.yaml"),
        str![[r#"
# yaml-language-server: $schema=[..]/service.json
name: orders
blueprint: go-service@1
options: {entity: order, transport: rest, store: postgres, messaging: nats}
uses: {messaging: events, store: orders-db}
publishes: [order-placed]
env: {LOG_LEVEL: info}

"#]]
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_service_that_was_removed_is_whole_when_it_is_added_again() {
    let workspace = with_orders();
    let before = workspace.tree();
    fs::remove_dir_all(workspace.path("services/orders")).unwrap();
    // The folder alone is gone: its database is still in gantline.yaml.
    workspace.gantline(&ORDERS).succeeds();
    assert!(before == workspace.tree(), "not all of it came back");
}

#[test]
fn three_services_come_out_of_flags_alone_and_share_the_broker() {
    let workspace = with_orders();
    for arguments in [STOREFRONT, BILLING] {
        let run = workspace.gantline(&arguments).succeeds();
        assert!(run.stdout.contains("gantline up"), "{run}");
    }
    let billing = workspace.read("services/billing/service.yaml");
    assert!(
        billing.contains("uses: {messaging: events, store: billing-db}"),
        "{billing}"
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_caller_is_shown_one_call_from_a_handler() {
    let run = with_orders().gantline(&STOREFRONT);
    assert!(run.stdout.contains("In a handler:"), "{run}");
    assert!(run.stdout.contains("ordersClient"), "{run}");
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    assert!(with_orders().tree() == with_orders().tree());
}

#[test]
fn a_dry_run_writes_nothing() {
    let workspace = empty();
    let before = workspace.tree();
    let mut arguments = ORDERS.to_vec();
    arguments.push("--dry-run");
    let run = workspace.gantline(&arguments).succeeds();
    assert!(run.stdout.starts_with("Would add orders"), "{run}");
    assert!(before == workspace.tree(), "something was written");
}

#[test]
fn programs_read_one_document() {
    let run = empty().gantline(&[&ORDERS[..], &["--format", "json"]].concat());
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["service"], "orders");
    assert_eq!(document["resources"][0]["name"], "orders-db");
    assert_eq!(document["dry_run"], false);
}

#[test]
fn a_name_that_is_no_label_is_answered_with_the_nearest() {
    assert_data_eq!(
        refused(
            &empty(),
            &["add", "service", "MyOrders", "--blueprint", "go-service"]
        ),
        str![[r#"
error: `MyOrders` is no valid name for a service
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
 next: Use `my-orders`

"#]]
    );
}

#[test]
fn names_that_are_taken_or_reserved_are_refused() {
    let workspace = with_orders();
    let taken = refused(&workspace, &ORDERS);
    assert!(taken.contains("the name `orders` is taken"), "{taken}");
    let reserved = refused(
        &workspace,
        &[
            "add",
            "service",
            "kube-x",
            "--blueprint",
            "go-service",
            "--with",
            "entity=a",
        ],
    );
    assert!(reserved.contains("is reserved"), "{reserved}");
}

#[test]
fn events_that_code_cannot_be_made_with_are_refused() {
    let workspace = empty();
    for event in ["message", "handler", "err-permanent"] {
        let mut arguments = ORDERS;
        arguments[12] = event;
        let error = refused(&workspace, &arguments);
        let what = format!("no event of this service can be called `{event}`");
        assert!(error.contains(&what), "{error}");
    }
}

#[test]
fn a_consumer_that_also_calls_has_one_contract_with_its_provider() {
    let workspace = with_orders();
    let run = workspace.gantline(&[&BILLING[..], &["--needs", "orders"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let pact = workspace.read("services/billing/contracts/billing--orders.json");
    let pact: serde_json::Value = serde_json::from_str(&pact).unwrap();
    let interactions = pact["interactions"].as_array().unwrap();
    let of = |kind: &str| {
        let kinds = interactions.iter().map(|interaction| &interaction["type"]);
        kinds.filter(|found| *found == kind).count()
    };
    assert_eq!(
        (of("Synchronous/HTTP"), of("Asynchronous/Messages")),
        (5, 1)
    );
}

#[test]
fn a_client_of_a_service_that_keeps_nothing_looks_nothing_up() {
    let workspace = with_orders();
    for arguments in [
        &STOREFRONT[..],
        &[
            "add",
            "service",
            "kiosk",
            "--blueprint",
            "go-service",
            "--with",
            "entity=visit",
            "--needs",
            "storefront",
        ],
    ] {
        let run = workspace.gantline(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let read = |path: &str| workspace.read(&format!("services/{path}"));
    assert_eq!(
        read("kiosk/internal/clients/storefront/openapi.yaml"),
        read("storefront/api/openapi.yaml")
    );
    assert_eq!(
        read("storefront/internal/clients/orders/openapi.yaml"),
        read("orders/api/openapi.yaml")
    );
    assert!(!read("kiosk/contracts/kiosk--storefront.json").contains("\"GET\""));
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let workspace = empty().file("services/orders/notes.txt", "mine");
    let error = refused(&workspace, &ORDERS);
    assert!(
        error.contains("the folder services/orders is not empty"),
        "{error}"
    );
}

#[test]
fn a_missing_answer_names_its_flag() {
    let workspace = empty();
    let name = refused(&workspace, &["add", "service"]);
    assert!(name.contains("gantline add service NAME"), "{name}");
    let blueprint = refused(&workspace, &["add", "service", "orders"]);
    assert!(
        blueprint.contains("`--blueprint go-service`"),
        "{blueprint}"
    );
    let entity = refused(
        &workspace,
        &["add", "service", "orders", "--blueprint", "go-service"],
    );
    assert!(entity.contains("--with entity=NAME"), "{entity}");
}

#[test]
fn combinations_that_cannot_be_are_refused_with_the_nearest_that_can() {
    let error = refused(
        &empty(),
        &[
            "add",
            "service",
            "orders",
            "--blueprint",
            "go-service",
            "--with",
            "entity=order",
            "--with",
            "messaging=nats",
        ],
    );
    assert!(error.contains("do not go together"), "{error}");
    assert!(
        error.contains("--with entity=order --with messaging=nats --with store=postgres"),
        "{error}"
    );
}

#[test]
fn unknown_words_are_answered_with_the_nearest_known() {
    let workspace = with_orders();
    let base = [
        "add",
        "service",
        "x",
        "--blueprint",
        "go-service",
        "--with",
        "entity=a",
    ];
    for (further, expected) in [
        (["--with", "stor=postgres"], "Did you mean `store`?"),
        (
            ["--with", "store=postgress"],
            "Write `--with store=postgres`",
        ),
        (["--needs", "order"], "Did you mean `orders`?"),
        (["--use", "store=orders-db"], "no role `store`"),
        (["--use", "store"], "--use ROLE=RESOURCE"),
    ] {
        let error = refused(&workspace, &[&base[..], &further[..]].concat());
        assert!(error.contains(expected), "{further:?}: {error}");
    }
    let event = refused(
        &workspace,
        &[
            "add",
            "service",
            "billing",
            "--blueprint",
            "go-worker",
            "--with",
            "entity=invoice",
            "--consumes",
            "order-place=orders",
        ],
    );
    assert!(event.contains("Did you mean `order-placed`?"), "{event}");
    let word = refused(
        &workspace,
        &[
            "add",
            "service",
            "x",
            "--blueprint",
            "go-service",
            "--with",
            "entity=func",
        ],
    );
    assert!(word.contains("func"), "{word}");
    let none = refused(
        &workspace,
        &["add", "service", "x", "--blueprint", "go-servise"],
    );
    assert!(none.contains("Did you mean `go-service`?"), "{none}");
}

#[test]
fn a_worker_consumes_something() {
    let error = refused(
        &with_orders(),
        &[
            "add",
            "service",
            "billing",
            "--blueprint",
            "go-worker",
            "--with",
            "entity=invoice",
        ],
    );
    assert!(error.contains("--consumes"), "{error}");
}

#[test]
fn a_client_of_what_cannot_be_called_is_refused_with_the_reason() {
    let workspace = with_orders();
    for arguments in [STOREFRONT, BILLING] {
        workspace.gantline(&arguments).succeeds();
    }
    let worker = refused(&workspace, &["add", "client", "billing", "--in", "orders"]);
    assert!(worker.contains("no public listener"), "{worker}");
    let twice = refused(
        &workspace,
        &["add", "client", "orders", "--in", "storefront"],
    );
    assert!(twice.contains("calls `orders` already"), "{twice}");
    let own = refused(&workspace, &["add", "client", "orders", "--in", "orders"]);
    assert!(own.contains("cannot call itself"), "{own}");
    let document = "services/storefront/api/openapi.yaml";
    let text = workspace
        .read(document)
        .replace("createCheckout", "makeCheckout");
    fs::write(workspace.path(document), text).unwrap();
    let renamed = refused(
        &workspace,
        &["add", "client", "storefront", "--in", "orders"],
    );
    assert!(
        renamed.contains("calls createCheckout (POST /checkouts)"),
        "{renamed}"
    );
    fs::remove_file(workspace.path(document)).unwrap();
    let absent = refused(
        &workspace,
        &["add", "client", "storefront", "--in", "orders"],
    );
    assert!(
        absent.contains("has no services/storefront/api/openapi.yaml"),
        "{absent}"
    );
}

#[test]
fn every_blueprint_of_the_program_is_sound() {
    let run = empty().gantline(&["blueprint", "check"]).succeeds();
    assert!(run.stdout.contains("go-service@1 is sound"), "{run}");
    assert!(run.stdout.contains("go-worker@1 is sound"), "{run}");
}

#[test]
fn an_unsound_blueprint_is_shown_where_it_is_wrong() {
    let workspace = Workspace::empty()
        .file(
            "try/blueprint.yaml",
            "name: try\nversion: 1\nsummary: A try\noptions:\n  entity: {summary: What, name: true}\norder: [base]\n",
        )
        .file("try/base/a.txt.tera", "one\n<{ service.kebap }>\n");
    let run = workspace.gantline(&["blueprint", "check", "try"]).fails(2);
    assert!(run.stderr.contains("try/base/a.txt.tera:2:12"), "{run}");
    assert!(run.stderr.contains("<{ service.kebap }>"), "{run}");
}

#[test]
fn blueprints_are_listed_and_explained() {
    let workspace = Workspace::empty();
    let list = workspace.gantline(&["blueprint", "list"]);
    assert!(list.stdout.contains("go-worker"), "{list}");
    let show = workspace.gantline(&["blueprint", "show", "go-service"]);
    assert!(
        show.stdout.contains("--with store= (default none)"),
        "{show}"
    );
    assert!(show.stdout.contains("at most 1"), "{show}");
}
