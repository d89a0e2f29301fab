//! What a user agreed to is what happens, and nobody is held up while they think about it: the
//! workspace is kept from others only from the answer on.

use crate::actions::generate::{ChangeLock, change_alone, complete_interrupted_above};
use crate::app::App;
use crate::error::{Error, Result};

/// Keeps others from changing the workspace, and plans again: what comes of it must be what the user
/// was shown. `None` where nobody can be asked: then it was kept from the start.
///
/// # Errors
/// When another command is at it for long, or changed the plan meanwhile.
pub async fn still<P: PartialEq>(
    app: &App,
    agreed: &P,
    plan: impl AsyncFnOnce() -> Result<P>,
) -> Result<Option<ChangeLock>> {
    let settings = app.settings();
    if !settings.interactive {
        return Ok(None);
    }
    let events = app.events();
    let alone = change_alone(&settings.directory, &*events).await?;
    complete_interrupted_above(&settings.directory, &*events)?;
    match plan().await? == *agreed {
        true => Ok(alone),
        false => Err(Error::failed(
            "the workspace changed while you were asked, and what would be written",
        )
        .since("nothing was done")
        .hint("Run this again")),
    }
}
