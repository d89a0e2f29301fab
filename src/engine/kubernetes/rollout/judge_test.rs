//! Judgements on objects as a cluster reports them.

mod other_workloads;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Event, Pod};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::finding::{Finding, Patience};
use super::judge::{Observation, Verdict, Workload};
use super::missing::{Holder, Missing};

fn literal<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A Deployment of two replicas at revision 2, with this status on top of what it observed.
fn deployment(status: &Value) -> Workload {
    let mut whole = json!({"observedGeneration": 4});
    json_merge(&mut whole, status);
    Workload::Deployment(Box::new(literal(json!({
        "metadata": {"name": "orders", "uid": "d", "generation": 4,
            "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "orders"}},
            "template": {"metadata": {}, "spec": {"containers": []}}},
        "status": whole,
    }))))
}

fn json_merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().unwrap() {
        into[key] = value.clone();
    }
}

fn replica_set(uid: &str, revision: &str) -> ReplicaSet {
    literal(
        json!({"metadata": {"name": format!("orders-{uid}"), "uid": uid,
        "annotations": {"deployment.kubernetes.io/revision": revision},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders", "uid": "d"}]}}),
    )
}

/// A pod of the current revision whose container `orders` has this status.
fn pod(owner: &str, status: &Value, restarts: i32) -> Pod {
    let mut container = json!({"name": "orders", "image": "orders:1", "imageID": "", "ready": false,
        "restartCount": restarts});
    json_merge(&mut container, status);
    literal(json!({
        "metadata": {"name": format!("{owner}-x"), "uid": format!("{owner}-pod"),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": owner}]},
        "spec": {"containers": [{"name": "orders", "resources": {"limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Pending", "containerStatuses": [container],
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]},
    }))
}

/// The same, with a Secret mounted.
fn pod_with_secret(name: &str, status: &Value) -> Pod {
    let mut pod = pod("new", status, 0);
    let spec = pod.spec.as_mut().unwrap();
    spec.volumes = literal(json!([{"name": "it", "secret": {"secretName": name}}]));
    pod
}

fn creating() -> Value {
    json!({"state": {"waiting": {"reason": "ContainerCreating"}}})
}

/// A rollout with this pod in a namespace that lacks a Secret which some pod needs.
fn lacking(secret: &str, pod: Pod) -> Observation {
    Observation {
        missing: vec![Missing::Object(Holder::Secret, secret.to_owned())],
        ..observed(deployment(&json!({})), vec![pod])
    }
}

fn event(uid: &str, kind: &str, reason: &str, message: &str) -> Event {
    literal(json!({
        "metadata": {"name": "e", "uid": format!("{uid}-{reason}")},
        "involvedObject": {"kind": kind, "uid": uid, "fieldPath": "spec.containers{orders}"},
        "reason": reason, "message": message, "type": "Warning",
        "lastTimestamp": "2026-11-22T10:00:00Z",
    }))
}

fn observed(workload: Workload, pods: Vec<Pod>) -> Observation {
    Observation {
        workload,
        replica_sets: vec![replica_set("old", "1"), replica_set("new", "2")],
        pods,
        events: Vec::new(),
        missing: Vec::new(),
    }
}

fn waiting(observation: &Observation) -> (String, Vec<Finding>) {
    match observation.verdict() {
        Verdict::Waiting { progress, findings } => (progress, findings),
        Verdict::Ready => panic!("it is ready"),
    }
}

/// What is said about the one pod of a rollout, and how long it may last.
fn said(pod: Pod) -> (String, Patience) {
    let (_, findings) = waiting(&observed(deployment(&json!({})), vec![pod]));
    assert_eq!(findings.len(), 1, "{findings:?}");
    let next = findings[0].hint;
    assert!(next.is_some(), "nothing to do about it: {findings:?}");
    (findings[0].message.clone(), findings[0].patience)
}

#[test]
fn a_deployment_is_ready_when_all_replicas_are_updated_and_available() {
    let done = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(
        observed(deployment(&done), Vec::new()).verdict(),
        Verdict::Ready
    );
    let cases = [
        (
            json!({"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
            "its controller has not seen the change",
        ),
        (
            json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}),
            "1 of 2 replicas updated",
        ),
        (
            json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}),
            "1 of 2 replicas ready",
        ),
        (
            json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}),
            "1 of the revision before still run",
        ),
    ];
    for (status, expected) in cases {
        assert_eq!(
            waiting(&observed(deployment(&status), Vec::new())).0,
            expected
        );
    }
}

#[test]
fn only_pods_of_the_new_revision_count() {
    let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}}});
    let seen = observed(deployment(&json!({})), vec![pod("old", &crash, 9)]);
    assert_eq!(waiting(&seen).1, []);
}

#[test]
fn a_crash_loop_is_final_after_two_restarts_and_tells_the_exit_code_and_the_log() {
    let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}});
    let (message, patience) = said(pod("new", &crash, 2));
    assert_eq!(
        message,
        "the container `orders` exits with code 1 again and again (2 restarts)"
    );
    assert_eq!(patience, Patience::None);
    let (_, patience) = said(pod("new", &crash, 1));
    assert_eq!(patience, Patience::Deadline);
    let seen = observed(deployment(&json!({})), vec![pod("new", &crash, 2)]);
    let log = waiting(&seen).1.remove(0).log.unwrap();
    assert_eq!(
        (log.pod.as_str(), log.container.as_str()),
        ("new-x", "orders")
    );
}

#[test]
fn a_container_out_of_memory_is_told_with_its_limit() {
    let killed = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
    let (message, _) = said(pod("new", &killed, 2));
    assert_eq!(
        message,
        "the container `orders` uses more memory than its limit of 64Mi (OOMKilled) again and again (2 restarts)"
    );
}

#[test]
fn an_image_that_cannot_be_had_heals_or_not() {
    let state =
        |reason: &str| json!({"state": {"waiting": {"reason": reason, "message": "not found"}}});
    for reason in ["ErrImagePull", "ImagePullBackOff"] {
        let (message, patience) = said(pod("new", &state(reason), 0));
        assert_eq!(
            message,
            "the image of the container `orders` cannot be had: not found"
        );
        assert_eq!(patience, Patience::Healing);
    }
    assert_eq!(
        said(pod("new", &state("InvalidImageName"), 0)).1,
        Patience::None
    );
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let seen = lacking("orders-db", pod_with_secret("orders-db", &creating()));
    let (progress, findings) = waiting(&seen);
    assert_eq!(
        format!("{progress}; {}", findings[0].line()),
        "0 of 2 replicas updated; pod new-x: it waits for the Secret `orders-db`, which does not exist"
    );
    assert_eq!(findings[0].patience, Patience::Healing);
}

#[test]
fn what_only_pods_of_the_revision_before_lack_is_not_blamed_on_those_of_the_new_one() {
    let seen = lacking("order-db", pod_with_secret("orders-db", &creating()));
    assert_eq!(waiting(&seen).1, []);
}

#[test]
fn a_crash_is_told_although_the_secret_that_the_pod_started_with_is_gone() {
    let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}}});
    let seen = lacking("orders-db", pod_with_secret("orders-db", &crash));
    let finding = waiting(&seen).1.remove(0);
    assert!(finding.message.contains("exits with code 1"), "{finding:?}");
    assert!(finding.log.is_some());
}

#[test]
fn a_configuration_error_is_told_as_the_kubelet_says_it() {
    let state = json!({"state": {"waiting": {"reason": "CreateContainerConfigError",
        "message": "container has runAsNonRoot and image will run as root"}}});
    let (message, patience) = said(pod("new", &state, 0));
    assert_eq!(
        message,
        "the container `orders` cannot be configured: container has runAsNonRoot and image will run as root"
    );
    assert_eq!(patience, Patience::Healing);
}

#[test]
fn a_failing_probe_is_quoted() {
    let running = json!({"state": {"running": {}}, "started": true});
    let mut seen = observed(deployment(&json!({})), vec![pod("new", &running, 0)]);
    assert_eq!(
        waiting(&seen).1[0].message,
        "the container `orders` is not ready yet"
    );
    let answer = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    seen.events = vec![event("new-pod", "Pod", "Unhealthy", answer)];
    let finding = waiting(&seen).1.remove(0);
    assert_eq!(
        finding.message,
        format!("the container `orders` is not ready: {answer}")
    );
    let cause = finding.cause("Deployment/orders", &seen.events);
    // The message says so already.
    assert!(cause.events.is_empty(), "{cause:?}");
}

#[test]
fn of_events_of_one_reason_the_newest_is_told() {
    let finding = Finding::new("crash", Patience::None, "it exits").about(["p".to_owned()]);
    let mut older = event("p", "Pod", "BackOff", "back-off 10s");
    older.last_timestamp = None;
    older.metadata.creation_timestamp = None;
    let events = [
        event("p", "Pod", "BackOff", "back-off 20s"),
        older,
        event("p", "Pod", "Failed", "failed"),
        event("q", "Pod", "Other", "of another pod"),
    ];
    let told = finding.cause("Deployment/orders", &events).events;
    assert_eq!(told, ["BackOff: back-off 20s", "Failed: failed"]);
}

#[test]
fn a_long_message_keeps_its_end_where_the_cause_stands() {
    let long = format!("cannot pull: {}: not found", "x".repeat(1_000));
    let finding = Finding::new("image", Patience::Healing, long);
    for text in [finding.message.clone(), finding.line()] {
        assert!(text.starts_with("cannot pull: x"), "{text}");
        assert!(text.ends_with("x: not found"), "{text}");
        assert!(text.chars().count() <= 610, "{text}");
    }
}

#[test]
fn a_pod_that_no_node_takes_waits_until_the_deadline() {
    let mut pending = pod("new", &json!({}), 0);
    let status = pending.status.as_mut().unwrap();
    status.container_statuses = None;
    status.conditions = literal(json!([{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]));
    let (message, patience) = said(pending);
    assert_eq!(
        message,
        "no node can take it: 0/1 nodes are available: 1 Insufficient cpu."
    );
    assert_eq!(patience, Patience::Deadline);
}

#[test]
fn a_quota_that_is_exceeded_is_told_by_the_deployment() {
    let failure = json!({"conditions": [{"type": "ReplicaFailure", "status": "True",
        "reason": "FailedCreate", "message": "exceeded quota: small"}]});
    let findings = waiting(&observed(deployment(&failure), Vec::new())).1;
    assert_eq!(
        findings[0].message,
        "its pods cannot be made: exceeded quota: small"
    );
    assert_eq!(findings[0].patience, Patience::Healing);
    // The events repeat it for each pod that was tried.
    assert!(findings[0].about.is_empty());
}

#[test]
fn many_pods_with_the_same_trouble_are_one_finding_and_control_characters_are_gone() {
    let state = json!({"state": {"waiting": {"reason": "CreateContainerError", "message": "\u{1b}[31mno\nway"}}});
    let seen = observed(
        deployment(&json!({})),
        vec![pod("new", &state, 0), pod("new", &state, 0)],
    );
    let (_, findings) = waiting(&seen);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].message,
        "the container `orders` cannot be started: no way"
    );
}
