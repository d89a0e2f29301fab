//! A cluster in memory, which can stop answering after a number of changes: the program looks dead
//! from there, and dies with its future.

mod fields;
mod guarded;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;

use self::fields::{fields_of_client, merge, owned_by};
use self::guarded::GuardedCluster;
use super::lease::Lease;
use super::objects::{ApplyMode, FIELD_MANAGER, ListQuery, ObjectKey, Objects, Rollouts};
use super::rollout::{RolloutEnd, RolloutRequest};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::release::RolloutCause;

/// Kinds that live in no namespace.
const CLUSTER_WIDE: [&str; 3] = ["Namespace", "ClusterRole", "CustomResourceDefinition"];
/// The word that keeps a workload or a Job from becoming ready.
pub const BROKEN: &str = "broken";

/// The objects, and what was done to them.
#[derive(Default)]
pub struct FakeCluster {
    state: Mutex<State>,
}

#[derive(Default, Clone)]
struct State {
    objects: BTreeMap<ObjectKey, Value>,
    /// Fields that were set, which stay when they are not applied.
    fields: BTreeMap<ObjectKey, Value>,
    versions: u64,
    changes: Vec<String>,
    /// How many more changes are made before no call is answered any more.
    left: Option<usize>,
    /// What the cluster says of kinds that it does not have in every version.
    kinds: BTreeMap<String, Known>,
    /// Who is told once so many changes were made.
    watcher: Option<(usize, Arc<Notify>)>,
}

/// What a cluster says of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// There is no such kind.
    No,
    /// It does not answer.
    Unanswered,
    /// It is served in this version alone.
    In(&'static str),
}

impl FakeCluster {
    /// What the cluster says of a kind from now on; without one, it has it.
    pub fn say_of_kind(&self, kind: &str, known: Option<Known>) {
        let mut state = self.state.lock().unwrap();
        if let Some(Known::In(version)) = known {
            state.serve_in(version, kind);
        }
        match known {
            Some(known) => state.kinds.insert(kind.to_owned(), known),
            None => state.kinds.remove(kind),
        };
    }

    /// A cluster with this namespace.
    pub fn with_namespace(name: &str) -> Self {
        let cluster = Self::default();
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let object = json!({"metadata": {"name": name}});
        cluster.state.lock().unwrap().store(&key, &object);
        cluster.state.lock().unwrap().changes.clear();
        cluster
    }

    /// What was changed so far: `apply Deployment/orders`.
    pub fn changes(&self) -> Vec<String> {
        self.state.lock().unwrap().changes.clone()
    }

    /// The titles of all objects that are there, leases and records excepted.
    pub fn titles(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let own = |key: &&ObjectKey| {
            key.kind != "Lease" && key.kind != "Namespace" && !key.name.starts_with("sh.helm.")
        };
        state
            .objects
            .keys()
            .filter(own)
            .map(ToString::to_string)
            .collect()
    }

    /// Stops answering once this many more changes are made, the last of which is not answered
    /// either; `None` lets all be answered again.
    pub fn die_after(&self, changes: Option<usize>) {
        self.state.lock().unwrap().left = changes;
    }

    /// Whether it stopped answering.
    pub fn is_dead(&self) -> bool {
        self.state.lock().unwrap().left == Some(0)
    }

    /// A future that is done once this many changes were made, as a user who interrupts then. Who
    /// changes something is paused meanwhile, so that the future is seen before the next change.
    pub fn after_changes(&self, count: usize) -> BoxFuture<'static, ()> {
        let reached = Arc::new(Notify::new());
        self.state.lock().unwrap().watcher = Some((count, Arc::clone(&reached)));
        Box::pin(async move { reached.notified().await })
    }

    async fn answer<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        let answer = {
            let mut state = self.state.lock().unwrap();
            let before = state.changes.len();
            let answer = work(&mut state);
            let made = state.changes.len() - before;
            state.left = state.left.map(|left| left.saturating_sub(made));
            if let Some((count, reached)) = &state.watcher
                && state.changes.len() >= *count
            {
                reached.notify_one();
                state.watcher = None;
            }
            answer
        };
        tokio::task::yield_now().await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl State {
    fn store(&mut self, key: &ObjectKey, object: &Value) -> Value {
        self.versions += 1;
        let mut stored = object.clone();
        let uid = self
            .objects
            .get(key)
            .map(|it| it["metadata"]["uid"].clone());
        stored["metadata"]["uid"] = uid.unwrap_or_else(|| self.versions.to_string().into());
        stored["metadata"]["resourceVersion"] = self.versions.to_string().into();
        self.objects.insert(key.clone(), stored.clone());
        stored
    }

    /// Has the objects of a kind in this version from now on.
    fn serve_in(&mut self, version: &str, kind: &str) {
        let objects = std::mem::take(&mut self.objects).into_iter();
        let served = objects.map(|(mut key, mut object)| {
            if key.kind == kind {
                key.api_version = version.to_owned();
                object["apiVersion"] = version.into();
            }
            (key, object)
        });
        self.objects = served.collect();
    }

    fn note(&mut self, verb: &str, key: &ObjectKey) {
        self.changes.push(format!("{verb} {key}"));
    }
}

#[async_trait]
impl Objects for FakeCluster {
    fn guarded(self: Arc<Self>, lease: &Lease) -> Arc<dyn Objects> {
        let lease = lease.clone();
        Arc::new(GuardedCluster {
            cluster: self,
            lease,
        })
    }

    async fn find_place(&self, object: &Value, namespace: &str) -> Result<Option<ObjectKey>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = text(&object["kind"]);
        match self.state.lock().unwrap().kinds.get(&kind) {
            None => {}
            Some(Known::In(version)) if object["apiVersion"] == *version => {}
            Some(Known::No | Known::In(_)) => return Ok(None),
            Some(Known::Unanswered) => return Err(Error::missing("the cluster does not answer")),
        }
        let own = object["metadata"]["namespace"].as_str();
        Ok(Some(ObjectKey {
            api_version: text(&object["apiVersion"]),
            namespace: (!CLUSTER_WIDE.contains(&kind.as_str()))
                .then(|| own.unwrap_or(namespace).to_owned()),
            kind,
            name: text(&object["metadata"]["name"]),
        }))
    }

    async fn served_version(&self, _: &str, kind: &str) -> Result<Option<String>> {
        Ok(match self.state.lock().unwrap().kinds.get(kind) {
            Some(Known::In(version)) => Some((*version).to_owned()),
            _ => None,
        })
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Value>> {
        self.answer(|state| Ok(state.objects.get(key).cloned()))
            .await
    }

    async fn list(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        let wanted: Vec<(&str, &str)> = query
            .labels
            .split(',')
            .filter_map(|label| label.split_once('='))
            .collect();
        self.answer(|state| {
            let found = state.objects.iter().filter(|(key, value)| {
                let labels = &value["metadata"]["labels"];
                key.kind == query.kind
                    && key.namespace.as_deref() == Some(query.namespace)
                    && wanted.iter().all(|(label, text)| labels[*label] == *text)
            });
            Ok(found.map(|(_, value)| value.clone()).collect())
        })
        .await
    }

    async fn list_metadata(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        let found = self.list(query).await?;
        let alone = |object: &Value| json!({"metadata": object["metadata"]});
        Ok(found.iter().map(alone).collect())
    }

    async fn create(&self, key: &ObjectKey, object: &Value) -> Result<Option<Value>> {
        self.answer(|state| {
            if state.objects.contains_key(key) {
                return Ok(None);
            }
            state.note("create", key);
            let mut object = object.clone();
            if key.kind == "CustomResourceDefinition" {
                let established = serde_json::json!([{"type": "Established", "status": "True"}]);
                object["status"] = serde_json::json!({"conditions": established});
                let kind = object["spec"]["names"]["kind"].as_str().unwrap_or_default();
                state.kinds.remove(kind);
            }
            Ok(Some(state.store(key, &object)))
        })
        .await
    }

    async fn replace(
        &self,
        key: &ObjectKey,
        object: &Value,
        mode: ApplyMode,
    ) -> Result<Option<Value>> {
        self.answer(|state| {
            let Some(stored) = state.objects.get(key) else {
                return Ok(None);
            };
            let wanted = &object["metadata"]["resourceVersion"];
            if *wanted != stored["metadata"]["resourceVersion"] {
                return Ok(None);
            }
            if mode == ApplyMode::DryRun {
                return Ok(Some(object.clone()));
            }
            if key.kind != "Lease" {
                state.note("replace", key);
            }
            Ok(Some(state.store(key, object)))
        })
        .await
    }

    async fn apply(&self, key: &ObjectKey, object: &Value, mode: ApplyMode) -> Result<Value> {
        self.answer(|state| {
            if object.to_string().contains("refused") {
                return Err(Error::failed(format!("the cluster refuses to patch {key}")));
            }
            let mut applied = state.fields.get(key).cloned().unwrap_or_else(|| json!({}));
            let clients = state.objects.get(key).map(fields_of_client);
            let (entry, kept) = clients.unwrap_or_else(|| (None, json!({})));
            // In the order of what is applied, with its values.
            for fields in [object, &kept, object] {
                merge(&mut applied, fields);
            }
            let own = json!({
                "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": owned_by(object),
            });
            applied["metadata"]["managedFields"] = entry.into_iter().chain([own]).collect();
            if mode == ApplyMode::DryRun {
                let stored = state.objects.get(key).unwrap_or(&Value::Null);
                let version = &stored["metadata"]["resourceVersion"];
                applied["metadata"]["resourceVersion"] = version.clone();
                return Ok(applied);
            }
            state.note("apply", key);
            Ok(state.store(key, &applied))
        })
        .await
    }

    async fn set(&self, key: &ObjectKey, fields: &Value) -> Result<()> {
        self.answer(|state| {
            let absent = || Error::failed(format!("{key} is absent"));
            let mut object = state.objects.get(key).cloned().ok_or_else(absent)?;
            merge(&mut object, fields);
            state.fields.insert(key.clone(), fields.clone());
            state.note("set", key);
            state.store(key, &object);
            Ok(())
        })
        .await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.answer(|state| {
            if state.objects.remove(key).is_some() {
                state.fields.remove(key);
                state.note("delete", key);
            }
            Ok(())
        })
        .await
    }

    async fn delete_seen(&self, key: &ObjectKey, seen: &Value) -> Result<bool> {
        self.answer(|state| {
            let version = |it: &Value| it["metadata"]["resourceVersion"].clone();
            let stored = state.objects.get(key).map(version);
            let is_same = stored == Some(version(seen));
            if is_same {
                state.objects.remove(key);
                state.note("delete", key);
            }
            Ok(is_same)
        })
        .await
    }
}

#[async_trait]
impl Rollouts for FakeCluster {
    async fn await_ready(
        &self,
        request: &RolloutRequest<'_>,
        _events: &dyn EventSink,
    ) -> Result<RolloutEnd> {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        let broken = request
            .objects
            .iter()
            .find(|it| it.value.to_string().contains(BROKEN));
        Ok(match broken {
            None => RolloutEnd::Ready,
            Some(object) => RolloutEnd::Failed(vec![RolloutCause {
                object: object.title(),
                pod: None,
                message: "it is broken".to_owned(),
                events: Vec::new(),
                hint: None,
                log: Vec::new(),
            }]),
        })
    }
}
