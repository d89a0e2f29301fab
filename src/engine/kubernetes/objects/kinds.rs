//! The kinds that a cluster has.

use std::collections::HashMap;
use std::sync::Arc;

use kube::Error as KubeError;
use kube::core::GroupVersion;
use kube::discovery::{self, ApiResource, Scope};
use tokio::sync::Mutex;

use super::unknown_kind;
use crate::engine::kubernetes::connection::Cluster;
use crate::engine::kubernetes::request::Access;
use crate::error::Result;

/// What a cluster calls the objects of a kind.
#[derive(Debug, Clone)]
pub(in crate::engine::kubernetes) struct Kind {
    pub(super) resource: ApiResource,
    pub(super) namespaced: bool,
}

/// The kinds that were asked for, by API version and kind.
pub(in crate::engine::kubernetes) type Kinds = Arc<Mutex<HashMap<(String, String), Kind>>>;

impl Cluster {
    /// What the cluster serves, as charts ask for it: `apps/v1`, `apps/v1/Deployment`.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub async fn api_versions(&self) -> Result<Vec<String>> {
        let access = Access::discovery("kinds");
        let core = self
            .send(&access, || self.client.list_core_api_versions_aggregated())
            .await?;
        let groups = self
            .send(&access, || self.client.list_api_groups_aggregated())
            .await?;
        let mut found = Vec::new();
        let mut kinds = self.kinds.lock().await;
        for group in core.items.iter().chain(&groups.items) {
            let name = group.metadata.as_ref().and_then(|it| it.name.as_deref());
            for version in &group.versions {
                let number = version.version.as_deref().unwrap_or_default();
                let served = match name.unwrap_or_default() {
                    "" => number.to_owned(),
                    group => format!("{group}/{number}"),
                };
                for resource in &version.resources {
                    let Some(kind) = resource
                        .response_kind
                        .as_ref()
                        .and_then(|it| it.kind.clone())
                    else {
                        continue;
                    };
                    found.push(format!("{served}/{kind}"));
                    // What was told of all kinds need not be asked for each.
                    let known = Kind {
                        resource: ApiResource {
                            group: name.unwrap_or_default().to_owned(),
                            version: number.to_owned(),
                            api_version: served.clone(),
                            kind: kind.clone(),
                            plural: resource.resource.clone().unwrap_or_default(),
                        },
                        namespaced: resource.scope.as_deref() == Some("Namespaced"),
                    };
                    kinds.entry((served.clone(), kind)).or_insert(known);
                }
                found.push(served);
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What it calls the objects of a kind.
    pub(super) async fn kind(&self, api_version: &str, kind: &str) -> Result<Kind> {
        let known = self.known_kind(api_version, kind).await?;
        known.ok_or_else(|| unknown_kind(api_version, kind))
    }

    /// The same; `None` when the cluster has no such kind.
    pub(super) async fn known_kind(&self, api_version: &str, kind: &str) -> Result<Option<Kind>> {
        let id = (api_version.to_owned(), kind.to_owned());
        if let Some(known) = self.kinds.lock().await.get(&id) {
            return Ok(Some(known.clone()));
        }
        let Ok(version) = api_version.parse::<GroupVersion>() else {
            return Ok(None);
        };
        let wanted = version.with_kind(kind);
        let access = Access::discovery("kinds");
        let found = self
            .send_raw(&access, || discovery::pinned_kind(&self.client, &wanted))
            .await;
        let (resource, capabilities) = match found {
            Ok(found) => found,
            Err(KubeError::Discovery(_)) => return Ok(None),
            Err(KubeError::Api(status)) if status.code == 404 => return Ok(None),
            Err(error) => return Err(self.failure(&access, error)),
        };
        let kind = Kind {
            resource,
            namespaced: capabilities.scope == Scope::Namespaced,
        };
        self.kinds.lock().await.insert(id, kind.clone());
        Ok(Some(kind))
    }

    /// The version of its group in which a kind is served; `None` when it has none any more.
    pub(super) async fn version_of(&self, api_version: &str, kind: &str) -> Result<Option<String>> {
        let Ok(GroupVersion { group, .. }) = api_version.parse::<GroupVersion>() else {
            return Ok(None);
        };
        let access = Access::discovery("kinds");
        let found = self
            .send_raw(&access, || discovery::group(&self.client, &group))
            .await;
        match found {
            Ok(group) => {
                let mut kinds = group.resources_by_stability().into_iter();
                let found = kinds.find(|(resource, _)| resource.kind == kind);
                Ok(found.map(|(resource, _)| resource.api_version))
            }
            Err(KubeError::Discovery(_)) => Ok(None),
            Err(error) => Err(self.failure(&access, error)),
        }
    }
}
