//! The place that releases go to, and where their objects are there.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::definitions::place_of;
use super::held::Held;
use super::plan::{CLAIM, Wanted};
use super::schema::Schemas;
use crate::actions::release::nameless;
use crate::engine::kubernetes::lease::{Lease, LeaseRequest};
use crate::engine::kubernetes::objects::{ObjectKey, Objects, Rollouts};
use crate::engine::kubernetes::ownership::{Owner, owner_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::EventSink;
use crate::model::release::ReleaseObject;

/// How many requests about objects of one release are under way at once.
pub(super) const REQUESTS: usize = 8;

/// A namespace of a cluster, and how releases are handled there.
#[derive(Clone)]
pub struct Site {
    /// The objects of the cluster.
    pub objects: Arc<dyn Objects>,
    /// Waits for workloads.
    pub rollouts: Arc<dyn Rollouts>,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
    /// The namespace.
    pub namespace: String,
    /// The workspace that is deployed.
    pub workspace: String,
    /// Who deploys, different for each run of the program.
    pub holder: String,
    /// After how long without a sign of life another's lease is taken over.
    pub lease: Duration,
    /// How long one release may take to become ready.
    pub timeout: Duration,
    /// What images state about their schema.
    pub schemas: Schemas,
    /// Done when the user interrupts.
    pub interrupted: Shared<BoxFuture<'static, ()>>,
}

/// An object with its place in the cluster.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Where.
    pub key: ObjectKey,
    /// The object, marked as the release's.
    pub marked: Value,
    /// As it is in the cluster.
    pub live: Option<Value>,
    /// Whether the cluster gets its kind only with this deployment, and cannot be asked about it yet.
    pub is_of_new_kind: bool,
}

impl Site {
    /// Takes a release's lease, unless the user interrupts.
    ///
    /// # Errors
    /// When another deployment of it is under way, the cluster refuses, or the user interrupts.
    pub async fn hold<'a>(&'a self, release: &'a str) -> Result<Held<'a>> {
        self.leave(self.hold_in_any_case(release)).await
    }

    /// As [`Site::hold`], also after an interruption: to take back what was done.
    ///
    /// # Errors
    /// When another deployment of it is under way, or the cluster refuses.
    pub async fn hold_in_any_case<'a>(&'a self, release: &'a str) -> Result<Held<'a>> {
        let request = LeaseRequest {
            namespace: self.namespace.clone(),
            release: release.to_owned(),
            holder: self.holder.clone(),
            duration: self.lease,
        };
        let waiting = |holder: &str| {
            let message = format!("waiting to see whether the deployment of {holder} still lives");
            self.events.progress(release, message);
        };
        let lease = Lease::acquire(Arc::clone(&self.objects), &request, waiting).await?;
        let objects = Arc::clone(&self.objects).guarded(&lease);
        Ok(Held {
            site: Self {
                objects,
                ..self.clone()
            },
            release,
            lease,
            deadline: Instant::now() + self.timeout,
            running: Mutex::default(),
        })
    }

    /// Does work that may be left at any point when the user interrupts: it asks, or does what the
    /// next run does again.
    ///
    /// # Errors
    /// The work's, or that the user interrupted.
    pub async fn leave<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.interrupted.clone() => Err(Error::interrupted()),
            done = work => done,
        }
    }

    /// Whether the user interrupted by now.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.clone().now_or_never().is_some()
    }

    /// Whether the namespace is there; taken for granted where that may not be asked.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub async fn has_namespace(&self) -> Result<bool> {
        match self.objects.get(&self.namespace_key()).await {
            Ok(found) => Ok(found.is_some()),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Makes the namespace when it is absent; its labels, such as those of Pod Security, are its
    /// administrator's. `None` when it was there.
    ///
    /// # Errors
    /// When it is absent and may not be made.
    pub async fn ensure_namespace(&self) -> Result<Option<ObjectKey>> {
        if self.has_namespace().await? {
            return Ok(None);
        }
        let key = self.namespace_key();
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace},
        });
        let made = self.objects.create(&key, &namespace).await;
        let made = made.map_err(|error| {
            error.hint(format!(
                "Or have it made: `kubectl create namespace {}`",
                self.namespace
            ))
        })?;
        if made.is_none() {
            // Another client was quicker.
            return Ok(None);
        }
        self.events
            .note(format!("made the namespace {}", self.namespace));
        Ok(Some(key))
    }

    /// Where the namespace is.
    pub(super) fn namespace_key(&self) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: self.namespace.clone(),
        }
    }

    /// Finds the places of objects and what is there now.
    ///
    /// # Errors
    /// When the cluster does not know a kind, or cannot be asked.
    pub async fn place(&self, wanted: &Wanted<'_>) -> Result<Vec<Placed>> {
        let placing = wanted
            .objects
            .iter()
            .map(|object| self.place_one(object, wanted));
        stream::iter(placing.collect::<Vec<_>>())
            .buffered(REQUESTS)
            .try_collect()
            .await
    }

    async fn place_one(&self, object: &ReleaseObject, wanted: &Wanted<'_>) -> Result<Placed> {
        let (value, namespace) = (&object.value, &self.namespace);
        let found = self.objects.find_place(value, namespace).await?;
        let is_of_new_kind = found.is_none();
        let key = match found.or_else(|| place_of(value, wanted.definitions, namespace)) {
            Some(key) => key,
            None => self.objects.locate(value, namespace).await?,
        };
        if let Some(error) = nameless(object) {
            return Err(error);
        }
        let live = match is_of_new_kind {
            true => None,
            false => self.objects.get(&key).await?,
        };
        let mut marked = self.owner(wanted.release).mark(value);
        if let Some(live) = &live
            && wanted.is_earlier
            && key.kind == CLAIM
        {
            let size = &live["spec"]["resources"]["requests"]["storage"];
            marked["spec"]["resources"]["requests"]["storage"] = size.clone();
        }
        Ok(Placed {
            key,
            marked,
            live,
            is_of_new_kind,
        })
    }

    /// Refuses objects that exist and belong to another, as Helm does.
    ///
    /// # Errors
    /// When there is one.
    pub fn check_owners(
        &self,
        release: &str,
        placed: &[Placed],
        known: &[ObjectKey],
    ) -> Result<()> {
        let owner = self.owner(release);
        let strangers = placed.iter().filter_map(|it| {
            let live = it.live.as_ref().filter(|live| !owner.owns(live))?;
            // An object of an earlier revision may have lost its marks; it is no other's for that.
            let is_known = known.iter().any(|key| key.is_same(&it.key));
            let is_marked =
                live["metadata"]["annotations"]["meta.helm.sh/release-name"].is_string();
            (!is_known || is_marked).then(|| {
                Error::failed(format!("{} exists and is not {release}'s", it.key))
                    .since(owner_of(live))
            })
        });
        let message = |count| format!("{count} objects exist and are not {release}'s");
        match Error::all_of(message, strangers.collect()) {
            Some(error) => Err(error.hint("Rename it in the chart, or remove what is there")),
            None => Ok(()),
        }
    }

    /// Who a release is to its objects.
    pub fn owner<'a>(&'a self, release: &'a str) -> Owner<'a> {
        Owner {
            release,
            namespace: &self.namespace,
        }
    }
}
