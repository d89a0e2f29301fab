//! Wrong manifests: each is answered with its place, the line, and what to do.

mod text;

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const ORDERS: &str = "services/orders/service.yaml";

/// What a command says that reads the whole workspace and writes nothing.
fn read(workspace: &Workspace) -> String {
    workspace.gantline(&["generate", "--dry-run"]).to_string()
}

#[test]
fn a_typo_is_answered_with_the_nearest_key() {
    let workspace = Workspace::shop_with_orders().replace(ORDERS, "publishes", "publihses");
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: unknown key `publihses`
 --> services/orders/service.yaml:5:1
  |
5 | publihses: [order-placed]
  | ^^^^^^^^^
 next: Did you mean `publishes`?

"#]]
    );
}

#[test]
fn a_wrong_type_is_said_in_words() {
    let workspace = Workspace::shop_with_orders().file(
        ORDERS,
        "name: orders\nblueprint: go-service\noptions: {entity: order}\nports: {http: eighty}\nenv: {DEBUG: true}\n",
    );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: `ports.http`: expected a number without a fraction, found the text `eighty`
 --> services/orders/service.yaml:4:15
  |
4 | ports: {http: eighty}
  |               ^^^^^^

error: `env.DEBUG`: expected a text, found the truth value `true`
 --> services/orders/service.yaml:5:14
  |
5 | env: {DEBUG: true}
  |              ^^^^
 next: Put it in quotes: "true"

error: the workspace has 2 problems

"#]]
    );
}

#[test]
fn a_duplicate_key_is_shown_with_both_places() {
    let workspace =
        Workspace::shop_with_orders().replace(ORDERS, "name: orders", "name: orders\nname: order");
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: the key `name` is written twice
 --> services/orders/service.yaml:2:1
  |
2 | name: order
  | ^^^^
  why: it is first written at services/orders/service.yaml:1:1
 next: Keep one of the two

"#]]
    );
}

#[test]
fn all_faults_of_all_files_are_shown_in_one_run() {
    let workspace = Workspace::shop_with_orders()
        .replace(
            "gantline.yaml",
            "type: nats",
            "type: nats, dedicated: maybe, ownr: me",
        )
        .replace("gantline.yaml", "name: shop", "name: The Shop");
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: `name`: expected a name of at most 40 lower-case letters, digits and single hyphens, beginning with a letter, found the text `The Shop`
 --> gantline.yaml:2:7
  |
2 | name: The Shop
  |       ^^^^^^^^
 next: Write `the-shop`

error: `resources.events.dedicated`: expected `true` or `false`, found the text `maybe`
 --> gantline.yaml:7:35
  |
7 |   events: {type: nats, dedicated: maybe, ownr: me}
  |                                   ^^^^^

error: unknown key `ownr`
 --> gantline.yaml:7:42
  |
7 |   events: {type: nats, dedicated: maybe, ownr: me}
  |                                          ^^^^
 next: Did you mean `owner`?

error: gantline.yaml has 3 problems

"#]]
    );
    let workspace = Workspace::shop_with_orders()
        .replace(ORDERS, "orders-db", "order-db")
        .file(
            "services/billing/service.yaml",
            "name: biling\nblueprint: go-servise\n",
        );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: the service in the folder `billing` calls itself `biling`
 --> services/billing/service.yaml:1:7
  |
1 | name: biling
  |       ^^^^^^
 next: Rename the folder to `biling`, or write `name: billing`

error: there is no blueprint `go-servise`
 --> services/billing/service.yaml:2:12
  |
2 | blueprint: go-servise
  |            ^^^^^^^^^^
 next: Did you mean `go-service`?

error: there is no resource `order-db`
 --> services/orders/service.yaml:4:15
  |
4 | uses: {store: order-db, messaging: events}
  |               ^^^^^^^^
 next: Did you mean `orders-db`?

error: the workspace has 3 problems

"#]]
    );
}

#[test]
fn duplicate_keys_typos_and_wrong_types_of_all_files_are_shown_in_one_run() {
    let workspace = Workspace::shop()
        .replace("gantline.yaml", "name: shop", "name: shop\nname: store")
        .replace(
            "gantline.yaml",
            "resources:",
            "platfroms: []\nplatforms: linux/amd64\nresources:",
        )
        .file(
            "services/billing/service.yaml",
            "name: billing\nname: biling\nblueprint: go-worker\nconsumse: {}\nenv: 2\n",
        )
        .file(
            "services/orders/service.yaml",
            "name: orders\nblueprnt: go-service\nports: {http: eighty, http: 8080}\n",
        );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: the key `name` is written twice
 --> gantline.yaml:3:1
  |
3 | name: store
  | ^^^^
  why: it is first written at gantline.yaml:2:1
 next: Keep one of the two

error: unknown key `platfroms`
 --> gantline.yaml:6:1
  |
6 | platfroms: []
  | ^^^^^^^^^
 next: Known here: `version`, `gantline`, `name`, `module`, `registry`, `services`, `platforms`, `resources`

error: `platforms`: expected a list, found the text `linux/amd64`
 --> gantline.yaml:7:12
  |
7 | platforms: linux/amd64
  |            ^^^^^^^^^^^
 next: Write a list: `platforms: [linux/amd64]`

error: the key `name` is written twice
 --> services/billing/service.yaml:2:1
  |
2 | name: biling
  | ^^^^
  why: it is first written at services/billing/service.yaml:1:1
 next: Keep one of the two

error: unknown key `consumse`
 --> services/billing/service.yaml:4:1
  |
4 | consumse: {}
  | ^^^^^^^^
 next: Did you mean `consumes`?

error: `env`: expected a map, found the number 2
 --> services/billing/service.yaml:5:6
  |
5 | env: 2
  |      ^

error: unknown key `blueprnt`
 --> services/orders/service.yaml:2:1
  |
2 | blueprnt: go-service
  | ^^^^^^^^
 next: Did you mean `blueprint`?

error: `ports.http`: expected a number without a fraction, found the text `eighty`
 --> services/orders/service.yaml:3:15
  |
3 | ports: {http: eighty, http: 8080}
  |               ^^^^^^

error: the key `http` is written twice
 --> services/orders/service.yaml:3:23
  |
3 | ports: {http: eighty, http: 8080}
  |                       ^^^^
  why: it is first written at services/orders/service.yaml:3:9
 next: Keep one of the two

error: the workspace has 9 problems

"#]]
    );
}

#[test]
fn services_are_held_against_one_another() {
    let workspace = Workspace::shop_with_orders().file(
        "services/storefront/service.yaml",
        "name: storefront\nblueprint: go-service\noptions: {entity: checkout}\nneeds: [ordrs, storefront]\n",
    );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: there is no service `ordrs`
 --> services/storefront/service.yaml:4:9
  |
4 | needs: [ordrs, storefront]
  |         ^^^^^
 next: Did you mean `orders`?

error: `storefront` needs itself
 --> services/storefront/service.yaml:4:16
  |
4 | needs: [ordrs, storefront]
  |                ^^^^^^^^^^
 next: Remove it

error: the workspace has 2 problems

"#]]
    );
}

#[test]
fn a_refused_combination_of_options_says_why_and_what_is_nearest() {
    let workspace = Workspace::shop_with_orders()
        .replace(ORDERS, "store: postgres, ", "")
        .replace(ORDERS, "store: orders-db, ", "");
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: messaging.kind=broker and store=none do not go together
 --> services/orders/service.yaml:3:26
  |
3 | options: {entity: order, messaging: nats}
  |                          ^^^^^^^^^
  why: an event is recorded in the transaction that stores what it tells of, so a service without a store has nowhere to record it
 next: Choose store=postgres

"#]]
    );
}

#[test]
fn a_wrong_port_is_refused() {
    let workspace = Workspace::shop_with_orders().replace(
        ORDERS,
        "publishes",
        "ports: {http: 9090}\npublishes",
    );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: `http` and `admin` are both port 9090
 --> services/orders/service.yaml:5:15
  |
5 | ports: {http: 9090}
  |               ^^^^
 next: Give one of them another port

"#]]
    );
    let workspace = workspace.replace(ORDERS, "9090", "80");
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 2
--- stderr
error: `ports.http`: expected a number from 1024 to 65535, found the number 80
 --> services/orders/service.yaml:5:15
  |
5 | ports: {http: 80}
  |               ^^
 next: Let the program listen on another one, such as 8080: those below 1024 are for root, and nothing runs as root

"#]]
    );
}

#[test]
fn another_program_stops_before_it_reads_on() {
    let workspace = Workspace::empty().file(
        "gantline.yaml",
        "version: 2\ngantline: \">=9\"\nnews: all\n",
    );
    assert_data_eq!(
        read(&workspace),
        str![[r#"
exit code 4
--- stderr
error: this workspace asks for gantline >=9, and this is 0.1.0
 --> gantline.yaml:2:11
  |
2 | gantline: ">=9"
  |           ^^^^^
 next: Install gantline >=9, or change the line when the whole team moves

"#]]
    );
}

#[test]
fn a_folder_outside_any_workspace_is_said_to_be() {
    assert_data_eq!(
        read(&Workspace::empty()),
        str![[r#"
exit code 2
--- stderr
error: [ROOT] is in no workspace: neither it nor a folder above it holds a gantline.yaml
 next: Make one with `gantline new NAME`, or name its folder with `--project DIR`

"#]]
    );
}

#[test]
fn programs_get_the_same_errors_as_one_document() {
    let workspace = Workspace::shop_with_orders().replace(ORDERS, "publishes", "publihses");
    let run = workspace.gantline(&["--format", "json", "generate", "--dry-run"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
{"version":1,"error":{"kind":"invalid","message":"unknown key `publihses`","place":{"file":"services/orders/service.yaml","line":5,"column":1,"length":9,"source_line":"publihses: [order-placed]"},"hints":["Did you mean `publishes`?"]}}

"#]]
    );
}

#[test]
fn an_event_whose_code_would_clash_with_that_of_another_is_refused_where_it_stands() {
    let store = "uses: {store: orders-db, messaging: events}\n";
    let returns = format!(
        "name: returns\nblueprint: go-service\noptions: {{entity: return-slip, store: postgres, messaging: nats}}\n{store}publishes: [order-placed-type]\n"
    );
    let billing = format!(
        "name: billing\nblueprint: go-worker\noptions: {{entity: invoice}}\n{store}consumes:\n  order-placed: orders\n  order-placed-type: returns\n"
    );
    let workspace = Workspace::shop_with_orders()
        .file("services/returns/service.yaml", returns)
        .file("services/billing/service.yaml", billing);
    let run = workspace.gantline(&["generate", "--dry-run"]).fails(2);
    for part in [
        "no event can be called `order-placed-type` beside `order-placed`",
        "services/billing/service.yaml:7:3",
        "both would be declared twice",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run}");
    }
    let apart = workspace.replace(
        "services/billing/service.yaml",
        "  order-placed: orders\n",
        "",
    );
    apart.gantline(&["generate", "--dry-run"]).succeeds();
}
