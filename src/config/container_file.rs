//! The keys of `service.yaml` that describe a service without a blueprint.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::{MountText, ObjectText, PathText, PortText, SizeText, SourceText, VariableText};
use crate::model::container::{DEFAULT_FOLDER_SIZE, DEFAULT_USER, User, WritableFolder};

/// A vendor's image: its name, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ImageEntry {
    /// Its name, with a tag and perhaps a digest.
    Name(String),
    /// All of it.
    Full(ImageFields),
}

/// A vendor's image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFields {
    /// Its name, with a tag and perhaps a digest.
    reference: String,
    /// Secrets that it is pulled with in a cluster.
    #[serde(default)]
    pull_secrets: Vec<ObjectText>,
}

/// An existing Dockerfile: its folder, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BuildEntry {
    /// The folder that holds it.
    Folder(SourceText),
    /// All of it.
    Full(BuildFields),
}

/// An existing Dockerfile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildFields {
    /// The folder that is sent to the builder, relative to the service's.
    #[serde(default = "own_folder")]
    pub context: SourceText,
    /// The Dockerfile, relative to the context.
    #[serde(default = "usual_file")]
    pub dockerfile: SourceText,
    /// The stage that is built; the last one without.
    pub target: Option<String>,
    /// Arguments of the build; anyone who has the image can read them.
    #[serde(default)]
    pub args: BTreeMap<VariableText, String>,
}

/// What proves that it serves: a path on the port `http`, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HealthEntry {
    /// GET of this path on the port `http` gives a 2xx status.
    Path(PathText),
    /// One of the other ways.
    Full(HealthFields),
}

/// What proves that it serves: one of `path`, `tcp` and `exec`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthFields {
    /// GET of this path gives a 2xx status.
    pub path: Option<PathText>,
    /// The port of `path`, by name; `http` without.
    pub port: Option<PortText>,
    /// Another path on that port, which tells whether it lives at all; without one it lives while
    /// the port takes connections.
    pub live: Option<PathText>,
    /// This port, by name, takes a connection and keeps it.
    pub tcp: Option<PortText>,
    /// This program in the container ends well: its words, no shell.
    #[schemars(length(min = 1))]
    pub exec: Option<Vec<String>>,
}

/// Who it runs as: a number, or a map.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum UserEntry {
    /// The number of the user and of its group; root is refused.
    Number(#[schemars(range(min = 1, max = 2_147_483_647))] u32),
    /// All of it.
    Full(UserFields),
}

/// Who it runs as.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserFields {
    /// The number of the user; root is refused.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    id: u32,
    /// The number of its group; the same without.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    group: Option<u32>,
}

/// A folder that it can write to: its path, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WritableEntry {
    /// Its absolute path.
    Path(MountText),
    /// All of it.
    Full(WritableFields),
}

/// A folder that it can write to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WritableFields {
    /// Its absolute path.
    path: MountText,
    /// What it may hold.
    size: Option<SizeText>,
}

fn own_folder() -> SourceText {
    SourceText(".".to_owned())
}

fn usual_file() -> SourceText {
    SourceText("Dockerfile".to_owned())
}

impl ImageEntry {
    /// Its name, as written.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Full(fields) => &fields.reference,
        }
    }

    /// The Secrets that it is pulled with.
    pub fn pull_secrets(&self) -> Vec<String> {
        match self {
            Self::Name(_) => Vec::new(),
            Self::Full(fields) => {
                let names = fields.pull_secrets.iter();
                names.map(|name| name.0.clone()).collect()
            }
        }
    }
}

impl BuildEntry {
    /// All of it, with what a scalar leaves out.
    pub fn fields(&self) -> BuildFields {
        match self {
            Self::Full(fields) => fields.clone(),
            Self::Folder(folder) => BuildFields {
                context: folder.clone(),
                dockerfile: usual_file(),
                target: None,
                args: BTreeMap::new(),
            },
        }
    }
}

impl HealthEntry {
    /// All of it, with what a scalar leaves out.
    pub fn fields(&self) -> HealthFields {
        match self {
            Self::Full(fields) => fields.clone(),
            Self::Path(path) => HealthFields {
                path: Some(path.clone()),
                ..HealthFields::default()
            },
        }
    }
}

impl Default for UserEntry {
    fn default() -> Self {
        Self::Number(DEFAULT_USER)
    }
}

impl UserEntry {
    /// The user.
    pub fn user(self) -> User {
        let (id, group) = match self {
            Self::Number(id) => (id, None),
            Self::Full(fields) => (fields.id, fields.group),
        };
        User {
            id,
            group: group.unwrap_or(id),
        }
    }
}

impl WritableEntry {
    /// The folder.
    pub fn folder(&self) -> WritableFolder {
        let (path, size) = match self {
            Self::Path(path) => (path, None),
            Self::Full(fields) => (&fields.path, fields.size.as_ref()),
        };
        let size = size.and_then(SizeText::mebibytes);
        WritableFolder {
            path: path.0.clone(),
            size: size.unwrap_or(DEFAULT_FOLDER_SIZE),
        }
    }
}
