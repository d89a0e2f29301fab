//! Judges what runs as replicas: of a Deployment, a StatefulSet or a DaemonSet.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Observation, Verdict, cannot_create, created, is_owned, uids, waiting};
use crate::engine::kubernetes::rollout::finding::{Finding, Patience};
use crate::engine::kubernetes::rollout::pod;

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HASH: &str = "controller-revision-hash";

/// How many replicas there are, by a workload's status.
#[derive(Debug, Clone, Copy)]
struct Replicas {
    wanted: i32,
    updated: i32,
    available: i32,
    /// Of earlier revisions.
    old: i32,
}

impl Observation {
    /// Replicas that are all alike.
    pub(super) fn deployment(&self, deployment: &Deployment) -> Verdict {
        let status = deployment.status.clone().unwrap_or_default();
        if is_behind(&deployment.metadata, status.observed_generation) {
            return unseen();
        }
        let updated = status.updated_replicas.unwrap_or(0);
        let replicas = Replicas {
            wanted: replicas(deployment.spec.as_ref().and_then(|it| it.replicas)),
            updated,
            available: status.available_replicas.unwrap_or(0),
            old: status.replicas.unwrap_or(0) - updated,
        };
        if replicas.are_there() {
            return Verdict::Ready;
        }
        let mut findings = Vec::new();
        let conditions = status.conditions.unwrap_or_default();
        let current = self.current_replica_set(deployment);
        let uids = uids([Some(&deployment.metadata), current.map(|it| &it.metadata)]);
        for condition in conditions {
            let message = condition.message.unwrap_or_default();
            match (condition.type_.as_str(), condition.status.as_str()) {
                ("ReplicaFailure", "True") => findings.push(cannot_create(&message)),
                ("Progressing", "False") => {
                    let text = format!("its controller gave up: {message}");
                    let finding = Finding::new("progress", Patience::None, text);
                    findings.push(finding.about(uids.clone()));
                }
                _ => {}
            }
        }
        let pods = current
            .map(|set| self.pods_of(&set.metadata))
            .unwrap_or_default();
        findings.extend(self.troubles(&pods, true));
        waiting(replicas.progress(), findings)
    }

    /// The ReplicaSet of the revision that the Deployment names.
    fn current_replica_set(&self, deployment: &Deployment) -> Option<&ReplicaSet> {
        let revision = annotation(&deployment.metadata, REVISION)?;
        self.replica_sets
            .iter()
            .filter(|set| is_owned(&set.metadata, &deployment.metadata))
            .find(|set| annotation(&set.metadata, REVISION) == Some(revision))
    }

    /// Replicas with names of their own.
    pub(super) fn stateful_set(&self, set: &StatefulSet) -> Verdict {
        let status = set.status.clone().unwrap_or_default();
        if is_behind(&set.metadata, status.observed_generation) {
            return unseen();
        }
        let strategy = set.spec.as_ref().and_then(|it| it.update_strategy.as_ref());
        let wanted = replicas(set.spec.as_ref().and_then(|it| it.replicas));
        let by_hand = strategy.is_some_and(|it| it.type_.as_deref() == Some("OnDelete"));
        let kept = strategy
            .and_then(|it| it.rolling_update.as_ref()?.partition)
            .unwrap_or(0);
        let same = status.current_revision == status.update_revision;
        let updated = match by_hand || same {
            true => status.replicas,
            // Below the partition, pods keep the earlier revision on purpose.
            false => status.updated_replicas.unwrap_or(0) + kept.min(wanted),
        };
        let replicas = Replicas {
            wanted,
            updated: updated.min(wanted),
            available: status
                .available_replicas
                .or(status.ready_replicas)
                .unwrap_or(0),
            old: status.replicas - updated.min(status.replicas),
        };
        if replicas.are_there() {
            return Verdict::Ready;
        }
        let pods = self.pods_of(&set.metadata);
        let revision = status.update_revision.as_deref();
        let (new, old): (Vec<&Pod>, Vec<&Pod>) = pods
            .into_iter()
            .partition(|pod| by_hand || label(&pod.metadata, REVISION_HASH) == revision);
        let mut findings = self.troubles(&new, true);
        if findings.is_empty() {
            findings.extend(self.held_up(&old));
        }
        // It makes its pods one after the other: with none on its way, it should make the next.
        if findings.is_empty() && old.iter().chain(&new).all(|pod| pod::is_ready(pod)) {
            findings.extend(self.failed_create(&set.metadata));
        }
        waiting(replicas.progress(), findings)
    }

    /// A StatefulSet replaces one pod after the other, and waits for each; for one of the earlier
    /// revision, too.
    fn held_up(&self, old: &[&Pod]) -> Vec<Finding> {
        let mut findings = self.troubles(old, true);
        for finding in &mut findings {
            finding.message = format!(
                "it is of the revision before and holds up the others: {}",
                finding.message
            );
        }
        findings
    }

    /// A pod on each node.
    pub(super) fn daemon_set(&self, set: &DaemonSet) -> Verdict {
        let status = set.status.clone().unwrap_or_default();
        if is_behind(&set.metadata, status.observed_generation) {
            return unseen();
        }
        let strategy = set.spec.as_ref().and_then(|it| it.update_strategy.as_ref());
        let by_hand = strategy.is_some_and(|it| it.type_.as_deref() == Some("OnDelete"));
        let wanted = status.desired_number_scheduled;
        let updated = match by_hand {
            true => wanted,
            false => status.updated_number_scheduled.unwrap_or(0),
        };
        let replicas = Replicas {
            wanted,
            updated,
            available: status.number_available.unwrap_or(0),
            old: 0,
        };
        if replicas.are_there() {
            return Verdict::Ready;
        }
        let pods = self.pods_of(&set.metadata);
        let newest = pods
            .iter()
            .max_by_key(|pod| created(&pod.metadata))
            .and_then(|pod| label(&pod.metadata, REVISION_HASH));
        let current: Vec<&Pod> = pods
            .iter()
            .copied()
            .filter(|pod| label(&pod.metadata, REVISION_HASH) == newest)
            .collect();
        let mut findings = self.troubles(&current, true);
        if status.current_number_scheduled < wanted {
            findings.extend(self.failed_create(&set.metadata));
        }
        waiting(replicas.progress(), findings)
    }
}

impl Replicas {
    fn are_there(&self) -> bool {
        self.updated >= self.wanted && self.available >= self.wanted && self.old <= 0
    }

    fn progress(&self) -> String {
        let Self {
            wanted,
            updated,
            available,
            old,
        } = self;
        let noun = if *wanted == 1 { "replica" } else { "replicas" };
        if updated < wanted {
            format!("{updated} of {wanted} {noun} updated")
        } else if *old > 0 && available >= wanted {
            format!("{old} of the revision before still run")
        } else {
            // Those of the revision before count as available, too.
            let ready = (available - old).clamp(0, *wanted);
            format!("{ready} of {wanted} {noun} ready")
        }
    }
}

fn unseen() -> Verdict {
    waiting("its controller has not seen the change", Vec::new())
}

fn is_behind(metadata: &ObjectMeta, observed: Option<i64>) -> bool {
    metadata.generation > observed
}

/// The API server sets one when the manifest says nothing.
fn replicas(specified: Option<i32>) -> i32 {
    specified.unwrap_or(1)
}

fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    let annotations = metadata.annotations.as_ref()?;
    annotations.get(key).map(String::as_str)
}

fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    let labels = metadata.labels.as_ref()?;
    labels.get(key).map(String::as_str)
}
