//! Judges a workload by what was observed of it: ready, or what it waits for and why. Pure.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::finding::{Finding, Patience, concerns, last_seen};
use super::missing::Missing;
use super::pod::{self, PodView};
use super::route::{RouteView, judge_route};
use super::service::{ServiceView, judge_service};

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HASH: &str = "controller-revision-hash";
/// How many pods in trouble are told of; the others mostly repeat them.
const TOLD: usize = 3;

/// An object that becomes ready some time after it was applied.
#[derive(Debug, Clone)]
pub enum Workload {
    /// Replicas that are all alike.
    Deployment(Box<Deployment>),
    /// Replicas with names of their own.
    StatefulSet(Box<StatefulSet>),
    /// A pod on each node.
    DaemonSet(Box<DaemonSet>),
    /// A task that ends.
    Job(Box<Job>),
    /// A pod of its own.
    Pod(Box<Pod>),
    /// A claim for storage.
    Claim(Box<PersistentVolumeClaim>),
    /// A Service, with what the cluster's network knows of it.
    Service(Box<ServiceView>),
    /// A route of the Gateway API.
    Route(Box<RouteView>),
}

/// A workload and what surrounds it.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The object itself.
    pub workload: Workload,
    /// A Deployment's ReplicaSets, of all revisions.
    pub replica_sets: Vec<ReplicaSet>,
    /// Its pods, of all revisions.
    pub pods: Vec<Pod>,
    /// Warnings of its namespace.
    pub events: Vec<Event>,
    /// What its pods need and the namespace does not have.
    pub missing: Vec<Missing>,
}

/// How far a workload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there.
    Ready,
    /// Not yet.
    Waiting {
        /// How far it is: `1 of 2 replicas ready`.
        progress: String,
        /// What is wrong, where something is; the gravest first.
        findings: Vec<Finding>,
    },
}

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
    /// The judgement.
    pub fn verdict(&self) -> Verdict {
        match &self.workload {
            Workload::Deployment(it) => self.deployment(it),
            Workload::StatefulSet(it) => self.stateful_set(it),
            Workload::DaemonSet(it) => self.daemon_set(it),
            Workload::Job(it) => self.job(it),
            Workload::Pod(it) => self.single_pod(it),
            Workload::Claim(it) => self.claim(it),
            Workload::Service(it) => judge_service(it, &self.pods),
            Workload::Route(it) => judge_route(it),
        }
    }

    fn deployment(&self, deployment: &Deployment) -> Verdict {
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
                ("Progressing", "False") => findings.push(Finding::new(
                    "progress",
                    Patience::None,
                    format!("its controller gave up: {message}"),
                )),
                _ => {}
            }
        }
        for finding in &mut findings {
            finding.about.clone_from(&uids);
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

    fn stateful_set(&self, set: &StatefulSet) -> Verdict {
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

    fn daemon_set(&self, set: &DaemonSet) -> Verdict {
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

    fn single_pod(&self, pod: &Pod) -> Verdict {
        let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
        if phase == Some("Succeeded") || pod::is_ready(pod) {
            return Verdict::Ready;
        }
        let mut findings: Vec<Finding> = self.trouble(pod, true).into_iter().collect();
        if phase == Some("Failed") {
            for finding in &mut findings {
                finding.patience = Patience::None;
            }
        }
        waiting("not ready", findings)
    }

    fn claim(&self, claim: &PersistentVolumeClaim) -> Verdict {
        let phase = claim.status.as_ref().and_then(|it| it.phase.as_deref());
        match phase {
            Some("Bound") => Verdict::Ready,
            Some("Lost") => waiting(
                "lost",
                vec![Finding::new("lost", Patience::None, "its volume is gone")],
            ),
            _ => {
                let uids = uids([Some(&claim.metadata)]);
                let event = self.newest_warning(&uids, "ProvisioningFailed");
                let message = match event.and_then(|it| it.message.as_deref()) {
                    Some(message) => format!("no volume for it: {message}"),
                    None => "no volume is bound to it".to_owned(),
                };
                let finding = Finding::new("claim", Patience::Deadline, message).about(uids);
                waiting("not bound", vec![finding])
            }
        }
    }

    /// Controllers without a condition for it say only by an event that they may not make pods.
    pub(super) fn failed_create(&self, metadata: &ObjectMeta) -> Option<Finding> {
        let uids = uids([Some(metadata)]);
        let event = self.newest_warning(&uids, "FailedCreate")?;
        Some(cannot_create(event.message.as_deref().unwrap_or_default()).about(uids))
    }

    fn newest_warning(&self, uids: &[String], reason: &str) -> Option<&Event> {
        self.events
            .iter()
            .filter(|event| concerns(event, uids) && event.reason.as_deref() == Some(reason))
            .max_by_key(|event| last_seen(event))
    }

    pub(super) fn pods_of(&self, owner: &ObjectMeta) -> Vec<&Pod> {
        self.pods
            .iter()
            .filter(|pod| is_owned(&pod.metadata, owner) && !pod::is_ending(pod))
            .collect()
    }

    /// What is wrong with these pods, the gravest first, each trouble once.
    pub(super) fn troubles(&self, pods: &[&Pod], restarts: bool) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for pod in pods {
            let Some(finding) = self.trouble(pod, restarts) else {
                continue;
            };
            match findings.iter_mut().find(|it| it.key == finding.key) {
                // The one that is nearest to a failure stands for all.
                Some(same) if finding.patience < same.patience => *same = finding,
                Some(_) => {}
                None => findings.push(finding),
            }
        }
        findings.sort_by_key(|finding| finding.patience);
        findings.truncate(TOLD);
        findings
    }

    pub(super) fn trouble(&self, pod: &Pod, restarts: bool) -> Option<Finding> {
        if pod::is_ready(pod) {
            return None;
        }
        pod::trouble(&PodView {
            pod,
            events: &self.events,
            missing: &self.missing,
            restarts,
        })
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

pub(super) fn waiting(progress: impl Into<String>, findings: Vec<Finding>) -> Verdict {
    Verdict::Waiting {
        progress: progress.into(),
        findings,
    }
}

fn unseen() -> Verdict {
    waiting("its controller has not seen the change", Vec::new())
}

fn cannot_create(message: &str) -> Finding {
    let text = format!("its pods cannot be made: {message}");
    Finding::new("create", Patience::Healing, text)
}

fn is_behind(metadata: &ObjectMeta, observed: Option<i64>) -> bool {
    metadata.generation > observed
}

/// The API server sets one when the manifest says nothing.
fn replicas(specified: Option<i32>) -> i32 {
    specified.unwrap_or(1)
}

fn uids<'a>(objects: impl IntoIterator<Item = Option<&'a ObjectMeta>>) -> Vec<String> {
    let present = objects.into_iter().flatten();
    present.filter_map(|it| it.uid.clone()).collect()
}

fn is_owned(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let uid = owner.uid.as_deref();
    object
        .owner_references
        .iter()
        .flatten()
        .any(|reference| Some(reference.uid.as_str()) == uid)
}

fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    let annotations = metadata.annotations.as_ref()?;
    annotations.get(key).map(String::as_str)
}

fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    let labels = metadata.labels.as_ref()?;
    labels.get(key).map(String::as_str)
}

pub(super) fn created(metadata: &ObjectMeta) -> String {
    let time = metadata.creation_timestamp.as_ref();
    time.map(|time| time.0.to_string()).unwrap_or_default()
}
