//! What is wrong with a workload, and how long that may last before it counts as a failure.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::Event;

use crate::engine::runtime::clean_line;
use crate::model::release::RolloutCause;

/// How long something may be wrong that another change can heal, such as a Secret that an operator
/// is about to make.
const HEALING: Duration = Duration::from_secs(20);
/// How many events of one cause are told.
const EVENTS: usize = 5;
/// The longest message of the cluster that is passed on, in characters.
const LONGEST_MESSAGE: usize = 600;
/// The longest message in a line of progress, in characters.
const LONGEST_LINE: usize = 160;

/// Something that keeps a workload from being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The same for the same trouble seen again, also on another pod.
    pub key: String,
    /// What is wrong, in a sentence without a final stop.
    pub message: String,
    /// When it fails the rollout.
    pub patience: Patience,
    /// The pod that shows it.
    pub pod: Option<String>,
    /// The UIDs of the objects whose events tell more.
    pub about: Vec<String>,
    /// Whose log tells more.
    pub log: Option<LogSource>,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

/// When a finding fails the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Patience {
    /// At once: it cannot heal by itself.
    None,
    /// When it lasts a while.
    Healing,
    /// Only when the time is up.
    Deadline,
}

impl Patience {
    /// Whether a finding that has lasted this long fails the rollout.
    pub fn is_over(self, lasted: Duration) -> bool {
        match self {
            Self::None => true,
            Self::Healing => lasted >= HEALING,
            Self::Deadline => false,
        }
    }
}

/// A container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether the one that ended last is meant, not the one that runs.
    pub previous: bool,
}

impl Finding {
    /// A finding about the workload itself.
    pub fn new(key: impl Into<String>, patience: Patience, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: clean(&message.into()),
            patience,
            pod: None,
            about: Vec::new(),
            log: None,
            hint: None,
        }
    }

    /// With what to do about it: an imperative sentence.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Told further by the events about these objects.
    #[must_use]
    pub fn about(mut self, uids: impl IntoIterator<Item = String>) -> Self {
        self.about.extend(uids);
        self
    }

    /// In short for a line of progress: `pod orders-1: no node can take it`.
    pub fn line(&self) -> String {
        let message = shortened(&self.message, LONGEST_LINE);
        match &self.pod {
            Some(pod) => format!("pod {pod}: {message}"),
            None => message,
        }
    }

    /// As the cause of a failure, without the log.
    pub fn cause(&self, object: &str, events: &[Event]) -> RolloutCause {
        RolloutCause {
            object: object.to_owned(),
            pod: self.pod.clone(),
            message: self.message.clone(),
            events: self.told(events),
            hint: self.hint.map(str::to_owned),
            log: Vec::new(),
        }
    }

    /// The last events about its objects that say more than it does, one for each reason, newest
    /// last, each in a line.
    fn told(&self, events: &[Event]) -> Vec<String> {
        let mut about: Vec<&Event> = events
            .iter()
            .filter(|event| concerns(event, &self.about))
            .collect();
        about.sort_by_key(|event| last_seen(event));
        let mut lines = Vec::new();
        let mut reasons = BTreeSet::new();
        for event in about.iter().rev() {
            let reason = event.reason.as_deref().unwrap_or("?");
            let said = clean(event.message.as_deref().unwrap_or_default());
            let is_told = !said.is_empty() && self.message.contains(&said);
            if reasons.insert(reason) && !is_told {
                lines.push(format!("{reason}: {said}"));
            }
        }
        lines.truncate(EVENTS);
        lines.reverse();
        lines
    }
}

/// Whether an event is about one of these objects.
pub fn concerns(event: &Event, uids: &[String]) -> bool {
    let uid = event.involved_object.uid.as_ref();
    uid.is_some_and(|uid| uids.contains(uid))
}

/// When an event was last seen, as a text that sorts.
pub fn last_seen(event: &Event) -> String {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref());
    let times = [
        series.map(|time| time.0.to_string()),
        event.last_timestamp.as_ref().map(|time| time.0.to_string()),
        event.event_time.as_ref().map(|time| time.0.to_string()),
        event
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0.to_string()),
    ];
    times.into_iter().flatten().next().unwrap_or_default()
}

/// A message of the cluster as one bounded line that a terminal can be shown.
pub fn clean(message: &str) -> String {
    let spaced = message.replace(['\n', '\r'], " ");
    shortened(&clean_line(spaced.trim().as_bytes()), LONGEST_MESSAGE)
}

/// About as many characters of a text, of its begin and its end: what leads to what, and what it
/// came from.
fn shortened(text: &str, longest: usize) -> String {
    let count = text.chars().count();
    if count <= longest {
        return text.to_owned();
    }
    let half = longest / 2;
    let begin: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    format!("{begin} … {end}")
}

/// At most this many characters of a text.
pub fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
