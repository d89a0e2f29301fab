//! A Helm chart rendered without Helm: the same text, object for object and byte for byte, as
//! `helm template` writes. What cannot be rendered so is said, and never guessed at.

mod budget;
mod built_in;
mod evaluate;
mod execute;
mod fault;
mod functions;
mod glob;
mod manifests;
mod methods;
mod parse;
mod value;
mod values;
mod yaml_write;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::error::{Error, Place};
use crate::model::release::{Chart, ChartFile, RenderedRelease};
use execute::Engine;
use fault::Fault;
use value::Value;

pub use crate::model::kubernetes_yaml::{Problem as YamlProblem, read as read_yaml};
pub use built_in::API_VERSIONS;
pub use values::coalesce;
pub use yaml_write::json_to_yaml;

/// Templates nest on the stack; this holds the deepest that are allowed.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// What a chart is rendered with.
#[derive(Debug, Clone, Copy)]
pub struct ChartInput<'a> {
    /// The release's name.
    pub name: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
    /// What is set over the chart's own values.
    pub config: &'a Json,
    /// The release's revision, counted from 1.
    pub revision: u32,
    /// Whether a release of that name is there already.
    pub upgrade: bool,
    /// The cluster's version: `v1.34.0`.
    pub kubernetes_version: &'a str,
    /// What the cluster serves: `apps/v1`, `apps/v1/Deployment`; see [`API_VERSIONS`].
    pub api_versions: &'a [String],
    /// The chart's folder, as the user would name it.
    pub folder: &'a Path,
}

/// Why a chart was not rendered.
#[derive(Debug, Clone)]
pub enum RenderError {
    /// It uses what only Helm itself can do; the `helm` program may.
    Unsupported {
        /// What: `the function "lookup"`.
        feature: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// It is faulty, or its values are.
    Faulty(Box<Error>),
}

impl From<Error> for RenderError {
    fn from(error: Error) -> Self {
        Self::Faulty(Box::new(error))
    }
}

impl From<RenderError> for Error {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Faulty(error) => *error,
            RenderError::Unsupported { feature, place } => {
                let error = Error::missing(format!("the chart uses {feature}, which needs Helm"))
                    .hint("Install the program `helm` (version 4), which then renders this chart");
                match place {
                    Some(place) => error.at(*place),
                    None => error,
                }
            }
        }
    }
}

/// Renders a chart.
///
/// # Errors
/// When the values do not fit the chart's schema, a template is faulty or writes no YAML, a
/// limit is reached, or the chart needs Helm itself.
pub fn render(chart: &Chart, input: &ChartInput<'_>) -> Result<RenderedRelease, RenderError> {
    refuse_unsupported(chart)?;
    check_kubernetes(chart, input)?;
    let values = coalesce(&chart.values, input.config);
    values::validate(chart, &values, input)?;
    let texts = std::thread::scope(|scope| {
        let render = || texts(chart, input, &values);
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = builder.spawn_scoped(scope, render).map_err(|cause| {
            RenderError::from(Error::failed("the chart cannot be rendered").because(cause))
        })?;
        thread.join().unwrap_or_else(|_| {
            Err(Error::failed(format!("rendering the chart {} failed", input.name)).into())
        })
    })?;
    let texts = texts
        .into_iter()
        .chain(definitions(chart, input)?)
        .collect();
    Ok(manifests::sorted(chart, input, texts)?)
}

/// The files of the folder `crds`, which are no templates, by their path with the chart's name before
/// it.
fn definitions(chart: &Chart, input: &ChartInput<'_>) -> Result<Vec<(String, String)>, Error> {
    let is_manifest = |path: &str| {
        let ends = [".yaml", ".yml", ".json"];
        path.starts_with("crds/") && ends.iter().any(|end| path.ends_with(end))
    };
    let files = chart.files.iter().filter(|file| is_manifest(&file.path));
    files
        .map(|file| {
            let path = format!("{}/{}", chart.text("name"), file.path);
            Ok((path, utf8(file, input)?.to_owned()))
        })
        .collect()
}

fn utf8<'a>(file: &'a ChartFile, input: &ChartInput<'_>) -> Result<&'a str, Error> {
    std::str::from_utf8(&file.bytes).map_err(|cause| {
        let path = chart_place(input, &file.path);
        Error::invalid(format!("{path} is no UTF-8 text")).because(cause)
    })
}

/// What `helm template --include-crds` wrote, as a release; its notes are not among it.
///
/// # Errors
/// When it is no YAML.
pub fn from_helm(
    chart: &Chart,
    input: &ChartInput<'_>,
    output: &str,
) -> Result<RenderedRelease, Error> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut path = String::new();
    for line in output.split_inclusive('\n') {
        if let Some(source) = line.strip_prefix("# Source: ") {
            path = source.trim_end().to_owned();
        } else {
            texts.entry(path.clone()).or_default().push_str(line);
        }
    }
    manifests::sorted(chart, input, texts)
}

/// What Helm does beyond templates, and this does not.
fn refuse_unsupported(chart: &Chart) -> Result<(), RenderError> {
    let unsupported = |feature: &str| {
        Err(RenderError::Unsupported {
            feature: feature.to_owned(),
            place: None,
        })
    };
    let below = |folder: &str| chart.files.iter().any(|file| file.path.starts_with(folder));
    let dependencies = chart.metadata.get("dependencies").and_then(Json::as_array);
    if dependencies.is_some_and(|list| !list.is_empty()) || below("charts/") {
        return unsupported("dependencies");
    }
    if chart.text("type") == "library" {
        return unsupported("the type `library`");
    }
    Ok(())
}

fn check_kubernetes(chart: &Chart, input: &ChartInput<'_>) -> Result<(), Error> {
    let asked = chart.text("kubeVersion");
    if asked.is_empty() {
        return Ok(());
    }
    let place = || chart_place(input, "Chart.yaml");
    match functions::satisfies(input.kubernetes_version, asked) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::invalid(format!(
            "the chart {} needs Kubernetes {asked}, and this is {}",
            chart.text("name"),
            input.kubernetes_version
        ))
        .since(format!("`kubeVersion` of {}", place()))),
        Err(message) => Err(Error::invalid(message).since(format!("`kubeVersion` of {}", place()))),
    }
}

fn chart_place(input: &ChartInput<'_>, path: &str) -> String {
    input.folder.join(path).display().to_string()
}

/// What each template writes, by its path with the chart's name before it.
fn texts(
    chart: &Chart,
    input: &ChartInput<'_>,
    values: &Json,
) -> Result<BTreeMap<String, String>, RenderError> {
    let name = chart.text("name");
    let mut sources = BTreeMap::new();
    for file in &chart.templates {
        sources.insert(format!("{name}/{}", file.path), utf8(file, input)?);
    }
    // As Helm has it: what lies deeper is parsed first, so that definitions further up win.
    let mut order: Vec<&String> = sources.keys().collect();
    order.sort_by_key(|path| std::cmp::Reverse((path.matches('/').count(), *path)));
    let report = |fault: Fault| of_fault(fault, input, &sources);
    let mut engine = Engine::new();
    for path in &order {
        engine.add(path, sources[*path]).map_err(report)?;
    }
    let root = built_in::root(chart, input, values);
    let mut texts = BTreeMap::new();
    for path in order {
        let file = path.rsplit('/').next().unwrap_or(path);
        if file.starts_with('_') {
            continue;
        }
        let template = Value::dict([
            ("Name", Value::text(path)),
            ("BasePath", Value::text(format!("{name}/templates"))),
        ]);
        root.borrow_mut().insert(Rc::from("Template"), template);
        let text = engine.run(path, &Value::Dict(Rc::clone(&root)));
        let text = text.map_err(report)?.replace("<no value>", "");
        texts.insert(path.clone(), text);
    }
    Ok(texts)
}

fn of_fault(fault: Fault, input: &ChartInput<'_>, sources: &BTreeMap<String, &str>) -> RenderError {
    let place = fault.spot.and_then(|spot| {
        let text = sources.get(spot.file.as_ref())?;
        let (_, path) = spot.file.split_once('/')?;
        Some(Place::of_offset(
            &input.folder.join(path),
            text,
            spot.offset,
            1,
        ))
    });
    if let Some(function) = fault.unknown {
        return RenderError::Unsupported {
            feature: format!("the function `{function}`"),
            place: place.map(Box::new),
        };
    }
    let error = Error::invalid(fault.message);
    RenderError::from(match place {
        Some(place) => error.at(place),
        None => error,
    })
}
