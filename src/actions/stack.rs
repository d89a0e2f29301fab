//! The local stack: what `up`, `down`, `status`, `logs`, `restart` and `env` do, the same way
//! for every runtime.

mod addresses;
mod ahead;
mod arrival;
pub mod down;
pub mod env;
mod failures;
pub mod follow;
mod launches;
mod lock;
pub mod logs;
pub mod opened;
pub mod preview;
pub mod restart;
mod stages;
pub mod status;
pub mod up;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::ready;

pub use self::failures::Failures;
pub(super) use self::lock::lock;
use crate::engine::readiness::{Query, Servers};
use crate::engine::runtime::{LogRequest, Runtime};
use crate::model::event::EventSink;
use crate::model::resource_type::ReadyCheck;
use crate::model::stack::{RuntimeKind, StackSpec};

/// How many of a log's last lines an error shows.
const LAST_LINES: usize = 15;
/// How long reading those lines may take.
const READ_LOG: Duration = Duration::from_secs(5);

/// A stack with what it runs on.
#[derive(Clone)]
pub struct Stack {
    /// What it is made of.
    pub spec: StackSpec,
    /// Which runtime it is.
    pub kind: RuntimeKind,
    /// The runtime.
    pub runtime: Arc<dyn Runtime>,
    /// Asks servers and services.
    pub servers: Arc<dyn Servers>,
    /// Why parts of it did not come up.
    pub failures: Failures,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
}

impl Stack {
    /// Asks an instance once whether it serves; the reason when it does not.
    async fn probe(&self, query: &Query<'_>) -> Result<(), String> {
        match &query.readiness.check {
            ReadyCheck::Exec(program) => self.runtime.ask(query.instance, program).await,
            _ => self.servers.probe(query).await,
        }
    }

    /// The last lines of an instance's log, for an error; empty when it wrote nothing or its log
    /// cannot be read.
    async fn last_lines(&self, instance: &str) -> Vec<String> {
        let request = LogRequest {
            tail: Some(LAST_LINES),
            follow: false,
            last_start_only: true,
        };
        let read = async {
            let Ok(lines) = self.runtime.logs(instance, request).await else {
                return Vec::new();
            };
            lines.filter_map(|line| ready(line.ok())).collect().await
        };
        tokio::time::timeout(READ_LOG, read)
            .await
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
