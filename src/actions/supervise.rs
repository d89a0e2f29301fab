//! Being the supervisor of a checkout's processes.

pub use crate::engine::process::supervisor::SupervisorSettings;
use crate::engine::process::supervisor::run;
use crate::error::Result;

/// Owns processes until none is left, or it is told to end.
///
/// # Errors
/// When its lock or its socket cannot be had.
pub async fn supervise(settings: SupervisorSettings) -> Result<()> {
    run(settings).await
}
