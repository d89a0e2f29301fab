//! An earlier revision runs again.

use tokio::sync::Mutex;

use super::held::Held;
use super::outcome::{Change, Outcome, Stop, failure};
use super::past::Past;
use super::plan::{Changes, Wanted, compare};
use super::release::Content;
use super::run::ReleasePlan;
use super::site::Site;
use crate::actions::release::check_hooks;
use crate::engine::kubernetes::records::{Record, Status};
use crate::error::{Error, Result};

/// What hooks are run by, before and after.
const EVENTS: (&str, &str) = ("pre-rollback", "post-rollback");

/// Whether what is brought back is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Until it is ready, or the user interrupts.
    UntilReady,
    /// Not at all.
    Not,
}

/// An earlier revision that is to come back.
struct Coming {
    /// The revision that brings it back.
    new: Record,
    content: Content,
    changes: Changes,
}

impl Site {
    /// Brings a revision of a release back; the one that ran before when `None`.
    pub async fn rollback(&self, release: &str, revision: Option<u32>) -> Outcome {
        let label = format!("roll back {release}");
        self.step(release, &label, async {
            let held = self.hold(release).await?;
            let judging = async { Ok(held.refused(revision).await) };
            let outcome = match self.leave(judging).await {
                Ok(None) => held.rollback(revision).await,
                Ok(Some(refusal)) | Err(refusal) => Err(refusal),
            };
            held.lease.give_back().await;
            outcome
        })
        .await
    }

    /// What [`Site::rollback`] would change.
    ///
    /// # Errors
    /// When there is no such revision, or the cluster cannot be asked.
    pub async fn plan_rollback(&self, release: &str, revision: Option<u32>) -> Result<ReleasePlan> {
        let past = Past::load(self, release).await?;
        let target = revision.or_else(|| previous(&past));
        let Some(record) = target.and_then(|target| past.revision(target)) else {
            return Err(no_such_revision(release, revision, &past));
        };
        check_hooks(&record.hooks()?, EVENTS.into(), "rollback")?;
        let schemas = &self.schemas;
        let schema = schemas.of_rollback(release, &past, record.revision()).await;
        let known = past.known_objects(self).await?;
        let objects = record.objects()?;
        let changes = compare(self, &Wanted::again(release, &objects), &known).await?;
        Ok(ReleasePlan {
            release: release.to_owned(),
            revision: past.baseline().map(Record::revision),
            install: false,
            record_only: changes.is_empty(),
            changes: changes.changed,
            schema,
        })
    }

    /// Brings back what ran before this run of the program changed it; removes what was not there.
    pub async fn undo(&self, release: &str, before: Option<u32>) -> Outcome {
        let label = format!("take back {release}");
        self.step(release, &label, async {
            let held = self.hold_in_any_case(release).await?;
            let undone = match before {
                Some(revision) => held.undo_to(revision).await,
                None => held
                    .uninstall()
                    .await
                    .map(|()| held.outcome(Change::Removed, None)),
            };
            held.lease.give_back().await;
            let mut outcome = undone?;
            if self.is_interrupted() {
                let now = outcome.message();
                outcome.error = Some(failure(release, "deployed", &Stop::Interrupted, &now));
            }
            Ok(outcome)
        })
        .await
    }
}

impl Held<'_> {
    /// Why a revision must not come back. What may matter is told; it does not stop.
    async fn refused(&self, revision: Option<u32>) -> Option<Error> {
        // Whatever is wrong with the revisions is told by the rollback itself.
        let past = Past::load(&self.site, self.release).await.ok()?;
        let target = revision.or_else(|| previous(&past))?;
        let schemas = &self.site.schemas;
        let judged = schemas.of_rollback(self.release, &past, target).await;
        judged.tell(self.site.events.as_ref());
        judged.refusal
    }

    async fn rollback(&self, revision: Option<u32>) -> Result<Outcome> {
        let site = &self.site;
        let looking = async {
            let mut past = Past::load(site, self.release).await?;
            past.settle(self).await?;
            let target = match revision {
                Some(revision) => past.revision(revision).map(Record::revision),
                None => previous(&past),
            };
            let target = target.ok_or_else(|| no_such_revision(self.release, revision, &past))?;
            let coming = self.coming(&past, target).await?;
            check_hooks(&coming.content.hooks, EVENTS.into(), "rollback")?;
            Ok((past, target, coming))
        };
        let (mut past, target, coming) = site.leave(looking).await?;
        let before = past.baseline().map(Record::revision);
        let mut record = past.begin(self, coming.new.clone()).await?;
        let Err(stop) = self.come(&mut record, &coming).await else {
            past.finish(self, &mut record, &said(target)).await?;
            return Ok(Outcome {
                restored: Some(target),
                ..self.outcome(Change::RolledBack, Some(record.revision()))
            });
        };
        let summary = stop.summary();
        self.say(format!("{summary}; taking the rollback back"));
        let failed = format!("{} failed: {summary}", said(target));
        let marked = past.fail(self, &mut record, &failed).await;
        let back = match (marked, before) {
            (Err(error), _) => Err(error),
            // Nothing ran before that could be brought back.
            (Ok(()), None) => Ok(self.outcome(Change::Failed, Some(record.revision()))),
            (Ok(()), Some(before)) => {
                // What did not become ready just now is not waited for once more.
                let wait = match before == target {
                    true => Wait::Not,
                    false => Wait::UntilReady,
                };
                self.restore(&mut past, before, wait).await
            }
        };
        let undone = format!("rolled back to revision {target}");
        Ok(self.ended(&undone, stop, back))
    }

    async fn undo_to(&self, revision: u32) -> Result<Outcome> {
        let mut past = Past::load(&self.site, self.release).await?;
        past.settle(self).await?;
        self.restore(&mut past, revision, Wait::UntilReady).await
    }

    /// Brings back what ran before something failed. Once the user interrupts, its objects are
    /// applied all the same, and not waited for: the pods of before are most likely still there.
    ///
    /// # Errors
    /// When it does not become ready, or the cluster refuses: the new revision counts as failed.
    pub(super) async fn restore(
        &self,
        past: &mut Past,
        target: u32,
        wait: Wait,
    ) -> Result<Outcome> {
        let held = Held {
            deadline: tokio::time::Instant::now() + self.site.timeout,
            site: self.site.clone(),
            release: self.release,
            lease: self.lease.clone(),
            running: Mutex::default(),
        };
        let coming = held.coming(past, target).await?;
        let mut record = past.begin(&held, coming.new.clone()).await?;
        let done = match wait {
            Wait::Not => held.put_back(&coming.changes).await,
            Wait::UntilReady => match held.come(&mut record, &coming).await {
                Ok(()) => Ok(()),
                Err(Stop::Interrupted) => held.put_back(&coming.changes).await,
                Err(stop) => {
                    // A hook that failed must not keep the objects of what failed before; whatever
                    // stops this, too, is told by the first error.
                    let _ = held.put_back(&coming.changes).await;
                    Err(stop)
                }
            },
        };
        if let Err(stop) = done {
            let failed = format!("{} failed: {}", said(target), stop.summary());
            past.fail(&held, &mut record, &failed).await?;
            let now = format!("revision {target} could not be brought back");
            return Err(failure(self.release, "taken back", &stop, &now));
        }
        past.finish(&held, &mut record, &said(target)).await?;
        Ok(Outcome {
            restored: Some(target),
            ..self.outcome(Change::TakenBack, Some(record.revision()))
        })
    }

    /// Prepares a new revision of the content of an earlier one; changes nothing.
    async fn coming(&self, past: &Past, target: u32) -> Result<Coming> {
        let site = &self.site;
        let source = past
            .revision(target)
            .ok_or_else(|| no_such_revision(self.release, Some(target), past))?;
        let pending = past.new_record(site, Status::PendingRollback, &said(target));
        let content = Content {
            objects: source.objects()?,
            hooks: source.hooks()?,
        };
        let known = past.known_objects(site).await?;
        let wanted = Wanted::again(self.release, &content.objects);
        let changes = compare(site, &wanted, &known).await?;
        Ok(Coming {
            new: source.brought_back(&pending),
            content,
            changes,
        })
    }

    /// Brings it into the cluster and waits until it is ready, unless the user interrupts.
    async fn come(&self, record: &mut Record, coming: &Coming) -> Result<(), Stop> {
        let forward = self.forward(record, &coming.content, &coming.changes, EVENTS);
        let done = self.unless_interrupted(forward).await;
        done.unwrap_or(Err(Stop::Interrupted))
    }

    async fn put_back(&self, changes: &Changes) -> Result<(), Stop> {
        self.apply(&changes.placed).await?;
        self.prune(&changes.gone).await?;
        Ok(())
    }
}

/// What a record says of a rollback.
fn said(target: u32) -> String {
    format!("Rollback to {target}")
}

/// The newest revision before the one that runs that was itself deployed once.
fn previous(past: &Past) -> Option<u32> {
    let current = past.baseline()?;
    let mut earlier = past
        .records()
        .iter()
        .rev()
        .filter(|it| it.revision() < current.revision() && it.status() == Status::Superseded);
    earlier
        .find(|it| !it.deploys_the_same(current))
        .map(Record::revision)
}

fn no_such_revision(release: &str, revision: Option<u32>, past: &Past) -> Error {
    let known: Vec<String> = past
        .records()
        .iter()
        .map(|it| it.revision().to_string())
        .collect();
    let message = match revision {
        Some(revision) => format!("{release} has no revision {revision}"),
        None => format!("no other version of {release} ran before this one"),
    };
    let hint = match known.is_empty() {
        true => "It was never deployed here".to_owned(),
        false => format!("Name the revision to bring back: {}", known.join(", ")),
    };
    Error::invalid(message).hint(hint)
}
