//! Objects of a cluster, of any kind, as JSON.

mod cluster;
mod kinds;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

pub(super) use self::kinds::Kinds;
use super::lease::Lease;
use super::rollout::{RolloutEnd, RolloutRequest};
use crate::error::{Error, Result};
use crate::model::event::EventSink;

/// The field manager of everything that is applied: the one that Helm uses, so that a field has one
/// owner whichever of both was used last.
pub const FIELD_MANAGER: &str = "helm";

/// The field manager of what is set once and then left to the cluster.
const OTHER_MANAGER: &str = "gantline";

/// Where an object is.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `None` for kinds that live in no namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// An object in a namespace.
    pub fn namespaced(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Whether both mean the same object, whatever the version of the API.
    pub fn is_same(&self, other: &Self) -> bool {
        let group = |key: &Self| key.api_version.split_once('/').map(|it| it.0.to_owned());
        self.kind == other.kind
            && self.name == other.name
            && self.namespace == other.namespace
            && group(self) == group(other)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

/// Which objects to list.
#[derive(Debug, Clone)]
pub struct ListQuery<'a> {
    /// `v1`.
    pub api_version: &'a str,
    /// `Secret`.
    pub kind: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// `owner=helm,name=orders`.
    pub labels: &'a str,
}

/// Whether an apply, or a replacement, changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyMode {
    /// It does.
    Real,
    /// The server says what would come of it.
    DryRun,
}

fn unknown_kind(api_version: &str, kind: &str) -> Error {
    Error::missing(format!("the cluster has no kind {kind} in {api_version}"))
        .hint("Install what defines it, or take it out of the chart")
}

/// The objects of a cluster.
///
/// Every call has a time limit and is repeated while the server is away. Cancelling one leaves the
/// object as before or as after. Objects in answers hold what the server added; those of kind
/// `Secret` hold secrets.
#[async_trait]
pub trait Objects: Send + Sync {
    /// The same, for the holder of a lease: it is asked each time before a change is sent, also when
    /// one is repeated, and a change fails once the lease is lost.
    fn guarded(self: Arc<Self>, lease: &Lease) -> Arc<dyn Objects>;

    /// Where an object belongs; `namespace` counts where it names none and its kind needs one.
    /// `None` when the cluster has no such kind in this version.
    async fn find_place(&self, object: &Value, namespace: &str) -> Result<Option<ObjectKey>>;

    /// The version of its group in which the cluster serves a kind, such as `apps/v1` for
    /// `apps/v1beta1`; `None` when the group has no such kind any more.
    async fn served_version(&self, api_version: &str, kind: &str) -> Result<Option<String>>;

    /// Where an object is that was made earlier: it outlives the version of the API that it was made
    /// with. `None` when the cluster has no such kind in any version.
    async fn find_earlier_place(
        &self,
        object: &Value,
        namespace: &str,
    ) -> Result<Option<ObjectKey>> {
        if let Some(place) = self.find_place(object, namespace).await? {
            return Ok(Some(place));
        }
        let text = |member: &str| object[member].as_str().unwrap_or_default();
        let served = self.served_version(text("apiVersion"), text("kind"));
        let Some(version) = served.await? else {
            return Ok(None);
        };
        let mut object = object.clone();
        object["apiVersion"] = version.into();
        self.find_place(&object, namespace).await
    }

    /// The same as [`Objects::find_place`] of an object whose kind must be there.
    async fn locate(&self, object: &Value, namespace: &str) -> Result<ObjectKey> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found = self.find_place(object, namespace).await?;
        found.ok_or_else(|| unknown_kind(&text(&object["apiVersion"]), &text(&object["kind"])))
    }

    /// The object, when there is one.
    async fn get(&self, key: &ObjectKey) -> Result<Option<Value>>;

    /// All objects of a kind with these labels.
    async fn list(&self, query: &ListQuery<'_>) -> Result<Vec<Value>>;

    /// The same with nothing but their `metadata`: neither what they hold nor what of them is secret.
    async fn list_metadata(&self, query: &ListQuery<'_>) -> Result<Vec<Value>>;

    /// Makes an object; `None` when there is one of that name.
    async fn create(&self, key: &ObjectKey, object: &Value) -> Result<Option<Value>>;

    /// Replaces an object; `None` when it changed since its `metadata.resourceVersion`, or is gone.
    async fn replace(
        &self,
        key: &ObjectKey,
        object: &Value,
        mode: ApplyMode,
    ) -> Result<Option<Value>>;

    /// Applies an object on the server's side as [`FIELD_MANAGER`], and takes over fields that
    /// others set.
    async fn apply(&self, key: &ObjectKey, object: &Value, mode: ApplyMode) -> Result<Value>;

    /// Sets fields of an object that is there, also to what they are: applying it later neither sets
    /// them nor takes them back.
    async fn set(&self, key: &ObjectKey, fields: &Value) -> Result<()>;

    /// Deletes an object, and what it owns in the background; one that is absent is no error.
    async fn delete(&self, key: &ObjectKey) -> Result<()>;

    /// Deletes an object as it was seen; `false` when it changed since, or is gone.
    async fn delete_seen(&self, key: &ObjectKey, seen: &Value) -> Result<bool>;
}

/// Waits for workloads.
#[async_trait]
pub trait Rollouts: Send + Sync {
    /// Waits until all objects are ready, or until one shows that it will not be.
    async fn await_ready(
        &self,
        request: &RolloutRequest<'_>,
        events: &dyn EventSink,
    ) -> Result<RolloutEnd>;
}
