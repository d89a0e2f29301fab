//! What a deployment creates before any release: said beforehand, made once, and gone on from
//! wherever its client dies.

use std::sync::Arc;
use std::time::Duration;

use super::tests::{cluster, site};
use super::*;
use crate::actions::release::tests::in_the_cluster::specs;
use crate::engine::kubernetes::fake::FakeCluster;
use crate::engine::kubernetes::objects::Objects;

/// Everything, in the order in which it is told.
const ALL: [&str; 6] = [
    "Namespace/shop",
    "Secret/events-server",
    "Secret/events",
    "Secret/orders-db-server",
    "Secret/orders-db",
    "Secret/orders-db-owner",
];

async fn releases() -> Releases {
    Releases {
        resources: specs("{orders-db: {}, events: {}}").await,
        services: Vec::new(),
    }
}

fn titles(keys: &[ObjectKey]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

async fn lacking(cluster: &Arc<FakeCluster>) -> Vec<String> {
    let site = site(cluster, "one");
    titles(&site.lacking(&releases().await).await.unwrap())
}

async fn made(cluster: &Arc<FakeCluster>) -> Vec<String> {
    let site = site(cluster, "one");
    titles(&site.prepare(&releases().await).await.unwrap())
}

#[tokio::test]
async fn a_plan_says_what_a_deployment_then_creates_and_tells() {
    let cluster = Arc::new(FakeCluster::default());
    assert_eq!(lacking(&cluster).await, ALL);
    assert!(cluster.changes().is_empty(), "a plan changes nothing");
    assert_eq!(made(&cluster).await, ALL);
    assert!(lacking(&cluster).await.is_empty());
    assert!(made(&cluster).await.is_empty());
}

#[tokio::test]
async fn a_secret_that_someone_deleted_is_created_again_and_the_others_are_left() {
    let cluster = cluster();
    made(&cluster).await;
    let gone = ObjectKey::namespaced("v1", "Secret", "shop", "orders-db-owner");
    cluster.delete(&gone).await.unwrap();
    assert_eq!(lacking(&cluster).await, ["Secret/orders-db-owner"]);
    assert_eq!(made(&cluster).await, ["Secret/orders-db-owner"]);
}

#[tokio::test]
async fn a_secret_of_that_name_without_passwords_is_refused_by_the_plan_too() {
    let cluster = cluster();
    let foreign = ObjectKey::namespaced("v1", "Secret", "shop", "events-server");
    let object = serde_json::json!({"metadata": {"name": "events-server"}, "data": {}});
    cluster.create(&foreign, &object).await.unwrap();
    let site = site(&cluster, "one");
    let refused = site.lacking(&releases().await).await.unwrap_err();
    let expected = "the Secret events-server of the namespace shop holds no passwords";
    assert_eq!(refused.message(), expected);
}

#[tokio::test]
async fn the_next_deployment_makes_the_secrets_fit_together_wherever_their_making_died() {
    for step in 1..=ALL.len() {
        let cluster = Arc::new(FakeCluster::default());
        cluster.die_after(Some(step));
        let (dead, wanted) = (site(&cluster, "dead"), releases().await);
        let dying = tokio::time::timeout(Duration::from_millis(100), dead.prepare(&wanted));
        assert!(dying.await.is_err(), "step {step}");
        cluster.die_after(None);
        assert_eq!(lacking(&cluster).await.len(), ALL.len() - step);
        assert_eq!(made(&cluster).await.len(), ALL.len() - step, "step {step}");
        assert_eq!(password(&cluster, "orders-db", "password").await, {
            password(&cluster, "orders-db-server", "user-password").await
        });
    }
}

async fn password(cluster: &Arc<FakeCluster>, secret: &str, key: &str) -> String {
    let key_of = ObjectKey::namespaced("v1", "Secret", "shop", secret);
    let found = cluster.get(&key_of).await.unwrap().unwrap();
    found["data"][key].as_str().unwrap().to_owned()
}
