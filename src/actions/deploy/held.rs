//! What each step of a deployment works with: one release, whose lease is held.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::first_replicas;
use super::site::{Placed, REQUESTS, Site};
use crate::engine::kubernetes::hand_over::handed_over;
use crate::engine::kubernetes::lease::Lease;
use crate::engine::kubernetes::objects::{ApplyMode, ObjectKey};
use crate::engine::kubernetes::ownership::is_kept;
use crate::error::{Error, Result};

/// How often the fields of an object that others change meanwhile are handed over anew.
pub(super) const HANDOVERS: usize = 5;
/// How long objects may take to go away.
const REMOVAL: Duration = Duration::from_secs(60);
/// How long objects may take to go away once the user interrupted: a person waits for the prompt.
const HURRY: Duration = Duration::from_secs(3);
/// How long waiting for them is not worth a word.
const QUIET: Duration = Duration::from_secs(1);

/// One release at a site, with its lease held.
pub struct Held<'a> {
    /// The site; nothing is changed there once the lease is lost.
    pub site: Site,
    /// The release.
    pub release: &'a str,
    /// Its lease.
    pub lease: Lease,
    /// When its time is over.
    pub deadline: Instant,
    /// The hook that is under way.
    pub running: Mutex<Option<ObjectKey>>,
}

impl Held<'_> {
    /// What is left of the time.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Does work until the user interrupts, `None` then. A hook that is under way is ended.
    pub async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.site.interrupted.clone() => {}
            done = work => return Some(done),
        }
        if let Err(error) = self.end_hook().await {
            self.site.events.warn(error.to_string());
        }
        None
    }

    /// Says what the step does now.
    pub fn say(&self, message: impl Into<String>) {
        self.site.events.progress(self.release, message);
    }

    /// Applies objects in their order, those of one kind together.
    ///
    /// # Errors
    /// When the cluster refuses one, or the lease is lost.
    pub async fn apply(&self, placed: &[Placed]) -> Result<()> {
        for group in placed.chunk_by(|one, other| one.key.kind == other.key.kind) {
            let applying = group.iter().map(|it| self.apply_one(it, placed));
            stream::iter(applying.collect::<Vec<_>>())
                .buffered(REQUESTS)
                .try_collect::<Vec<()>>()
                .await?;
        }
        Ok(())
    }

    async fn apply_one(&self, one: &Placed, all: &[Placed]) -> Result<()> {
        let objects = &self.site.objects;
        self.hand_over(one).await?;
        // Shared before it is left out, the number stays.
        self.set_replicas(one, first_replicas::left_out(one))
            .await?;
        objects
            .apply(&one.key, &one.marked, ApplyMode::Real)
            .await?;
        self.set_replicas(one, first_replicas::of(one, all)).await
    }

    async fn set_replicas(&self, one: &Placed, replicas: Option<u64>) -> Result<()> {
        match replicas {
            None => Ok(()),
            Some(replicas) => {
                let fields = json!({"spec": {"replicas": replicas}});
                self.site.objects.set(&one.key, &fields).await
            }
        }
    }

    /// Hands over the fields that Helm set on the client's side. What was read when the objects were
    /// compared may be minutes old.
    async fn hand_over(&self, one: &Placed) -> Result<()> {
        let objects = &self.site.objects;
        let mut live = one.live.clone();
        for _ in 0..HANDOVERS {
            let Some(handed) = live.as_ref().and_then(handed_over) else {
                return Ok(());
            };
            let replaced = objects.replace(&one.key, &handed, ApplyMode::Real).await?;
            if replaced.is_some() {
                return Ok(());
            }
            live = objects.get(&one.key).await?;
        }
        Err(changes_too_often(&one.key))
    }

    /// Deletes objects that the release has no longer, and says which stay.
    ///
    /// # Errors
    /// As [`Held::delete`].
    pub async fn prune(&self, keys: &[ObjectKey]) -> Result<()> {
        for key in self.delete(keys).await? {
            let events = &self.site.events;
            events.note(format!("{key} stays: it is marked to be kept"));
        }
        Ok(())
    }

    /// Deletes objects, last kind first. Those marked to be kept, which it gives, and those that
    /// another owns by now, stay.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn delete<'k>(&self, keys: &'k [ObjectKey]) -> Result<Vec<&'k ObjectKey>> {
        let owner = self.site.owner(self.release);
        let mut kept = Vec::new();
        for key in keys.iter().rev() {
            let Some(live) = self.site.objects.get(key).await? else {
                continue;
            };
            if is_kept(&live) {
                kept.push(key);
            } else if owner.owns(&live) {
                self.site.objects.delete(key).await?;
            }
        }
        Ok(kept)
    }

    /// Waits until none of these objects is there; only a moment once the user interrupted.
    ///
    /// # Errors
    /// When one is still there after [`REMOVAL`].
    pub async fn await_gone(&self, keys: &[ObjectKey]) -> Result<()> {
        let began = Instant::now();
        let mut deadline = began + REMOVAL;
        let mut hurries = false;
        let mut left: Vec<&ObjectKey> = keys.iter().collect();
        loop {
            let mut still = Vec::new();
            for key in left {
                let live = self.site.objects.get(key).await?;
                if live.is_some_and(|live| !is_kept(&live)) {
                    still.push(key);
                }
            }
            let Some(first) = still.first() else {
                return Ok(());
            };
            if !hurries && self.site.is_interrupted() {
                hurries = true;
                deadline = deadline.min(Instant::now() + HURRY);
            }
            if Instant::now() > deadline {
                return Err(Error::failed(format!("{first} does not go away"))
                    .since(format!(
                        "it was deleted {} s ago",
                        began.elapsed().as_secs()
                    ))
                    .hint("A finalizer may hold it: see `metadata.finalizers`"));
            }
            if began.elapsed() > QUIET {
                self.say(format!("waiting for {first} to go away"));
            }
            left = still;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The error of an object that others change whenever its fields are to be handed over.
pub(super) fn changes_too_often(key: &ObjectKey) -> Error {
    let message = format!("{key} changes too often to be taken over from Helm");
    Error::failed(message).hint("Find out who changes it, then deploy again")
}
