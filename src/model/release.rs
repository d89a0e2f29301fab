//! A deployment as data: a chart, its values, and the objects that come of them.

use serde_json::Value;

/// A Helm chart as read from its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Value,
    /// `values.yaml`.
    pub values: Value,
    /// `values.schema.json`, where there is one.
    pub schema: Option<Vec<u8>>,
    /// The files below `templates/`, partials included, in order of path.
    pub templates: Vec<ChartFile>,
    /// All other files, `values.yaml` and `Chart.yaml` excepted, in order of path.
    pub files: Vec<ChartFile>,
}

impl Chart {
    /// A member of `Chart.yaml` that is a text; empty when absent.
    pub fn text(&self, member: &str) -> &str {
        self.metadata
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A file of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The path relative to the chart's folder, with `/`: `templates/service.yaml`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// One release: what `helm upgrade --install` would be given, and what it renders.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseSpec {
    /// The release's name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The chart.
    pub chart: Chart,
    /// What was set over the chart's own values.
    pub config: Value,
    /// What the chart renders to.
    pub rendered: RenderedRelease,
}

/// What a chart renders to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderedRelease {
    /// CustomResourceDefinitions out of folders `crds`, in order of path: made where they are absent,
    /// and never part of the release.
    pub definitions: Vec<ReleaseObject>,
    /// Objects, in the order in which Helm installs kinds.
    pub objects: Vec<ReleaseObject>,
    /// Hooks, in the order in which Helm records them: by kind. [`hooks_of`] has the order in which
    /// they run.
    pub hooks: Vec<Hook>,
    /// `NOTES.txt`.
    pub notes: String,
}

impl RenderedRelease {
    /// The objects as one YAML stream, as Helm keeps it in a release record.
    pub fn manifest(&self) -> String {
        self.objects
            .iter()
            .map(|object| format!("---\n# Source: {}\n{}\n", object.source, object.text))
            .collect()
    }
}

/// The hooks of an event (`pre-install`), in the order in which they run: by weight, then by name.
pub fn hooks_of<'a>(hooks: &'a [Hook], event: &str) -> Vec<&'a Hook> {
    let of_event = |hook: &&Hook| hook.events.iter().any(|known| known == event);
    let mut chosen: Vec<&Hook> = hooks.iter().filter(of_event).collect();
    chosen.sort_by_key(|hook| {
        let name = hook.object.value["metadata"]["name"].as_str();
        (hook.weight, name.unwrap_or_default())
    });
    chosen
}

/// One object of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseObject {
    /// The template it came from: `orders/templates/service.yaml`.
    pub source: String,
    /// The YAML as rendered, without a separator.
    pub text: String,
    /// The same, parsed.
    pub value: Value,
}

impl ReleaseObject {
    /// `Deployment/orders`: how people name it.
    pub fn title(&self) -> String {
        let kind = self.value["kind"].as_str().unwrap_or("?");
        let name = self.value["metadata"]["name"].as_str().unwrap_or("?");
        format!("{kind}/{name}")
    }
}

/// An object that is made at a moment of a release's life, and is no part of the release.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// The object.
    pub object: ReleaseObject,
    /// When it runs, as in `helm.sh/hook`: `pre-install`, `pre-upgrade`, `test` ...
    pub events: Vec<String>,
    /// Smaller weights run first.
    pub weight: i32,
    /// When it is deleted, as in `helm.sh/hook-delete-policy`.
    pub delete_policies: Vec<String>,
}

/// Why a workload does not become ready.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RolloutCause {
    /// The object waited for: `Deployment/orders`.
    pub object: String,
    /// The pod that shows the cause, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// What is wrong, in a sentence: `the container orders exits with code 1 again and again`.
    pub message: String,
    /// Events of the cluster about it, newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// What to do about it: an imperative sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last lines that the container wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}
