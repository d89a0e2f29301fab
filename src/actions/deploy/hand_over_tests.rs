//! What becomes of fields that Helm set on the client's side.

use serde_json::{Value, json};

use super::plan::{ObjectChange, Wanted, compare};
use super::tests::{FIRST, cluster, deploy, live, site, spec, statuses};
use crate::engine::kubernetes::fake::FakeCluster;
use crate::engine::kubernetes::objects::{ApplyMode, ObjectKey, Objects};

#[tokio::test]
async fn helms_fields_are_handed_over_although_the_object_changed_since_it_was_compared() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    let key = ObjectKey::namespaced("v1", "Deployment", "shop", "orders");
    let managed = json!([{"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {}}}]);
    let by_helm = json!({"metadata": {"managedFields": managed}});
    cluster.set(&key, &by_helm).await.unwrap();
    let site = site(&cluster, "one");
    let spec = spec("2", &[("Deployment", "orders")]);
    let placed = site.place(&Wanted::of(&spec)).await.unwrap();
    let by_another = json!({"status": {"replicas": 1}});
    cluster.set(&key, &by_another).await.unwrap();
    let before = cluster.changes().len();
    let held = site.hold("orders").await.unwrap();
    held.apply(&placed).await.unwrap();
    assert_eq!(
        cluster.changes()[before..],
        [
            "create Lease/gantline.orders",
            "replace Deployment/orders",
            "apply Deployment/orders"
        ]
    );
}

/// Lets the Deployment be one that Helm 3 made, with a field that the chart has no more.
async fn made_by_helm_3(cluster: &FakeCluster) {
    let key = ObjectKey::namespaced("v1", "Deployment", "shop", "orders");
    let mut object = live(cluster, "Deployment", "orders").await.unwrap();
    object["spec"] = json!({"mark": "1", "paused": true});
    let fields = json!({"f:spec": {"f:mark": {}, "f:paused": {}}});
    object["metadata"]["managedFields"] =
        json!([{"manager": "helm", "operation": "Update", "fieldsV1": fields}]);
    let replaced = cluster.replace(&key, &object, ApplyMode::Real).await;
    assert!(replaced.unwrap().is_some());
}

#[tokio::test]
async fn a_plan_shows_what_a_hand_over_from_helm_takes_away() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    made_by_helm_3(&cluster).await;
    let spec = spec("1", FIRST);
    let planned = compare(&site(&cluster, "one"), &Wanted::of(&spec), &[]).await;
    let changed: Vec<ObjectChange> = planned.unwrap().changed;
    let told: Vec<String> = changed.iter().map(|it| it.object.to_string()).collect();
    assert_eq!(told, ["Deployment/orders"]);
    let diff = &changed[0].diff;
    let gone: Vec<&str> = diff.lines().filter(|line| line.starts_with('-')).collect();
    assert_eq!(gone, ["-  paused: true"], "{diff}");
    let kept = live(&cluster, "Deployment", "orders").await.unwrap();
    assert_eq!(kept["spec"]["paused"], true, "planning changes nothing");

    deploy(&cluster, &spec).await;
    let deployed = live(&cluster, "Deployment", "orders").await.unwrap();
    assert_eq!(deployed["spec"]["paused"], Value::Null);
    assert_eq!(statuses(&cluster).await.len(), 2);
}
