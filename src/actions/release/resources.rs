//! Resources in the cluster: a release of its own for each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Source, SpecRequest};
use crate::config::catalog;
use crate::engine::random;
use crate::error::{Error, Result};
use crate::model::environment::EnvironmentResource;
use crate::model::name::Name;
use crate::model::project::Resource;
use crate::model::release::ReleaseSpec;
use crate::model::resource_type::ResourceType;
use crate::model::secret::Secret;
use crate::render::resource_release::{self, ResourceInput, ResourcePasswords, SecretObject};

/// Random bytes of a password: 128 bits, as 32 hexadecimal digits, which need no quoting in a
/// URI, in SQL or in a configuration file.
const PASSWORD_BYTES: usize = 16;

/// The release of a resource, and the Secrets that have to be there before it.
///
/// The Secrets are made once: first NAME-server, from which the others follow, so that a client
/// that is killed between them leaves nothing that does not fit together.
#[derive(Debug, Clone)]
pub struct ResourceSpec {
    /// The release.
    pub spec: ReleaseSpec,
    /// Whether its data outlives its pod.
    pub keeps_data: bool,
    resource: Resource,
    kind: ResourceType,
    workspace: Name,
    storage: Option<String>,
}

/// The releases of the resources that the environment has in the cluster and these services use.
///
/// # Errors
/// When a resource's type is not run in a cluster.
pub async fn resources(request: &SpecRequest<'_>) -> Result<Vec<ResourceSpec>> {
    let workspace = &request.project.workspace;
    let used: BTreeSet<&Name> = request
        .services
        .iter()
        .filter_map(|name| request.project.services.get(name))
        .flat_map(|service| service.uses.values())
        .collect();
    let mut specs = Vec::new();
    for (name, how) in &request.environment.resources {
        let EnvironmentResource::InCluster { storage } = how else {
            continue;
        };
        let Some(resource) = workspace
            .resources
            .get(name)
            .filter(|_| used.contains(name))
        else {
            continue;
        };
        let kind = request.project.types.get(&resource.kind).ok_or_else(|| {
            Error::invalid(format!("there is no resource type `{}`", resource.kind))
        })?;
        let described = ResourceSpec {
            spec: ReleaseSpec {
                name: name.to_string(),
                namespace: request.environment.namespace.clone(),
                chart: resource_release::chart(catalog::resource_chart())?,
                config: serde_json::Value::Null,
                rendered: Default::default(),
            },
            keeps_data: storage.is_some(),
            resource: resource.clone(),
            kind: kind.clone(),
            workspace: workspace.name.clone(),
            storage: storage.clone(),
        };
        specs.push(rendered(request, described).await?);
    }
    Ok(specs)
}

async fn rendered(request: &SpecRequest<'_>, mut described: ResourceSpec) -> Result<ResourceSpec> {
    let config = described.input().values()?;
    let source = Source {
        chart: &described.spec.chart,
        folder: PathBuf::from("resource"),
        name: described.resource.name.as_str(),
        config,
    };
    let rendered = source.render(request).await?;
    described.spec.config = source.config;
    described.spec.rendered = rendered;
    Ok(described)
}

impl ResourceSpec {
    fn input(&self) -> ResourceInput<'_> {
        ResourceInput {
            resource: &self.resource,
            kind: &self.kind,
            workspace: &self.workspace,
            namespace: &self.spec.namespace,
            storage: self.storage.as_deref(),
        }
    }

    /// The names of all its Secrets, that which is made first before the others.
    pub fn secret_names(&self) -> Vec<String> {
        let [server, own, owner] = resource_release::secret_names(&self.resource.name);
        let has_owner = !self.kind.owner_exports.is_empty();
        let owner = has_owner.then_some(owner);
        [server, own].into_iter().chain(owner).collect()
    }

    /// The name of the Secret that is made first.
    pub fn server_secret_name(&self) -> String {
        let [server, _, _] = resource_release::secret_names(&self.resource.name);
        server
    }

    /// The Secret that is made first, with new passwords; only for a cluster that has none.
    ///
    /// # Errors
    /// When the system gives no random numbers, or the type is faulty.
    pub fn new_server_secret(&self) -> Result<SecretObject> {
        let passwords = ResourcePasswords {
            admin: password()?,
            user: password()?,
            owner: password()?,
        };
        self.input().server_secret(&passwords)
    }

    /// The Secrets that services and migrations mount, out of what NAME-server holds in the
    /// cluster. They are made where they are not there, and never written again.
    ///
    /// # Errors
    /// When that Secret is not gantline's.
    pub fn binding_secrets(&self, server: &BTreeMap<String, Secret>) -> Result<Vec<SecretObject>> {
        let passwords = ResourcePasswords::of_server(server).ok_or_else(|| {
            Error::invalid(format!(
                "the Secret {} of the namespace {} holds no passwords",
                self.server_secret_name(),
                self.spec.namespace
            ))
            .since("gantline makes it once, and never writes it again")
            .hint("Restore it; or delete it together with the resource's data, and deploy again")
        })?;
        self.input().binding_secrets(&passwords)
    }
}

fn password() -> Result<Secret> {
    random::hexadecimal::<PASSWORD_BYTES>().map(Secret::new)
}
