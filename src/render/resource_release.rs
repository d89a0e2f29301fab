//! A resource in the cluster: the values of its chart, and what its Secrets hold. The chart and so
//! the record of the release hold no secret; the Secrets are made once, beside it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::stack::placeholder::{Origin, fill_text};
use crate::error::{Error, Result};
use crate::model::environment::{owner_secret, server_secret};
use crate::model::name::Name;
use crate::model::project::Resource;
use crate::model::release::{Chart, ChartFile};
use crate::model::resource_type::{ClusterProbe, ClusterRecipe, Provision, ResourceType};
use crate::model::secret::Secret;
use crate::model::stack::Piece;

/// Keys of the Secret NAME-server from which everything else follows.
const PASSWORDS: [&str; 3] = ["admin-password", "user-password", "owner-password"];
/// What a Secret's key may be: a path's slashes become dots.
const SLASH: &str = ".";

/// The passwords of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePasswords {
    /// Of who administers the server.
    pub admin: Secret,
    /// Of the service's own role.
    pub user: Secret,
    /// Of the role that changes the schema.
    pub owner: Secret,
}

/// A Kubernetes Secret that is made once and never written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretObject {
    /// Its name.
    pub name: String,
    /// Its type: `servicebinding.io/postgres`, `Opaque`.
    pub kind: String,
    /// What it holds.
    pub data: BTreeMap<String, Secret>,
}

/// A resource in the cluster.
#[derive(Debug, Clone, Copy)]
pub struct ResourceInput<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Its type.
    pub kind: &'a ResourceType,
    /// The workspace.
    pub workspace: &'a Name,
    /// The namespace that it runs in.
    pub namespace: &'a str,
    /// How much storage is kept for it.
    pub storage: Option<&'a str>,
}

impl ResourcePasswords {
    /// What the Secret NAME-server holds; `None` when it is another's.
    pub fn of_server(data: &BTreeMap<String, Secret>) -> Option<Self> {
        let [admin, user, owner] = PASSWORDS.map(|key| data.get(key).cloned());
        Some(Self {
            admin: admin?,
            user: user?,
            owner: owner?,
        })
    }
}

/// The Secrets of a resource: the server's, the service's own, and that of who changes the schema.
pub fn secret_names(resource: &Name) -> [String; 3] {
    [
        server_secret(resource.as_str()),
        resource.to_string(),
        owner_secret(resource.as_str()),
    ]
}

/// The generic chart of a resource, out of its files.
///
/// # Errors
/// When one of ours is broken.
pub fn chart(files: Vec<ChartFile>) -> Result<Chart> {
    let yaml = |path: &str| {
        let found = files.iter().find(|file| file.path == path);
        let text = found.map(|file| String::from_utf8_lossy(&file.bytes));
        super::chart::read_yaml(&text.unwrap_or_default()).map_err(|problem| {
            Error::failed(format!("the resource chart's {path} is broken")).since(problem.message)
        })
    };
    Ok(Chart {
        metadata: yaml("Chart.yaml")?,
        values: yaml("values.yaml")?,
        schema: None,
        templates: files
            .into_iter()
            .filter(|file| file.path.starts_with("templates/"))
            .collect(),
        files: Vec::new(),
    })
}

impl ResourceInput<'_> {
    fn recipe(&self) -> Result<&ClusterRecipe> {
        let kind = &self.kind.name;
        self.kind.kubernetes.as_ref().ok_or_else(|| {
            Error::invalid(format!(
                "`{}` is a {kind} resource, and {kind} is not run in a cluster by gantline",
                self.resource.name
            ))
            .hint(format!(
                "Run it elsewhere, and name the Secret that tells where: `{}: {{secret: NAME}}`",
                self.resource.name
            ))
        })
    }

    /// What is set over the chart's own values.
    ///
    /// # Errors
    /// When the type cannot be run in a cluster.
    pub fn values(&self) -> Result<Value> {
        let recipe = self.recipe()?;
        let version = self.kind.versions.iter();
        let mut version = version.filter(|version| version.version == self.resource.version);
        let image = version.next().map(|version| version.image.as_str());
        let image = image.ok_or_else(|| {
            Error::invalid(format!(
                "the type `{}` has no version {}",
                self.kind.name, self.resource.version
            ))
        })?;
        let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let mut ports = Map::from_iter([("main".to_owned(), json!(self.kind.port))]);
        for (name, port) in &self.kind.ports {
            ports.insert(name.clone(), json!(port));
        }
        let files = self.file_texts()?;
        let files: BTreeMap<String, &String> =
            files.keys().map(|path| (key_of(path), path)).collect();
        let mut values = json!({
            "workspace": self.workspace,
            "type": self.kind.name,
            "image": {"repository": repository, "tag": tag},
            "user": recipe.user,
            "ports": ports,
            "command": recipe.command,
            "arguments": self.kind.arguments,
            "environment": recipe.environment,
            "files": files,
            "data": {"path": self.kind.data.as_deref().unwrap_or("/data")},
            "scratch": recipe.scratch,
            "compute": {"cpu": recipe.cpu, "memory": recipe.memory},
            "probes": {
                "started": probe(&recipe.started),
                "live": probe(&recipe.live),
                "ready": probe(&recipe.ready),
            },
        });
        if let Some(storage) = self.storage {
            values["data"]["storage"] = json!(storage);
        }
        Ok(values)
    }

    /// The Secret NAME-server: the passwords, and the files of the server that hold them.
    ///
    /// # Errors
    /// When the type is faulty.
    pub fn server_secret(&self, passwords: &ResourcePasswords) -> Result<SecretObject> {
        let kept = [&passwords.admin, &passwords.user, &passwords.owner];
        let mut data: BTreeMap<String, Secret> = PASSWORDS
            .iter()
            .zip(kept)
            .map(|(key, password)| ((*key).to_owned(), password.clone()))
            .collect();
        for (path, text) in self.file_texts()? {
            let filled = self.filled("files", &text, Some(passwords))?;
            data.insert(key_of(&path), Secret::new(filled));
        }
        let [name, _, _] = secret_names(&self.resource.name);
        Ok(SecretObject {
            name,
            kind: "Opaque".to_owned(),
            data,
        })
    }

    /// The Secrets of the service's own role and of the one that changes the schema, where there
    /// is one: keys as in the Service Binding specification.
    ///
    /// # Errors
    /// When the type is faulty.
    pub fn binding_secrets(&self, passwords: &ResourcePasswords) -> Result<Vec<SecretObject>> {
        let [_, own, owner] = secret_names(&self.resource.name);
        let mut secrets = vec![self.binding(own, &self.kind.exports, passwords)?];
        if !self.kind.owner_exports.is_empty() {
            secrets.push(self.binding(owner, &self.kind.owner_exports, passwords)?);
        }
        Ok(secrets)
    }

    fn binding(
        &self,
        name: String,
        exports: &BTreeMap<String, String>,
        passwords: &ResourcePasswords,
    ) -> Result<SecretObject> {
        let kind = self.kind.name.to_string();
        let mut data = BTreeMap::from([
            ("type".to_owned(), Secret::new(kind.clone())),
            ("provider".to_owned(), Secret::new("gantline")),
        ]);
        for (export, text) in exports {
            let key = if export == "user" { "username" } else { export };
            let filled = self.filled(&format!("exports.{export}"), text, Some(passwords))?;
            data.insert(key.to_owned(), Secret::new(filled));
        }
        Ok(SecretObject {
            name,
            kind: format!("servicebinding.io/{kind}"),
            data,
        })
    }

    /// The server's secret files, unfilled, by path.
    fn file_texts(&self) -> Result<BTreeMap<String, String>> {
        let recipe = self.recipe()?;
        let mut files = BTreeMap::new();
        for (path, text) in self.kind.files.iter().chain(&recipe.files) {
            let mut text = text.clone();
            for (name, section) in &self.kind.tenants {
                text = text.replace(&format!("${{tenants.{name}}}"), section);
            }
            files.insert(path.clone(), text);
        }
        if let Some(path) = &recipe.provision {
            files.insert(path.clone(), script(&self.kind.provision));
        }
        Ok(files)
    }

    fn filled(
        &self,
        key: &str,
        text: &str,
        passwords: Option<&ResourcePasswords>,
    ) -> Result<String> {
        let resource = &self.resource.name;
        let origin = Origin {
            kind: self.kind.name.as_str(),
            key,
        };
        let secret = |choose: fn(&ResourcePasswords) -> &Secret| {
            passwords.map(|passwords| choose(passwords).reveal().to_owned())
        };
        fill_text(text, origin, |name| {
            let value = match name {
                "resource" => resource.to_string(),
                "user" | "database" => resource.snake(),
                "owner.user" => format!("{}_owner", resource.snake()),
                "host" => format!("{resource}.{}.svc", self.namespace),
                "port" => self.kind.port.to_string(),
                "admin.user" => self.kind.administrator.clone(),
                "admin.password" => secret(|all| &all.admin)?,
                "password" => secret(|all| &all.user)?,
                "owner.password" => secret(|all| &all.owner)?,
                other => self
                    .kind
                    .ports
                    .get(other.strip_prefix("port.")?)?
                    .to_string(),
            };
            Some(vec![Piece::Text(value)])
        })
    }
}

/// A path as a key of a Secret.
fn key_of(path: &str) -> String {
    path.trim_start_matches('/').replace('/', SLASH)
}

/// The steps that make a new server ready, for psql.
fn script(steps: &[Provision]) -> String {
    let mut text = String::from("\\set ON_ERROR_STOP on\n");
    let mut connected = "";
    for step in steps {
        let Provision::Sql {
            database,
            statement,
            ..
        } = step;
        if connected != database {
            text.push_str(&format!("\\connect \"{database}\"\n"));
            connected = database;
        }
        text.push_str(statement.trim());
        text.push_str(";\n");
    }
    text
}

fn probe(probe: &ClusterProbe) -> Value {
    match probe {
        ClusterProbe::Exec(command) => json!({"exec": {"command": command}}),
        ClusterProbe::Tcp { port } => json!({"tcpSocket": {"port": port}}),
        ClusterProbe::Http { port, path } => json!({"httpGet": {"path": path, "port": port}}),
    }
}
