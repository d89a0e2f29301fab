//! Charts that only Helm can render go through its program.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::lookup::{Lookups, first_use};
use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::release::{Chart, RenderedRelease};
use crate::render::chart::{ChartInput, RenderError, from_helm};

/// How long Helm may take for one chart.
const PATIENCE: Duration = Duration::from_secs(60);
/// What would lead Helm to another cluster than ours.
const ELSEWHERE: [&str; 3] = ["HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_KUBETOKEN"];

/// A chart that Helm shall render.
#[derive(Clone, Copy)]
pub struct HelmRequest<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// What it is rendered with.
    pub input: &'a ChartInput<'a>,
    /// Its folder.
    pub folder: &'a Path,
    /// Who answers what it asks the cluster.
    pub lookups: &'a Lookups,
}

/// Renders a chart by `helm template`, and says that it was needed.
pub async fn render(
    request: &HelmRequest<'_>,
    unsupported: RenderError,
    events: &dyn EventSink,
) -> Result<RenderedRelease> {
    let (chart, input) = (request.chart, request.input);
    let reason = match &unsupported {
        RenderError::Unsupported { feature, .. } => feature.clone(),
        RenderError::Faulty(error) => error.message().to_owned(),
    };
    let fails = |cause: std::io::Error| {
        Error::failed("the values for helm cannot be written").because(cause)
    };
    let mut values = tempfile::NamedTempFile::new().map_err(fails)?;
    values
        .write_all(input.config.to_string().as_bytes())
        .map_err(fails)?;
    let call = asking(call(request, values.path()), request)?;
    let finished = match call.run(|_| {}).await {
        Ok(finished) => finished,
        Err(CallError::Absent(_)) => return Err(unsupported.into()),
        Err(error) => return Err(Error::failed("helm did not render the chart").because(error)),
    };
    if finished.code != 0 {
        return Err(Error::invalid(format!(
            "helm cannot render the chart {}",
            input.folder.display()
        ))
        .since(finished.last_words(10)));
    }
    events.note(format!(
        "the chart {} was rendered by helm, since it uses {reason}",
        input.folder.display()
    ));
    from_helm(chart, input, &finished.output)
}

fn call(request: &HelmRequest<'_>, values: &Path) -> ProgramCall {
    let input = request.input;
    let call = ProgramCall::new("helm", PATIENCE)
        .arguments(["template", input.name])
        .argument(request.folder)
        .arguments(["--namespace", input.namespace, "--values"])
        .argument(values)
        // Only Helm knows which dependencies are switched on; their definitions are told from the
        // release's objects by where they come from.
        .arguments(["--include-crds", "--kube-version", input.kubernetes_version])
        .arguments(["--api-versions", &input.api_versions.join(",")]);
    match input.upgrade {
        true => call.argument("--is-upgrade"),
        false => call,
    }
}

/// The call with the cluster behind it, where the chart asks that.
fn asking(call: ProgramCall, request: &HelmRequest<'_>) -> Result<ProgramCall> {
    let Some(file) = first_use(request.chart, request.input.config) else {
        return Ok(call);
    };
    let Lookups::Answered { context } = request.lookups else {
        let folder = request.input.folder.display();
        let message =
            format!("the chart {folder} asks the cluster by `lookup`, and none is used here");
        return Err(Error::missing(message)
            .since(format!("{file} does"))
            .since(
                "without a cluster every answer is empty, so a deployment may apply something else",
            )
            .hint("See what a deployment would change: `gantline diff` asks the cluster, by `helm` 3.13 or newer"));
    };
    let nowhere_else = ELSEWHERE.map(|name| (name.to_owned(), String::new()));
    let call = call.variables(nowhere_else).argument("--dry-run=server");
    Ok(match context {
        Some(context) => call.arguments(["--kube-context", context]),
        None => call,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::release::ChartFile;

    /// How Helm is called for a chart with this template.
    fn called(template: &str, lookups: &Lookups) -> Result<String> {
        let chart = Chart {
            metadata: json!({"name": "orders"}),
            values: json!({}),
            schema: None,
            templates: vec![ChartFile {
                path: "templates/a.yaml".to_owned(),
                bytes: template.as_bytes().to_vec(),
            }],
            files: Vec::new(),
        };
        let input = ChartInput {
            name: "orders",
            namespace: "shop",
            config: &json!({}),
            revision: 1,
            upgrade: false,
            kubernetes_version: "v1.34.0",
            api_versions: &[],
            folder: Path::new("services/orders/chart"),
        };
        let request = HelmRequest {
            chart: &chart,
            input: &input,
            folder: input.folder,
            lookups,
        };
        let call = asking(call(&request, Path::new("values.yaml")), &request)?;
        Ok(format!("{call:?}"))
    }

    const LOOKUP: &str = "{{ lookup \"v1\" \"Secret\" \"shop\" \"password\" }}";

    #[test]
    fn a_chart_that_asks_the_cluster_is_answered_by_the_one_that_is_deployed_to() {
        let lookups = Lookups::Answered {
            context: Some("staging".to_owned()),
        };
        let asks = called(LOOKUP, &lookups).unwrap();
        assert!(asks.contains("--dry-run=server"), "{asks}");
        assert!(asks.contains("\"--kube-context\", \"staging\""), "{asks}");
        let asks_not = called("{{ genCA \"a\" 1 }}", &lookups).unwrap();
        assert!(!asks_not.contains("--dry-run"), "{asks_not}");
    }

    #[test]
    fn a_chart_that_asks_the_cluster_is_refused_where_there_is_none() {
        let error = called(LOOKUP, &Lookups::Refused).unwrap_err();
        assert_eq!(error.kind().exit_code(), 4);
        assert!(error.causes()[0].contains("templates/a.yaml"), "{error:?}");
        assert!(error.hints()[0].contains("gantline diff"), "{error:?}");
    }
}
