//! Which objects of a release are waited for, and how each is observed.

use futures::future::join_all;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, Error as KubeError, Resource};
use serde_json::Value;

use super::judge::{Observation, Workload};
use super::route::RouteView;
use super::service::ServiceView;
use super::view::{View, parts};
use crate::model::release::ReleaseObject;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// Kinds that become ready some time after they are applied. All others are there at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    Pod,
    Claim,
    Service,
    Route,
}

/// An object that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `Deployment/orders`.
    pub title: String,
    kind: Kind,
    name: String,
    namespace: String,
    api_version: String,
    kind_name: String,
}

impl Target {
    /// The target that an object of a release is, if it is one.
    pub fn of(object: &ReleaseObject, namespace: &str) -> Option<Self> {
        let value = &object.value;
        let api_version = value["apiVersion"].as_str().unwrap_or_default();
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let kind = match (group, value["kind"].as_str()?) {
            ("apps", "Deployment") => Kind::Deployment,
            ("apps", "StatefulSet") => Kind::StatefulSet,
            ("apps", "DaemonSet") => Kind::DaemonSet,
            ("batch", "Job") => Kind::Job,
            ("", "Pod") => Kind::Pod,
            ("", "PersistentVolumeClaim") => Kind::Claim,
            ("", "Service") => Kind::Service,
            (GATEWAY_API, "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute") => Kind::Route,
            _ => return None,
        };
        let metadata = &value["metadata"];
        Some(Self {
            title: object.title(),
            kind,
            name: metadata["name"].as_str()?.to_owned(),
            namespace: metadata["namespace"]
                .as_str()
                .unwrap_or(namespace)
                .to_owned(),
            api_version: api_version.to_owned(),
            kind_name: value["kind"].as_str()?.to_owned(),
        })
    }

    /// A Job of this name.
    pub fn job(namespace: &str, name: &str) -> Self {
        Self {
            title: format!("Job/{name}"),
            kind: Kind::Job,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            api_version: "batch/v1".to_owned(),
            kind_name: "Job".to_owned(),
        }
    }

    /// Whether it only counts once the workloads behind it are ready.
    pub fn follows_workloads(&self) -> bool {
        matches!(self.kind, Kind::Service)
    }

    /// The object alone, for what watches it.
    pub fn api(&self, client: &Client) -> Api<DynamicObject> {
        let (group, version) = parts(&self.api_version);
        let kind = GroupVersionKind::gvk(group, version, &self.kind_name);
        let resource = ApiResource::from_gvk(&kind);
        Api::namespaced_with(client.clone(), &self.namespace, &resource)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The resource as RBAC names it, for errors.
    pub fn resource(&self) -> String {
        let group = match self.kind {
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => ".apps",
            Kind::Job => ".batch",
            Kind::Pod | Kind::Claim | Kind::Service => "",
            Kind::Route => ".gateway.networking.k8s.io",
        };
        // The plural of each of these kinds.
        format!("{}s{group}", self.kind_name.to_lowercase())
    }

    /// Looks at it; `None` when it does not exist.
    pub async fn observe(&self, view: &View<'_>) -> Result<Option<Observation>, KubeError> {
        let found = match self.kind {
            Kind::Deployment => self.deployment(view).await?,
            Kind::StatefulSet => self.stateful_set(view).await?,
            Kind::DaemonSet => self.daemon_set(view).await?,
            Kind::Job => self.task(view).await?,
            Kind::Pod => {
                let found: Option<Pod> = self.get(view).await?;
                found.map(|it| {
                    let pods = vec![it.clone()];
                    (Workload::Pod(Box::new(it)), pods, Vec::new())
                })
            }
            Kind::Claim => {
                let found: Option<PersistentVolumeClaim> = self.get(view).await?;
                found.map(|it| alone(Workload::Claim(Box::new(it))))
            }
            Kind::Service => self.service(view).await?,
            Kind::Route => {
                let found = self.route(view).await?;
                found.map(|it| alone(Workload::Route(Box::new(it))))
            }
        };
        let Some((workload, pods, replica_sets)) = found else {
            return Ok(None);
        };
        let missing = view.missing(&self.namespace, &pods).await;
        Ok(Some(Observation {
            workload,
            replica_sets,
            pods,
            events: Vec::new(),
            missing,
        }))
    }

    async fn deployment(&self, view: &View<'_>) -> Result<Option<Parts>, KubeError> {
        let Some(found) = self.get::<Deployment>(view).await? else {
            return Ok(None);
        };
        let selector = found.spec.as_ref().map(|it| &it.selector);
        let (pods, sets) = tokio::join!(
            view.of_selector::<Pod>(&self.namespace, selector),
            view.of_selector::<ReplicaSet>(&self.namespace, selector)
        );
        Ok(Some((Workload::Deployment(Box::new(found)), pods?, sets?)))
    }

    async fn stateful_set(&self, view: &View<'_>) -> Result<Option<Parts>, KubeError> {
        let Some(found) = self.get::<StatefulSet>(view).await? else {
            return Ok(None);
        };
        let selector = found.spec.as_ref().map(|it| &it.selector);
        let pods = view.of_selector(&self.namespace, selector).await?;
        Ok(Some((
            Workload::StatefulSet(Box::new(found)),
            pods,
            Vec::new(),
        )))
    }

    async fn daemon_set(&self, view: &View<'_>) -> Result<Option<Parts>, KubeError> {
        let Some(found) = self.get::<DaemonSet>(view).await? else {
            return Ok(None);
        };
        let selector = found.spec.as_ref().map(|it| &it.selector);
        let pods = view.of_selector(&self.namespace, selector).await?;
        Ok(Some((
            Workload::DaemonSet(Box::new(found)),
            pods,
            Vec::new(),
        )))
    }

    async fn task(&self, view: &View<'_>) -> Result<Option<Parts>, KubeError> {
        let Some(found) = self.get::<Job>(view).await? else {
            return Ok(None);
        };
        let selector = found.spec.as_ref().and_then(|it| it.selector.as_ref());
        let pods = view.of_selector(&self.namespace, selector).await?;
        Ok(Some((Workload::Job(Box::new(found)), pods, Vec::new())))
    }

    async fn service(&self, view: &View<'_>) -> Result<Option<Parts>, KubeError> {
        let Some(found) = self.get::<Service>(view).await? else {
            return Ok(None);
        };
        let chosen = found.spec.as_ref().and_then(|it| it.selector.clone());
        let selector = chosen
            .filter(|labels| !labels.is_empty())
            .map(|labels| LabelSelector {
                match_labels: Some(labels),
                match_expressions: None,
            });
        let (pods, slices) = tokio::join!(
            view.of_selector::<Pod>(&self.namespace, selector.as_ref()),
            view.slices(&self.namespace, &self.name)
        );
        let service = ServiceView {
            service: found,
            slices: slices?,
        };
        Ok(Some((
            Workload::Service(Box::new(service)),
            pods?,
            Vec::new(),
        )))
    }

    async fn route(&self, view: &View<'_>) -> Result<Option<RouteView>, KubeError> {
        let Some(object) = view
            .dynamic(
                &self.api_version,
                &self.kind_name,
                &self.namespace,
                &self.name,
            )
            .await?
        else {
            return Ok(None);
        };
        let parents = object["spec"]["parentRefs"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let gateways = parents
            .iter()
            .map(|parent| self.gateway_exists(view, parent));
        let gateways = join_all(gateways).await;
        Ok(Some(RouteView { object, gateways }))
    }

    async fn gateway_exists(&self, view: &View<'_>, parent: &Value) -> Option<bool> {
        if parent["kind"].as_str().unwrap_or("Gateway") != "Gateway" {
            return None;
        }
        let namespace = parent["namespace"].as_str().unwrap_or(&self.namespace);
        let version = format!("{GATEWAY_API}/v1");
        let found = view
            .dynamic(&version, "Gateway", namespace, parent["name"].as_str()?)
            .await;
        // Who may not read it is not told that it is absent.
        found.ok().map(|it| it.is_some())
    }

    async fn get<K>(&self, view: &View<'_>) -> Result<Option<K>, KubeError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(view.client.clone(), &self.namespace);
        api.get_opt(&self.name).await
    }
}

type Parts = (Workload, Vec<Pod>, Vec<ReplicaSet>);

fn alone(workload: Workload) -> Parts {
    (workload, Vec::new(), Vec::new())
}
