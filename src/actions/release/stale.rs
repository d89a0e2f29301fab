//! Charts that are not what the manifests say: the manifest was edited, and nothing generated.

use std::collections::BTreeSet;

use crate::actions::generate::{Generation, GenerationRequest, are_unchanged};
use crate::model::file_set::TreePath;

use super::SpecRequest;

/// Warns of generated files of charts that the next `generate` would change: what is on disk is
/// what goes to the cluster.
pub fn warn(request: &SpecRequest<'_>) {
    if are_unchanged(&request.project.root, request.services) {
        return;
    }
    let generation = Generation::prepare(
        &request.project.root,
        &GenerationRequest {
            services: request.services.to_vec(),
            outcomes_only: true,
            ..GenerationRequest::default()
        },
    );
    let generation = match generation {
        Ok(generation) => generation,
        Err(error) => {
            let unknown = "cannot tell whether the charts are what the manifests say";
            request.events.warn(format!("{unknown}: {error}"));
            return;
        }
    };
    let charts: BTreeSet<TreePath> = charts(request).collect();
    let changes = generation.plan.changes.iter();
    let stale: Vec<String> = changes
        .filter(|change| change.outcome.writes())
        .filter(|change| charts.iter().any(|chart| change.path.is_in(chart)))
        .map(|change| change.path.to_string())
        .collect();
    if !stale.is_empty() {
        request.events.warn(format!(
            "not as the manifests say, and used as it is: {}. Bring it up to date: \
             `gantline generate`",
            stale.join(", ")
        ));
    }
}

/// The folders of the charts.
fn charts<'a>(request: &'a SpecRequest<'_>) -> impl Iterator<Item = TreePath> + use<'a> {
    let services = request.services.iter();
    services.filter_map(|name| {
        let service = request.project.services.get(name)?;
        TreePath::new(format!("{}/chart", service.directory)).ok()
    })
}
