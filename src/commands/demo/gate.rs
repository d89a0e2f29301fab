//! The contract gate: open for what fits, shut for what breaks a consumer.

use std::path::Path;

use super::{call, call_refused};
use crate::actions::demo::breakage::Breakage;
use crate::app::App;
use crate::error::Result;

const VERIFY: &[&str] = &["contract", "verify"];

/// Verifies the contracts, breaks a provider, and verifies again; why the gate is shut then.
///
/// # Errors
/// When the gate is shut before, or open after the break.
pub async fn show(workspace: &Path, app: &App) -> Result<String> {
    call(app, VERIFY).await?;
    app.events().note(Breakage::told());
    let _until_here = Breakage::make(workspace)?;
    call_refused(app, VERIFY).await
}
