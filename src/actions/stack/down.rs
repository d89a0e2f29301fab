//! `down`: nothing is left behind, whichever runtime ran the stack.

use std::sync::Arc;
use std::time::Duration;

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

/// How long a runtime may take to carry out what a client asked for that was killed meanwhile.
const LATE: Duration = Duration::from_secs(2);
/// How often is looked for what comes late.
const LOOK: Duration = Duration::from_millis(200);

/// Clears a stack from these runtimes. Where a command was killed while it changed the stack
/// (`killed`), what it had asked for may come after it, and is waited for.
///
/// # Errors
/// When a runtime cannot be asked, or something stays.
pub async fn down(
    runtimes: &[(RuntimeKind, Arc<dyn Runtime>)],
    scope: Scope,
    killed: bool,
) -> Result<Removed> {
    let mut removed = Removed::default();
    let looks = match killed {
        true => LATE.as_millis() / LOOK.as_millis(),
        false => 0,
    };
    for look in 0..=looks {
        if look > 0 {
            tokio::time::sleep(LOOK).await;
        }
        for (_, runtime) in runtimes {
            let Cleared { instances, data } = runtime.clear(scope).await?;
            removed.stopped.extend(instances);
            for server in data {
                // Each runtime has data of its own.
                if !removed.data.contains(&server) {
                    removed.data.push(server);
                }
            }
        }
    }
    Ok(removed)
}
