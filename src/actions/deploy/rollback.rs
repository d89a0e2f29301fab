//! An earlier revision runs again.

use super::outcome::{Change, Outcome, Stop, failure};
use super::past::Past;
use super::plan::compare;
use super::release::{Content, causes_of};
use super::run::ReleasePlan;
use super::site::{Held, Site};
use crate::engine::kubernetes::records::{Record, Status};
use crate::error::{Error, Result};

impl Site {
    /// Brings a revision of a release back; the one that ran before when `None`.
    pub async fn rollback(&self, release: &str, revision: Option<u32>) -> Outcome {
        let label = format!("roll back {release}");
        self.step(release, &label, async {
            let held = self.hold(release).await?;
            let outcome = match held.refused(revision).await {
                Some(refusal) => Err(refusal),
                None => held.rollback(revision).await,
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
        let schemas = &self.schemas;
        let schema = schemas.of_rollback(release, &past, record.revision()).await;
        let known = past.known_objects(self).await?;
        let changes = compare(self, release, &record.objects()?, &known).await?;
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
            let held = self.hold(release).await?;
            let outcome = match before {
                Some(revision) => held.rollback(Some(revision)).await,
                None => held
                    .uninstall()
                    .await
                    .map(|_| held.outcome(Change::Removed, None)),
            };
            held.lease.give_back().await;
            outcome.map(|outcome| match outcome.change {
                Change::RolledBack => Outcome {
                    change: Change::TakenBack,
                    ..outcome
                },
                _ => outcome,
            })
        })
        .await
    }
}

impl Held<'_> {
    /// Why a revision must not come back. What may matter is told; it does not stop.
    async fn refused(&self, revision: Option<u32>) -> Option<Error> {
        // Whatever is wrong with the revisions is told by the rollback itself.
        let past = Past::load(self.site, self.release).await.ok()?;
        let target = revision.or_else(|| previous(&past))?;
        let schemas = &self.site.schemas;
        let judged = schemas.of_rollback(self.release, &past, target).await;
        judged.tell(self.site.events.as_ref());
        judged.refusal
    }

    async fn rollback(&self, revision: Option<u32>) -> Result<Outcome> {
        let mut past = Past::load(self.site, self.release).await?;
        past.settle(self).await?;
        let target = match revision {
            Some(revision) => past.revision(revision).map(Record::revision),
            None => previous(&past),
        };
        let Some(target) = target else {
            return Err(no_such_revision(self.release, revision, &past));
        };
        let before = past.baseline().map(Record::revision);
        match self.bring_back(&mut past, target, true).await {
            Ok(revision) => Ok(Outcome {
                restored: Some(target),
                ..self.outcome(Change::RolledBack, Some(revision))
            }),
            Err(error) => {
                let hint = match before {
                    Some(before) => format!("Revision {before} ran before"),
                    None => "See what there is: `gantline history`".to_owned(),
                };
                Err(error.hint(hint))
            }
        }
    }

    /// Makes a new revision of the content of an earlier one.
    ///
    /// # Errors
    /// When it does not become ready, or the cluster refuses: the new revision counts as failed.
    pub(super) async fn bring_back(
        &self,
        past: &mut Past,
        target: u32,
        waits: bool,
    ) -> Result<u32> {
        let site = self.site;
        let source = past
            .revision(target)
            .ok_or_else(|| no_such_revision(self.release, Some(target), past))?;
        let said = format!("Rollback to {target}");
        let new = source.brought_back(&past.new_record(site, Status::PendingRollback, &said));
        let content = Content {
            objects: source.objects()?,
            hooks: source.hooks()?,
        };
        let known = past.known_objects(site).await?;
        let changes = compare(site, self.release, &content.objects, &known).await?;
        let mut record = past.begin(self, new).await?;
        let done = match waits {
            true => {
                let events = ("pre-rollback", "post-rollback");
                tokio::select! {
                    biased;
                    () = site.interrupted.clone() => Err(Stop::Interrupted),
                    done = self.forward(&mut record, &content, &changes, events) => done,
                }
            }
            false => self.put_back(&changes).await,
        };
        match done {
            Ok(()) => {
                past.finish(self, &mut record, &said).await?;
                Ok(record.revision())
            }
            Err(stop) => {
                let said = format!("Rollback to {target} failed: {}", stop.summary());
                past.fail(self, &mut record, &said).await?;
                let now = format!("revision {target} could not be brought back");
                let error = failure(self.release, &stop, &now);
                // The causes are in the error's text.
                drop(causes_of(stop));
                Err(error)
            }
        }
    }

    async fn put_back(&self, changes: &super::plan::Changes) -> Result<(), Stop> {
        self.apply(&changes.placed).await?;
        self.delete(&changes.gone).await?;
        Ok(())
    }
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
