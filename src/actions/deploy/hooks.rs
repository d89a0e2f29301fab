//! Objects that run at a moment of a release's life: migrations before all.

use std::time::Duration;

use super::outcome::Stop;
use super::site::Held;
use crate::engine::kubernetes::objects::{ApplyMode, ObjectKey};
use crate::engine::kubernetes::records::{self, Record};
use crate::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest};
use crate::error::Result;
use crate::model::release::{Hook, hooks_of};

/// How long the leftover of an earlier hook may take to go away.
const REMOVAL: Duration = Duration::from_secs(60);
/// The policy that holds when a hook names none.
const BEFORE_CREATION: &str = "before-hook-creation";

impl Held<'_> {
    /// Runs the hooks of an event, one after the other, in the order of their weights. Gives those
    /// that were deleted afterwards, which [`Held::hooks_gone`] waits for.
    ///
    /// # Errors
    /// When one fails: what comes after it is not run.
    pub async fn run_hooks(
        &self,
        record: &mut Record,
        hooks: &[Hook],
        event: &str,
    ) -> Result<Vec<ObjectKey>, Stop> {
        let chosen = hooks_of(hooks, event);
        for hook in &chosen {
            if let Err(stop) = self.run_hook(record, hook, event).await {
                let deleted = self.clean(hook, "hook-failed").await?;
                self.hooks_gone(deleted.as_slice()).await?;
                return Err(stop);
            }
        }
        let mut deleted = Vec::new();
        for hook in chosen.iter().rev() {
            deleted.extend(self.clean(hook, "hook-succeeded").await?);
        }
        Ok(deleted)
    }

    /// Waits until none of these hooks is there any more.
    ///
    /// # Errors
    /// When one stays.
    pub async fn hooks_gone(&self, deleted: &[ObjectKey]) -> Result<(), Stop> {
        Ok(self.await_gone(deleted, REMOVAL).await?)
    }

    async fn run_hook(&self, record: &mut Record, hook: &Hook, event: &str) -> Result<(), Stop> {
        let site = self.site;
        let title = hook.object.title();
        self.say(format!("{event}: {title}"));
        let leftover = self.clean(hook, BEFORE_CREATION).await?;
        self.hooks_gone(leftover.as_slice()).await?;
        self.note(record, hook, "Running").await?;
        let key = site
            .objects
            .locate(&hook.object.value, &site.namespace)
            .await?;
        self.lease.assure().await?;
        site.objects
            .apply(&key, &hook.object.value, ApplyMode::Real)
            .await?;
        let request = RolloutRequest {
            namespace: &site.namespace,
            objects: std::slice::from_ref(&hook.object),
            deadline: self.remaining(),
            id: self.release,
        };
        let end = site.rollouts.await_ready(&request, site.events.as_ref());
        let (message, causes) = match end.await? {
            RolloutEnd::Ready => {
                self.note(record, hook, "Succeeded").await?;
                return Ok(());
            }
            RolloutEnd::Failed(causes) => (format!("the {event} hook {title} failed"), causes),
            RolloutEnd::TimedOut(causes) => {
                let limit = site.timeout.as_secs();
                let message = format!("the {event} hook {title} was not done within {limit} s");
                (message, causes)
            }
        };
        self.note(record, hook, "Failed").await?;
        Err(Stop::NotReady { message, causes })
    }

    /// Deletes what a hook made, when its policies say so and it is there.
    async fn clean(&self, hook: &Hook, policy: &str) -> Result<Option<ObjectKey>> {
        let says_so = match hook.delete_policies.is_empty() {
            true => policy == BEFORE_CREATION,
            false => hook.delete_policies.iter().any(|it| it == policy),
        };
        let is_definition = hook.object.value["kind"] == "CustomResourceDefinition";
        if !says_so || is_definition {
            return Ok(None);
        }
        let site = self.site;
        let key = site
            .objects
            .locate(&hook.object.value, &site.namespace)
            .await?;
        if site.objects.get(&key).await?.is_none() {
            return Ok(None);
        }
        self.lease.assure().await?;
        site.objects.delete(&key).await?;
        Ok(Some(key))
    }

    async fn note(&self, record: &mut Record, hook: &Hook, phase: &str) -> Result<()> {
        let value = &hook.object.value;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        record.note_hook(
            &text(&value["kind"]),
            &text(&value["metadata"]["name"]),
            phase,
        );
        let site = self.site;
        records::update(site.objects.as_ref(), &site.namespace, record).await
    }
}
