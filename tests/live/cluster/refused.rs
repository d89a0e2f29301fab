//! Objects that the API server refuses although the user may make them: a quota says so.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::namespace::Namespace;
use super::shop::{PATIENCE, Shop, of_release};
use crate::docker::workspace::text;

const DEPLOY: [&str; 2] = ["deploy", "live"];
/// The quota's name.
const QUOTA: &str = "none";

/// A quota that admits no new object of a kind.
struct Quota<'a> {
    namespace: &'a Namespace,
    /// Such an object.
    probe: Value,
}

impl<'a> Quota<'a> {
    fn of_no(resource: &str, namespace: &'a Namespace, probe: Value) -> Self {
        let count = format!("count/{resource}");
        namespace.apply(&[json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": QUOTA},
            "spec": {"hard": {count: "0"}},
        })]);
        let quota = Self { namespace, probe };
        quota.await_answer(false);
        quota
    }

    fn lift(self) {
        let deleted = self
            .namespace
            .kubectl(&["delete", "resourcequota", QUOTA], "");
        assert!(deleted.status.success(), "{}", text(&deleted));
        self.await_answer(true);
    }

    /// Waits until the object is admitted, or is not: a quota counts once its controller has
    /// counted for the first time.
    fn await_answer(&self, is_admitted: bool) {
        let dry_run = ["create", "--filename=-", "--dry-run=server"];
        let probe = self.probe.to_string();
        let began = Instant::now();
        loop {
            let output = self.namespace.kubectl(&dry_run, &probe);
            let said = text(&output);
            let is_over = said.contains("exceeded quota");
            if output.status.success() == is_admitted && is_over != is_admitted {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{said}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A deployment is refused with the object and the server's reason.
fn assert_refused(shop: &Shop, object: &str) {
    let run = shop.gantline(&DEPLOY);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    let what = format!("{object} cannot be applied");
    assert!(said.contains(&what), "{said}");
    let why = format!("exceeded quota: {QUOTA}, requested: count/");
    assert!(said.contains(&why), "{said}");
}

#[test]
#[ignore = "needs the cluster"]
fn a_first_install_over_a_quota_of_objects_makes_nothing_and_succeeds_without_the_quota() {
    let shop = Shop::new(&["pages"]);
    let labels = json!({"app": "probe"});
    let pod = json!({"containers": [{"name": "probe", "image": "probe"}]});
    let probe = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    });
    let quota = Quota::of_no("deployments.apps", &shop.namespace, probe);
    assert_refused(&shop, "Deployment/pages");
    let made = "deployments,services,serviceaccounts,poddisruptionbudgets,secrets,leases";
    let found = shop.found(&[made, "--selector=app.kubernetes.io/name=pages"]);
    assert_eq!(found, [""; 0]);
    assert_eq!(shop.found(&["secrets,leases"]), [""; 0]);

    quota.lift();
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "pages", "change"), "installed");
}

#[test]
#[ignore = "needs the cluster"]
fn an_upgrade_over_a_quota_of_objects_leaves_what_runs_and_succeeds_without_the_quota() {
    let shop = Shop::new(&["pages"]);
    shop.done(&DEPLOY);
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "pages"});
    let probe = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "probe"}, "spec": {"scaleTargetRef": target, "maxReplicas": 2},
    });
    let kind = "horizontalpodautoscalers.autoscaling";
    let quota = Quota::of_no(kind, &shop.namespace, probe);
    let overlay = "scale: {min: 1, max: 2}\nenv: {MARK: second}\n";
    shop.write("services/pages/service.live.yaml", overlay);
    shop.done(&["generate"]);
    assert_refused(&shop, "HorizontalPodAutoscaler/pages");
    let get = ["get", "deployment", "pages"];
    let replicas = "--output=jsonpath={.metadata.generation} {.status.availableReplicas}";
    let running = shop
        .namespace
        .kubectl(&[&get[..], &[replicas]].concat(), "");
    assert_eq!(text(&running), "1 1");
    assert_eq!(shop.statuses("pages"), ["deployed"]);

    quota.lift();
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "pages", "change"), "upgraded");
    assert_eq!(shop.statuses("pages"), ["superseded", "deployed"]);
}
