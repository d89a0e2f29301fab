use std::sync::Arc;

use serde_json::{Value, json};

use super::super::plan::{Wanted, compare};
use super::super::tests::{FIRST, cluster, site, spec};
use super::super::{AfterFailure, Change, DeployRequest, Past, Releases};
use super::*;
use crate::engine::kubernetes::fake::{FakeCluster, Known};
use crate::engine::kubernetes::objects::Objects;
use crate::model::release::ReleaseSpec;

const DEFINITION: &str = "CustomResourceDefinition/widgets.example.com";

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true}, {"name": "v0", "served": false}],
        },
    })
}

fn object(value: Value) -> ReleaseObject {
    ReleaseObject {
        source: "orders/crds/widgets.yaml".to_owned(),
        text: value.to_string(),
        value,
    }
}

/// A release whose chart defines a kind, and has an object of it.
fn defining() -> ReleaseSpec {
    let mut spec = spec("1", FIRST);
    spec.rendered.definitions.push(object(definition()));
    spec.rendered.objects.push(object(json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"},
    })));
    spec
}

/// A cluster that does not have the kind.
fn without_the_kind() -> Arc<FakeCluster> {
    let cluster = cluster();
    cluster.say_of_kind("Widget", Some(Known::No));
    cluster
}

fn releases(spec: ReleaseSpec) -> Releases {
    Releases {
        resources: Vec::new(),
        services: vec![spec],
    }
}

async fn deploy(cluster: &Arc<FakeCluster>, spec: ReleaseSpec) -> Change {
    let request = DeployRequest {
        after: AfterFailure::TakeBack,
        atomic: false,
    };
    let site = site(cluster, "one");
    let done = site.deploy_all(&releases(spec), request).await.unwrap();
    done.outcomes[0].change
}

async fn live(cluster: &FakeCluster) -> Option<Value> {
    cluster.get(&key_of(&definition())).await.unwrap()
}

#[tokio::test]
async fn a_chart_may_define_a_kind_and_have_an_object_of_it_at_its_first_installation() {
    let cluster = without_the_kind();
    assert_eq!(deploy(&cluster, defining()).await, Change::Installed);
    let changes = cluster.changes();
    assert_eq!(changes[0], format!("create {DEFINITION}"));
    assert!(changes.iter().any(|it| it == "apply Widget/one"));
}

#[tokio::test]
async fn a_definition_is_no_part_of_the_release() {
    let cluster = without_the_kind();
    deploy(&cluster, defining()).await;
    let found = live(&cluster).await.unwrap();
    assert_eq!(found["metadata"]["labels"], Value::Null);
    assert_eq!(found["metadata"]["annotations"], Value::Null);
    let past = Past::load(&site(&cluster, "one"), "orders").await.unwrap();
    let recorded = past.last().unwrap().objects().unwrap();
    assert!(recorded.iter().all(|it| it.title() != DEFINITION));
    // Neither a version of the chart without it nor the end of the release takes it away.
    assert_eq!(deploy(&cluster, spec("2", FIRST)).await, Change::Upgraded);
    assert!(live(&cluster).await.is_some());
    assert!(!cluster.titles().contains(&"Widget/one".to_owned()));
}

#[tokio::test]
async fn a_definition_that_is_there_is_left_as_it_is() {
    let cluster = cluster();
    let mut others = definition();
    others["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "other"});
    cluster.create(&key_of(&others), &others).await.unwrap();
    let before = live(&cluster).await;
    assert_eq!(deploy(&cluster, defining()).await, Change::Installed);
    assert_eq!(live(&cluster).await, before);
}

#[tokio::test]
async fn a_definition_that_moved_out_of_the_templates_is_not_pruned() {
    let cluster = cluster();
    let mut owning = defining();
    owning
        .rendered
        .objects
        .append(&mut owning.rendered.definitions);
    assert_eq!(deploy(&cluster, owning).await, Change::Installed);
    assert_eq!(deploy(&cluster, defining()).await, Change::Upgraded);
    assert!(live(&cluster).await.is_some());
}

#[tokio::test]
async fn a_plan_shows_an_object_of_a_kind_that_a_deployment_defines_first() {
    let cluster = without_the_kind();
    let site = site(&cluster, "one");
    let lacking = site.lacking(&releases(defining())).await.unwrap();
    assert_eq!(lacking, [key_of(&definition())]);
    let spec = defining();
    let changes = compare(&site, &Wanted::of(&spec), &[]).await.unwrap();
    let shown: Vec<String> = changes
        .changed
        .iter()
        .map(|it| it.object.to_string())
        .collect();
    assert!(shown.contains(&"Widget/one".to_owned()), "{shown:?}");
    assert!(cluster.changes().is_empty(), "a plan changes nothing");
}
