//! Judgements on what is no Deployment.

use super::*;

fn stateful_set(status: &Value) -> Workload {
    let mut whole = json!({"observedGeneration": 2, "replicas": 1, "currentRevision": "a", "updateRevision": "b"});
    json_merge(&mut whole, status);
    Workload::StatefulSet(Box::new(literal(json!({
        "metadata": {"name": "orders", "uid": "s", "generation": 2},
        "spec": {"replicas": 1, "serviceName": "orders", "selector": {},
            "template": {"metadata": {}, "spec": {"containers": []}}},
        "status": whole,
    }))))
}

#[test]
fn a_stateful_set_is_ready_when_its_pods_are_of_the_new_revision() {
    let done = json!({"updatedReplicas": 1, "availableReplicas": 1});
    assert_eq!(
        observed(stateful_set(&done), Vec::new()).verdict(),
        Verdict::Ready
    );
    let old = json!({"updatedReplicas": 0, "availableReplicas": 1});
    let (progress, findings) = waiting(&observed(stateful_set(&old), Vec::new()));
    assert_eq!(
        (progress.as_str(), findings),
        ("0 of 1 replica updated", Vec::new())
    );
}

#[test]
fn a_stateful_set_that_waits_for_a_broken_pod_of_the_revision_before_says_so() {
    let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 3}}});
    let mut broken = pod("s", &crash, 4);
    broken.metadata.labels = Some([("controller-revision-hash".to_owned(), "a".to_owned())].into());
    let seen = observed(stateful_set(&json!({"availableReplicas": 0})), vec![broken]);
    assert_eq!(
        waiting(&seen).1[0].message,
        "it is of the revision before and holds up the others: the container `orders` exits with code 3 \
         again and again (4 restarts)"
    );
}

#[test]
fn a_stateful_set_that_may_make_no_pod_says_so() {
    let mut seen = observed(stateful_set(&json!({"replicas": 0})), Vec::new());
    seen.events = vec![event(
        "s",
        "StatefulSet",
        "FailedCreate",
        "exceeded quota: small",
    )];
    assert_eq!(
        waiting(&seen).1[0].message,
        "its pods cannot be made: exceeded quota: small"
    );
}

fn job(status: &Value) -> Workload {
    Workload::Job(Box::new(literal(json!({
        "metadata": {"name": "migrate", "uid": "j", "generation": 1},
        "spec": {"template": {"metadata": {}, "spec": {"containers": []}}},
        "status": status,
    }))))
}

#[test]
fn a_job_is_done_or_failed_with_how_its_pod_ended() {
    let done = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    assert_eq!(observed(job(&done), Vec::new()).verdict(), Verdict::Ready);
    let failed = json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True",
        "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]});
    let end = json!({"state": {"terminated": {"exitCode": 1, "reason": "Error"}}});
    let (_, findings) = waiting(&observed(job(&failed), vec![pod("j", &end, 0)]));
    assert_eq!(
        findings[0].message,
        "the container `orders` exits with code 1 (Job has reached the specified backoff limit)"
    );
    assert_eq!(findings[0].patience, Patience::None);
    let (_, findings) = waiting(&observed(job(&failed), Vec::new()));
    assert_eq!(
        findings[0].message,
        "it failed: Job has reached the specified backoff limit"
    );
}

#[test]
fn a_job_that_may_try_again_goes_on() {
    let end = json!({"state": {"terminated": {"exitCode": 1}}});
    let trying = json!({"active": 1, "failed": 1});
    let (progress, findings) = waiting(&observed(job(&trying), vec![pod("j", &end, 0)]));
    assert_eq!(progress, "running; 1 of its pods failed");
    assert_eq!(findings[0].patience, Patience::Deadline);
}

#[test]
fn a_claim_without_a_volume_is_waited_for() {
    let claim = Workload::Claim(Box::new(literal(
        json!({"metadata": {"uid": "c"}, "status": {"phase": "Pending"}}),
    )));
    let mut seen = observed(claim, Vec::new());
    seen.events = vec![event(
        "c",
        "PersistentVolumeClaim",
        "ProvisioningFailed",
        "storageclass not found",
    )];
    assert_eq!(
        waiting(&seen).1[0].message,
        "no volume for it: storageclass not found"
    );
}

#[test]
fn a_daemon_set_counts_the_pods_of_its_newest_revision() {
    let daemon_set = |available: i32| {
        Workload::DaemonSet(Box::new(literal(json!({
            "metadata": {"name": "agent", "uid": "a", "generation": 1},
            "spec": {"selector": {}, "template": {"metadata": {}, "spec": {"containers": []}}},
            "status": {"observedGeneration": 1, "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
                "updatedNumberScheduled": 1, "numberAvailable": available, "numberMisscheduled": 0, "numberReady": available},
        }))))
    };
    assert_eq!(
        observed(daemon_set(1), Vec::new()).verdict(),
        Verdict::Ready
    );
    assert_eq!(
        waiting(&observed(daemon_set(0), Vec::new())).0,
        "0 of 1 replica ready"
    );
}
