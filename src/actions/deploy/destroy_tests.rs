//! What a removal takes, and what it leaves.

use serde_json::{Value, json};

use super::tests::{
    FIRST, cluster, deploy, first_with_broken_hook, first_with_nameless_hook, live, site, spec,
    statuses,
};
use crate::engine::kubernetes::fake::Known;
use crate::engine::kubernetes::objects::{ObjectKey, Objects};
use crate::engine::kubernetes::records::Status;
use crate::error::ErrorKind;

#[tokio::test]
async fn the_secrets_and_volume_claims_of_a_resource_are_what_outlives_it() {
    let cluster = cluster();
    let labelled = async |kind: &str, name: &str, labels: Value| {
        let key = ObjectKey::namespaced("v1", kind, "shop", name);
        let object = json!({"metadata": {"name": name, "labels": labels}});
        cluster.create(&key, &object).await.unwrap();
    };
    let ours = json!({"app.kubernetes.io/managed-by": "gantline"});
    for name in ["orders-db", "orders-db-server", "orders-db-owner", "events"] {
        labelled("Secret", name, ours.clone()).await;
    }
    let of = |name: &str| json!({"app.kubernetes.io/name": name, "app.kubernetes.io/component": "resource"});
    labelled("PersistentVolumeClaim", "orders-db-data", of("orders-db")).await;
    labelled("PersistentVolumeClaim", "events-data", of("events")).await;
    let resource = crate::model::name::Name::new("orders-db").unwrap();
    let kept = site(&cluster, "one").kept(&[&resource]).await.unwrap();
    let titles: Vec<String> = kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        titles,
        [
            "Secret/orders-db",
            "Secret/orders-db-owner",
            "Secret/orders-db-server",
            "PersistentVolumeClaim/orders-db-data"
        ]
    );
}

#[tokio::test]
async fn a_release_that_is_destroyed_leaves_nothing() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    let destroyed = site(&cluster, "one").destroy("orders").await.unwrap();
    assert!(destroyed.existed);
    assert_eq!(cluster.titles(), ["Job/orders-migrate"]);
    assert!(statuses(&cluster).await.is_empty());
    assert!(
        !site(&cluster, "one")
            .destroy("orders")
            .await
            .unwrap()
            .existed
    );
}

/// Whether a hook of this event that has no name keeps a release from being removed.
async fn is_refused_for_a_nameless_hook(event: &str) -> bool {
    let cluster = cluster();
    deploy(&cluster, &first_with_nameless_hook(event)).await;
    let before = cluster.changes();
    let destroyed = site(&cluster, "one").destroy("orders").await;
    let left: Vec<String> = cluster.changes().split_off(before.len());
    let changes_objects = left.iter().any(|it| !it.ends_with("Lease/gantline.orders"));
    assert_ne!(destroyed.is_err(), changes_objects, "{left:?}");
    destroyed.is_err()
}

#[tokio::test]
async fn a_nameless_hook_of_a_removal_is_refused_before_anything_changes() {
    assert!(is_refused_for_a_nameless_hook("pre-delete").await);
    assert!(is_refused_for_a_nameless_hook("post-delete").await);
    assert!(!is_refused_for_a_nameless_hook("pre-rollback").await);
}

#[tokio::test]
async fn a_release_whose_removal_fails_counts_as_what_it_was() {
    let cluster = cluster();
    deploy(&cluster, &first_with_broken_hook("pre-delete")).await;
    let error = site(&cluster, "one").destroy("orders").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(
        error
            .causes()
            .contains(&"orders was not removed".to_owned()),
        "{error:?}"
    );
    assert_eq!(statuses(&cluster).await, [(1, Status::Deployed)]);
    assert!(live(&cluster, "Deployment", "orders").await.is_some());
}

#[tokio::test]
async fn what_may_be_there_keeps_its_history_while_the_cluster_does_not_tell_of_its_kind() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    cluster.say_of_kind("ConfigMap", Some(Known::Unanswered));
    let error = site(&cluster, "one").destroy("orders").await.unwrap_err();
    assert_eq!(error.message(), "the cluster does not answer");
    assert_eq!(statuses(&cluster).await, [(1, Status::Deployed)]);
    cluster.say_of_kind("ConfigMap", Some(Known::No));
    site(&cluster, "one").destroy("orders").await.unwrap();
    assert!(statuses(&cluster).await.is_empty());
    assert!(live(&cluster, "Deployment", "orders").await.is_none());
}

/// The first version, whose ConfigMap is of a kind with versions.
fn first_in_version_one() -> crate::model::release::ReleaseSpec {
    let mut first = spec("1", FIRST);
    let object = &mut first.rendered.objects[1];
    object.value["apiVersion"] = "example.com/v1beta1".into();
    object.text = object.value.to_string();
    first
}

#[tokio::test]
async fn an_object_whose_version_is_no_longer_served_is_removed_in_the_one_that_is() {
    let cluster = cluster();
    deploy(&cluster, &first_in_version_one()).await;
    cluster.say_of_kind("ConfigMap", Some(Known::In("example.com/v1")));
    site(&cluster, "one").destroy("orders").await.unwrap();
    assert_eq!(cluster.titles(), ["Job/orders-migrate"]);
    assert!(statuses(&cluster).await.is_empty());
}

#[tokio::test]
async fn an_object_whose_version_is_no_longer_served_is_pruned_in_the_one_that_is() {
    let cluster = cluster();
    deploy(&cluster, &first_in_version_one()).await;
    cluster.say_of_kind("ConfigMap", Some(Known::In("example.com/v1")));
    let without = [("Service", "orders"), ("Deployment", "orders")];
    let outcome = deploy(&cluster, &spec("2", &without)).await;
    assert!(outcome.error.is_none(), "{outcome:?}");
    let pruned = "delete ConfigMap/old".to_owned();
    assert!(
        cluster.changes().contains(&pruned),
        "{:?}",
        cluster.changes()
    );
}
