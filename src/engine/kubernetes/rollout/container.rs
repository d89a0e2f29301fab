//! Judges one container of a pod.

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
};

use super::finding::{Finding, LogSource, Patience};
use super::pod::{PodView, name, newest_on};

/// A container that was restarted this often and waits again will not come by itself.
const RESTARTS: i32 = 2;
/// How the kernel ends a container that used more memory than its limit.
const OUT_OF_MEMORY: &str = "OOMKilled";

/// When a container runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Before the others.
    Init,
    /// As long as the pod.
    Main,
}

/// What is seen of a container.
pub(super) struct ContainerView<'a> {
    /// Its pod.
    pub view: &'a PodView<'a>,
    /// When it runs.
    pub role: Role,
    /// What the node says of it.
    pub status: &'a ContainerStatus,
}

impl ContainerView<'_> {
    /// What keeps it from being ready; `None` while all goes well.
    pub fn trouble(&self) -> Option<Finding> {
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
