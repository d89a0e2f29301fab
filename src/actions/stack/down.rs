//! `down`: nothing is left behind, whichever runtime ran the stack.

use std::sync::Arc;

pub use crate::engine::runtime::ClearScope as Scope;
use crate::engine::runtime::{Cleared, Runtime};
use crate::error::Result;
use crate::model::stack::RuntimeKind;

/// What `down` removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Removed {
    /// Instances that were stopped.
    pub stopped: Vec<String>,
    /// Servers whose data was removed.
    pub data: Vec<String>,
}

/// Clears a stack from these runtimes.
///
/// # Errors
/// When a runtime cannot be asked, or something stays.
pub async fn down(runtimes: &[(RuntimeKind, Arc<dyn Runtime>)], scope: Scope) -> Result<Removed> {
    let mut removed = Removed::default();
    for (_, runtime) in runtimes {
        let Cleared { instances, data } = runtime.clear(scope).await?;
        removed.stopped.extend(instances);
        removed.data.extend(data);
    }
    Ok(removed)
}
