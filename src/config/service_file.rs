//! `service.yaml` as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::container_file::{BuildEntry, HealthEntry, ImageEntry, UserEntry, WritableEntry};
use super::port_map::PortMap;
use super::raw::{
    BlueprintText, CpuText, MemoryText, NameText, PathText, SecretText, VariableText, WordText,
};
use crate::model::name::Name;
use crate::model::project::{Compute, Exposure, Need, Scale, SecretReference};

/// The name of the file.
pub const FILE: &str = "service.yaml";

/// A service: the source of truth for its code, image, chart, local stack and deployment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "service.yaml")]
pub struct ServiceFile {
    /// The service's name, which is also its folder's.
    pub name: NameText,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is made from, as NAME or NAME@VERSION; or else `image` or `build`.
    pub blueprint: Option<BlueprintText>,
    /// A vendor's image that runs instead of something made from a blueprint.
    pub image: Option<ImageEntry>,
    /// The folder of an existing Dockerfile whose image runs instead.
    pub build: Option<BuildEntry>,
    /// The blueprint's options; what is absent has its default.
    #[serde(default)]
    pub options: BTreeMap<WordText, NameText>,
    /// Where it listens.
    #[serde(default)]
    pub ports: PortMap,
    /// What runs in place of the image's entry point: its words, no shell.
    #[serde(default)]
    pub command: Vec<String>,
    /// The arguments in place of the image's own.
    #[serde(default)]
    pub args: Vec<String>,
    /// What proves that the container serves.
    pub health: Option<HealthEntry>,
    /// Who the container runs as.
    pub user: Option<UserEntry>,
    /// Folders that the container can write to, besides /tmp.
    #[serde(default)]
    pub writable: Vec<WritableEntry>,
    /// What the code calls it, and which resource of the workspace that is.
    #[serde(default)]
    pub uses: BTreeMap<WordText, UseEntry>,
    /// Services that it calls.
    #[serde(default)]
    pub needs: Vec<NeedEntry>,
    /// Events that it publishes.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub publishes: Vec<NameText>,
    /// Events that it consumes, and the service that publishes each.
    #[serde(default)]
    pub consumes: BTreeMap<NameText, NameText>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<VariableText, String>,
    /// Secret environment variables: SECRET/KEY in Kubernetes.
    #[serde(default)]
    pub secrets: BTreeMap<VariableText, SecretText>,
    /// What one replica asks for.
    #[serde(default)]
    pub compute: ComputeFields,
    /// How many replicas run: a number, or bounds.
    #[serde(default)]
    pub scale: ScaleEntry,
    /// Paths reachable from outside the cluster.
    #[serde(default)]
    pub expose: Vec<ExposeEntry>,
    /// How a new version replaces the old one.
    #[serde(default)]
    pub rollout: RolloutEntry,
}

/// A resource that is used: its name, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum UseEntry {
    /// Its name.
    Name(NameText),
    /// All of it.
    Full(UseFields),
}

/// A resource that is used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseFields {
    /// The resource.
    resource: NameText,
    /// Whether a container owns the resource's schema, and changes it by itself.
    #[serde(default)]
    owner: bool,
}

/// A service that is called: its name, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NeedEntry {
    /// Its name.
    Name(NameText),
    /// All of it.
    Full(NeedFields),
}

/// A service that is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedFields {
    /// The service called.
    service: NameText,
    /// Whether the caller starts only once this one is ready; the exception.
    #[serde(default)]
    wait: bool,
}

/// What one replica asks for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeFields {
    /// CPU request.
    cpu: Option<CpuText>,
    /// Memory request and limit.
    memory: Option<MemoryText>,
    /// CPU limit; none by default.
    cpu_limit: Option<CpuText>,
}

/// How many replicas: a number, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ScaleEntry {
    /// This many.
    Fixed(#[schemars(range(min = 1, max = 1000))] u32),
    /// Between these.
    Full(ScaleFields),
}

impl Default for ScaleEntry {
    fn default() -> Self {
        Self::Full(ScaleFields {
            min: None,
            max: None,
            on: None,
        })
    }
}

/// How many replicas run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleFields {
    /// At least this many.
    #[schemars(range(min = 1, max = 1000))]
    min: Option<u32>,
    /// At most this many.
    #[schemars(range(min = 1, max = 1000))]
    max: Option<u32>,
    /// What more replicas answer to.
    on: Option<ScaleOnFields>,
}

/// What more replicas answer to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleOnFields {
    /// The target CPU utilisation in percent of the request.
    #[schemars(range(min = 1, max = 1000))]
    cpu: Option<u32>,
}

/// A path reachable from outside: the path, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ExposeEntry {
    /// The path.
    Path(PathText),
    /// All of it.
    Full(ExposeFields),
}

/// A path reachable from outside.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExposeFields {
    /// The path prefix.
    path: PathText,
}

/// How a new version replaces the old one: a strategy, or a map.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RolloutEntry {
    /// The strategy.
    Strategy(StrategyText),
    /// All of it.
    Full(RolloutFields),
}

impl Default for RolloutEntry {
    fn default() -> Self {
        Self::Strategy(StrategyText::Rolling)
    }
}

/// How a new version replaces the old one.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutFields {
    /// The strategy.
    #[allow(
        dead_code,
        reason = "there is one strategy so far, which every chart has"
    )]
    strategy: StrategyText,
}

/// A strategy.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyText {
    /// Replica by replica.
    Rolling,
}

impl ServiceFile {
    /// Requests and limits, with defaults filled in.
    pub fn compute(&self) -> Compute {
        let text = |cpu: &Option<CpuText>| cpu.as_ref().map(|text| text.0.clone());
        let memory = self.compute.memory.as_ref().map(|text| text.0.clone());
        Compute {
            cpu: text(&self.compute.cpu).unwrap_or_else(|| "100m".to_owned()),
            memory: memory.unwrap_or_else(|| "256Mi".to_owned()),
            cpu_limit: text(&self.compute.cpu_limit),
        }
    }

    /// The number of replicas, with defaults filled in; `min` may be above `max` still.
    pub fn scale(&self) -> Scale {
        const CPU: u32 = 70;
        const MIN: u32 = 2;
        const MAX: u32 = 10;
        match &self.scale {
            ScaleEntry::Fixed(count) => Scale {
                min: *count,
                max: *count,
                cpu: CPU,
            },
            ScaleEntry::Full(fields) => {
                let min = fields
                    .min
                    .unwrap_or_else(|| fields.max.unwrap_or(MIN).min(MIN));
                Scale {
                    min,
                    max: fields.max.unwrap_or_else(|| min.max(MAX)),
                    cpu: fields.on.as_ref().and_then(|on| on.cpu).unwrap_or(CPU),
                }
            }
        }
    }

    /// Whether `scale` is a map with both bounds the wrong way round.
    pub fn scale_is_empty(&self) -> bool {
        let scale = self.scale();
        scale.min > scale.max
    }

    /// The paths reachable from outside.
    pub fn expose(&self) -> Vec<Exposure> {
        self.expose
            .iter()
            .map(|entry| match entry {
                ExposeEntry::Path(path) => &path.0,
                ExposeEntry::Full(fields) => &fields.path.0,
            })
            .map(|path| Exposure { path: path.clone() })
            .collect()
    }

    /// The secret variables.
    pub fn secrets(&self) -> BTreeMap<String, SecretReference> {
        self.secrets
            .iter()
            .filter_map(|(variable, text)| {
                let (secret, key) = text.0.split_once('/')?;
                let reference = SecretReference {
                    secret: secret.to_owned(),
                    key: key.to_owned(),
                };
                Some((variable.0.clone(), reference))
            })
            .collect()
    }
}

impl UseEntry {
    /// The resource.
    pub fn resource(&self) -> &Name {
        match self {
            Self::Name(name) => &name.0,
            Self::Full(fields) => &fields.resource.0,
        }
    }

    /// Whether a container owns its schema.
    pub fn is_owner(&self) -> bool {
        matches!(self, Self::Full(UseFields { owner: true, .. }))
    }
}

impl NeedEntry {
    /// The service called.
    pub fn service(&self) -> &Name {
        match self {
            Self::Name(name) => &name.0,
            Self::Full(fields) => &fields.service.0,
        }
    }

    /// Whether its readiness is waited for.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Full(NeedFields { wait: true, .. }))
    }

    /// The service called and how.
    pub fn need(&self) -> Need {
        Need {
            service: self.service().clone(),
            wait: self.waits(),
        }
    }
}
