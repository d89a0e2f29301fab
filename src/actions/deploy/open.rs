//! What a command needs before it touches a cluster: the environment, the right cluster, and the
//! releases to be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};

use super::images::MissingImages;
use super::past::Past;
use super::schema::Schemas;
use super::site::Site;
use crate::actions::release::{
    ClusterVersion, Lookups, ResourceSpec, SpecRequest, resources, specs,
};
use crate::config::{contexts, environment, project};
use crate::engine::docker::connection::DockerEnvironment;
use crate::engine::kubernetes::{Cluster, lease};
use crate::engine::registry::labels::RegistryLabels;
use crate::error::{Error, Result};
use crate::model::environment::{Environment, EnvironmentResource};
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::project::Project;
use crate::model::release::ReleaseSpec;

/// What a command was told.
pub struct Opening {
    /// A folder of the workspace.
    pub directory: PathBuf,
    /// The environment.
    pub environment: Name,
    /// The services; all when empty.
    pub services: Vec<Name>,
    /// What `services` may name.
    pub scope: Scope,
    /// The context that the user named.
    pub context: Option<String>,
    /// How long one release may take to become ready.
    pub timeout: Duration,
    /// Whether migrations may take away what is in use.
    pub allow_contraction: bool,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
    /// Done when the user interrupts.
    pub interrupted: BoxFuture<'static, ()>,
}

/// What a command may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Services of the workspace.
    Services,
    /// Also resources, and releases in the cluster that the workspace has no more.
    Releases,
}

/// An environment with its cluster.
pub struct Opened {
    /// The environment.
    pub environment: Environment,
    /// The workspace, as it is there.
    pub project: Project,
    /// The services that are meant.
    pub services: Vec<Name>,
    /// Whether all of the environment is meant.
    pub whole: bool,
    /// The cluster.
    pub cluster: Cluster,
    /// The context through which it is reached; the kubeconfig's current one when `None`.
    pub context: Option<String>,
    /// The namespace.
    pub site: Site,
    /// Releases that the workspace has no more, where all of the environment is meant.
    pub leftovers: Vec<String>,
}

/// The releases of one command.
#[derive(Debug, Clone)]
pub struct Releases {
    /// Resources in the cluster, which services need to start.
    pub resources: Vec<ResourceSpec>,
    /// Services.
    pub services: Vec<ReleaseSpec>,
}

impl Opening {
    /// Reads the environment, connects to its cluster, and makes sure that it is the right one.
    ///
    /// # Errors
    /// When a file is faulty, the cluster cannot be reached, or is another than the environment's.
    pub async fn open(self) -> Result<Opened> {
        let root = project::find(&self.directory)?;
        let (environment, project) = environment::load(&root, &self.environment)?;
        let whole = self.services.is_empty();
        let services = match (whole, self.scope) {
            (true, _) => project.services.keys().cloned().collect(),
            (false, Scope::Services) => {
                self.services
                    .iter()
                    .try_for_each(|name| known(&project, name))?;
                self.services
            }
            (false, Scope::Releases) => self.services,
        };
        let context = match &self.context {
            Some(context) => Some(context.clone()),
            None => {
                let file = contexts::file()?;
                contexts::context(&file, &project.workspace.name, &environment.name)?
            }
        };
        let cluster = Cluster::connect(context.as_deref()).await?;
        let cluster = cluster.telling(Arc::clone(&self.events));
        cluster.expect(&environment.cluster).await?;
        let labels = RegistryLabels::new(DockerEnvironment::of_process());
        let schemas = Schemas::new(Arc::new(labels), self.allow_contraction);
        let site = Site {
            objects: Arc::new(cluster.clone()),
            rollouts: Arc::new(cluster.clone()),
            events: self.events,
            namespace: environment.namespace.clone(),
            workspace: project.workspace.name.to_string(),
            holder: holder(),
            lease: lease::DURATION,
            timeout: self.timeout,
            schemas: schemas.leaving_out(vendors(&project)),
            interrupted: self.interrupted.shared(),
        };
        let mut opened = Opened {
            environment,
            project,
            services,
            whole,
            cluster,
            context,
            site,
            leftovers: Vec::new(),
        };
        match (whole, self.scope) {
            (true, _) => {
                let named = self.context.as_deref();
                opened.leftovers = opened.tell_leftovers(named).await?;
            }
            (false, Scope::Releases) => opened.check_releases().await?,
            (false, Scope::Services) => {}
        }
        Ok(opened)
    }
}

impl Opened {
    /// The releases of the services and of the resources that they use here, rendered for this
    /// cluster with their images.
    ///
    /// # Errors
    /// When an image is missing, or a chart cannot be rendered.
    pub async fn releases(&self, missing: MissingImages) -> Result<Releases> {
        let (version, images, api_versions, installed) = tokio::try_join!(
            self.cluster.version(),
            self.images(missing),
            self.cluster.api_versions(),
            self.installed(),
        )?;
        let version = ClusterVersion {
            version: format!("v{version}"),
            api_versions,
            lookups: Lookups::Answered {
                context: self.context.clone(),
            },
        };
        let request = SpecRequest {
            project: &self.project,
            environment: &self.environment,
            services: &self.services,
            images: &images,
            tags: &BTreeMap::new(),
            cluster: &version,
            installed: &installed,
            events: self.site.events.as_ref(),
        };
        Ok(Releases {
            resources: resources(&request).await?,
            services: specs(&request).await?,
        })
    }

    /// Whether what is named without being in the workspace is at least in the cluster.
    async fn check_releases(&self) -> Result<()> {
        let is_known = |name: &Name| {
            self.project.services.contains_key(name) || self.resources_within().any(|it| it == name)
        };
        for name in self.services.iter().filter(|name| !is_known(name)) {
            let past = Past::load(&self.site, name.as_str()).await?;
            if past.last().is_none() {
                let namespace = &self.site.namespace;
                let neither = format!("no release in {namespace} has this name either");
                known(&self.project, name).map_err(|error| error.since(neither))?;
            }
        }
        Ok(())
    }

    /// The resources that run in the cluster.
    pub fn resources_within(&self) -> impl Iterator<Item = &Name> {
        let resources = self.environment.resources.iter();
        resources
            .filter(|(_, how)| matches!(how, EnvironmentResource::InCluster { .. }))
            .map(|(name, _)| name)
    }

    /// The newest revision of each release that is there.
    async fn installed(&self) -> Result<BTreeMap<String, u32>> {
        let names = self.services.iter().chain(self.resources_within());
        let loading = names.map(async |service| {
            let past = Past::load(&self.site, service.as_str()).await?;
            Ok::<_, Error>((service.to_string(), past))
        });
        let loaded = try_join_all(loading).await?;
        let newest = loaded.into_iter().filter_map(|(service, past)| {
            past.baseline()?;
            Some((service, past.last()?.revision()))
        });
        Ok(newest.collect())
    }
}

/// The services whose images vendors make.
fn vendors(project: &Project) -> impl Iterator<Item = String> {
    let services = project.services.values();
    let of_vendors = services.filter(|service| !service.has_source());
    of_vendors.map(|service| service.name.to_string())
}

fn known(project: &Project, name: &Name) -> Result<()> {
    project.service(name).map(drop)
}

/// Who deploys: a name for people, and what tells this run from any other.
fn holder() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host
        .map(|host| host.trim().to_owned())
        .or_else(|| variable("HOSTNAME"));
    let began = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    format!(
        "{}@{} {} {began:x}",
        user.as_deref().unwrap_or("someone"),
        host.as_deref().unwrap_or("somewhere"),
        std::process::id(),
    )
}
