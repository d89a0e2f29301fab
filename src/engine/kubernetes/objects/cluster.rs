//! The objects of a real cluster.

use std::sync::Arc;

use async_trait::async_trait;
use kube::Api;
use kube::Error as KubeError;
use kube::api::{
    DeleteParams, DynamicObject, GetParams, ListParams, Patch, PatchParams, PostParams,
    Preconditions, ValidationDirective,
};
use kube::core::Request;
use serde_json::Value;

use super::kinds::Kind;
use super::{ApplyMode, FIELD_MANAGER, ListQuery, OTHER_MANAGER, ObjectKey, Objects, Rollouts};
use crate::engine::kubernetes::connection::Cluster;
use crate::engine::kubernetes::lease::Lease;
use crate::engine::kubernetes::request::{Access, is_forbidden};
use crate::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest, await_ready};
use crate::error::{Error, Result};
use crate::model::event::EventSink;

#[async_trait]
impl Rollouts for Cluster {
    async fn await_ready(
        &self,
        request: &RolloutRequest<'_>,
        events: &dyn EventSink,
    ) -> Result<RolloutEnd> {
        await_ready(&self.client, request, events).await
    }
}

/// What builds a request for a list.
type ListBuilder =
    fn(&Request, &ListParams) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>;

impl Cluster {
    /// The path of a kind's objects, and what a verb on them is called.
    async fn reach(&self, verb: &'static str, key: &ObjectKey) -> Result<(Request, Access)> {
        let kind = self.kind(&key.api_version, &key.kind).await?;
        let client = self.client.clone();
        let api: Api<DynamicObject> = match &key.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &kind.resource),
            None => Api::all_with(client, &kind.resource),
        };
        let resource = match kind.resource.group.as_str() {
            "" => kind.resource.plural.clone(),
            group => format!("{}.{group}", kind.resource.plural),
        };
        let access = Access::new(verb, resource).within(key.namespace.as_deref());
        let access = match key.name.is_empty() {
            true => access,
            false => access.named(&key.name),
        };
        Ok((Request::new(api.resource_url()), access))
    }

    /// Sends a request that was built, again while the server is away.
    async fn exchange(
        &self,
        access: &Access,
        request: &http::Request<Vec<u8>>,
    ) -> Result<Value, KubeError> {
        self.send_raw(access, || self.client.request::<Value>(request.clone()))
            .await
    }

    /// The same of a request that changes something: before each attempt, the lease is asked whether
    /// it may.
    async fn change(
        &self,
        access: &Access,
        request: &http::Request<Vec<u8>>,
    ) -> Result<Value, KubeError> {
        let attempt = || async {
            if let Some(lease) = &self.guard {
                let assured = lease.assure().await;
                assured.map_err(|refusal| KubeError::Service(refusal.into()))?;
            }
            self.client.request::<Value>(request.clone()).await
        };
        self.send_raw(access, attempt).await
    }

    async fn listed(&self, query: &ListQuery<'_>, how: ListBuilder) -> Result<Vec<Value>> {
        let key = ObjectKey::namespaced(query.api_version, query.kind, query.namespace, "");
        let (path, access) = self.reach("list", &key).await?;
        let parameters = ListParams::default().labels(query.labels);
        let request = built(&access, how(&path, &parameters))?;
        let answer = self.exchange(&access, &request).await;
        let mut answer = answer.map_err(|error| self.failure(&access, error))?;
        match answer["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    async fn patch(
        &self,
        key: &ObjectKey,
        parameters: &PatchParams,
        patch: &Patch<&Value>,
    ) -> Result<Value> {
        let (path, access) = self.reach("patch", key).await?;
        let request = built(&access, path.patch(&key.name, parameters, patch))?;
        match self.change(&access, &request).await {
            Ok(patched) => Ok(patched),
            Err(error) if is_forbidden(&error) => {
                let wanted = self.wanted_by_patch(key, access).await;
                Err(self.refused(&wanted, error).await)
            }
            Err(error) => Err(self.refused(&access, error).await),
        }
    }

    /// The right that a refused patch may lack. To apply what is not there takes the right to
    /// create it, besides the one to patch.
    async fn wanted_by_patch(&self, key: &ObjectKey, patching: Access) -> Access {
        if !self.may(&patching).await || !matches!(self.get(key).await, Ok(None)) {
            return patching;
        }
        let Ok((_, creating)) = self.reach("create", key).await else {
            return patching;
        };
        match self.may(&creating).await {
            true => patching,
            false => creating,
        }
    }

    /// Deletes an object; `false` when it is gone, or not as the parameters want it.
    async fn remove(&self, key: &ObjectKey, parameters: &DeleteParams) -> Result<bool> {
        let (path, access) = self.reach("delete", key).await?;
        let request = built(&access, path.delete(&key.name, parameters))?;
        match self.change(&access, &request).await {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(KubeError::Api(status))
                if parameters.preconditions.is_some() && status.is_conflict() =>
            {
                Ok(false)
            }
            Err(error) => Err(self.refused(&access, error).await),
        }
    }

    /// The error of a request; whoever has the right was refused by an admission check, such as
    /// a quota.
    async fn refused(&self, access: &Access, error: KubeError) -> Error {
        match (is_forbidden(&error), &error) {
            (true, KubeError::Api(status)) if self.may(access).await => {
                Error::failed(format!("the cluster refuses to {access}"))
                    .since(status.message.clone())
            }
            _ => self.failure(access, error),
        }
    }

    /// Whether the user has the right; `false` when that cannot be asked.
    async fn may(&self, access: &Access) -> bool {
        let request = Request::new("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        let Ok(body) = serde_json::to_vec(&access.review()) else {
            return false;
        };
        let Ok(request) = request.create(&PostParams::default(), body) else {
            return false;
        };
        let asking = Access::new("create", "selfsubjectaccessreviews.authorization.k8s.io");
        let answer = self.exchange(&asking, &request).await;
        answer.is_ok_and(|answer| answer["status"]["allowed"] == Value::Bool(true))
    }
}

#[async_trait]
impl Objects for Cluster {
    fn guarded(self: Arc<Self>, lease: &Lease) -> Arc<dyn Objects> {
        Arc::new(self.changing_under(lease))
    }

    async fn find_place(&self, object: &Value, namespace: &str) -> Result<Option<ObjectKey>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let Some(Kind { namespaced, .. }) = self.known_kind(&api_version, &kind).await? else {
            return Ok(None);
        };
        let own = object["metadata"]["namespace"].as_str();
        Ok(Some(ObjectKey {
            api_version,
            kind,
            namespace: namespaced.then(|| own.unwrap_or(namespace).to_owned()),
            name: text(&object["metadata"]["name"]),
        }))
    }

    async fn served_version(&self, api_version: &str, kind: &str) -> Result<Option<String>> {
        self.version_of(api_version, kind).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Value>> {
        let (path, access) = self.reach("get", key).await?;
        let request = built(&access, path.get(&key.name, &GetParams::default()))?;
        match self.exchange(&access, &request).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failure(&access, error)),
        }
    }

    async fn list(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        self.listed(query, Request::list).await
    }

    async fn list_metadata(&self, query: &ListQuery<'_>) -> Result<Vec<Value>> {
        self.listed(query, Request::list_metadata).await
    }

    async fn create(&self, key: &ObjectKey, object: &Value) -> Result<Option<Value>> {
        let (path, access) = self.reach("create", key).await?;
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let request = built(&access, path.create(&parameters, bytes(object)?))?;
        match self.change(&access, &request).await {
            Ok(created) => Ok(Some(created)),
            Err(KubeError::Api(status)) if status.is_already_exists() => Ok(None),
            Err(error) => Err(self.refused(&access, error).await),
        }
    }

    async fn replace(
        &self,
        key: &ObjectKey,
        object: &Value,
        mode: ApplyMode,
    ) -> Result<Option<Value>> {
        let (path, access) = self.reach("update", key).await?;
        let parameters = PostParams {
            dry_run: mode == ApplyMode::DryRun,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        let request = built(
            &access,
            path.replace(&key.name, &parameters, bytes(object)?),
        )?;
        match self.change(&access, &request).await {
            Ok(replaced) => Ok(Some(replaced)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(KubeError::Api(status)) if status.is_conflict() => Ok(None),
            Err(error) => Err(self.refused(&access, error).await),
        }
    }

    async fn apply(&self, key: &ObjectKey, object: &Value, mode: ApplyMode) -> Result<Value> {
        let parameters = PatchParams {
            field_validation: Some(ValidationDirective::Strict),
            dry_run: mode == ApplyMode::DryRun,
            ..PatchParams::apply(FIELD_MANAGER).force()
        };
        self.patch(key, &parameters, &Patch::Apply(object)).await
    }

    async fn set(&self, key: &ObjectKey, fields: &Value) -> Result<()> {
        // Any other patch would own only what it changes.
        let parameters = PatchParams::apply(OTHER_MANAGER).force();
        let mut object = fields.clone();
        object["apiVersion"] = key.api_version.as_str().into();
        object["kind"] = key.kind.as_str().into();
        object["metadata"]["name"] = key.name.as_str().into();
        self.patch(key, &parameters, &Patch::Apply(&object)).await?;
        Ok(())
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.remove(key, &DeleteParams::background()).await?;
        Ok(())
    }

    async fn delete_seen(&self, key: &ObjectKey, seen: &Value) -> Result<bool> {
        let text = |member: &str| seen["metadata"][member].as_str().map(str::to_owned);
        let parameters = DeleteParams::background().preconditions(Preconditions {
            resource_version: text("resourceVersion"),
            uid: text("uid"),
        });
        self.remove(key, &parameters).await
    }
}

fn is_absent(error: &KubeError) -> bool {
    matches!(error, KubeError::Api(status) if status.is_not_found())
}

fn built<T>(access: &Access, request: Result<T, kube::core::request::Error>) -> Result<T> {
    request.map_err(|error| Error::failed(format!("cannot {access}")).because(error))
}

fn bytes(object: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(object)
        .map_err(|error| Error::failed("cannot write an object as JSON").because(error))
}

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
