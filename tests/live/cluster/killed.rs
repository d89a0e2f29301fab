//! The program killed as `kill -9` does it: the next command goes on without a hand.

use super::shop::{QUICK, SLOW, SLOWEST, Shop, of_release};

const DEPLOY: [&str; 2] = ["deploy", "live"];
const DESTROY: [&str; 3] = ["destroy", "live", "--yes"];
const ROLLBACK: [&str; 3] = ["rollback", "live", "pages"];
/// A second version, which is ready at once, too.
const SECOND: &str = "echo second; trap exit TERM; httpd -f -p 8080 -h /tmp & wait";
/// What a release may consist of.
const KINDS: &str = "deployments,services,serviceaccounts,poddisruptionbudgets,networkpolicies,\
                     horizontalpodautoscalers,secrets,configmaps";

#[test]
#[ignore = "needs the cluster"]
fn a_deployment_killed_when_one_service_is_ready_is_ended_by_the_next() {
    let shop = Shop::new(&["pages"]);
    shop.change("slow", SLOWEST);
    shop.killed_once(&DEPLOY, "one of two services is ready", || {
        shop.has_revision("pages", "deployed") && shop.has_revision("slow", "pending-install")
    });
    let next = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&next, "pages", "change"), "unchanged");
    assert_eq!(of_release(&next, "slow", "change"), "installed");
    assert_eq!(shop.statuses("pages"), ["deployed"]);
    assert_eq!(shop.statuses("slow"), ["failed", "deployed"]);
}

/// A shop whose first version is slow to start and whose second one runs.
fn shop_to_roll_back() -> Shop {
    let shop = Shop::new(&[]);
    shop.change("pages", SLOW);
    shop.done(&DEPLOY);
    shop.change("pages", SECOND);
    shop.done(&DEPLOY);
    shop.killed_once(&ROLLBACK, "the rollback is under way", || {
        shop.has_revision("pages", "pending-rollback")
    });
    shop
}

#[test]
#[ignore = "needs the cluster"]
fn a_rollback_that_is_killed_is_done_by_the_next_rollback() {
    let shop = shop_to_roll_back();
    let next = shop.answer("rollback", 0, &ROLLBACK);
    assert_eq!(of_release(&next, "pages", "restored"), 1);
    let expected = ["superseded", "superseded", "failed", "deployed"];
    assert_eq!(shop.statuses("pages"), expected);
}

#[test]
#[ignore = "needs the cluster"]
fn a_rollback_that_is_killed_is_undone_by_the_next_deployment() {
    let shop = shop_to_roll_back();
    let next = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&next, "pages", "change"), "upgraded");
    let expected = ["superseded", "superseded", "failed", "deployed"];
    assert_eq!(shop.statuses("pages"), expected);
    let get = ["get", "deployment", "pages", "--output=yaml"];
    let running = shop.namespace.kubectl(&get, "");
    let running = String::from_utf8(running.stdout).unwrap();
    assert!(running.contains("echo second"), "{running}");
}

#[test]
#[ignore = "needs the cluster"]
fn a_removal_that_is_killed_is_ended_by_the_next_and_leaves_nothing() {
    let shop = Shop::new(&[]);
    let before = shop.found(&[KINDS]);
    shop.change("pages", QUICK);
    shop.done(&DEPLOY);
    let finalizers = |value: &str| {
        let patch = format!("--patch={{\"metadata\":{{\"finalizers\":{value}}}}}");
        let hold = ["patch", "service", "pages", "--type=merge", &patch];
        assert!(shop.namespace.kubectl(&hold, "").status.success());
    };
    // It is waited for as long as something holds it.
    finalizers("[\"example.com/held\"]");
    shop.killed_once(&DESTROY, "the removal is under way", || {
        shop.has_revision("pages", "uninstalling") && shop.found(&["deployment"]).is_empty()
    });
    finalizers("null");
    let removed = shop.answer("destroy", 0, &DESTROY[..2]);
    assert_eq!(of_release(&removed, "pages", "existed"), true);
    assert_eq!(shop.found(&[KINDS]), before);
}
