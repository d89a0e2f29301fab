//! How many replicas a workload begins with, or goes on with, that is left to an autoscaler.

use serde_json::Value;

use super::site::Placed;
use crate::engine::kubernetes::objects::FIELD_MANAGER;

/// What the autoscaler among these objects will ask for at least, when this one is new and says
/// nothing itself. A new workload has one replica until its autoscaler looks at it for the first
/// time, which may take 15 seconds, and only then does the second start.
pub(super) fn of(new: &Placed, placed: &[Placed]) -> Option<u64> {
    if new.live.is_some() || !new.marked["spec"]["replicas"].is_null() {
        return None;
    }
    let scales_it = |it: &&Placed| {
        let target = &it.marked["spec"]["scaleTargetRef"];
        it.key.kind == "HorizontalPodAutoscaler"
            && it.key.namespace == new.key.namespace
            && target["kind"] == new.key.kind.as_str()
            && target["name"] == new.key.name.as_str()
    };
    let autoscaler = placed.iter().find(scales_it)?;
    autoscaler.marked["spec"]["minReplicas"]
        .as_u64()
        .filter(|least| *least > 1)
}

/// The number that is there, when the release owns it and the chart names it no longer. A field that
/// its only owner leaves out goes back to its default: a single replica.
pub(super) fn left_out(new: &Placed) -> Option<u64> {
    if !new.marked["spec"]["replicas"].is_null() {
        return None;
    }
    owned(new.live.as_ref()?)
}

/// The number of a workload that was applied by a release.
fn owned(live: &Value) -> Option<u64> {
    let managers = live["metadata"]["managedFields"].as_array()?;
    let is_owner = |it: &Value| {
        it["manager"] == FIELD_MANAGER && it["fieldsV1"]["f:spec"]["f:replicas"].is_object()
    };
    let is_owned = managers.iter().any(is_owner);
    live["spec"]["replicas"].as_u64().filter(|_| is_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::owned;
    use crate::actions::deploy::plan::{Wanted, compare};
    use crate::actions::deploy::tests::{cluster, deploy, live, site, spec};
    use crate::engine::kubernetes::objects::ObjectKey;
    use crate::model::release::ReleaseSpec;

    /// A Deployment that says nothing of replicas, and an autoscaler of this workload.
    fn autoscaled(mark: &str, target: &str) -> ReleaseSpec {
        let mut spec = spec(
            mark,
            &[
                ("Deployment", "orders"),
                ("HorizontalPodAutoscaler", "orders"),
            ],
        );
        let autoscaler = &mut spec.rendered.objects[1].value;
        autoscaler["spec"] = json!({
            "scaleTargetRef": {"kind": "Deployment", "name": target}, "minReplicas": 2,
        });
        spec
    }

    async fn replicas_after(deployments: &[ReleaseSpec]) -> Value {
        let cluster = cluster();
        for spec in deployments {
            let outcome = deploy(&cluster, spec).await;
            assert!(outcome.error.is_none(), "{outcome:?}");
        }
        let workload = live(&cluster, "Deployment", "orders").await.unwrap();
        workload["spec"]["replicas"].clone()
    }

    #[tokio::test]
    async fn a_new_workload_begins_with_what_its_autoscaler_keeps_at_least() {
        assert_eq!(replicas_after(&[autoscaled("1", "orders")]).await, 2);
    }

    #[tokio::test]
    async fn one_that_is_there_is_left_to_the_autoscaler() {
        let plain = spec("1", &[("Deployment", "orders")]);
        let later = replicas_after(&[plain, autoscaled("2", "orders")]).await;
        assert_eq!(later, Value::Null);
    }

    fn fixed(mark: &str, replicas: u64) -> ReleaseSpec {
        let mut spec = spec(mark, &[("Deployment", "orders")]);
        spec.rendered.objects[0].value["spec"]["replicas"] = replicas.into();
        spec
    }

    #[tokio::test]
    async fn one_that_is_handed_to_an_autoscaler_keeps_its_replicas() {
        let handed = [fixed("1", 5), autoscaled("2", "orders")];
        assert_eq!(replicas_after(&handed).await, 5);
        let taken_back = [handed.as_slice(), &[fixed("3", 4)]].concat();
        assert_eq!(replicas_after(&taken_back).await, 4);
    }

    #[tokio::test]
    async fn a_plan_shows_no_loss_of_replicas_that_stay() {
        let cluster = cluster();
        deploy(&cluster, &fixed("1", 5)).await;
        let next = autoscaled("1", "orders");
        let site = site(&cluster, "one");
        let known = [ObjectKey::namespaced("v1", "Deployment", "shop", "orders")];
        let changes = compare(&site, &Wanted::of(&next), &known).await;
        let changed = changes.unwrap().changed;
        let objects: Vec<&str> = changed.iter().map(|it| it.object.kind.as_str()).collect();
        assert_eq!(objects, ["HorizontalPodAutoscaler"]);
    }

    #[test]
    fn a_number_that_another_set_is_not_the_releases() {
        let live = |manager: &str| {
            json!({
                "metadata": {"managedFields": [
                    {"manager": manager, "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "helm", "fieldsV1": {"f:spec": {"f:mark": {}}}},
                ]},
                "spec": {"replicas": 3},
            })
        };
        assert_eq!(owned(&live("helm")), Some(3));
        assert_eq!(owned(&live("kube-controller-manager")), None);
    }

    #[tokio::test]
    async fn the_autoscaler_of_another_says_nothing() {
        let replicas = replicas_after(&[autoscaled("1", "billing")]).await;
        assert_eq!(replicas, Value::Null);
    }

    #[tokio::test]
    async fn a_number_in_the_chart_holds() {
        let mut spec = autoscaled("1", "orders");
        spec.rendered.objects[0].value["spec"]["replicas"] = json!(5);
        assert_eq!(replicas_after(&[spec]).await, 5);
    }
}
