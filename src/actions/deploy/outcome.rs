//! What came of a release, and how it is told.

use crate::error::Error;
use crate::model::release::RolloutCause;

/// Why a deployment stopped before its end.
#[derive(Debug, Clone)]
pub enum Stop {
    /// The cluster refused something, or could not be asked.
    Broken(Error),
    /// A workload or a hook does not become ready.
    NotReady {
        /// What, in a sentence.
        message: String,
        /// Why.
        causes: Vec<RolloutCause>,
        /// What failed in consequence.
        related: Vec<Error>,
    },
    /// The user interrupted.
    Interrupted,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl Stop {
    /// The same, with what failed in consequence.
    #[must_use]
    pub fn with_related(self, error: Error) -> Self {
        match self {
            Self::Broken(first) => Self::Broken(first.with_related(vec![error])),
            Self::NotReady {
                message,
                causes,
                mut related,
            } => {
                related.push(error);
                Self::NotReady {
                    message,
                    causes,
                    related,
                }
            }
            Self::Interrupted => Self::Interrupted,
        }
    }

    /// In one line, for a record and for progress.
    pub fn summary(&self) -> String {
        match self {
            Self::Broken(error) => error.to_string(),
            Self::NotReady {
                message, causes, ..
            } => match causes.first() {
                Some(cause) => format!("{message}: {}", cause_line(cause)),
                None => message.clone(),
            },
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    /// Why, one entry for each cause.
    fn reasons(&self) -> Vec<String> {
        match self {
            Self::Broken(error) => {
                let message = std::iter::once(error.message().to_owned());
                message.chain(error.causes().iter().cloned()).collect()
            }
            Self::NotReady {
                message, causes, ..
            } => {
                let message = std::iter::once(message.clone());
                message.chain(causes.iter().map(cause_text)).collect()
            }
            Self::Interrupted => vec!["interrupted".to_owned()],
        }
    }
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was installed for the first time.
    Installed,
    /// A new revision runs.
    Upgraded,
    /// Nothing differed.
    Unchanged,
    /// An earlier revision runs again, as it was asked for.
    RolledBack,
    /// It failed, and the revision that ran before runs again.
    TakenBack,
    /// It failed, or others did, and as it was new it was removed.
    Removed,
    /// It failed, and is left as it is.
    Failed,
}

/// What came of one release.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Outcome {
    /// The release.
    pub release: String,
    /// What became of it.
    pub change: Change,
    /// The revision that runs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The revision that runs again, where one was brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<u32>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<RolloutCause>,
    /// What the command ends with, when it failed.
    #[serde(skip)]
    pub error: Option<Error>,
}

impl Outcome {
    /// In one line, for people: `revision 4 is ready`.
    pub fn message(&self) -> String {
        let number = |revision: Option<u32>| match revision {
            Some(revision) => format!("revision {revision}"),
            None => "no revision".to_owned(),
        };
        let revision = number(self.revision);
        match (self.change, self.restored) {
            (Change::Installed | Change::Upgraded, _) => format!("{revision} is ready"),
            (Change::Unchanged, _) => format!("unchanged, {revision} is ready"),
            (Change::RolledBack | Change::TakenBack, Some(restored)) => {
                format!("{} runs again, as {revision}", number(Some(restored)))
            }
            (Change::RolledBack | Change::TakenBack, None) => format!("{revision} runs again"),
            (Change::Removed, _) => "removed again, since it was new".to_owned(),
            (Change::Failed, _) if self.revision.is_none() => "not deployed".to_owned(),
            (Change::Failed, _) => format!("{revision} failed, and is left as it is"),
        }
    }
}

/// The error of a release with which something was not done, such as `deployed`: what happened,
/// why, what runs now.
pub fn failure(release: &str, undone: &str, stop: &Stop, now: &str) -> Error {
    let message = format!("{release} was not {undone}: {now}");
    let error = match stop {
        Stop::Interrupted => return Error::interrupted().since(format!("{release}: {now}")),
        Stop::Broken(cause) => Error::new(cause.kind(), message),
        Stop::NotReady { .. } => Error::failed(message),
    };
    with_reasons(error, stop)
}

/// The error where the user interrupts what follows a failure: why it failed counts, too.
pub fn interrupted_after(release: &str, stop: &Stop, now: &str) -> Error {
    let error = Error::interrupted().since(format!("{release}: {now}"));
    match stop {
        Stop::Interrupted => error,
        stop => with_reasons(error, stop),
    }
}

/// An error with why a release stopped.
pub fn with_reasons(error: Error, stop: &Stop) -> Error {
    let error = error.with_causes(stop.reasons());
    match stop {
        Stop::Broken(cause) => error
            .with_hints(cause.hints())
            .with_related(cause.related().to_vec()),
        Stop::NotReady {
            causes, related, ..
        } => {
            let mut hints: Vec<&str> = Vec::new();
            for hint in causes.iter().filter_map(|cause| cause.hint.as_deref()) {
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
            error.with_hints(hints).with_related(related.clone())
        }
        Stop::Interrupted => error,
    }
}

fn cause_line(cause: &RolloutCause) -> String {
    match &cause.pod {
        Some(pod) => format!("{}, pod {pod}: {}", cause.object, cause.message),
        None => format!("{}: {}", cause.object, cause.message),
    }
}

/// A cause with its events and the last lines of the log, one a line.
fn cause_text(cause: &RolloutCause) -> String {
    let events = cause.events.iter().map(|event| format!("event | {event}"));
    let log = cause.log.iter().map(|line| format!("log   | {line}"));
    let lines: Vec<String> = std::iter::once(cause_line(cause))
        .chain(events)
        .chain(log)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_failed_rollout_reads_like_a_report() {
        let stop = Stop::NotReady {
            message: "not ready".to_owned(),
            causes: vec![
                RolloutCause {
                    object: "Deployment/orders".to_owned(),
                    pod: Some("orders-1".to_owned()),
                    message: "the container orders exits with code 3 again and again".to_owned(),
                    events: vec!["Back-off restarting failed container".to_owned()],
                    hint: Some("Mend it".to_owned()),
                    log: vec!["no route to store".to_owned()],
                };
                2
            ],
            related: Vec::new(),
        };
        let error = failure("orders", "deployed", &stop, "revision 3 runs again");
        assert_eq!(
            error.message(),
            "orders was not deployed: revision 3 runs again"
        );
        assert_eq!(
            error.causes()[1],
            "Deployment/orders, pod orders-1: the container orders exits with code 3 again and again\n\
             event | Back-off restarting failed container\nlog   | no route to store"
        );
        assert_eq!(error.hints(), ["Mend it"]);
    }
}
