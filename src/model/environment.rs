//! An environment: where services are deployed, and what differs there.

use std::collections::BTreeMap;

use super::name::Name;

/// `environments/NAME.yaml`, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The name of the file.
    pub name: Name,
    /// The Kubernetes namespace that everything goes to.
    pub namespace: String,
    /// The cluster that this environment belongs to.
    pub cluster: ClusterIdentity,
    /// The host under which exposed services are reached.
    pub domain: Option<String>,
    /// The Gateway that exposed services are attached to.
    pub gateway: Option<Gateway>,
    /// Whether a deployment needs a confirmation (`--yes` without a terminal).
    pub protected: bool,
    /// The prefix of images, where it differs from the workspace's.
    pub registry: Option<String>,
    /// How each resource is had here; one that is not named is taken as external, its Secret
    /// named like the resource.
    pub resources: BTreeMap<Name, EnvironmentResource>,
}

/// What tells a cluster from any other. Names of contexts are personal and do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ClusterIdentity {
    /// The UID of the namespace `kube-system`.
    pub uid: Option<String>,
    /// `sha256:` and the hexadecimal SHA-256 of the DER of the cluster's CA certificate: for users
    /// who may not read `kube-system`.
    pub ca: Option<String>,
}

/// A Gateway of the Gateway API.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// Its namespace, where it is not the environment's.
    pub namespace: Option<String>,
}

/// How a resource is had in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentResource {
    /// It lives outside: a Secret with the keys of the Service Binding specification tells where.
    External {
        /// The Secret of the service's own role.
        secret: String,
        /// The Secret of the role that owns the schema, for migrations; [`owner_secret`] when
        /// the file names none.
        owner_secret: String,
    },
    /// In the cluster, as a release of its own.
    InCluster {
        /// How much storage is kept for it, as a Kubernetes quantity; without it the data goes
        /// with the pod.
        storage: Option<String>,
    },
}

/// The Secret of the role that owns the schema, beside the one of the service's own role.
pub fn owner_secret(secret: &str) -> String {
    format!("{secret}-owner")
}

/// The Secret of what the server of a resource in the cluster reads: its passwords and files.
pub fn server_secret(resource: &str) -> String {
    format!("{resource}-server")
}
