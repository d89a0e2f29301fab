//! What is read of a cluster while workloads become ready.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, PodSpec, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Client, Error as KubeError, Resource};
use serde_json::Value;

use super::missing::{Holder, Missing, Needs, missing, needs};
use super::pod;

/// How many pods of one workload are looked at.
const PODS: u32 = 500;
/// How many events of a namespace are looked at.
const EVENTS: u32 = 1_000;

/// How the cluster is looked at.
pub struct View<'a> {
    /// The client.
    pub client: &'a Client,
}

impl View<'_> {
    /// Warnings of a namespace; none when they may not be read.
    pub async fn warnings(&self, namespace: &str) -> Result<Vec<Event>, KubeError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let parameters = ListParams::default().fields("type=Warning").limit(EVENTS);
        unless_forbidden(api.list(&parameters).await.map(|list| list.items))
    }

    /// The pods or ReplicaSets that a selector selects; none when they may not be read, since the
    /// workload's own status suffices to tell whether it is ready.
    pub(super) async fn of_selector<K>(
        &self,
        namespace: &str,
        selector: Option<&LabelSelector>,
    ) -> Result<Vec<K>, KubeError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let Some(labels) = selector.and_then(|it| it.match_labels.as_ref()) else {
            return Ok(Vec::new());
        };
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = ListParams::default().labels(&labels.join(",")).limit(PODS);
        unless_forbidden(api.list(&parameters).await.map(|list| list.items))
    }

    /// What the cluster's network knows of a Service; `None` when that may not be read.
    pub(super) async fn slices(
        &self,
        namespace: &str,
        service: &str,
    ) -> Result<Option<Vec<EndpointSlice>>, KubeError> {
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let label = format!("kubernetes.io/service-name={service}");
        match api.list(&ListParams::default().labels(&label)).await {
            Err(KubeError::Api(status)) if status.is_forbidden() => Ok(None),
            answer => answer.map(|list| Some(list.items)),
        }
    }

    /// An object of any kind; `None` when it does not exist.
    pub(super) async fn dynamic(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, KubeError> {
        let (group, version) = parts(api_version);
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        let found = api.get_opt(name).await?;
        Ok(found.and_then(|it| serde_json::to_value(it).ok()))
    }

    /// What pods that have not started need and the namespace does not have; empty when that may
    /// not be read. Only names and keys are kept, never a value.
    pub(super) async fn missing(&self, namespace: &str, pods: &[Pod]) -> Vec<Missing> {
        let waiting = pods
            .iter()
            .filter(|pod| !pod::is_ready(pod) && !pod::is_ending(pod))
            .filter_map(|pod| pod.spec.as_ref());
        let needs = waiting.map(|spec: &PodSpec| needs(spec)).fold(
            BTreeMap::new(),
            |mut all: Needs, next| {
                for (object, keys) in next {
                    all.entry(object).or_default().extend(keys);
                }
                all
            },
        );
        let looks = needs.keys().map(|(holder, name)| async move {
            let keys = self.keys(namespace, *holder, name).await;
            ((*holder, name.as_str()), keys)
        });
        let found: BTreeMap<_, _> = join_all(looks).await.into_iter().collect();
        let readable = |holder: Holder, name: &str| match found.get(&(holder, name)) {
            Some(Ok(keys)) => keys.clone(),
            // What may not be read is taken as whole; the pod's own state tells otherwise.
            _ => needs.get(&(holder, name.to_owned())).cloned(),
        };
        missing(&needs, readable)
    }

    async fn keys(
        &self,
        namespace: &str,
        holder: Holder,
        name: &str,
    ) -> Result<Option<BTreeSet<String>>, KubeError> {
        match holder {
            Holder::Secret => {
                let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
                let found = api.get_opt(name).await?;
                Ok(found.map(|it| it.data.unwrap_or_default().into_keys().collect()))
            }
            Holder::ConfigMap => {
                let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
                let found = api.get_opt(name).await?;
                Ok(found.map(|it| {
                    let text = it.data.unwrap_or_default().into_keys();
                    text.chain(it.binary_data.unwrap_or_default().into_keys())
                        .collect()
                }))
            }
        }
    }
}

/// Group and version; the oldest group has no name.
pub(super) fn parts(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn unless_forbidden<T>(answer: Result<Vec<T>, KubeError>) -> Result<Vec<T>, KubeError> {
    match answer {
        Err(KubeError::Api(status)) if status.is_forbidden() => Ok(Vec::new()),
        answer => answer,
    }
}
