//! Dead ends: flags, folders and answers that said a false thing or led nowhere.

use std::fs;

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const WEB: &str = "services/web/service.yaml";
const IMAGE: &str = "name: web\nimage: nginx:1.27\nports: {http: 8080}\nhealth: /\n";
const STAGING: &str =
    "namespace: shop\nresources: {orders-db: {secret: db}, events: {secret: events}}\n";

#[test]
fn a_port_of_a_flag_is_refused_as_a_flag() {
    let mut said = String::new();
    for ports in [
        &["http=80"][..],
        &["http=many"],
        &["http=70000"],
        &["HTTP=8080"],
        &["http=8080", "http=8081"],
        &["http=8080", "metrics=8080"],
    ] {
        let flags = ports.iter().flat_map(|port| ["--port", port]);
        let command = ["add", "service", "y", "--image", "nginx:1"];
        let arguments: Vec<&str> = command.into_iter().chain(flags).collect();
        let run = Workspace::shop().gantline(&arguments).fails(2);
        said += &format!("{}\n{}\n", ports.join(" "), run.stderr);
    }
    assert_data_eq!(
        said,
        str![[r#"
http=80
error: `--port http=80` names no port
  why: ports go from 1024 to 65535: those below are for root, and nothing runs as root
 next: Let the program listen on another one: `--port http=8080`

http=many
error: `--port http=many` names no port
  why: `many` is no number from 1024 to 65535
 next: Write `--port http=8080`

http=70000
error: `--port http=70000` names no port
  why: `70000` is no number from 1024 to 65535
 next: Write `--port http=8080`

HTTP=8080
error: `--port HTTP=8080` names no port
  why: `HTTP` is not the name of a port: at most 15 lower-case letters and digits, such as `http`
 next: Write `--port http=8080`

http=8080 http=8081
error: `--port http=8081` and `--port http=8080` cannot stand side by side
 next: Give each port a name and a number of its own

http=8080 metrics=8080
error: `--port metrics=8080` and `--port http=8080` cannot stand side by side
 next: Give each port a name and a number of its own


"#]]
    );
}

#[test]
fn a_role_and_a_path_of_flags_are_refused_as_flags() {
    let said = |flag: &str, value: &str| {
        let command = [
            "add",
            "service",
            "pages",
            "--image",
            "nginx:1",
            "--port",
            "http=8080",
        ];
        let arguments: Vec<&str> = command.into_iter().chain([flag, value]).collect();
        Workspace::shop().gantline(&arguments).fails(2).stderr
    };
    assert_data_eq!(
        said("--use", "Bad-Role=orders-db"),
        str![[r#"
error: `--use Bad-Role=orders-db` names no role
  why: a role is a word of lower-case letters, digits and underscores
 next: Write `--use store=orders-db`

"#]]
    );
    assert_data_eq!(
        said("--health", "/a?b"),
        str![[r#"
error: `--health /a?b` is not understood
 next: Write `--health /PATH`, or the name of a port: `--port tcp=9000 --health tcp`

"#]]
    );
}

#[test]
fn a_flag_that_a_hint_names_is_taken_as_it_stands() {
    for (wrong, hint, followed) in [
        (
            "--blueprint go-service --with entity=Order-Line",
            "Write `--with entity=order-line`",
            "--blueprint go-service --with entity=order-line",
        ),
        (
            "--blueprint go-service --with entity=note --with store=postgress",
            "Write `--with store=postgres`",
            "--blueprint go-service --with entity=note --with store=postgres",
        ),
        (
            "--blueprint go-worker --with entity=note --publishes note-read --consumes order-placed=orders",
            "Leave out `--publishes`",
            "--blueprint go-worker --with entity=note --consumes order-placed=orders",
        ),
        (
            "--blueprint go-worker --with entity=note",
            "Add `--consumes EVENT=PROVIDER`",
            "--blueprint go-worker --with entity=note --consumes order-placed=orders",
        ),
        (
            "--image nginx:1.27 --health /",
            "Add `--port http=8080`",
            "--image nginx:1.27 --health / --port http=8080",
        ),
        (
            "--image nginx:1.27 --health / --port web=8081",
            "Write `--port http=8081` instead of `--port web=8081`, or `--health web`",
            "--image nginx:1.27 --health web --port web=8081",
        ),
        (
            "--image nginx:1.27 --port web=8080 --health 8080",
            "Write `--health web`",
            "--image nginx:1.27 --port web=8080 --health web",
        ),
        (
            "--image nginx:1.27 --port search=9200 --health sarch",
            "Write `--health search`",
            "--image nginx:1.27 --port search=9200 --health search",
        ),
        (
            "--image nginx:1.27 --health tcp",
            "Write `--health /PATH`, or the name of a port: `--port tcp=9000 --health tcp`",
            "--image nginx:1.27 --port tcp=9000 --health tcp",
        ),
    ] {
        let workspace = Workspace::shop_with_orders();
        let add = |flags: &str| {
            let words = ["add", "service", "pages"];
            let words: Vec<&str> = words.into_iter().chain(flags.split(' ')).collect();
            workspace.gantline(&words)
        };
        let told = add(wrong).fails(2).stderr;
        assert!(
            told.contains(&format!(" next: {hint}\n")),
            "{wrong}: {told}"
        );
        add(followed).succeeds();
    }
}

#[test]
fn a_wrong_flag_of_an_environment_is_found_before_its_cluster_is_asked() {
    let mut said = String::new();
    for flag in [
        ["--namespace", "Shop_x"],
        ["--gateway", "a/b/c"],
        ["--domain", "x y"],
        ["--registry", "http://x"],
    ] {
        let command = ["add", "environment", "staging", "--context", "nowhere"];
        let namespace = ["--namespace", "shop"];
        let given = command.into_iter().chain(flag);
        let rest = namespace.into_iter().filter(|_| flag[0] != "--namespace");
        let arguments: Vec<&str> = given.chain(rest).collect();
        said += &Workspace::shop().gantline(&arguments).fails(2).stderr;
    }
    assert_data_eq!(
        said,
        str![[r#"
error: `namespace`: expected a namespace: lower-case letters, digits and hyphens (a DNS label), found the text `Shop_x`
 next: Give `--namespace` another value
error: `gateway.name`: expected the name of a Kubernetes object: lower-case letters, digits, hyphens and dots, found the text `b/c`
 next: Give `--gateway` another value
error: `domain`: expected a host in lower case, such as `staging.shop.example`, found the text `x y`
 next: Give `--domain` another value
error: `registry`: expected the prefix of images, such as `ghcr.io/acme/shop`, without `https://` and in lower case, found the text `http://x`
 next: Give `--registry` another value

"#]]
    );
}

#[test]
fn a_client_of_nothing_is_not_said_to_be_generated() {
    let workspace = Workspace::shop_with_orders();
    let run = workspace.gantline(&["add", "client", "nope", "--in", "orders"]);
    let said = run.fails(2).stderr;
    assert!(!said.contains("generating"), "{said}");
}

#[test]
fn an_environment_of_a_service_warns_of_what_that_service_lacks() {
    let workspace = Workspace::shop_with_orders()
        .file(WEB, format!("{IMAGE}needs: [orders]\n"))
        .file("services/alone/service.yaml", IMAGE.replace("web", "alone"))
        .replace(
            "services/orders/service.yaml",
            "publishes:",
            "secrets: {PAYMENT_KEY: payment/api-key}\npublishes:",
        );
    let said = |service: &str| workspace.gantline(&["env", service]).succeeds().stderr;
    assert_eq!(said("alone"), "");
    assert_data_eq!(
        said("web"),
        str![[r#"
[..] warning: orders does not run: start it with `gantline up --detach orders`

"#]]
    );
    assert_data_eq!(
        said("orders"),
        str![[r#"
[..] warning: nats-2-12 does not run: start it with `gantline up --detach orders`
[..] warning: postgres-17 does not run: start it with `gantline up --detach orders`
[..] warning: the secret PAYMENT_KEY has no local value: add a line `PAYMENT_KEY=...` to .gantline/local.env

"#]]
    );
    let workspace = workspace.file(".gantline/local.env", "PAYMENT_KEY=x\n");
    let said = workspace.gantline(&["env", "orders"]).succeeds().stderr;
    assert!(!said.contains("PAYMENT_KEY"), "{said}");
}

#[test]
fn exposed_paths_that_an_environment_reaches_nowhere_are_warned_of() {
    let workspace = Workspace::shop()
        .file(WEB, format!("{IMAGE}expose: [/]\n"))
        .file("environments/staging.yaml", STAGING);
    workspace.gantline(&["generate"]).succeeds();
    let warned = |workspace: &Workspace| {
        let run = workspace.gantline(&["render", "staging"]).succeeds();
        run.stderr
    };
    assert_data_eq!(
        warned(&workspace),
        str![[r#"
[..] warning: web exposes /, which nobody reaches: environments/staging.yaml has no `domain` and no `gateway`. Add `domain: HOST` and `gateway: NAME`

"#]]
    );
    let workspace = workspace.file(
        "environments/staging.yaml",
        format!("{STAGING}domain: shop.example\ngateway: public\n"),
    );
    workspace.gantline(&["generate"]).succeeds();
    assert_eq!(warned(&workspace), "");
}

#[test]
fn a_service_without_pacts_is_not_a_workspace_without() {
    let workspace = Workspace::shop_with_orders();
    for command in ["check", "verify"] {
        let said = |services: &[&str]| {
            let arguments: Vec<&str> = ["contract", command]
                .iter()
                .chain(services)
                .copied()
                .collect();
            workspace.gantline(&arguments).succeeds().stdout
        };
        assert_eq!(said(&["orders"]), "no pacts in which orders takes part\n");
        assert!(said(&[]).starts_with("no pacts: no service of this workspace"));
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_is_said_to_be_none() {
    let workspace = Workspace::shop()
        .file(WEB, IMAGE)
        .file("environments/staging.yaml", STAGING)
        .file("f", "");
    workspace.gantline(&["generate"]).succeeds();
    let run = workspace.gantline(&["render", "staging", "--output", "f"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
error: f is no folder
 next: Choose a folder, or a name that is free

"#]]
    );
}

#[test]
fn conflict_markers_in_values_are_called_so() {
    let workspace = Workspace::shop()
        .file(WEB, IMAGE)
        .file("environments/staging.yaml", STAGING);
    workspace.gantline(&["generate"]).succeeds();
    let values = "services/web/chart/values.yaml";
    let text = workspace.read(values);
    let marked = format!("{text}<<<<<<< yours\na: 1\n=======\na: 2\n>>>>>>> generated\n");
    let workspace = workspace.file(values, marked);
    let said = workspace.gantline(&["render", "staging"]).fails(2).stderr;
    assert!(
        said.contains("values.yaml holds conflict markers"),
        "{said}"
    );
    assert!(said.contains("<<<<<<< yours"), "{said}");
}

#[test]
fn the_log_of_a_resource_is_that_of_its_server() {
    let run = Workspace::shop_with_orders().gantline(&["logs", "orders-db"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
error: the stack runs nothing called `orders-db`
  why: the resource `orders-db` is on the server `postgres-17`
 next: Name `postgres-17`

"#]]
    );
}

#[test]
fn a_folder_that_is_no_name_is_answered_with_what_can_be_done() {
    let workspace = Workspace::empty();
    fs::create_dir(workspace.path("My Shop")).unwrap();
    let said = |folder: &str, name: &str| {
        workspace
            .gantline_in(folder, &["new", name])
            .fails(2)
            .stderr
    };
    assert_data_eq!(
        said("My Shop", "."),
        str![[r#"
error: `My Shop` is no name for a workspace
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
  why: a workspace is named as its folder
 next: Rename the folder, or make one in it: `gantline new my-shop`

"#]]
    );
    assert_data_eq!(
        said(".", "/tmp/a/b"),
        str![[r#"
error: `/tmp/a/b` is no name for a workspace
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
 next: Go to /tmp/a, and call it `b` there

"#]]
    );
}
