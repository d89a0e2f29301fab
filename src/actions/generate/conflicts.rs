//! Marked conflicts, shown to git once they are written.

use std::path::Path;

use crate::engine::git::{Unmerged, mark_unmerged};
use crate::model::event::EventSink;
use crate::model::file_set::TreePath;
use crate::model::plan::FilePlan;

/// Puts the conflicts of a plan that was carried out into git's index, where the workspace lies
/// in a repository, and gives those that are there now. What git refuses is a warning: the files
/// themselves are marked all the same.
pub async fn show_to_git(root: &Path, plan: &FilePlan, events: &dyn EventSink) -> Vec<TreePath> {
    let files = plan.changes.iter().filter_map(|change| {
        let sides = plan.sides.get(&change.path)?;
        Some(Unmerged {
            path: &change.path,
            base: &sides.base,
            yours: change.before.as_deref()?,
            generated: &sides.generated,
        })
    });
    let files: Vec<Unmerged<'_>> = files.collect();
    match mark_unmerged(root, &files).await {
        Ok(marked) => marked,
        Err(error) => {
            let cause = error.causes().first().map_or("", String::as_str);
            events.warn(format!(
                "the conflicts are marked in the files, and `git mergetool` will not find them: {error}: {cause}"
            ));
            Vec::new()
        }
    }
}
