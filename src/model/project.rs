//! A workspace, its services and its resources, as read and checked by `config`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use semver::VersionReq;

use super::blueprint::Blueprint;
use super::container::{Container, Origin};
use super::file_set::TreePath;
use super::name::Name;
use super::resource_type::ResourceType;
use super::suggest;
use crate::error::{Error, Result};

/// A validated workspace: every reference between its files has been followed.
#[derive(Debug, Clone)]
pub struct Project {
    /// The absolute folder that holds `gantline.yaml`.
    pub root: PathBuf,
    /// `gantline.yaml`.
    pub workspace: Workspace,
    /// The services that were loaded, by name.
    pub services: BTreeMap<Name, Service>,
    /// What these services are made from.
    pub blueprints: BTreeMap<BlueprintReference, Arc<Blueprint>>,
    /// The resource types that there are.
    pub types: Arc<BTreeMap<Name, ResourceType>>,
}

impl Project {
    /// What one of the services is made from.
    ///
    /// # Errors
    /// When it is none of those that were loaded.
    pub fn blueprint_of(&self, service: &Service) -> Result<&Blueprint> {
        let found = self.blueprints.get(&service.blueprint);
        found.map(Arc::as_ref).ok_or_else(|| {
            Error::failed(format!("the blueprint of `{}` was not read", service.name))
        })
    }

    /// The service of this name.
    ///
    /// # Errors
    /// When there is none: with the nearest that there is.
    pub fn service(&self, name: &Name) -> Result<&Service> {
        let known = || self.services.keys().map(Name::as_str);
        let found = self.services.get(name);
        found.ok_or_else(|| unknown_service(name.as_str(), known()))
    }

    /// A service and all of those loaded that it calls or consumes from, and they in turn.
    pub fn with_references<'a>(&'a self, service: &'a Service) -> Vec<&'a Service> {
        let mut found = vec![service];
        let mut next = 0;
        while let Some(service) = found.get(next).copied() {
            let called = service.needs.iter().map(|need| &need.service);
            for name in called.chain(service.consumes.values()) {
                let known = found.iter().any(|it| it.name == *name);
                found.extend(self.services.get(name).filter(|_| !known));
            }
            next += 1;
        }
        found
    }
}

/// The error for a service that the workspace does not have; `known` are those that it has.
pub fn unknown_service<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Error {
    let error = Error::invalid(format!("there is no service `{name}`"));
    match suggest::hint(name, known) {
        Some(hint) => error.hint(hint),
        None => error.hint(format!(
            "Add it with `gantline add service {name} --blueprint go-service --with entity=ENTITY`"
        )),
    }
}

/// `gantline.yaml`.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The programs that may write here.
    pub gantline: VersionReq,
    /// The workspace's name.
    pub name: Name,
    /// The prefix of every service's Go module.
    pub module: String,
    /// The prefix of every image.
    pub registry: String,
    /// The folder that holds the services: `services` for `services/*`.
    pub services: TreePath,
    /// Platforms of images, as `os/architecture`.
    pub platforms: Vec<String>,
    /// Backing services.
    pub resources: BTreeMap<Name, Resource>,
}

/// A backing service that services use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The name in `resources`.
    pub name: Name,
    /// Which file of the catalogue describes it.
    pub kind: Name,
    /// The version, one of the catalogue file's; the newest when the user named none.
    pub version: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it has a server of its own in the local stack.
    pub dedicated: bool,
}

/// `service.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The service's name.
    pub name: Name,
    /// Its folder, relative to the workspace.
    pub directory: TreePath,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What its files are made from; of a service without a blueprint, its chart.
    pub blueprint: BlueprintReference,
    /// What runs in it when it is made from no blueprint.
    pub container: Option<Container>,
    /// The chosen options; every option of the blueprint has an entry.
    pub options: BTreeMap<String, String>,
    /// Where it listens.
    pub ports: Ports,
    /// What the code calls it (`store`), and which resource that is.
    pub uses: BTreeMap<String, Name>,
    /// Services that it calls.
    pub needs: Vec<Need>,
    /// Events that it publishes.
    pub publishes: Vec<Name>,
    /// Events that it consumes, and the service that publishes each.
    pub consumes: BTreeMap<Name, Name>,
    /// Plain environment variables.
    pub env: BTreeMap<String, String>,
    /// Environment variables that are secret.
    pub secrets: BTreeMap<String, SecretReference>,
    /// What one replica asks for.
    pub compute: Compute,
    /// How many replicas.
    pub scale: Scale,
    /// Paths reachable from outside the cluster.
    pub expose: Vec<Exposure>,
}

/// `go-service@1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct BlueprintReference {
    /// The blueprint's name.
    pub name: Name,
    /// Its version.
    pub version: u32,
}

impl std::fmt::Display for BlueprintReference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}@{}", self.name, self.version)
    }
}

/// Where a service listens, each a TCP port of at least 1024.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Ports {
    /// The public listener; a worker has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// Health, metrics and profiles; only a service without a blueprint may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<u16>,
    /// Those of a service without a blueprint that speak something else, by its name.
    #[serde(flatten)]
    pub others: BTreeMap<String, u16>,
}

impl Ports {
    /// All of them with their names, `http` first and `admin` last.
    pub fn named(&self) -> Vec<(&str, u16)> {
        let http = self.http.map(|port| ("http", port));
        let others = self.others.iter().map(|(name, port)| (&**name, *port));
        let admin = self.admin.map(|port| ("admin", port));
        http.into_iter().chain(others).chain(admin).collect()
    }

    /// The one that others call, and what it speaks: `http`, or the first by name.
    pub fn called(&self) -> Option<(&str, u16)> {
        let first = self.named().into_iter().next();
        first.filter(|(name, _)| *name != "admin")
    }
}

/// A service that another one calls.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Need {
    /// The service called.
    pub service: Name,
    /// Whether the caller starts only once this one is ready; the exception.
    pub wait: bool,
}

/// `payment/api-key`: a key of a Kubernetes Secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SecretReference {
    /// The Secret.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// Requests of one replica, as Kubernetes quantities.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Compute {
    /// CPU request.
    pub cpu: String,
    /// Memory request and limit.
    pub memory: String,
    /// CPU limit; none by default, since a limit below two cores makes Go throttle itself.
    pub cpu_limit: Option<String>,
}

/// How many replicas run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Scale {
    /// At least this many.
    pub min: u32,
    /// At most this many.
    pub max: u32,
    /// The target CPU utilisation in percent of the request.
    pub cpu: u32,
}

/// A path reachable from outside the cluster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Exposure {
    /// The path prefix, beginning with `/`.
    pub path: String,
}

impl Service {
    /// The Go module path of this service.
    pub fn module(&self, workspace: &Workspace) -> String {
        format!("{}/{}", workspace.module, self.directory)
    }

    /// The image's repository, without a tag.
    pub fn image(&self, workspace: &Workspace) -> String {
        match &self.container {
            Some(Container {
                origin: Origin::Image(image),
                ..
            }) => image.name.repository.clone(),
            _ => format!("{}/{}", workspace.registry, self.name),
        }
    }

    /// Whether its image is made from the workspace's source, and not a vendor's.
    pub fn has_source(&self) -> bool {
        let container = self.container.as_ref();
        !container.is_some_and(|it| matches!(it.origin, Origin::Image(_)))
    }
}

/// The variable in which a service finds the address of one that it calls: `ORDERS_URL`.
pub fn address_variable(called: &Name) -> String {
    format!("{}_URL", called.env())
}

/// The variable in which a service finds what a resource exports: `STORE_URI` of the role
/// `store` and the export `uri`.
pub fn role_variable(role: &str, export: &str) -> String {
    format!("{role}_{export}").to_ascii_uppercase()
}
