//! Judges a Service: the cluster's network lists the pods that are ready behind it.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

use super::finding::{Finding, Patience};
use super::judge::{Verdict, waiting};
use super::pod;

/// A Service, and where the cluster's network sends what is sent to it.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// The object.
    pub service: Service,
    /// Its EndpointSlices; `None` when they may not be read.
    pub slices: Option<Vec<EndpointSlice>>,
}

/// Waits for the address of a load balancer, and until every pod that is ready can be reached.
/// A Service without a ready pod has nothing to wait for: whether there should be one, its workload
/// knows.
pub fn judge_service(view: &ServiceView, pods: &[Pod]) -> Verdict {
    if lacks_load_balancer(&view.service) {
        let message = "no load balancer has given it an address";
        let finding = Finding::new("load-balancer", Patience::Deadline, message);
        return waiting("no address", vec![finding]);
    }
    let Some(slices) = &view.slices else {
        return Verdict::Ready;
    };
    let listed = listed(slices);
    let ready = pods
        .iter()
        .filter(|pod| pod::is_ready(pod) && !pod::is_ending(pod));
    let names: Vec<&str> = ready.filter_map(|it| it.metadata.name.as_deref()).collect();
    let reached = names.iter().filter(|name| listed.contains(*name)).count();
    match reached == names.len() {
        true => Verdict::Ready,
        false => {
            let count = names.len();
            let progress = format!("it reaches {reached} of {count} ready pods");
            waiting(progress, Vec::new())
        }
    }
}

fn lacks_load_balancer(service: &Service) -> bool {
    let kind = service.spec.as_ref().and_then(|it| it.type_.as_deref());
    let has_address = service
        .status
        .as_ref()
        .and_then(|it| it.load_balancer.as_ref()?.ingress.as_ref())
        .is_some_and(|ingress| !ingress.is_empty());
    kind == Some("LoadBalancer") && !has_address
}

/// The names of the pods that get what is sent to the Service. An endpoint that says nothing of its
/// readiness counts as ready, by the definition of EndpointSlices.
fn listed(slices: &[EndpointSlice]) -> BTreeSet<&str> {
    let ready = |endpoint: &&Endpoint| {
        let conditions = endpoint.conditions.as_ref();
        conditions.and_then(|it| it.ready).unwrap_or(true)
    };
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
    endpoints
        .filter(ready)
        .filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.as_deref())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(specification: Value, slices: Option<Value>) -> ServiceView {
        let slices = slices.map(|endpoints| {
            let slice = json!({
                "metadata": {"name": "orders-x"}, "addressType": "IPv4", "endpoints": endpoints,
            });
            vec![serde_json::from_value(slice).unwrap()]
        });
        let service = json!({"metadata": {"name": "orders"}, "spec": specification});
        ServiceView {
            service: serde_json::from_value(service).unwrap(),
            slices,
        }
    }

    fn pod(name: &str, ready: &str) -> Pod {
        let condition = json!({"type": "Ready", "status": ready});
        let pod = json!({"metadata": {"name": name}, "status": {"conditions": [condition]}});
        serde_json::from_value(pod).unwrap()
    }

    fn endpoint(pod: &str, ready: bool) -> Value {
        json!({
            "addresses": ["10.0.0.1"], "conditions": {"ready": ready},
            "targetRef": {"kind": "Pod", "name": pod},
        })
    }

    #[test]
    fn a_service_waits_until_every_ready_pod_is_listed_as_ready() {
        let pods = [
            pod("one", "True"),
            pod("two", "True"),
            pod("three", "False"),
        ];
        let judged = |endpoints| judge_service(&service(json!({}), Some(endpoints)), &pods);
        let partly = json!([endpoint("one", true), endpoint("two", false)]);
        let progress = "it reaches 1 of 2 ready pods";
        assert_eq!(judged(partly), waiting(progress, Vec::new()));
        let all = json!([endpoint("one", true), endpoint("two", true)]);
        assert_eq!(judged(all), Verdict::Ready);
    }

    #[test]
    fn who_may_not_read_the_network_is_not_kept_waiting() {
        let unread = service(json!({}), None);
        assert_eq!(
            judge_service(&unread, &[pod("one", "True")]),
            Verdict::Ready
        );
    }

    #[test]
    fn a_service_without_a_ready_pod_has_nothing_to_wait_for() {
        let empty = service(json!({}), Some(json!([])));
        assert_eq!(
            judge_service(&empty, &[pod("one", "False")]),
            Verdict::Ready
        );
    }

    #[test]
    fn a_load_balancer_waits_for_its_address() {
        let balanced = service(json!({"type": "LoadBalancer"}), Some(json!([])));
        let Verdict::Waiting { findings, .. } = judge_service(&balanced, &[]) else {
            panic!("it has no address");
        };
        assert_eq!(
            findings[0].message,
            "no load balancer has given it an address"
        );
    }
}
