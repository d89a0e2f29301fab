//! Waits until the workloads of a release are ready, or says why they do not become so.
//!
//! The loop looks at the cluster in short intervals and outlives a restart of the API server; what
//! it sees is judged by `judge`, which is pure.

mod changes;
mod container;
mod finding;
mod judge;
#[cfg(test)]
mod judge_test;
mod logs;
mod missing;
mod pod;
mod route;
mod service;
mod target;
mod task;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::{Client, Error as KubeError};
use tokio::time::{Instant, timeout};

use self::changes::Changes;
use self::finding::{Finding, last_seen};
use self::judge::{Observation, Verdict};
use self::target::Target;
use self::view::View;
use super::request::{Access, is_away};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::release::{ReleaseObject, RolloutCause};

/// The pause between the first looks; it grows to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(15);
/// How long an API server that went away is waited for.
const AWAY: Duration = Duration::from_secs(60);
/// After how many seconds of waiting a line of its own is written, each time again.
const NOTE_SECONDS: u64 = 10;

/// What is waited for.
pub struct RolloutRequest<'a> {
    /// The namespace of objects that name none.
    pub namespace: &'a str,
    /// The objects of the release; those that are there at once are passed over.
    pub objects: &'a [ReleaseObject],
    /// How long to wait.
    pub deadline: Duration,
    /// The step that the progress belongs to.
    pub id: &'a str,
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutEnd {
    /// All is ready.
    Ready,
    /// Something is wrong that does not heal by itself.
    Failed(Vec<RolloutCause>),
    /// The time is up; the causes say what was still waited for.
    TimedOut(Vec<RolloutCause>),
}

/// Waits until the workloads among the objects are ready, then until the Services among them reach
/// these, and reports what it waits for.
///
/// A failed rollout is no error of this function: it is how the rollout ended.
///
/// # Errors
/// When the cluster cannot be asked: it stays unreachable, or a workload may not be read.
pub async fn await_ready(
    client: &Client,
    request: &RolloutRequest<'_>,
    events: &dyn EventSink,
) -> Result<RolloutEnd> {
    let targets = request.objects.iter();
    let targets = targets.filter_map(|object| Target::of(object, request.namespace));
    let (services, workloads): (Vec<Target>, Vec<Target>) =
        targets.partition(Target::follows_workloads);
    let began = Instant::now();
    for stage in [workloads, services] {
        if stage.is_empty() {
            continue;
        }
        let changes = Changes::of(client, &stage);
        let wait = Wait {
            view: View { client },
            request,
            events,
            began,
            waits: stage.into_iter().map(TargetWait::new).collect(),
            earlier: None,
            said: String::new(),
            noted: 0,
        };
        match wait.run(changes).await? {
            RolloutEnd::Ready => {}
            end => return Ok(end),
        }
    }
    Ok(RolloutEnd::Ready)
}

/// Why a Job failed, with the last lines of its log; also of one that has not failed yet.
///
/// # Errors
/// When the cluster cannot be asked, or the Job does not exist.
pub async fn job_failure(client: &Client, namespace: &str, name: &str) -> Result<RolloutCause> {
    let target = Target::job(namespace, name);
    let view = View { client };
    let access = Access::new("get", target.resource())
        .named(name)
        .within(Some(namespace));
    let failure = |error| access.failure(error);
    let Some(mut seen) = target.observe(&view).await.map_err(failure)? else {
        return Err(Error::failed(format!("the Job `{name}` does not exist")));
    };
    seen.events = view.warnings(namespace).await.unwrap_or_default();
    let finding = match seen.verdict() {
        Verdict::Waiting { mut findings, .. } if !findings.is_empty() => findings.remove(0),
        Verdict::Waiting { progress, .. } => plain(format!("it is not done: {progress}")),
        Verdict::Ready => plain("it is done".to_owned()),
    };
    Ok(told(&view, &target, &finding, &seen.events).await)
}

fn plain(message: String) -> Finding {
    Finding::new("state", finding::Patience::Deadline, message)
}

/// A cause with the lines of the log that it points at.
async fn told(
    view: &View<'_>,
    target: &Target,
    finding: &Finding,
    events: &[Event],
) -> RolloutCause {
    let mut cause = finding.cause(&target.title, events);
    if let Some(source) = &finding.log {
        cause.log = logs::last_lines(view.client, target.namespace(), source).await;
    }
    cause
}

/// One target and what is known of it.
struct TargetWait {
    target: Target,
    ready: bool,
    /// Since when each finding has been seen without a break.
    since: BTreeMap<String, Instant>,
    progress: String,
    findings: Vec<Finding>,
    events: Vec<Event>,
}

impl TargetWait {
    fn new(target: Target) -> Self {
        Self {
            target,
            ready: false,
            since: BTreeMap::new(),
            progress: "not looked at yet".to_owned(),
            findings: Vec::new(),
            events: Vec::new(),
        }
    }

    fn take(&mut self, seen: Option<Observation>) {
        let (progress, findings) = match seen.as_ref().map(Observation::verdict) {
            Some(Verdict::Ready) => {
                self.ready = true;
                ("ready".to_owned(), Vec::new())
            }
            Some(Verdict::Waiting { progress, findings }) => {
                self.ready = false;
                (progress, findings)
            }
            None => {
                let gone = "it was deleted while it was waited for";
                let finding = Finding::new("deleted", finding::Patience::None, gone);
                ("deleted".to_owned(), vec![finding])
            }
        };
        let now = Instant::now();
        let mut since = BTreeMap::new();
        for finding in &findings {
            let first = self.since.get(&finding.key).copied().unwrap_or(now);
            since.insert(finding.key.clone(), first);
        }
        self.since = since;
        self.progress = progress;
        self.findings = findings;
        self.events = seen.map(|it| it.events).unwrap_or_default();
    }

    /// What has lasted longer than it may.
    fn fatal(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| {
            let since = self.since.get(&finding.key);
            since.is_some_and(|since| finding.patience.is_over(since.elapsed()))
        })
    }

    fn line(&self) -> String {
        match self.findings.first() {
            Some(finding) => format!("{}; {}", self.progress, finding.line()),
            None => self.progress.clone(),
        }
    }
}

struct Wait<'a> {
    view: View<'a>,
    request: &'a RolloutRequest<'a>,
    events: &'a dyn EventSink,
    began: Instant,
    waits: Vec<TargetWait>,
    /// Warnings of the first look: of an earlier rollout, as long as they are not repeated.
    earlier: Option<BTreeSet<(String, String)>>,
    said: String,
    noted: u64,
}

impl Wait<'_> {
    async fn run(mut self, mut changes: Changes) -> Result<RolloutEnd> {
        let mut pause = FIRST_PAUSE;
        let mut away: Option<Instant> = None;
        loop {
            let looked = match timeout(LOOK, self.look()).await {
                Ok(looked) => looked,
                Err(elapsed) => Err((0, KubeError::Service(Box::new(elapsed)))),
            };
            match looked {
                Ok(()) => away = None,
                Err((at, error)) => {
                    let since = *away.get_or_insert_with(Instant::now);
                    if !is_away(&error) || since.elapsed() >= AWAY {
                        return Err(self.access(at).failure(error));
                    }
                    self.say("the API server does not answer; trying again".to_owned());
                }
            }
            if away.is_none() {
                if self.waits.iter().all(|wait| wait.ready) {
                    return Ok(RolloutEnd::Ready);
                }
                let causes = self.causes(true).await;
                if !causes.is_empty() {
                    return Ok(RolloutEnd::Failed(causes));
                }
                self.report();
            }
            let left = self.request.deadline.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return Ok(RolloutEnd::TimedOut(self.causes(false).await));
            }
            changes.pause(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Looks at all that is not ready; the place of the target that could not be looked at.
    async fn look(&mut self) -> Result<(), (usize, KubeError)> {
        let mut warnings: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for at in 0..self.waits.len() {
            let target = &self.waits[at].target;
            let namespace = target.namespace().to_owned();
            if self.waits[at].ready {
                continue;
            }
            let seen = target.observe(&self.view).await.map_err(|it| (at, it))?;
            let seen = match seen {
                Some(mut seen) => {
                    if !warnings.contains_key(&namespace) {
                        let found = self.view.warnings(&namespace).await;
                        warnings.insert(namespace.clone(), found.map_err(|it| (at, it))?);
                    }
                    let found = warnings.get(&namespace).cloned().unwrap_or_default();
                    seen.events = self.of_now(found);
                    Some(seen)
                }
                None => None,
            };
            self.waits[at].take(seen);
        }
        if self.earlier.is_none() {
            let seen = warnings.values().flatten().map(occurrence).collect();
            self.earlier = Some(seen);
        }
        Ok(())
    }

    /// Without the warnings about controllers that an earlier rollout left. Those about pods stay:
    /// a pod belongs to one revision.
    fn of_now(&self, warnings: Vec<Event>) -> Vec<Event> {
        let about_pod = |event: &Event| event.involved_object.kind.as_deref() == Some("Pod");
        let earlier = |event: &Event| match &self.earlier {
            Some(earlier) => earlier.contains(&occurrence(event)),
            None => true,
        };
        let mut warnings = warnings;
        warnings.retain(|event| about_pod(event) || !earlier(event));
        warnings
    }

    fn access(&self, at: usize) -> Access {
        let target = self.waits.get(at).map(|wait| &wait.target);
        match target {
            Some(target) => Access::new("get", target.resource()).within(Some(target.namespace())),
            None => Access::new("get", "workloads"),
        }
    }

    /// The causes of what is fatal, or of all that is not ready.
    async fn causes(&self, only_fatal: bool) -> Vec<RolloutCause> {
        let mut causes = Vec::new();
        for wait in self.waits.iter().filter(|wait| !wait.ready) {
            let waits_only = plain(format!("it is not ready: {}", wait.progress));
            let findings: Vec<&Finding> = match (only_fatal, wait.findings.is_empty()) {
                (true, _) => wait.fatal().collect(),
                (false, true) => vec![&waits_only],
                (false, false) => wait.findings.iter().collect(),
            };
            for finding in findings {
                causes.push(told(&self.view, &wait.target, finding, &wait.events).await);
            }
        }
        causes
    }

    /// Says what is waited for when that changes, and from time to time.
    fn report(&mut self) {
        let waiting: Vec<&TargetWait> = self.waits.iter().filter(|wait| !wait.ready).collect();
        let several = self.waits.len() > 1;
        let lines: Vec<String> = waiting
            .iter()
            .map(|wait| match several {
                true => format!("{}: {}", wait.target.title, wait.line()),
                false => wait.line(),
            })
            .collect();
        self.say(lines.join(" | "));
    }

    fn say(&mut self, message: String) {
        let seconds = self.began.elapsed().as_secs();
        if seconds / NOTE_SECONDS > self.noted {
            self.noted = seconds / NOTE_SECONDS;
            let id = self.request.id;
            self.events
                .note(format!("{id}: not ready after {seconds} s: {message}"));
        }
        if message != self.said {
            self.events.progress(self.request.id, message.clone());
            self.said = message;
        }
    }
}

/// Tells one occurrence of an event from a repeated one.
fn occurrence(event: &Event) -> (String, String) {
    let uid = event.metadata.uid.clone().unwrap_or_default();
    (uid, last_seen(event))
}
