//! What Helm hands to every template: `.Release`, `.Chart`, `.Values`, `.Capabilities`, `.Files`.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::ChartInput;
use super::value::{Dict, Value};
use crate::model::release::Chart;

/// The Helm whose behaviour this follows.
const HELM_VERSION: &str = "v4.3.1";

/// What every Kubernetes of a supported version serves, for rendering without a cluster.
pub const API_VERSIONS: [&str; 22] = [
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apiregistration.k8s.io/v1",
    "apps/v1",
    "authentication.k8s.io/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "certificates.k8s.io/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "events.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1",
    "networking.k8s.io/v1",
    "node.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1",
    "v1",
    "gateway.networking.k8s.io/v1",
];

/// The map that templates begin with.
pub fn root(chart: &Chart, input: &ChartInput<'_>, values: &Json) -> Dict {
    let mut root = BTreeMap::new();
    let mut put = |key: &str, value: Value| {
        root.insert(Rc::from(key), value);
    };
    put("Chart", metadata(&chart.metadata));
    put("Values", Value::of_json(values));
    put("Files", files(chart));
    put("Subcharts", Value::of_map(BTreeMap::new()));
    put(
        "Release",
        Value::dict([
            ("Name", Value::text(input.name)),
            ("Namespace", Value::text(input.namespace)),
            ("IsUpgrade", Value::Bool(input.upgrade)),
            ("IsInstall", Value::Bool(!input.upgrade)),
            ("Revision", Value::Int(i64::from(input.revision))),
            ("Service", Value::text("Helm")),
        ]),
    );
    put("Capabilities", capabilities(input));
    Rc::new(std::cell::RefCell::new(root))
}

fn capabilities(input: &ChartInput<'_>) -> Value {
    let bare = input.kubernetes_version.trim_start_matches('v');
    let full = format!("v{bare}");
    let mut numbers = bare.split(['.', '-', '+']);
    let major = numbers.next().unwrap_or_default();
    let minor = numbers.next().unwrap_or_default();
    Value::dict([
        (
            "KubeVersion",
            Value::dict([
                ("Version", Value::text(&full)),
                ("GitVersion", Value::text(&full)),
                ("Major", Value::text(major)),
                ("Minor", Value::text(minor)),
            ]),
        ),
        ("APIVersions", Value::Versions(input.api_versions.into())),
        (
            "HelmVersion",
            Value::dict([("Version", Value::text(HELM_VERSION))]),
        ),
    ])
}

/// `Chart.yaml` under the names of Go's fields; what is not there is empty.
fn metadata(metadata: &Json) -> Value {
    const TEXTS: [(&str, &str); 11] = [
        ("Name", "name"),
        ("Home", "home"),
        ("Version", "version"),
        ("Description", "description"),
        ("Icon", "icon"),
        ("APIVersion", "apiVersion"),
        ("Condition", "condition"),
        ("Tags", "tags"),
        ("AppVersion", "appVersion"),
        ("KubeVersion", "kubeVersion"),
        ("Type", "type"),
    ];
    let mut pairs: Vec<(&str, Value)> = TEXTS
        .iter()
        .map(|(field, key)| {
            let text = match metadata.get(key) {
                Some(Json::String(text)) => text.clone(),
                None | Some(Json::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (*field, Value::text(text))
        })
        .collect();
    for (field, key) in [("Sources", "sources"), ("Keywords", "keywords")] {
        let list = metadata
            .get(key)
            .map_or(Value::list(Vec::new()), Value::of_json);
        pairs.push((field, list));
    }
    let annotations = metadata
        .get("annotations")
        .filter(|value| value.is_object());
    let none = || Value::of_map(BTreeMap::new());
    pairs.push(("Annotations", annotations.map_or_else(none, Value::of_json)));
    let maintainers = metadata.get("maintainers").and_then(Json::as_array);
    let maintainer = |entry: &Json| {
        let text = |key: &str| Value::text(entry[key].as_str().unwrap_or_default());
        Value::dict([
            ("Name", text("name")),
            ("Email", text("email")),
            ("URL", text("url")),
        ])
    };
    let list = maintainers.into_iter().flatten().map(maintainer).collect();
    pairs.push(("Maintainers", Value::list(list)));
    pairs.push(("Dependencies", Value::list(Vec::new())));
    let deprecated = metadata.get("deprecated").and_then(Json::as_bool);
    pairs.push(("Deprecated", Value::Bool(deprecated.unwrap_or(false))));
    pairs.push(("IsRoot", Value::Bool(true)));
    Value::dict(pairs)
}

/// All files but templates and what makes the chart a chart.
fn files(chart: &Chart) -> Value {
    let files = chart.files.iter().map(|file| {
        let path: Rc<str> = Rc::from(file.path.as_str());
        (path, Rc::from(file.bytes.as_slice()))
    });
    Value::Files(Rc::new(files.collect()))
}
