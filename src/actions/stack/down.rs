//! `down`: nothing is left behind, whichever runtime ran the stack.

use std::sync::Arc;

use crate::engine::runtime::{ClearScope, Cleared, Runtime};
use crate::error::Result;
use crate::model::event::EventSink;
use crate::model::stack::RuntimeKind;

/// What `down` removed, by runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    /// Instances that were stopped.
    pub stopped: Vec<String>,
    /// Servers whose data was removed.
    pub data: Vec<String>,
}

/// Clears a stack from every runtime that has or may have parts of it.
///
/// # Errors
/// When a runtime cannot be asked, or something stays.
pub async fn down(
    runtimes: &[(RuntimeKind, Arc<dyn Runtime>)],
    scope: ClearScope,
    events: &Arc<dyn EventSink>,
) -> Result<Removed> {
    let mut removed = Removed::default();
    for (kind, runtime) in runtimes {
        let Cleared { instances, data } = runtime.clear(scope).await?;
        if !instances.is_empty() {
            events.note(format!("{kind}: stopped {}", instances.join(", ")));
        }
        if !data.is_empty() {
            events.note(format!("{kind}: removed the data of {}", data.join(", ")));
        }
        removed.stopped.extend(instances);
        removed.data.extend(data);
    }
    Ok(removed)
}
