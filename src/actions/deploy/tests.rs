use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};

use super::*;
use crate::engine::kubernetes::fake::{BROKEN, FakeCluster};
use crate::engine::kubernetes::objects::{ObjectKey, Objects};
use crate::engine::kubernetes::records::{self, Status};
use crate::engine::registry::fake::FakeLabels;
use crate::error::ErrorKind;
use crate::model::release::{Chart, Hook, ReleaseObject, ReleaseSpec, RenderedRelease};
use crate::report::RecordingReporter;

pub(super) fn object(kind: &str, name: &str, mark: &str) -> ReleaseObject {
    let value = json!({
        "apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": {"mark": mark},
    });
    ReleaseObject {
        source: format!("orders/templates/{}.yaml", kind.to_lowercase()),
        text: value.to_string(),
        value,
    }
}

pub(super) fn spec(mark: &str, objects: &[(&str, &str)]) -> ReleaseSpec {
    let migration = Hook {
        object: object("Job", "orders-migrate", "migrate"),
        events: vec!["pre-install".to_owned(), "pre-upgrade".to_owned()],
        weight: 0,
        delete_policies: vec!["before-hook-creation".to_owned()],
    };
    ReleaseSpec {
        name: "orders".to_owned(),
        namespace: "shop".to_owned(),
        chart: Chart {
            metadata: json!({"name": "orders", "version": "0.1.0"}),
            values: json!({}),
            schema: None,
            templates: Vec::new(),
            files: Vec::new(),
        },
        config: json!({}),
        rendered: RenderedRelease {
            definitions: Vec::new(),
            objects: objects
                .iter()
                .map(|(kind, name)| object(kind, name, mark))
                .collect(),
            hooks: vec![migration],
            notes: String::new(),
        },
    }
}

/// The first version with a hook of this event that fails.
pub(super) fn first_with_broken_hook(event: &str) -> ReleaseSpec {
    let mut first = spec("1", FIRST);
    first.rendered.hooks.push(Hook {
        object: object("Job", &format!("orders-{event}"), BROKEN),
        events: vec![event.to_owned()],
        weight: 0,
        delete_policies: vec!["before-hook-creation".to_owned()],
    });
    first
}

/// The first version with a hook of this event that has no name.
pub(super) fn first_with_nameless_hook(event: &str) -> ReleaseSpec {
    let mut first = first_with_broken_hook(event);
    let hook = &mut first.rendered.hooks[1].object;
    hook.value["metadata"] = json!({"generateName": "orders-"});
    hook.text = hook.value.to_string();
    first
}

pub(super) const FIRST: &[(&str, &str)] = &[
    ("Service", "orders"),
    ("ConfigMap", "old"),
    ("Deployment", "orders"),
];
pub(super) const SECOND: &[(&str, &str)] = &[
    ("Service", "orders"),
    ("ConfigMap", "new"),
    ("Deployment", "orders"),
];

pub(super) fn site(cluster: &Arc<FakeCluster>, holder: &str) -> Site {
    let interrupted: futures::future::BoxFuture<'static, ()> = Box::pin(std::future::pending());
    Site {
        objects: Arc::clone(cluster) as Arc<dyn Objects>,
        rollouts: Arc::clone(cluster) as _,
        events: Arc::new(RecordingReporter::default()),
        namespace: "shop".to_owned(),
        workspace: "shop".to_owned(),
        holder: holder.to_owned(),
        lease: Duration::from_millis(200),
        timeout: Duration::from_secs(5),
        schemas: Schemas::new(Arc::new(FakeLabels::default()), false),
        interrupted: interrupted.shared(),
    }
}

pub(super) fn cluster() -> Arc<FakeCluster> {
    Arc::new(FakeCluster::with_namespace("shop"))
}

pub(super) async fn deploy(cluster: &Arc<FakeCluster>, spec: &ReleaseSpec) -> Outcome {
    let site = site(cluster, "one");
    site.deploy(spec, AfterFailure::TakeBack).await
}

pub(super) async fn statuses(cluster: &Arc<FakeCluster>) -> Vec<(u32, Status)> {
    let records = records::load(cluster.as_ref(), "shop", "orders")
        .await
        .unwrap();
    records
        .iter()
        .map(|it| (it.revision(), it.status()))
        .collect()
}

pub(super) async fn live(cluster: &FakeCluster, kind: &str, name: &str) -> Option<Value> {
    let key = ObjectKey::namespaced("v1", kind, "shop", name);
    cluster.get(&key).await.unwrap()
}

pub(super) async fn mark(cluster: &FakeCluster) -> String {
    let found = live(cluster, "Deployment", "orders").await.unwrap();
    found["spec"]["mark"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_release_is_installed_then_upgraded_and_pruned() {
    let cluster = cluster();
    let first = deploy(&cluster, &spec("1", FIRST)).await;
    assert_eq!((first.change, first.revision), (Change::Installed, Some(1)));
    let second = deploy(&cluster, &spec("2", SECOND)).await;
    assert_eq!(
        (second.change, second.revision),
        (Change::Upgraded, Some(2))
    );
    assert!(live(&cluster, "ConfigMap", "old").await.is_none());
    assert_eq!(mark(&cluster).await, "2");
    assert_eq!(
        statuses(&cluster).await,
        [(1, Status::Superseded), (2, Status::Deployed)]
    );
}

#[tokio::test]
async fn the_migration_runs_after_the_record_and_before_the_objects() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    let changes = cluster.changes();
    let at = |text: &str| changes.iter().position(|it| it == text).unwrap();
    assert!(at("create Secret/sh.helm.release.v1.orders.v1") < at("apply Job/orders-migrate"));
    assert!(at("apply Job/orders-migrate") < at("apply Service/orders"));
}

#[tokio::test]
async fn an_upgrade_that_fails_is_taken_back_by_itself() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    let failed = deploy(&cluster, &spec(BROKEN, SECOND)).await;
    assert_eq!(
        (failed.change, failed.restored),
        (Change::TakenBack, Some(1))
    );
    let error = failed.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("revision 1 runs again"), "{error}");
    assert_eq!(mark(&cluster).await, "1");
    assert!(live(&cluster, "ConfigMap", "new").await.is_none());
    assert!(live(&cluster, "ConfigMap", "old").await.is_some());
    assert_eq!(
        statuses(&cluster).await,
        [
            (1, Status::Superseded),
            (2, Status::Failed),
            (3, Status::Deployed)
        ]
    );
}

#[tokio::test]
async fn a_first_install_that_fails_is_removed_unless_it_is_to_be_kept() {
    let cluster = cluster();
    let failed = deploy(&cluster, &spec(BROKEN, FIRST)).await;
    assert_eq!(failed.change, Change::Removed);
    assert_eq!(cluster.titles(), ["Job/orders-migrate"]);
    assert!(statuses(&cluster).await.is_empty());

    let site = site(&cluster, "one");
    let kept = site
        .deploy(&spec(BROKEN, FIRST), AfterFailure::KeepFirst)
        .await;
    assert_eq!(kept.change, Change::Failed);
    assert!(live(&cluster, "Deployment", "orders").await.is_some());
    assert_eq!(statuses(&cluster).await, [(1, Status::Failed)]);
    let repaired = deploy(&cluster, &spec("1", FIRST)).await;
    assert_eq!(
        (repaired.change, repaired.revision),
        (Change::Installed, Some(2))
    );
}

#[tokio::test]
async fn an_object_of_another_release_is_refused_before_anything_changes() {
    let cluster = cluster();
    let key = ObjectKey::namespaced("v1", "Service", "shop", "orders");
    let theirs = json!({"kind": "Service", "metadata": {"name": "orders", "annotations": {
        "meta.helm.sh/release-name": "billing", "meta.helm.sh/release-namespace": "shop",
    }}});
    cluster.create(&key, &theirs).await.unwrap();
    let refused = deploy(&cluster, &spec("1", FIRST)).await;
    let error = refused.error.unwrap();
    assert!(error.causes()[0].contains("billing"), "{error}");
    assert!(statuses(&cluster).await.is_empty());
}

/// A release that is ready, or not, with a claim of this size.
fn claiming(size: &str, mark: &str) -> ReleaseSpec {
    let claim = ("PersistentVolumeClaim", "orders-data");
    let mut spec = spec(mark, &[&[claim][..], FIRST].concat());
    let value = &mut spec.rendered.objects[0].value;
    value["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
    value["spec"] = json!({"resources": {"requests": {"storage": size}}});
    spec
}

#[tokio::test]
async fn a_claim_that_grew_keeps_its_size_when_what_ran_before_comes_back() {
    let cluster = cluster();
    deploy(&cluster, &claiming("10Gi", "1")).await;
    let failed = deploy(&cluster, &claiming("20Gi", BROKEN)).await;
    assert_eq!(failed.change, Change::TakenBack);
    let claim = live(&cluster, "PersistentVolumeClaim", "orders-data").await;
    let claim = claim.unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "20Gi");
    assert_eq!(mark(&cluster).await, "1");
}

#[tokio::test]
async fn a_claim_that_leaves_the_chart_stays_and_is_told() {
    let cluster = cluster();
    deploy(&cluster, &claiming("10Gi", "1")).await;
    let events = Arc::new(RecordingReporter::default());
    let mut site = site(&cluster, "one");
    site.events = Arc::clone(&events) as _;
    site.deploy(&spec("2", FIRST), AfterFailure::TakeBack).await;
    let told = format!("{:?}", events.events());
    let expected = "orders: PersistentVolumeClaim/orders-data stays, and is no part of the release";
    assert!(told.contains(expected), "{told}");
    let kept = live(&cluster, "PersistentVolumeClaim", "orders-data").await;
    assert!(kept.is_some());
}

#[tokio::test]
async fn what_did_not_change_makes_no_revision() {
    let cluster = cluster();
    // The fake gives objects back as they were applied; the server adds what it likes.
    deploy(&cluster, &spec("1", FIRST)).await;
    let again = deploy(&cluster, &spec("1", FIRST)).await;
    assert_eq!((again.change, again.revision), (Change::Unchanged, Some(1)));
}

#[tokio::test]
async fn ten_revisions_are_kept_and_the_deployed_one_always() {
    let cluster = cluster();
    for number in 1..=14 {
        deploy(&cluster, &spec(&number.to_string(), FIRST)).await;
    }
    let kept = statuses(&cluster).await;
    assert_eq!(kept.len(), 10);
    assert_eq!(kept.last(), Some(&(14, Status::Deployed)));
}

#[tokio::test]
async fn a_rollback_brings_back_what_ran_before() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    deploy(&cluster, &spec("2", SECOND)).await;
    let back = site(&cluster, "one").rollback("orders", None).await;
    assert_eq!((back.change, back.restored), (Change::RolledBack, Some(1)));
    assert_eq!(mark(&cluster).await, "1");
    assert!(live(&cluster, "ConfigMap", "new").await.is_none());
}

#[tokio::test]
async fn a_rollback_to_a_revision_with_a_nameless_hook_is_refused_before_anything_changes() {
    let cluster = cluster();
    deploy(&cluster, &first_with_nameless_hook("pre-rollback")).await;
    deploy(&cluster, &spec("2", SECOND)).await;
    let site = site(&cluster, "one");
    assert!(site.plan_rollback("orders", None).await.is_err());
    let refused = site.rollback("orders", None).await.error.unwrap();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(statuses(&cluster).await.len(), 2);
}

#[tokio::test]
async fn a_second_deployment_is_told_that_the_first_is_under_way() {
    let cluster = cluster();
    let first = site(&cluster, "kim@laptop 1");
    let held = first.hold("orders").await.unwrap();
    let refused = site(&cluster, "alex@desk 2")
        .deploy(&spec("1", FIRST), AfterFailure::TakeBack)
        .await;
    let error = refused.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.causes()[0].contains("kim@laptop 1"), "{error}");
    held.lease.give_back().await;
    assert!(deploy(&cluster, &spec("1", FIRST)).await.error.is_none());
}
