//! Objects that run at a moment of a release's life: migrations before all.

use serde_json::Value;

use super::held::Held;
use super::outcome::Stop;
use crate::engine::kubernetes::objects::{ApplyMode, ObjectKey};
use crate::engine::kubernetes::records::{self, Record};
use crate::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest};
use crate::error::{Error, Result};
use crate::model::release::{Hook, hooks_of};

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
        for (at, hook) in chosen.iter().enumerate() {
            if let Err(stop) = self.run_hook(record, hook, event).await {
                return Err(match self.clean_up(hook, &chosen[..at]).await {
                    Ok(()) => stop,
                    Err(left) => stop.with_related(left),
                });
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
        Ok(self.await_gone(deleted).await?)
    }

    /// Ends the hook that is under way, if one is: it is not to go on once its release gave up. Gives
    /// what was deleted for that.
    ///
    /// # Errors
    /// When the cluster refuses: it may still run.
    pub async fn end_hook(&self) -> Result<Option<ObjectKey>> {
        let mut running = self.running.lock().await;
        let Some(key) = running.clone() else {
            return Ok(None);
        };
        let objects = &self.site.objects;
        let ending = async {
            let runs = objects.get(&key).await?.is_some_and(|it| still_runs(&it));
            if runs {
                objects.delete(&key).await?;
            }
            Ok(runs)
        };
        let ended = ending.await;
        let runs = ended.map_err(|error: Error| error.since(format!("{key} may still run")))?;
        *running = None;
        Ok(runs.then_some(key))
    }

    /// Cleans up as Helm does once a hook failed, also after those that came before it.
    async fn clean_up(&self, failed: &Hook, done: &[&Hook]) -> Result<()> {
        let mut deleted = Vec::new();
        deleted.extend(self.end_hook().await?);
        deleted.extend(self.clean(failed, "hook-failed").await?);
        for hook in done.iter().rev() {
            deleted.extend(self.clean(hook, "hook-succeeded").await?);
        }
        self.await_gone(&deleted).await
    }

    async fn run_hook(&self, record: &mut Record, hook: &Hook, event: &str) -> Result<(), Stop> {
        let site = &self.site;
        let title = hook.object.title();
        self.say(format!("{event}: {title}"));
        let leftover = self.clean(hook, BEFORE_CREATION).await?;
        self.hooks_gone(leftover.as_slice()).await?;
        self.note(record, hook, "Running").await?;
        let key = site
            .objects
            .locate(&hook.object.value, &site.namespace)
            .await?;
        *self.running.lock().await = Some(key.clone());
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
                *self.running.lock().await = None;
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
        let noted = self.note(record, hook, "Failed").await;
        Err(Stop::NotReady {
            message,
            causes,
            related: noted.err().into_iter().collect(),
        })
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
        let site = &self.site;
        let key = site
            .objects
            .locate(&hook.object.value, &site.namespace)
            .await?;
        if site.objects.get(&key).await?.is_none() {
            return Ok(None);
        }
        site.objects.delete(&key).await?;
        Ok(Some(key))
    }

    async fn note(&self, record: &mut Record, hook: &Hook, phase: &str) -> Result<()> {
        let value = &hook.object.value;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        record.note_hook(
            &text(&value["kind"]),
            &text(&value["metadata"]["name"]),
            phase,
        );
        let site = &self.site;
        records::update(site.objects.as_ref(), &site.namespace, record).await
    }
}

/// Whether something goes on by itself.
fn still_runs(live: &Value) -> bool {
    let status = &live["status"];
    let is_over = |condition: &Value| {
        condition["status"] == "True"
            && (condition["type"] == "Complete" || condition["type"] == "Failed")
    };
    match live["kind"].as_str() {
        Some("Job") => {
            let mut conditions = status["conditions"].as_array().into_iter().flatten();
            !conditions.any(is_over)
        }
        Some("Pod") => status["phase"] != "Succeeded" && status["phase"] != "Failed",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures::FutureExt;
    use serde_json::json;

    use crate::actions::deploy::past::Past;
    use crate::actions::deploy::tests::{FIRST, cluster, live, site, spec};
    use crate::actions::deploy::{AfterFailure, Outcome};
    use crate::engine::kubernetes::fake::{BROKEN, FakeCluster, Known};
    use crate::engine::kubernetes::objects::{ObjectKey, Objects, Rollouts};
    use crate::engine::kubernetes::records::{Record, Status};
    use crate::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest};
    use crate::error::Result;
    use crate::model::event::EventSink;
    use crate::model::release::ReleaseSpec;

    /// A cluster whose Jobs get this status and end this way; never when `None`.
    struct Jobs {
        cluster: Arc<FakeCluster>,
        status: serde_json::Value,
        end: Option<RolloutEnd>,
    }

    #[async_trait::async_trait]
    impl Rollouts for Jobs {
        async fn await_ready(
            &self,
            request: &RolloutRequest<'_>,
            _events: &dyn EventSink,
        ) -> Result<RolloutEnd> {
            let object = &request.objects[0].value;
            let key = self.cluster.locate(object, "shop").await?;
            let status = json!({"status": self.status});
            self.cluster.set(&key, &status).await?;
            match &self.end {
                Some(end) => Ok(end.clone()),
                None => std::future::pending().await,
            }
        }
    }

    /// Deploys for the first time, and interrupts after a moment. Whether the migration's Job is
    /// still there.
    async fn job_stays(status: serde_json::Value, end: Option<RolloutEnd>) -> bool {
        let cluster = cluster();
        let mut site = site(&cluster, "one");
        site.interrupted = tokio::time::sleep(Duration::from_millis(50))
            .boxed()
            .shared();
        site.rollouts = Arc::new(Jobs {
            cluster: Arc::clone(&cluster),
            status,
            end,
        });
        let outcome = site.deploy(&spec("1", FIRST), AfterFailure::TakeBack).await;
        assert!(outcome.error.is_some(), "{outcome:?}");
        live(&cluster, "Job", "orders-migrate").await.is_some()
    }

    #[tokio::test]
    async fn a_hook_that_is_under_way_is_deleted_when_the_user_interrupts() {
        assert!(!job_stays(json!({"active": 1}), None).await);
    }

    #[tokio::test]
    async fn a_hook_that_is_not_done_in_time_is_deleted() {
        let late = RolloutEnd::TimedOut(Vec::new());
        assert!(!job_stays(json!({"active": 1}), Some(late)).await);
    }

    #[tokio::test]
    async fn a_hook_that_failed_by_itself_stays_to_look_into() {
        let failed = json!({"conditions": [{"type": "Failed", "status": "True"}]});
        let end = RolloutEnd::Failed(Vec::new());
        assert!(job_stays(failed, Some(end)).await);
    }

    /// A release whose second hook fails, with what deletes the first and the second.
    fn second_hook_fails(first: &str, second: &str) -> ReleaseSpec {
        let mut spec = spec("1", FIRST);
        let mut last = spec.rendered.hooks[0].clone();
        spec.rendered.hooks[0].delete_policies = vec![first.to_owned()];
        last.weight = 1;
        last.object.value["metadata"]["name"] = "orders-last".into();
        last.object.value["spec"]["mark"] = BROKEN.into();
        last.delete_policies = vec![second.to_owned()];
        spec.rendered.hooks.push(last);
        spec
    }

    async fn deploy(cluster: &Arc<FakeCluster>, spec: &ReleaseSpec) -> Outcome {
        site(cluster, "one")
            .deploy(spec, AfterFailure::TakeBack)
            .await
    }

    #[tokio::test]
    async fn a_hook_that_succeeded_is_deleted_as_it_says_although_a_later_one_fails() {
        let cluster = cluster();
        let spec = second_hook_fails("hook-succeeded", "before-hook-creation");
        let outcome = deploy(&cluster, &spec).await;
        assert!(outcome.error.is_some(), "{outcome:?}");
        assert!(live(&cluster, "Job", "orders-migrate").await.is_none());
    }

    /// A cluster that does not tell of Jobs any more once one failed.
    struct Blinded(Arc<FakeCluster>);

    #[async_trait::async_trait]
    impl Rollouts for Blinded {
        async fn await_ready(
            &self,
            request: &RolloutRequest<'_>,
            events: &dyn EventSink,
        ) -> Result<RolloutEnd> {
            let end = self.0.await_ready(request, events).await?;
            if end != RolloutEnd::Ready {
                self.0.say_of_kind("Job", Some(Known::Unanswered));
            }
            Ok(end)
        }
    }

    #[tokio::test]
    async fn a_clean_up_that_fails_does_not_hide_why_the_hook_failed() {
        let cluster = cluster();
        let mut site = site(&cluster, "one");
        site.rollouts = Arc::new(Blinded(Arc::clone(&cluster)));
        let spec = second_hook_fails("before-hook-creation", "hook-failed");
        let outcome = site.deploy(&spec, AfterFailure::TakeBack).await;
        let error = outcome.error.unwrap();
        let failed = "the pre-install hook Job/orders-last failed";
        assert_eq!(error.causes()[0], failed);
        assert_eq!(error.related()[0].message(), "the cluster does not answer");
    }

    #[tokio::test]
    async fn no_record_tells_of_a_hook_once_the_lease_is_lost() {
        let cluster = cluster();
        let site = site(&cluster, "one");
        let held = site.hold("orders").await.unwrap();
        let mut past = Past::load(&site, "orders").await.unwrap();
        let spec = spec("1", FIRST);
        let record = Record::of_spec(&spec, &past.new_record(&site, Status::PendingInstall, ""));
        let mut record = past.begin(&held, record).await.unwrap();
        let name = "gantline.orders";
        let lease = ObjectKey::namespaced("coordination.k8s.io/v1", "Lease", "shop", name);
        cluster.delete(&lease).await.unwrap();
        let theirs = json!({"spec": {"holderIdentity": "another"}});
        cluster.create(&lease, &theirs).await.unwrap();
        tokio::time::sleep(site.lease).await;
        let before = cluster.changes();
        let hooks = &spec.rendered.hooks;
        let run = held.run_hooks(&mut record, hooks, "pre-install").await;
        assert!(run.is_err());
        assert_eq!(cluster.changes(), before);
    }
}
