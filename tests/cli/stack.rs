//! The local stack where something that it needs is missing, or nothing runs.

use serde_json::Value;

use crate::workspace::Workspace;

/// A daemon that is not there.
const NO_DOCKER: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent/docker.sock");

#[test]
fn without_docker_up_says_what_is_missing_and_offers_processes() {
    let shop = Workspace::shop_with_orders();
    let run = shop
        .gantline_with(&[NO_DOCKER], &["up", "--detach"])
        .fails(4);
    assert!(run.stderr.contains("--runtime process"), "{run}");
    assert!(run.stderr.contains("/nonexistent/docker.sock"), "{run}");
}

#[test]
fn without_go_a_service_cannot_run_as_a_process() {
    let shop = Workspace::shop_with_orders();
    let run = shop
        .gantline_with(
            &[("PATH", "/nonexistent")],
            &["up", "--detach", "--runtime", "process"],
        )
        .fails(4);
    assert!(run.stderr.contains("Go is not on PATH"), "{run}");
    assert!(!run.stderr.contains("start postgres"), "{run}");
    shop.gantline(&["down", "--volumes"]).succeeds();
}

#[test]
fn without_go_neither_tests_nor_the_demo_start_anything() {
    let shop = Workspace::shop_with_orders();
    for command in [&["test"][..], &["demo", "--directory", "made"]] {
        let run = shop
            .gantline_with(&[("PATH", "/nonexistent"), NO_DOCKER], command)
            .fails(4);
        assert!(run.stderr.contains("Go is not on PATH"), "{run}");
    }
    assert!(!shop.path("made").exists());
}

#[test]
fn a_workspace_without_services_says_how_to_make_one() {
    let shop = Workspace::empty().file(
        "gantline.yaml",
        "version: 1\nname: shop\nmodule: example.com/shop\nregistry: registry.example/shop\n",
    );
    for arguments in [&["up", "--runtime", "process"][..], &["status"]] {
        let run = shop.gantline(arguments).succeeds();
        assert_eq!(
            run.stdout,
            "The workspace has no services: \
             `gantline add service NAME --blueprint go-service` makes one\n",
            "{run}"
        );
    }
}

#[test]
fn a_stack_that_never_ran_is_shown_as_stopped() {
    let shop = Workspace::shop_with_orders();
    let run = shop.gantline(&["status", "--format", "json"]).succeeds();
    let answer: Value = serde_json::from_str(&run.stdout).expect("a document");
    let things = answer["things"].as_array().expect("things");
    let orders = things.iter().find(|thing| thing["name"] == "orders");
    assert_eq!(orders.expect("orders")["state"], "stopped", "{run}");
}

#[test]
fn down_where_nothing_runs_is_done_at_once() {
    let shop = Workspace::shop_with_orders();
    shop.gantline_with(&[NO_DOCKER], &["down"]).succeeds();
}

#[test]
fn an_unknown_service_is_refused_with_those_that_there_are() {
    let shop = Workspace::shop_with_orders();
    let run = shop.gantline_with(&[NO_DOCKER], &["up", "ordres"]).fails(2);
    assert!(run.stderr.contains("orders"), "{run}");
}

#[test]
fn what_is_no_name_is_refused_before_services_are_read() {
    let run = Workspace::empty().gantline(&["up", "Foo_"]).fails(2);
    let expected =
        "`Foo_` is no value of `[SERVICE]...`\n  why: a name is made of lower-case letters";
    assert!(run.stderr.contains(expected), "{run}");
}

#[test]
fn a_secret_without_a_local_value_is_named_before_anything_starts() {
    let shop = Workspace::shop_with_orders().replace(
        "services/orders/service.yaml",
        "publishes:",
        "secrets: {PAYMENT_KEY: payment/api-key}\npublishes:",
    );
    let run = shop.gantline_with(&[NO_DOCKER], &["up"]).fails(2);
    assert!(run.stderr.contains("PAYMENT_KEY"), "{run}");
    assert!(run.stderr.contains("local.env"), "{run}");
}

#[test]
fn what_never_ran_is_restarted_as_up_would_start_it() {
    let shop = Workspace::shop_with_orders();
    let run = shop.gantline_with(&[NO_DOCKER], &["restart", "orders"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("Docker cannot be reached"), "{run}");
    let shop = shop.replace(
        "services/orders/service.yaml",
        "publishes:",
        "secrets: {PAYMENT_KEY: payment/api-key}\npublishes:",
    );
    let run = shop.gantline_with(&[NO_DOCKER], &["restart", "orders"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("PAYMENT_KEY"), "{run}");
}

#[test]
fn a_restart_of_one_service_touches_nothing_that_only_others_need() {
    let shop = Workspace::shop_with_orders().file(
        "services/quotes/service.yaml",
        "name: quotes\nblueprint: go-service\noptions: {entity: quote}\n",
    );
    shop.gantline(&["generate"]).succeeds();
    let plan = |arguments: &[&str]| {
        let process = ["--dry-run", "--runtime", "process"];
        shop.gantline(&[arguments, &process].concat()).succeeds()
    };
    let one = plan(&["restart", "quotes"]).stdout;
    assert!(one.contains("quotes"), "{one}");
    assert!(!one.contains("postgres"), "{one}");
    let both = plan(&["restart", "quotes", "orders"]).stdout;
    assert!(both.contains("postgres"), "{both}");
}

#[test]
fn a_dry_run_says_what_would_happen_and_starts_nothing() {
    let shop = Workspace::shop_with_orders();
    let up = shop
        .gantline(&["up", "--dry-run", "--runtime", "process"])
        .succeeds();
    assert!(up.stdout.contains("would be started"), "{up}");
    let down = shop
        .gantline(&["down", "--volumes", "--dry-run"])
        .succeeds();
    assert_eq!(down.stdout, "Nothing would happen\n", "{down}");
}

/// A checkout that keeps data of a host process, whose start is remembered like this.
fn with_data(start: &str) -> Workspace {
    let shop = Workspace::shop_with_orders();
    shop.gantline(&["up", "--dry-run", "--runtime", "process"])
        .succeeds();
    let shop = shop
        .file(".gantline/run/data/postgres/PG_VERSION", "17\n")
        .file(".gantline/run/start.json", start);
    shop.belongs_to_nobody();
    shop
}

#[test]
fn data_of_processes_goes_also_where_docker_served_last() {
    let shop = with_data(r#"{"runtime": "docker", "builder": "docker"}"#);
    // There may be data in Docker, too, which cannot be asked.
    let run = shop.gantline_with(&[NO_DOCKER], &["down", "--volumes"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(!shop.path(".gantline/run/data").exists());
}

#[test]
fn data_that_a_docker_of_earlier_may_keep_is_told_where_it_cannot_be_asked() {
    let shop = with_data(r#"{"runtime": "process", "builder": "docker", "both": true}"#);
    let run = shop
        .gantline_with(&[NO_DOCKER], &["down", "--volumes"])
        .succeeds();
    assert!(!shop.path(".gantline/run/data").exists());
    let way_out = "`gantline down --volumes --runtime docker`";
    assert!(run.stderr.contains(way_out), "{run}");
    let kept = shop.gantline_with(&[NO_DOCKER], &["down"]).succeeds();
    assert!(!kept.stderr.contains(way_out), "{kept}");
}
