//! How many replicas a workload begins with that is left to an autoscaler.

use super::site::Placed;

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::actions::deploy::tests::{cluster, deploy, live, spec};
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
