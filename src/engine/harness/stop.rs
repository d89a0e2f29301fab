//! The end of a harness: asked for, awaited, and in the end made.

use std::time::Duration;

use tokio::process::Child;

use super::client::Client;
use crate::engine::program::GroupGuard;

/// A harness's process, which ends with this value.
pub(super) struct Process {
    pub(super) child: Child,
    group: Option<GroupGuard>,
}

impl Process {
    pub(super) fn new(child: Child) -> Self {
        let group = Some(GroupGuard::of(&child));
        Self { child, group }
    }

    /// Asks the harness to end, and waits for it; what is left of its group is killed.
    pub(super) async fn stop(mut self, client: Client, patience: Duration) {
        let end = async {
            // No answer is as good as one: the end of the process is what counts.
            let _answer = client.control("stop", &serde_json::json!({})).await;
            // A server that is shut down waits for connections that were opened and never used,
            // and a pool opens such: Go's waits five seconds (net/http, Server.Shutdown).
            drop(client);
            self.child.wait().await
        };
        if let Ok(Ok(_status)) = tokio::time::timeout(patience, end).await {
            self.ended();
        }
    }

    /// How it ended, when it does so within a moment; its group is then left alone.
    pub(super) async fn end_within(&mut self, patience: Duration) -> Option<String> {
        let status = tokio::time::timeout(patience, self.child.wait())
            .await
            .ok()?
            .ok()?;
        self.ended();
        Some(status.to_string())
    }

    /// Its number is free from now on, and must not be signalled.
    fn ended(&mut self) {
        if let Some(group) = self.group.take() {
            group.release();
        }
    }
}
