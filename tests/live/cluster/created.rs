//! What a deployment creates before any release: the namespace, and the Secrets of resources.

use gantline::engine::kubernetes::objects::{ObjectKey, Objects};

use super::deploy::cluster;
use super::namespace::Namespace;
use super::shop::{Shop, of_release, titles};

const PLAN: [&str; 3] = ["deploy", "live", "--plan"];
const DEPLOY: [&str; 2] = ["deploy", "live"];

#[test]
#[ignore = "needs the cluster"]
fn the_namespace_and_secrets_that_are_absent_are_planned_then_created_and_told() {
    let shop = Shop::with_events(Namespace::absent());
    let namespace = format!("Namespace/{}", shop.namespace.name);
    let all = [&namespace, "Secret/events-server", "Secret/events"];
    let planned = shop.answer("deploy-plan", 3, &PLAN);
    assert_eq!(titles(&planned, "creates"), all);
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(titles(&done, "created"), all);
    assert_eq!(of_release(&done, "pages", "change"), "installed");
    let unchanged = shop.answer("deploy-plan", 0, &PLAN);
    assert_eq!(titles(&unchanged, "creates"), [""; 0]);

    let delete = ["delete", "secret", "events"];
    assert!(shop.namespace.kubectl(&delete, "").status.success());
    let planned = shop.gantline(&PLAN);
    assert_eq!(planned.status.code(), Some(3), "{planned:?}");
    let said = String::from_utf8(planned.stdout).unwrap();
    let expected = "before any release:\n  + Secret/events\nevents: unchanged\n";
    assert!(said.starts_with(expected), "{said}");
    let said = shop.done(&DEPLOY);
    assert!(said.contains("created Secret/events\n"), "{said}");
    assert!(said.contains("unchanged, revision 1 is ready"), "{said}");
}

#[test]
#[ignore = "needs the cluster"]
fn a_deployment_that_is_killed_while_it_makes_secrets_is_gone_on_from() {
    let shop = Shop::with_events(Namespace::absent());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = runtime.block_on(cluster());
    let server = ObjectKey::namespaced("v1", "Secret", &shop.namespace.name, "events-server");
    shop.killed_once(&DEPLOY, "a Secret is made", || {
        let found = runtime.block_on(cluster.get(&server));
        found.unwrap().is_some()
    });
    // What was left to do is what the plan says, and what is then done.
    let planned = shop.answer("deploy-plan", 3, &PLAN);
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(titles(&planned, "creates"), titles(&done, "created"));
    assert_eq!(of_release(&done, "events", "change"), "installed");
    assert_eq!(of_release(&done, "pages", "change"), "installed");
}
