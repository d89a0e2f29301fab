//! A cluster in memory as the holder of a lease sees it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::FakeCluster;
use crate::engine::kubernetes::lease::Lease;
use crate::engine::kubernetes::objects::{ApplyMode, ListQuery, ObjectKey, Objects};
use crate::error::Result;

/// Asks the lease before each change.
pub(super) struct GuardedCluster {
    pub(super) cluster: Arc<FakeCluster>,
    pub(super) lease: Lease,
}

#[async_trait]
impl Objects for GuardedCluster {
    fn guarded(self: Arc<Self>, lease: &Lease) -> Arc<dyn Objects> {
        Arc::clone(&self.cluster).guarded(lease)
    }

    async fn find_place(&self, object: &Value, namespace: &str) -> Result<Option<ObjectKey>> {
        self.cluster.find_place(object, namespace).await
    }

    async fn served_version(&self, api_version: &str, kind: &str) -> Result<Option<String>> {
        self.cluster.served_version(api_version, kind).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Value>> {
        self.cluster.get(key).await
    }

    async fn list(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        self.cluster.list(query).await
    }

    async fn list_metadata(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        self.cluster.list_metadata(query).await
    }

    async fn create(&self, key: &ObjectKey, object: &Value) -> Result<Option<Value>> {
        self.lease.assure().await?;
        self.cluster.create(key, object).await
    }

    async fn replace(
        &self,
        key: &ObjectKey,
        object: &Value,
        mode: ApplyMode,
    ) -> Result<Option<Value>> {
        self.lease.assure().await?;
        self.cluster.replace(key, object, mode).await
    }

    async fn apply(&self, key: &ObjectKey, object: &Value, mode: ApplyMode) -> Result<Value> {
        self.lease.assure().await?;
        self.cluster.apply(key, object, mode).await
    }

    async fn set(&self, key: &ObjectKey, fields: &Value) -> Result<()> {
        self.lease.assure().await?;
        self.cluster.set(key, fields).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.lease.assure().await?;
        self.cluster.delete(key).await
    }

    async fn delete_seen(&self, key: &ObjectKey, seen: &Value) -> Result<bool> {
        self.lease.assure().await?;
        self.cluster.delete_seen(key, seen).await
    }
}
