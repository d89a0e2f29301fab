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

/// What to do about an image that a node does not get.
const IMAGE: &str = "See that the nodes reach the registry, and that it gives them the image: where it asks who they are, by an image pull Secret";
/// What to do about a container that ends.
const ENDS: &str =
    "Mend what its log says and deploy again; `--keep-failed` leaves a first install to look into";
/// What to do about one that needs more memory.
const MEMORY: &str = "Give it more: `memory` of `compute` in its service.yaml";
/// What to do about one that runs and is not ready.
const PROBE: &str =
    "See what its probe asks, `health` in its service.yaml; `--timeout` gives it more time";

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
        let title = self.title();
        let image = || format!("the image of {title}");
        let (code, patience, text, hint) = match waiting.reason.as_deref()? {
            "CrashLoopBackOff" => return self.crashes(),
            "InvalidImageName" => (
                "image",
                Patience::None,
                format!("{} has no valid name", image()),
                "Correct the name of the image",
            ),
            "ErrImageNeverPull" => (
                "image",
                Patience::None,
                format!("{} is not on the node, and may not be pulled", image()),
                "Let the chart's `imagePullPolicy` pull it, or bring it to the node",
            ),
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => (
                "image",
                Patience::Healing,
                format!("{} cannot be had", image()),
                IMAGE,
            ),
            "CreateContainerConfigError" => (
                "configuration",
                Patience::Healing,
                format!("{title} cannot be configured"),
                "Correct what this names in the chart, or make it in the namespace",
            ),
            "CreateContainerError"
            | "RunContainerError"
            | "StartError"
            | "PreStartHookError"
            | "PostStartHookError" => (
                "start",
                Patience::Healing,
                format!("{title} cannot be started"),
                "See what the image is told to run: its entry point, `command` and `args`",
            ),
            _ => return None,
        };
        let message = waiting.message.as_deref().unwrap_or_default();
        let finding = self.finding(code, patience, format!("{text}: {message}"));
        Some(finding.hint(hint))
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
        finding.hint = Some(remedy(end));
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
        let mut finding = self.finding("crash", patience, message).hint(remedy(end));
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
            let mut finding = self
                .finding("crash", Patience::Deadline, message)
                .hint(remedy(end));
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
        let mut finding = self
            .finding("probe", Patience::Deadline, message)
            .hint(PROBE);
        finding.log = Some(self.log(false));
        Some(finding)
    }

    /// How it ended: `exits with code 1`.
    fn how(&self, end: &ContainerStateTerminated) -> String {
        if is_out_of_memory(end) {
            return match self.memory_limit() {
                Some(limit) => {
                    format!("uses more memory than its limit of {limit} ({OUT_OF_MEMORY})")
                }
                None => format!("is killed because the node is out of memory ({OUT_OF_MEMORY})"),
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

fn is_out_of_memory(end: &ContainerStateTerminated) -> bool {
    end.reason.as_deref() == Some(OUT_OF_MEMORY)
}

/// What to do about a container that ended so.
fn remedy(end: &ContainerStateTerminated) -> &'static str {
    match is_out_of_memory(end) {
        true => MEMORY,
        false => ENDS,
    }
}

fn restarts(count: i32) -> String {
    match count {
        1 => "1 restart".to_owned(),
        count => format!("{count} restarts"),
    }
}
