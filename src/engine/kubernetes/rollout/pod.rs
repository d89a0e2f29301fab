//! Judges one pod: ready, or what keeps it from being so.

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};

use super::container::{ContainerView, Role};
use super::finding::{Finding, Patience, concerns, last_seen};
use super::missing::{Missing, needs};

/// What is seen of a pod.
#[derive(Clone, Copy)]
pub struct PodView<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Warnings of its namespace.
    pub events: &'a [Event],
    /// What pods of the workload name and the namespace does not have.
    pub missing: &'a [Missing],
    /// Whether containers are restarted, and so end only for good in a crash loop. Pods of a Job
    /// fail with their Job.
    pub restarts: bool,
}

/// Whether the pod says that it is ready.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _, _)| status == "True")
}

/// Whether the pod was told to end.
pub fn is_ending(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// The pod's name.
pub fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}

/// What keeps the pod from being ready, the most telling one; `None` while all goes well.
pub fn trouble(view: &PodView<'_>) -> Option<Finding> {
    let found = scheduling(view.pod)
        .or_else(|| missing(view))
        .or_else(|| containers(view))
        .or_else(|| ended(view.pod))
        .or_else(|| setting_up(view))?;
    let name = name(view.pod);
    Some(Finding {
        pod: Some(name),
        ..found
    })
    .map(|it| it.about(view.pod.metadata.uid.clone()))
}

fn scheduling(pod: &Pod) -> Option<Finding> {
    let (status, reason, message) = condition(pod, "PodScheduled")?;
    match (status, reason) {
        ("False", "SchedulingGated") => Some(Finding::new(
            "gated",
            Patience::Deadline,
            "it is held back by a scheduling gate",
        )),
        ("False", _) => Some(Finding::new(
            "unschedulable",
            Patience::Deadline,
            format!("no node can take it: {message}"),
        )
        .hint("See what the nodes have left, `kubectl describe nodes`; what it asks for is `compute` in its service.yaml")),
        _ => None,
    }
}

/// A Secret or ConfigMap that the pod needs before its containers start. What others lack says
/// nothing about this one, nor about containers that started before.
fn missing(view: &PodView<'_>) -> Option<Finding> {
    let waits = all_statuses(view.pod).any(|(_, status)| {
        let state = status.state.as_ref();
        state.is_some_and(|state| state.waiting.is_some()) && !has_run(status)
    });
    let needs = needs(view.pod.spec.as_ref().filter(|_| waits)?);
    let missing = view.missing.iter().find(|it| it.is_of(&needs))?;
    Some(
        Finding::new(
            format!("missing/{}", missing.name()),
            Patience::Healing,
            format!("it waits for {missing}"),
        )
        .hint("Make it in the namespace, or correct its name where it is used"),
    )
}

fn containers(view: &PodView<'_>) -> Option<Finding> {
    let found = all_statuses(view.pod)
        .filter_map(|(role, status)| ContainerView { view, role, status }.trouble())
        .min_by_key(|finding| finding.patience)?;
    Some(found)
}

/// The pod as a whole failed: evicted, or rejected by the node.
fn ended(pod: &Pod) -> Option<Finding> {
    let status = pod.status.as_ref()?;
    (status.phase.as_deref() == Some("Failed")).then(|| {
        let reason = status.reason.as_deref().unwrap_or("it failed");
        let message = status.message.as_deref().unwrap_or_default();
        let text = match message.is_empty() {
            true => reason.to_owned(),
            false => format!("{reason}: {message}"),
        };
        Finding::new("pod-failed", Patience::Deadline, text)
    })
}

/// Volumes and the network are set up before any container has a state that tells.
fn setting_up(view: &PodView<'_>) -> Option<Finding> {
    if is_ready(view.pod) || all_statuses(view.pod).any(|(_, status)| has_run(status)) {
        return None;
    }
    let event = newest(
        view,
        &[
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
        ],
    )?;
    Some(Finding::new(
        "set-up",
        Patience::Deadline,
        format!(
            "its node cannot set it up: {}",
            event.message.as_deref().unwrap_or_default()
        ),
    ))
}

fn has_run(status: &ContainerStatus) -> bool {
    let state = status.state.as_ref();
    state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
        || status
            .last_state
            .as_ref()
            .is_some_and(|it| it.terminated.is_some())
}

fn all_statuses(pod: &Pod) -> impl Iterator<Item = (Role, &ContainerStatus)> {
    let status = pod.status.as_ref();
    let inits = status.and_then(|it| it.init_container_statuses.as_ref());
    let mains = status.and_then(|it| it.container_statuses.as_ref());
    inits
        .into_iter()
        .flatten()
        .map(|it| (Role::Init, it))
        .chain(mains.into_iter().flatten().map(|it| (Role::Main, it)))
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|it| it.type_ == kind)?;
    Some((
        found.status.as_str(),
        found.reason.as_deref().unwrap_or_default(),
        found.message.as_deref().unwrap_or_default(),
    ))
}

fn events_of<'a>(view: &PodView<'a>) -> impl Iterator<Item = &'a Event> {
    let uids: Vec<String> = view.pod.metadata.uid.iter().cloned().collect();
    view.events
        .iter()
        .filter(move |event| concerns(event, &uids))
}

fn newest<'a>(view: &PodView<'a>, reasons: &[&str]) -> Option<&'a Event> {
    events_of(view)
        .filter(|event| reasons.contains(&event.reason.as_deref().unwrap_or_default()))
        .max_by_key(|event| last_seen(event))
}

/// The newest message of this reason about the container at this path of the pod.
pub(super) fn newest_on(view: &PodView<'_>, reason: &str, path: &str) -> Option<String> {
    events_of(view)
        .filter(|event| event.reason.as_deref() == Some(reason))
        .filter(|event| event.involved_object.field_path.as_deref() == Some(path))
        .max_by_key(|event| last_seen(event))
        .and_then(|event| event.message.clone())
}
