//! Releases from charts on disk: what a deployment applies, before anything is asked of a cluster.

mod chart_folder;
mod exposed;
mod helm;
mod lookup;
mod refused;
mod resources;
mod stale;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use self::helm::HelmRequest;
use crate::config::yaml::shown_path;
use crate::error::{Error, Result};
use crate::model::environment::Environment;
use crate::model::event::EventSink;
use crate::model::image::ImageReference;
use crate::model::name::Name;
use crate::model::project::{Project, Service};
use crate::model::release::{Chart, ReleaseSpec, RenderedRelease};
use crate::render::chart::{self, ChartInput, RenderError};

pub use chart_folder::read as read_chart;
pub use lookup::Lookups;
pub use refused::{check_hooks, nameless};
pub use resources::{ResourceSpec, resources};

/// What charts may ask of the cluster that they are rendered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterVersion {
    /// `v1.34.0`.
    pub version: String,
    /// What it serves: `apps/v1`, `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
    /// Who answers what they ask it.
    pub lookups: Lookups,
}

impl ClusterVersion {
    /// What is taken for granted where no cluster is asked.
    pub fn assumed() -> Self {
        Self {
            version: "v1.34.0".to_owned(),
            api_versions: chart::API_VERSIONS.map(str::to_owned).to_vec(),
            lookups: Lookups::Refused,
        }
    }
}

/// What releases are made from.
#[derive(Clone, Copy)]
pub struct SpecRequest<'a> {
    /// The workspace, with the environment's manifests merged in.
    pub project: &'a Project,
    /// The environment.
    pub environment: &'a Environment,
    /// The services, in the order wanted.
    pub services: &'a [Name],
    /// Their images, by digest.
    pub images: &'a BTreeMap<Name, ImageReference>,
    /// Tags of images whose digest nobody asked for; without either, a chart's own tag stands.
    pub tags: &'a BTreeMap<Name, String>,
    /// The cluster that they are for.
    pub cluster: &'a ClusterVersion,
    /// The newest revision of each release that is there already, by its name.
    pub installed: &'a BTreeMap<String, u32>,
    /// Where it is said that Helm had to help.
    pub events: &'a dyn EventSink,
}

/// The releases of these services, each from its chart on disk with the environment's values.
///
/// # Errors
/// When a chart or a values file is missing or faulty, its values do not fit its schema, it makes
/// Secrets with values, it needs the program `helm` and there is none, or it asks a cluster where there
/// is none.
pub async fn specs(request: &SpecRequest<'_>) -> Result<Vec<ReleaseSpec>> {
    stale::warn(request);
    exposed::warn(request);
    let mut specs = Vec::new();
    let mut errors = Vec::new();
    for name in request.services {
        let service = request.project.service(name)?;
        match spec(request, service).await {
            Ok(spec) => specs.push(spec),
            Err(error) => errors.push(error),
        }
    }
    let message = |count| format!("the charts of {count} services cannot be rendered");
    Error::none_of(message, errors)?;
    Ok(specs)
}

async fn spec(request: &SpecRequest<'_>, service: &Service) -> Result<ReleaseSpec> {
    let directory = request.project.root.join(service.directory.as_str());
    let folder = directory.join("chart");
    let chart = chart_folder::read(&folder)?;
    let mut config = environment_values(request, &folder)?;
    let image = match (
        request.images.get(&service.name),
        request.tags.get(&service.name),
    ) {
        (Some(image), _) => Some(json!({
            "repository": image.repository, "tag": image.tag, "digest": image.digest.as_str(),
        })),
        (None, Some(tag)) => Some(json!({"tag": tag})),
        (None, None) => None,
    };
    if let Some(image) = image {
        lay_over(&mut config, Map::from_iter([("image".to_owned(), image)]));
    }
    let source = Source {
        chart: &chart,
        folder,
        name: service.name.as_str(),
        config: Value::Object(config),
    };
    let rendered = source.render(request).await?;
    refused::check(source.name, &rendered)?;
    Ok(ReleaseSpec {
        name: service.name.to_string(),
        namespace: request.environment.namespace.clone(),
        config: source.config,
        chart,
        rendered,
    })
}

/// `values-ENV.yaml` beside a chart.
fn environment_values(
    request: &SpecRequest<'_>,
    folder: &std::path::Path,
) -> Result<Map<String, Value>> {
    let path = folder.join(values_file(&request.environment.name));
    match chart_folder::read_values(&path)? {
        Some(values) => Ok(values),
        None => Err(
            Error::missing(format!("{} is not there", shown_path(&path).display()))
                .since("each environment's values are generated beside the chart")
                .hint(restore(&path)),
        ),
    }
}

/// How a generated file comes back, whether it was never written or deleted since.
pub(super) fn restore(path: &std::path::Path) -> String {
    let shown = shown_path(path);
    format!(
        "Write it: `gantline generate`; one that was deleted comes back with `gantline generate --restore {}`",
        shown.display()
    )
}

/// The name of an environment's values beside a chart.
pub fn values_file(environment: &Name) -> String {
    format!("values-{environment}.yaml")
}

/// Lays values over others: maps merge, all else replaces.
fn lay_over(values: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(over)) => lay_over(inner, over),
            (_, value) => {
                values.insert(key, value);
            }
        }
    }
}

/// A chart that is about to be rendered.
struct Source<'a> {
    chart: &'a Chart,
    folder: PathBuf,
    name: &'a str,
    config: Value,
}

impl Source<'_> {
    async fn render(&self, request: &SpecRequest<'_>) -> Result<RenderedRelease> {
        let newest = request.installed.get(self.name).copied();
        let input = ChartInput {
            name: self.name,
            namespace: &request.environment.namespace,
            config: &self.config,
            revision: newest.unwrap_or(0) + 1,
            upgrade: newest.is_some(),
            kubernetes_version: &request.cluster.version,
            api_versions: &request.cluster.api_versions,
            folder: &shown_path(&self.folder),
        };
        match render_aside(self.chart, &input).await {
            Ok(rendered) => Ok(rendered),
            Err(RenderError::Faulty(error)) => Err(*error),
            Err(unsupported) => {
                let helm_request = HelmRequest {
                    chart: self.chart,
                    input: &input,
                    folder: &self.folder,
                    lookups: &request.cluster.lookups,
                };
                helm::render(&helm_request, unsupported, request.events).await
            }
        }
    }
}

/// Renders on a thread of its own, so that Ctrl-C is heard meanwhile.
async fn render_aside(
    chart: &Chart,
    input: &ChartInput<'_>,
) -> Result<RenderedRelease, RenderError> {
    let (name, namespace) = (input.name.to_owned(), input.namespace.to_owned());
    let (revision, upgrade) = (input.revision, input.upgrade);
    let (chart, config) = (chart.clone(), input.config.clone());
    let kubernetes_version = input.kubernetes_version.to_owned();
    let (api_versions, folder) = (input.api_versions.to_vec(), input.folder.to_path_buf());
    let rendering = tokio::task::spawn_blocking(move || {
        let input = ChartInput {
            name: &name,
            namespace: &namespace,
            config: &config,
            revision,
            upgrade,
            kubernetes_version: &kubernetes_version,
            api_versions: &api_versions,
            folder: &folder,
        };
        chart::render(&chart, &input)
    });
    rendering.await.unwrap_or_else(|cause| {
        Err(Error::failed("the chart cannot be rendered")
            .because(cause)
            .into())
    })
}

#[cfg(test)]
pub(super) mod tests;
