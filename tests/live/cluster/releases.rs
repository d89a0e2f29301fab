//! Releases by their names, whether the workspace still has them, and several in one run.

use serde_json::json;

use super::namespace::Namespace;
use super::shop::{QUICK, Shop, of_release, titles};

const DEPLOY: [&str; 2] = ["deploy", "live"];

#[test]
#[ignore = "needs the cluster"]
fn a_resource_and_a_service_that_left_the_workspace_have_a_history_and_are_destroyed_by_name() {
    let shop = Shop::with_events(Namespace::new());
    shop.done(&DEPLOY);
    assert_eq!(shop.statuses("events"), ["deployed"]);
    shop.remove("pages");
    assert_eq!(shop.statuses("pages"), ["deployed"]);

    let orphan = shop.answer("destroy", 0, &["destroy", "live", "pages"]);
    assert_eq!(of_release(&orphan, "pages", "existed"), true);
    assert!(!shop.found(&["statefulset", "events"]).is_empty());
    assert!(shop.found(&["deployment"]).is_empty());

    let resource = shop.answer("destroy", 0, &["destroy", "live", "events"]);
    assert_eq!(of_release(&resource, "events", "existed"), true);
    assert!(shop.found(&["statefulset"]).is_empty());
    let mut kept = titles(&resource, "kept");
    kept.sort();
    assert_eq!(kept, ["Secret/events", "Secret/events-server"]);
    let unknown = shop.gantline(&["history", "live", "pages"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

#[test]
#[ignore = "needs the cluster"]
fn an_atomic_deployment_takes_the_other_services_of_its_run_back() {
    let shop = Shop::new(&["pages", "search"]);
    shop.done(&DEPLOY);
    shop.service("pages", &format!("echo second; {QUICK}"));
    shop.service("fresh", QUICK);
    shop.change("search", "echo no index; exit 7");
    let run = shop.answer("deploy", 1, &[&DEPLOY[..], &["--atomic"]].concat());
    for service in ["pages", "search"] {
        assert_eq!(of_release(&run, service, "change"), "taken-back");
        assert_eq!(of_release(&run, service, "restored"), 1);
    }
    assert_eq!(of_release(&run, "fresh", "change"), "removed");
    let left = shop.found(&["deployments"]);
    assert_eq!(left, ["deployment.apps/pages", "deployment.apps/search"]);
    let get = ["get", "deployment", "pages", "--output=yaml"];
    let running = shop.namespace.kubectl(&get, "");
    let running = String::from_utf8(running.stdout).unwrap();
    assert!(!running.contains("echo second"), "{running}");
}

#[test]
#[ignore = "needs the cluster"]
fn a_service_that_left_the_workspace_is_told_and_stays_until_it_is_named() {
    let shop = Shop::new(&["pages", "search"]);
    shop.done(&DEPLOY);
    shop.remove("pages");
    for whole in ["deploy", "destroy"] {
        let said = shop.done(&[whole, "live", "--dry-run"]);
        assert!(said.contains("`gantline destroy live pages`"), "{said}");
    }
    let same = shop.answer("diff", 0, &["diff", "live"]);
    assert_eq!(same["leftovers"], json!(["pages"]));
    let deployed = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(deployed["leftovers"], json!(["pages"]));

    let removed = shop.answer("destroy", 0, &["destroy", "live"]);
    assert_eq!(removed["leftovers"], json!(["pages"]));
    assert_eq!(shop.found(&["deployment"]), ["deployment.apps/pages"]);
    let named = shop.answer("destroy", 0, &["destroy", "live", "pages"]);
    assert!(named.get("leftovers").is_none(), "{named}");
    assert!(shop.found(&["deployment"]).is_empty());
}
