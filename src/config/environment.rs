//! `environments/NAME.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::project::{self, Selection};
use super::raw::{
    DomainText, FingerprintText, NameText, NamespaceText, ObjectText, RegistryText, StorageText,
    UidText,
};
use super::workspace;
use super::yaml::{Document, shown_path, start_of};
use crate::error::{Error, Result};
use crate::model::environment::{
    ClusterIdentity, Environment, EnvironmentResource, Gateway, owner_secret,
};
use crate::model::file_set::FileSet;
use crate::model::name::Name;
use crate::model::project::{Project, Workspace};
use crate::model::suggest;

/// The folder of a workspace's environments.
pub const FOLDER: &str = "environments";

/// A place where services are deployed, and what differs there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "environments/NAME.yaml")]
pub struct EnvironmentFile {
    /// The Kubernetes namespace that everything goes to.
    namespace: NamespaceText,
    /// Which cluster it is; another one is refused. `gantline add environment` fills it in.
    #[serde(default)]
    cluster: ClusterFields,
    /// The host under which exposed services are reached.
    domain: Option<DomainText>,
    /// The Gateway that exposed services are attached to: its name, or a map.
    gateway: Option<GatewayEntry>,
    /// Whether a deployment has to be confirmed.
    #[serde(default)]
    protected: bool,
    /// The prefix of images, where it differs from the workspace's.
    registry: Option<RegistryText>,
    /// How resources are had here; one that is not named lives outside, and a Secret of its name
    /// tells where.
    #[serde(default)]
    resources: BTreeMap<NameText, ResourceFields>,
}

/// What tells a cluster from any other.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClusterFields {
    /// The UID of the namespace kube-system.
    uid: Option<UidText>,
    /// The SHA-256 of the cluster's CA certificate.
    ca: Option<FingerprintText>,
}

/// A Gateway of the Gateway API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum GatewayEntry {
    /// Its name, in the environment's namespace.
    Name(ObjectText),
    /// All of it.
    Full(GatewayFields),
}

/// A Gateway of the Gateway API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GatewayFields {
    /// Its name.
    name: ObjectText,
    /// Its namespace, where it is not the environment's.
    namespace: Option<NamespaceText>,
}

/// How a resource is had: without `secret`, in the cluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResourceFields {
    /// It lives outside, and this Secret tells where (keys as in the Service Binding specification).
    secret: Option<ObjectText>,
    /// The Secret of the role that changes the schema; SECRET-owner when it is not named.
    owner_secret: Option<ObjectText>,
    /// In the cluster: how much storage is kept for it, such as 10Gi. Without it the data goes
    /// with the pod.
    storage: Option<StorageText>,
}

/// The environments of a workspace, by the names of their files.
///
/// # Errors
/// When the folder cannot be read, or a file's name is none, or none that is read.
pub fn names(root: &Path) -> Result<BTreeSet<Name>> {
    let folder = root.join(FOLDER);
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let fails = |cause: std::io::Error| {
        let shown = shown_path(&folder);
        Error::invalid(format!("{} cannot be read", shown.display())).because(cause)
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).map_err(fails)? {
        let entry = entry.map_err(fails)?.file_name();
        let entry = entry.to_string_lossy();
        refuse_unread(&folder, &entry)?;
        let Some(stem) = entry.strip_suffix(".yaml") else {
            continue;
        };
        names.insert(Name::new(stem).map_err(|cause| {
            Error::invalid(format!("{FOLDER}/{stem}.yaml is named after no name")).because(cause)
        })?);
    }
    Ok(names)
}

/// A file that is meant for an environment, and would be passed over.
fn refuse_unread(folder: &Path, file: &str) -> Result<()> {
    let Some((stem, extension)) = file.rsplit_once('.') else {
        return Ok(());
    };
    let is_meant = matches!(extension.to_lowercase().as_str(), "yaml" | "yml");
    if !is_meant || extension == "yaml" || stem.is_empty() {
        return Ok(());
    }
    let path = folder.join(file);
    let shown = shown_path(&path);
    Err(Error::invalid(format!("nothing reads {}", shown.display()))
        .at(start_of(&path))
        .hint(format!("Rename it to `{stem}.yaml`")))
}

/// The environments as they would be with these files written.
///
/// # Errors
/// As [`names`].
pub fn names_with(root: &Path, changes: &FileSet) -> Result<BTreeSet<Name>> {
    let mut names = names(root)?;
    for path in changes.files.keys() {
        let stem = path.as_str().strip_prefix(FOLDER);
        let stem = stem.and_then(|rest| rest.strip_prefix('/')?.strip_suffix(".yaml"));
        names.extend(stem.and_then(|stem| Name::new(stem).ok()));
    }
    Ok(names)
}

/// Reads an environment as it would be with these files written.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    (root, changes): (&Path, &FileSet),
    name: &Name,
    workspace: &Workspace,
) -> Result<Environment> {
    let path = format!("{FOLDER}/{name}.yaml");
    let changed = changes
        .files
        .iter()
        .find(|(changed, _)| changed.as_str() == path);
    match changed {
        Some((_, file)) => parse(
            &Document::parse(Path::new(&path), &file.bytes)?,
            name,
            workspace,
        ),
        None => read(root, name, workspace),
    }
}

/// Reads an environment of the workspace in `root`.
///
/// # Errors
/// When there is none of this name; all problems of its file at once.
pub fn read(root: &Path, name: &Name, workspace: &Workspace) -> Result<Environment> {
    let path = root.join(FOLDER).join(format!("{name}.yaml"));
    let Some(document) = Document::read_if_there(&path)? else {
        let error = Error::invalid(format!("there is no environment `{name}`"));
        let known = names(root)?;
        return Err(match suggest::hint(name.as_str(), known.iter().map(Name::as_str)) {
            Some(hint) => error.hint(hint),
            None => error.hint(format!(
                "Add it: `gantline add environment {name} --context CONTEXT --namespace NAMESPACE`"
            )),
        });
    };
    parse(&document, name, workspace)
}

/// Reads an environment, and the project as it is there: each service's `service.ENV.yaml` is
/// merged over its manifest before that is checked.
///
/// # Errors
/// All problems of the files that were read.
pub fn load(root: &Path, name: &Name) -> Result<(Environment, Project)> {
    load_with(root, name, &FileSet::default(), &Selection::All)
}

/// The same of some services, and as it would be with these files written.
///
/// # Errors
/// As [`load`].
pub fn load_with(
    root: &Path,
    name: &Name,
    changes: &FileSet,
    selection: &Selection,
) -> Result<(Environment, Project)> {
    let project = project::load_in(root, changes, selection, Some(name))?;
    let environment = read_with((root, changes), name, &project.workspace)?;
    Ok((environment, project))
}

/// Turns the document of an environment into the model.
///
/// # Errors
/// All problems of the file at once.
pub fn parse(document: &Document, name: &Name, workspace: &Workspace) -> Result<Environment> {
    let file: EnvironmentFile = document.decode()?;
    let mut problems = Vec::new();
    let mut resources = BTreeMap::new();
    for (resource, fields) in file.resources {
        let name = resource.0.as_str();
        match known_resource(document, name, workspace)
            .and_then(|known| Ok((known, how(document, name, fields)?)))
        {
            Ok((resource, how)) => {
                resources.insert(resource, how);
            }
            Err(error) => problems.push(error),
        }
    }
    document.none_of(problems)?;
    Ok(Environment {
        name: name.clone(),
        namespace: file.namespace.0,
        cluster: ClusterIdentity {
            uid: file.cluster.uid.map(|uid| uid.0),
            ca: file.cluster.ca.map(|ca| ca.0),
        },
        domain: file.domain.map(|domain| domain.0),
        gateway: file.gateway.map(|gateway| match gateway {
            GatewayEntry::Name(name) => Gateway {
                name: name.0,
                namespace: None,
            },
            GatewayEntry::Full(fields) => Gateway {
                name: fields.name.0,
                namespace: fields.namespace.map(|namespace| namespace.0),
            },
        }),
        protected: file.protected,
        registry: file.registry.map(|registry| registry.0),
        resources,
    })
}

fn known_resource(document: &Document, name: &str, workspace: &Workspace) -> Result<Name> {
    if let Some(resource) = workspace.resources.get(name) {
        return Ok(resource.name.clone());
    }
    let error = Error::invalid(format!("there is no resource `{name}`"))
        .at(document.key_place(&["resources", name]));
    let known = workspace.resources.keys().map(Name::as_str);
    Err(match suggest::hint(name, known) {
        Some(hint) => error.hint(hint),
        None => error.hint(format!(
            "Add it to {}: `gantline add resource {name}`",
            workspace::FILE
        )),
    })
}

fn how(document: &Document, name: &str, fields: ResourceFields) -> Result<EnvironmentResource> {
    let refuse = |key: &str, why: &str| {
        Error::invalid(format!("`{key}` has no meaning here: {why}"))
            .at(document.key_place(&["resources", name, key]))
            .hint("Remove the line")
    };
    match (fields.secret, fields.owner_secret, fields.storage) {
        (Some(_), _, Some(_)) => Err(refuse("storage", "the resource lives outside")),
        (None, Some(_), _) => Err(refuse("owner_secret", "in the cluster the Secret is made")),
        (Some(secret), owner, None) => Ok(EnvironmentResource::External {
            owner_secret: owner.map_or_else(|| owner_secret(&secret.0), |owner| owner.0),
            secret: secret.0,
        }),
        (None, None, storage) => Ok(EnvironmentResource::InCluster {
            storage: storage.map(|storage| storage.0),
        }),
    }
}

#[cfg(test)]
mod tests;
