//! One release on its way: record, hooks, apply, prune, wait, record; and back when it fails.

use std::time::Instant;

use super::held::Held;
use super::outcome::{Change, Outcome, Stop, failure, interrupted_after};
use super::past::Past;
use super::plan::{Changes, Wanted, compare};
use super::rollback::Wait;
use super::site::Site;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::engine::kubernetes::records::{Record, Status};
use crate::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest};
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::release::{Hook, ReleaseObject, ReleaseSpec};

/// What a deployment does with a release that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// What ran before runs again; a first install is removed.
    TakeBack,
    /// As above, but a first install is left as it is, to look into it.
    KeepFirst,
}

/// What a revision consists of.
pub(super) struct Content {
    pub(super) objects: Vec<ReleaseObject>,
    pub(super) hooks: Vec<Hook>,
}

impl Site {
    /// Deploys a release, and reports it as a step of its name.
    pub async fn deploy(&self, spec: &ReleaseSpec, after: AfterFailure) -> Outcome {
        let label = format!("deploy {}", spec.name);
        self.step(&spec.name, &label, self.deploy_held(spec, after))
            .await
    }

    /// Runs the work of a release as a step.
    pub(super) async fn step(
        &self,
        release: &str,
        label: &str,
        work: impl Future<Output = Result<Outcome>>,
    ) -> Outcome {
        let began = Instant::now();
        self.events.emit(Event::Started {
            id: release.to_owned(),
            label: label.to_owned(),
            after: Vec::new(),
        });
        let mut outcome = work.await.unwrap_or_else(|error| Outcome {
            release: release.to_owned(),
            change: Change::Failed,
            revision: None,
            restored: None,
            seconds: 0.0,
            causes: Vec::new(),
            error: Some(error),
        });
        outcome.seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        self.events.emit(match &outcome.error {
            None => Event::Finished {
                id: release.to_owned(),
                message: outcome.message(),
                elapsed: began.elapsed(),
            },
            Some(error) => Event::Failed {
                id: release.to_owned(),
                message: match outcome.change {
                    Change::Failed if outcome.revision.is_none() => error.message().to_owned(),
                    _ => format!("failed: {}", outcome.message()),
                },
            },
        });
        outcome
    }

    async fn deploy_held(&self, spec: &ReleaseSpec, after: AfterFailure) -> Result<Outcome> {
        let held = self.hold(&spec.name).await?;
        let outcome = held.deploy(spec, after).await;
        held.lease.give_back().await;
        outcome
    }
}

impl Held<'_> {
    async fn deploy(&self, spec: &ReleaseSpec, after: AfterFailure) -> Result<Outcome> {
        let site = &self.site;
        let (mut past, new, changes) = site.leave(self.compared(spec)).await?;
        if let Some(revision) = past.already(&new)
            && changes.is_empty()
        {
            return self.unchanged(revision, &spec.rendered.objects).await;
        }
        // What ran when it was judged before may have been replaced until the lease was held.
        let judging = site.schemas.of_deployment(self.release, &past, &new);
        let judged = site.leave(async { Ok(judging.await) }).await?;
        if let Some(refusal) = judged.refusal {
            return Err(refusal);
        }
        if site.is_interrupted() {
            return Err(Error::interrupted());
        }
        let mut record = past.begin(self, new).await?;
        let content = Content {
            objects: spec.rendered.objects.clone(),
            hooks: spec.rendered.hooks.clone(),
        };
        let events = match past.baseline() {
            Some(_) => ("pre-upgrade", "post-upgrade"),
            None => ("pre-install", "post-install"),
        };
        let forward = self.forward(&mut record, &content, &changes, events);
        let stop = match self.unless_interrupted(forward).await {
            Some(Ok(())) => return self.arrived(&mut past, record).await,
            Some(Err(stop)) => stop,
            None => Stop::Interrupted,
        };
        self.failed(&mut past, record, stop, after).await
    }

    /// What ran before, the revision to be, and what it changes.
    async fn compared(&self, spec: &ReleaseSpec) -> Result<(Past, Record, Changes)> {
        let site = &self.site;
        let mut past = Past::load(site, self.release).await?;
        past.settle(self).await?;
        let (status, said) = match past.baseline() {
            Some(_) => (Status::PendingUpgrade, "Preparing upgrade"),
            None => (Status::PendingInstall, "Initial install underway"),
        };
        let new = Record::of_spec(spec, &past.new_record(site, status, said));
        let known = past.known_objects(site).await?;
        let changes = compare(site, &Wanted::of(spec), &known).await?;
        Ok((past, new, changes))
    }

    async fn arrived(&self, past: &mut Past, mut record: Record) -> Result<Outcome> {
        let (change, said) = match past.baseline() {
            Some(_) => (Change::Upgraded, "Upgrade complete"),
            None => (Change::Installed, "Install complete"),
        };
        past.finish(self, &mut record, said).await?;
        Ok(self.outcome(change, Some(record.revision())))
    }

    /// Brings a revision's content into the cluster and waits until it is ready.
    pub(super) async fn forward(
        &self,
        record: &mut Record,
        content: &Content,
        changes: &Changes,
        (before, after): (&str, &str),
    ) -> Result<(), Stop> {
        let hooks = self.run_hooks(record, &content.hooks, before).await?;
        self.say("applying");
        self.apply(&changes.placed).await?;
        self.prune(&changes.gone).await?;
        // They go while the pods come.
        tokio::try_join!(self.hooks_gone(&hooks), self.await_ready(&content.objects))?;
        let hooks = self.run_hooks(record, &content.hooks, after).await?;
        self.hooks_gone(&hooks).await
    }

    pub(super) async fn await_ready(&self, objects: &[ReleaseObject]) -> Result<(), Stop> {
        let site = &self.site;
        let request = RolloutRequest {
            namespace: &site.namespace,
            objects,
            deadline: self.remaining(),
            id: self.release,
        };
        let end = site.rollouts.await_ready(&request, site.events.as_ref());
        match end.await? {
            RolloutEnd::Ready => Ok(()),
            RolloutEnd::Failed(causes) => Err(Stop::NotReady {
                message: "not ready, and it will not be".to_owned(),
                causes,
                related: Vec::new(),
            }),
            RolloutEnd::TimedOut(causes) => Err(Stop::NotReady {
                message: format!("not ready within {} s", site.timeout.as_secs()),
                causes,
                related: Vec::new(),
            }),
        }
    }

    async fn unchanged(&self, revision: u32, objects: &[ReleaseObject]) -> Result<Outcome> {
        let ready = self.unless_interrupted(self.await_ready(objects)).await;
        let ready = ready.unwrap_or(Err(Stop::Interrupted));
        let mut outcome = self.outcome(Change::Unchanged, Some(revision));
        if let Err(stop) = ready {
            outcome.change = Change::Failed;
            outcome.error = Some(failure(
                self.release,
                "deployed",
                &stop,
                "nothing was to be changed",
            ));
            outcome.causes = causes_of(stop);
        }
        Ok(outcome)
    }

    async fn failed(
        &self,
        past: &mut Past,
        mut record: Record,
        stop: Stop,
        after: AfterFailure,
    ) -> Result<Outcome> {
        let said = match record.status() {
            Status::PendingInstall => format!("Release failed: {}", stop.summary()),
            _ => format!("Upgrade failed: {}", stop.summary()),
        };
        self.say(format!("{}; taking it back", stop.summary()));
        let is_first = past.baseline().is_none();
        let marked = past.fail(self, &mut record, &said).await;
        let back = match (marked, is_first, after) {
            (Err(error), _, _) => Err(error),
            (Ok(()), true, AfterFailure::KeepFirst) => {
                Ok(self.outcome(Change::Failed, Some(record.revision())))
            }
            (Ok(()), true, AfterFailure::TakeBack) => self.remove(past).await,
            (Ok(()), false, _) => self.take_back(past).await,
        };
        Ok(self.ended("deployed", stop, back))
    }

    /// What came of a release that did not get where it was to go, once what ran before was to be
    /// brought back; `undone` says what was not done with it.
    pub(super) fn ended(&self, undone: &str, stop: Stop, back: Result<Outcome>) -> Outcome {
        let (mut outcome, left) = match back {
            Ok(outcome) => (outcome, None),
            Err(error) => (self.outcome(Change::Failed, None), Some(error)),
        };
        let now = match left {
            None => outcome.message(),
            Some(_) => "and it could not be taken back".to_owned(),
        };
        let error = match self.site.is_interrupted() {
            true => interrupted_after(self.release, &stop, &now),
            false => failure(self.release, undone, &stop, &now),
        };
        outcome.error = Some(match left {
            None => error,
            Some(left) => error
                .with_related(vec![left])
                .hint("The next `gantline deploy` goes on from here"),
        });
        outcome.causes = causes_of(stop);
        outcome
    }

    /// Removes a release that never ran, with its records; without its hooks, which are for one that
    /// ran, and whose time may be over.
    async fn remove(&self, past: &mut Past) -> Result<Outcome> {
        let keys = past.known_objects(&self.site).await?;
        self.prune(&keys).await?;
        self.await_own_gone(&keys).await?;
        past.forget(self).await?;
        Ok(self.outcome(Change::Removed, None))
    }

    /// Waits until the objects of a release that were deleted are gone. Gives those that are the
    /// release's, some of which may be marked to be kept.
    pub(super) async fn await_own_gone(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectKey>> {
        let own = self.still_owned(keys).await?;
        self.await_gone(&own).await?;
        Ok(own)
    }

    /// Those of the objects that are there and the release's.
    async fn still_owned(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectKey>> {
        let owner = self.site.owner(self.release);
        let mut own = Vec::new();
        for key in keys {
            let live = self.site.objects.get(key).await?;
            if live.is_some_and(|live| owner.owns(&live)) {
                own.push(key.clone());
            }
        }
        Ok(own)
    }

    /// Brings back what ran before.
    async fn take_back(&self, past: &mut Past) -> Result<Outcome> {
        match past.baseline().map(Record::revision) {
            Some(target) => self.restore(past, target, Wait::UntilReady).await,
            None => Err(Error::failed("there is no revision to bring back")),
        }
    }

    pub(super) fn outcome(&self, change: Change, revision: Option<u32>) -> Outcome {
        Outcome {
            release: self.release.to_owned(),
            change,
            revision,
            restored: None,
            seconds: 0.0,
            causes: Vec::new(),
            error: None,
        }
    }
}

fn causes_of(stop: Stop) -> Vec<crate::model::release::RolloutCause> {
    match stop {
        Stop::NotReady { causes, .. } => causes,
        _ => Vec::new(),
    }
}
