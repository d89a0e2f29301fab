//! Charts that only Helm can render go through its program.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::release::{Chart, RenderedRelease};
use crate::render::chart::{ChartInput, RenderError, from_helm};

/// How long Helm may take for one chart.
const PATIENCE: Duration = Duration::from_secs(60);

/// Renders a chart by `helm template`, and says that it was needed.
pub async fn render(
    chart: &Chart,
    (input, folder): (&ChartInput<'_>, &Path),
    unsupported: RenderError,
    events: &dyn EventSink,
) -> Result<RenderedRelease> {
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
    let mut call = ProgramCall::new("helm", PATIENCE)
        .arguments(["template", input.name])
        .argument(folder)
        .arguments(["--namespace", input.namespace, "--values"])
        .argument(values.path())
        .arguments(["--include-crds", "--kube-version", input.kubernetes_version])
        .arguments(["--api-versions", &input.api_versions.join(",")]);
    if input.upgrade {
        call = call.argument("--is-upgrade");
    }
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
