//! Judges a Job: done, or what it waits for and why.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::finding::{Finding, Patience};
use super::judge::{Observation, Verdict, created, waiting};

impl Observation {
    /// Whether a task is done, or how far it is.
    pub(super) fn job(&self, job: &Job) -> Verdict {
        let status = job.status.clone().unwrap_or_default();
        let pods = self.pods_of(&job.metadata);
        for condition in status.conditions.iter().flatten() {
            match (condition.type_.as_str(), condition.status.as_str()) {
                ("Complete" | "Suspended", "True") => return Verdict::Ready,
                ("Failed", "True") => {
                    let reason = condition.message.as_deref().unwrap_or_default();
                    return waiting("failed", vec![self.job_failure(&pods, reason)]);
                }
                _ => {}
            }
        }
        if needs_one_pod(job) && pods.iter().any(|pod| has_done_its_work(pod)) {
            return Verdict::Ready;
        }
        let mut findings = self.troubles(&pods, false);
        let failed = status.failed.unwrap_or(0);
        let active = status.active.unwrap_or(0);
        if active == 0 {
            findings.extend(self.failed_create(&job.metadata));
        }
        let progress = match (failed, active) {
            (0, 0) => "not started".to_owned(),
            (0, _) => "running".to_owned(),
            (failed, _) => format!("running; {failed} of its pods failed"),
        };
        waiting(progress, findings)
    }

    /// Why a failed Job failed: how its last pod ended, else what its controller says.
    fn job_failure(&self, pods: &[&Pod], reason: &str) -> Finding {
        let mut ended: Vec<&Pod> = pods.to_vec();
        ended.sort_by_key(|pod| created(&pod.metadata));
        let last = ended.iter().rev().find_map(|pod| self.trouble(pod, false));
        match last {
            Some(finding) => Finding {
                patience: Patience::None,
                message: format!("{} ({reason})", finding.message),
                ..finding
            },
            None => Finding::new("job", Patience::None, format!("it failed: {reason}")),
        }
    }
}

/// Whether the Job is done as soon as one of its pods is.
fn needs_one_pod(job: &Job) -> bool {
    let spec = job.spec.as_ref();
    let one = |count: Option<i32>| count.unwrap_or(1) == 1;
    spec.is_some_and(|spec| one(spec.completions) && one(spec.parallelism))
}

/// Whether every container of a pod that is never restarted ended well. The pod's phase says so a
/// second or two later, and the Job's condition after that.
fn has_done_its_work(pod: &Pod) -> bool {
    let (Some(spec), Some(status)) = (&pod.spec, &pod.status) else {
        return false;
    };
    let ended_well = |status: &ContainerStatus| {
        let ended = status.state.as_ref().and_then(|it| it.terminated.as_ref());
        ended.is_some_and(|ended| ended.exit_code == 0)
    };
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    spec.restart_policy.as_deref() == Some("Never")
        && containers.len() == spec.containers.len()
        && containers.iter().all(ended_well)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::kubernetes::rollout::judge::Workload;

    /// A Job that runs, and its pod, whose containers end with these codes; `None` for one that
    /// still runs.
    fn running(job: &Value, restart: &str, codes: &[Option<i32>]) -> Verdict {
        let container = |(number, code): (usize, &Option<i32>)| {
            let state = match code {
                Some(code) => json!({"terminated": {"exitCode": code}}),
                None => json!({"running": {}}),
            };
            json!({"name": format!("step-{number}"), "image": "orders:1", "imageID": "",
                "ready": false, "restartCount": 0, "state": state})
        };
        let statuses: Vec<Value> = codes.iter().enumerate().map(container).collect();
        let containers = [json!({"name": "step-0"}), json!({"name": "step-1"})];
        let pod = json!({
            "metadata": {"name": "migrate-x", "uid": "p", "ownerReferences":
                [{"apiVersion": "batch/v1", "kind": "Job", "name": "migrate", "uid": "j"}]},
            "spec": {"restartPolicy": restart, "containers": containers},
            "status": {"phase": "Running", "containerStatuses": statuses},
        });
        let mut spec = json!({"template": {"metadata": {}, "spec": {"containers": []}}});
        for (name, value) in job.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let job = json!({
            "metadata": {"name": "migrate", "uid": "j"}, "spec": spec, "status": {"active": 1},
        });
        let observation = Observation {
            workload: Workload::Job(Box::new(serde_json::from_value(job).unwrap())),
            replica_sets: Vec::new(),
            pods: vec![serde_json::from_value(pod).unwrap()],
            events: Vec::new(),
            missing: Vec::new(),
        };
        observation.verdict()
    }

    #[test]
    fn a_job_is_done_when_all_containers_of_its_pod_ended_well() {
        let verdict = running(&json!({}), "Never", &[Some(0), Some(0)]);
        assert_eq!(verdict, Verdict::Ready);
    }

    #[test]
    fn a_job_goes_on_while_a_container_runs_failed_was_not_seen_or_is_started_again() {
        for codes in [&[Some(0), None][..], &[Some(0), Some(3)], &[Some(0)], &[]] {
            let verdict = running(&json!({}), "Never", codes);
            assert_ne!(verdict, Verdict::Ready, "{codes:?}");
        }
        let again = running(&json!({}), "OnFailure", &[Some(0), Some(0)]);
        assert_ne!(again, Verdict::Ready);
    }

    #[test]
    fn a_job_of_several_pods_is_done_when_its_controller_says_so() {
        for more in [json!({"completions": 2}), json!({"parallelism": 2})] {
            let verdict = running(&more, "Never", &[Some(0), Some(0)]);
            assert_ne!(verdict, Verdict::Ready, "{more}");
        }
    }
}
