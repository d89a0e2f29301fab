//! The next version of the blueprints: it reaches services that were edited.

use std::path::Path;

use super::{SERVICES, call};
use crate::actions::demo::next_version::{Upgraded, edit, offer, planned, upgraded};
use crate::app::App;
use crate::error::Result;

/// Edits each service, puts the next version of the blueprints into the workspace, and upgrades.
///
/// # Errors
/// Whatever the commands that it runs say, and when an edit is lost.
pub async fn show(workspace: &Path, app: &App) -> Result<Upgraded> {
    let events = app.events();
    events.note(edit(workspace, SERVICES)?);
    events.note(offer(workspace)?);
    call(app, &["upgrade", "--diff"]).await?;
    let files = planned(workspace)?;
    call(app, &["upgrade", "--yes"]).await?;
    upgraded(workspace, SERVICES, files)
}
