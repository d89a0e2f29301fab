//! Judges one pod: ready, or what keeps it from being so.

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    Event, Pod,
};

use super::finding::{Finding, LogSource, Patience, concerns, last_seen};
use super::missing::Missing;

/// A container that was restarted this often and waits again will not come by itself.
const RESTARTS: i32 = 2;
/// How the kernel ends a container that used more memory than its limit.
const OUT_OF_MEMORY: &str = "OOMKilled";

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
        )),
        _ => None,
    }
}

/// A Secret or ConfigMap that the pod needs before its containers start.
fn missing(view: &PodView<'_>) -> Option<Finding> {
    let waits = all_statuses(view.pod).any(|(_, status)| {
        status
            .state
            .as_ref()
            .is_some_and(|state| state.waiting.is_some())
    });
    let missing = view.missing.first().filter(|_| waits)?;
    Some(Finding::new(
        format!("missing/{}", missing.name()),
        Patience::Healing,
        format!("it waits for {missing}"),
    ))
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Init,
    Main,
}

struct ContainerView<'a> {
    view: &'a PodView<'a>,
    role: Role,
    status: &'a ContainerStatus,
}

impl ContainerView<'_> {
    fn trouble(&self) -> Option<Finding> {
        let state = self.status.state.as_ref()?;
        match state {
            ContainerState {
                waiting: Some(waiting),
                ..
            } => self.waiting(waiting),
            ContainerState {
                terminated: Some(end),
                ..
            } => self.ended(end),
            ContainerState {
                running: Some(_), ..
            } => self.running(),
            _ => None,
        }
    }

    fn waiting(&self, waiting: &ContainerStateWaiting) -> Option<Finding> {
        let message = waiting.message.as_deref().unwrap_or_default();
        let title = self.title();
        match waiting.reason.as_deref()? {
            "CrashLoopBackOff" => self.crashes(),
            "InvalidImageName" => Some(self.finding(
                "image",
                Patience::None,
                format!("the image of {title} has no valid name: {message}"),
            )),
            "ErrImageNeverPull" => Some(self.finding(
                "image",
                Patience::None,
                format!(
                    "the image of {title} is not on the node, and may not be pulled: {message}"
                ),
            )),
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => Some(self.finding(
                "image",
                Patience::Healing,
                format!("the image of {title} cannot be had: {message}"),
            )),
            "CreateContainerConfigError" => Some(self.finding(
                "configuration",
                Patience::Healing,
                format!("{title} cannot be configured: {message}"),
            )),
            "CreateContainerError"
            | "RunContainerError"
            | "StartError"
            | "PreStartHookError"
            | "PostStartHookError" => Some(self.finding(
                "start",
                Patience::Healing,
                format!("{title} cannot be started: {message}"),
            )),
            _ => None,
        }
    }

    fn ended(&self, end: &ContainerStateTerminated) -> Option<Finding> {
        if end.exit_code == 0 {
            return None;
        }
        let title = self.title();
        let mut finding = self.finding(
            "exit",
            Patience::Deadline,
            format!("{title} {}", self.how(end)),
        );
        finding.log = Some(self.log(false));
        Some(finding)
    }

    fn crashes(&self) -> Option<Finding> {
        let end = self.last_end()?;
        let patience = match self.view.restarts && self.status.restart_count >= RESTARTS {
            true => Patience::None,
            false => Patience::Deadline,
        };
        let message = format!(
            "{} {} again and again ({})",
            self.title(),
            self.how(end),
            restarts(self.status.restart_count)
        );
        let mut finding = self.finding("crash", patience, message);
        // The state of a container that backs off is that of its last end.
        finding.log = Some(self.log(false));
        Some(finding)
    }

    fn running(&self) -> Option<Finding> {
        if self.role == Role::Init && self.status.started != Some(true) {
            return self.unhealthy().or_else(|| {
                let mut finding = self.finding(
                    "initialising",
                    Patience::Deadline,
                    format!("{} is not done", self.title()),
                );
                finding.log = Some(self.log(false));
                Some(finding)
            });
        }
        if self.status.ready || self.role == Role::Init {
            return None;
        }
        let crashed = self.last_end().filter(|_| self.status.restart_count > 0);
        if let Some(end) = crashed {
            let message = format!(
                "{} {} and was restarted ({})",
                self.title(),
                self.how(end),
                restarts(self.status.restart_count)
            );
            let mut finding = self.finding("crash", Patience::Deadline, message);
            finding.log = Some(self.log(true));
            return Some(finding);
        }
        self.unhealthy()
    }

    /// What the newest failed probe said.
    fn unhealthy(&self) -> Option<Finding> {
        let answer = newest_on(self.view, "Unhealthy", &self.path());
        let message = match answer {
            Some(answer) => format!("{} is not ready: {answer}", self.title()),
            None if self.role == Role::Main => format!("{} is not ready yet", self.title()),
            None => return None,
        };
        let mut finding = self.finding("probe", Patience::Deadline, message);
        finding.log = Some(self.log(false));
        Some(finding)
    }

    /// How it ended: `exits with code 1`.
    fn how(&self, end: &ContainerStateTerminated) -> String {
        let reason = end.reason.as_deref().unwrap_or_default();
        if reason == OUT_OF_MEMORY {
            return match self.memory_limit() {
                Some(limit) => format!("uses more memory than its limit of {limit} ({reason})"),
                None => format!("is killed because the node is out of memory ({reason})"),
            };
        }
        let killed = newest_on(self.view, "Killing", &self.path());
        let probe = match killed.and_then(|_| newest_on(self.view, "Unhealthy", &self.path())) {
            Some(answer) => format!(" after a probe failed ({answer})"),
            None => String::new(),
        };
        let said = match end.message.as_deref().unwrap_or_default() {
            "" => String::new(),
            message => format!(" ({message})"),
        };
        match end.signal {
            Some(signal) => format!("is ended by signal {signal}{probe}{said}"),
            None => format!("exits with code {}{probe}{said}", end.exit_code),
        }
    }

    fn last_end(&self) -> Option<&ContainerStateTerminated> {
        let last = self.status.last_state.as_ref()?;
        last.terminated.as_ref()
    }

    fn memory_limit(&self) -> Option<String> {
        let spec = self.view.pod.spec.as_ref()?;
        let same = |container: &&Container| container.name == self.status.name;
        let container = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
            .find(same)?;
        let limits = container.resources.as_ref()?.limits.as_ref()?;
        limits.get("memory").map(|quantity| quantity.0.clone())
    }

    /// How events name the container.
    fn path(&self) -> String {
        match self.role {
            Role::Init => format!("spec.initContainers{{{}}}", self.status.name),
            Role::Main => format!("spec.containers{{{}}}", self.status.name),
        }
    }

    fn title(&self) -> String {
        match self.role {
            Role::Init => format!("the init container `{}`", self.status.name),
            Role::Main => format!("the container `{}`", self.status.name),
        }
    }

    fn finding(&self, code: &str, patience: Patience, message: String) -> Finding {
        Finding::new(format!("{code}/{}", self.status.name), patience, message)
    }

    fn log(&self, previous: bool) -> LogSource {
        LogSource {
            pod: name(self.view.pod),
            container: self.status.name.clone(),
            previous,
        }
    }
}

fn restarts(count: i32) -> String {
    match count {
        1 => "1 restart".to_owned(),
        count => format!("{count} restarts"),
    }
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
fn newest_on(view: &PodView<'_>, reason: &str, path: &str) -> Option<String> {
    events_of(view)
        .filter(|event| event.reason.as_deref() == Some(reason))
        .filter(|event| event.involved_object.field_path.as_deref() == Some(path))
        .max_by_key(|event| last_seen(event))
        .and_then(|event| event.message.clone())
}
