//! Judges a workload by what was observed of it: ready, or what it waits for and why. Pure.

mod replicas;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::finding::{Finding, Patience, concerns, last_seen};
use super::missing::Missing;
use super::pod::{self, PodView};
use super::route::{RouteView, judge_route};
use super::service::{ServiceView, judge_service};

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
    /// What one or another of its pods needs and the namespace does not have.
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
                let finding = Finding::new("claim", Patience::Deadline, message)
                    .about(uids)
                    .hint("See which storage the cluster has: `kubectl get storageclass`");
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

pub(super) fn waiting(progress: impl Into<String>, findings: Vec<Finding>) -> Verdict {
    Verdict::Waiting {
        progress: progress.into(),
        findings,
    }
}

fn cannot_create(message: &str) -> Finding {
    let text = format!("its pods cannot be made: {message}");
    Finding::new("create", Patience::Healing, text).hint("Change what that rule of the cluster names, or ask who made the rule: `compute` and `scale` of a service.yaml are what a quota counts")
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

pub(super) fn created(metadata: &ObjectMeta) -> String {
    let time = metadata.creation_timestamp.as_ref();
    time.map(|time| time.0.to_string()).unwrap_or_default()
}
