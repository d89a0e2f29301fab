//! The contract gate: open for what fits, shut for what breaks a consumer.

use std::path::Path;

use super::{call, call_refused};
use crate::actions::demo::breakage::{Breakage, OF_THE_CODE, OF_THE_DOCUMENT};
use crate::app::App;
use crate::error::Result;

const CHECK: &[&str] = &["contract", "check"];
const VERIFY: &[&str] = &["contract", "verify"];

/// Why the gate is shut after each break.
#[derive(Debug)]
pub struct Refusals {
    /// After that of the API document, which the check of files finds.
    pub document: String,
    /// After that of the code, which only its verification finds.
    pub code: String,
}

/// Checks and verifies the contracts, each before and after a break of the provider.
///
/// # Errors
/// When the gate is shut before, or open after a break.
pub async fn show(workspace: &Path, app: &App) -> Result<Refusals> {
    call(app, CHECK).await?;
    app.events().note(OF_THE_DOCUMENT.told());
    let broken = Breakage::make(workspace, &OF_THE_DOCUMENT)?;
    let document = call_refused(app, CHECK).await?;
    drop(broken);
    call(app, VERIFY).await?;
    app.events().note(OF_THE_CODE.told());
    let _until_here = Breakage::make(workspace, &OF_THE_CODE)?;
    let code = call_refused(app, VERIFY).await?;
    Ok(Refusals { document, code })
}
