//! The derived network policies against the graph of `needs` and `uses`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rendered::{Rendered, RenderedService};

fn policy(service: &RenderedService, name: &str) -> Value {
    let policies = service.of_kind("NetworkPolicy").into_iter();
    let mut named = policies.filter(|policy| policy["metadata"]["name"] == name);
    named.next().unwrap_or_else(|| panic!("no policy {name}"))
}

fn rules<'a>(policy: &'a Value, direction: &str) -> &'a [Value] {
    policy["spec"][direction].as_array().expect("rules")
}

/// The labels that the pods of a rule's peers must carry.
fn pod_labels<'a>(rule: &'a Value, side: &str) -> Vec<(&'a str, &'a str)> {
    let peers = rule[side].as_array().expect("peers").iter();
    peers
        .filter_map(|peer| peer.pointer("/podSelector/matchLabels")?.as_object())
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().expect("text")))
        .collect()
}

fn ports(rule: &Value) -> Vec<i64> {
    let ports = rule["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| port["port"].as_i64()).collect()
}

fn pod_labels_of(service: &RenderedService) -> Value {
    service.of_kind("Deployment")[0]["spec"]["template"]["metadata"]["labels"].clone()
}

#[test]
#[ignore = "needs helm"]
fn a_service_lets_in_exactly_those_that_need_it() {
    let shop = Rendered::shop();
    for provider in shop.services() {
        let policy = policy(provider, &provider.name);
        let admits = format!("calls/{}", provider.name);
        let public: Vec<&Value> = rules(&policy, "ingress")
            .iter()
            .filter(|rule| pod_labels(rule, "from").contains(&(admits.as_str(), "true")))
            .collect();
        let manifest = &shop.project.services[provider.name.as_str()];
        assert_eq!(public.len(), usize::from(manifest.ports.http.is_some()));
        for consumer in shop.services() {
            let calls = pod_labels_of(consumer).get(&admits).is_some();
            let needs = &shop.project.services[consumer.name.as_str()].needs;
            let needed = needs
                .iter()
                .any(|need| need.service.as_str() == provider.name);
            assert_eq!(calls, needed, "{} calls {}", consumer.name, provider.name);
        }
    }
}

#[test]
#[ignore = "needs helm"]
fn a_service_reaches_exactly_what_it_needs_and_uses() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let policy = policy(service, &service.name);
        let manifest = &shop.project.services[service.name.as_str()];
        let mut expected: BTreeSet<String> = manifest
            .uses
            .values()
            .map(|resource| resource.as_str().to_owned())
            .collect();
        expected.extend(
            manifest
                .needs
                .iter()
                .map(|need| need.service.as_str().to_owned()),
        );
        // Its own test pod reaches the admin port.
        expected.insert(service.name.clone());
        let reached: BTreeSet<String> = rules(&policy, "egress")
            .iter()
            .flat_map(|rule| pod_labels(rule, "to"))
            .filter(|(key, _)| *key == "app.kubernetes.io/name")
            .map(|(_, name)| name.to_owned())
            .collect();
        assert_eq!(reached, expected, "{}", service.name);
    }
}

#[test]
#[ignore = "needs helm"]
fn every_pod_is_covered_and_may_look_names_up() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let main = policy(service, &service.name);
        let components = main.pointer("/spec/podSelector/matchExpressions/0/values");
        assert_eq!(components, Some(&serde_json::json!(["service", "test"])));
        let mut policies = vec![main];
        let jobs = service.of_kind("Job").into_iter();
        for job in jobs
            .filter(|job| job["metadata"]["labels"]["app.kubernetes.io/component"] == "migrations")
        {
            let name = job["metadata"]["name"].as_str().expect("a name");
            policies.push(policy(service, name));
        }
        for policy in policies {
            assert_eq!(
                policy["spec"]["policyTypes"],
                serde_json::json!(["Ingress", "Egress"])
            );
            let names = rules(&policy, "egress")
                .iter()
                .find(|rule| pod_labels(rule, "to").contains(&("k8s-app", "kube-dns")));
            assert_eq!(ports(names.expect("a rule for DNS")), [53, 53]);
        }
    }
}

#[test]
#[ignore = "needs helm"]
fn the_gateway_comes_in_only_where_a_path_is_exposed() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let text = policy(service, &service.name)["spec"]["ingress"].to_string();
        let exposed = !shop.project.services[service.name.as_str()]
            .expose
            .is_empty();
        assert_eq!(text.contains("\"gateways\""), exposed, "{}", service.name);
        assert_eq!(service.of_kind("HTTPRoute").len(), usize::from(exposed));
    }
}
