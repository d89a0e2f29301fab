//! What is done for an instance ahead, while it waits for others.

use futures::future::join_all;

use super::arrival::Traveller;
use super::stages::Stage;
use crate::engine::runtime::Artifact;
use crate::error::Result;

impl Traveller<'_> {
    /// What it runs. Where nothing of the instance exists, all that goes before its start is done
    /// while it waits.
    pub(super) async fn obtained(&self) -> Result<Artifact> {
        let artifact = self.artifact.clone().await?;
        let found = self.run.observed.get(&self.instance.name);
        let waits = !self.instance.after.is_empty();
        if waits && found.is_none_or(|it| !it.has_run()) {
            self.servers_begun().await;
            self.make(artifact.clone()).await;
        }
        Ok(artifact)
    }

    /// Waits until the servers before it were started, whose way is the longest: nothing is made
    /// at their cost.
    async fn servers_begun(&self) {
        let servers = &self.run.stack.spec.servers;
        let is_server = |name: &str| servers.iter().any(|server| server.name == name);
        let before = self.before.iter().filter(|(name, _)| is_server(name));
        let begun = before.map(|(name, arrival)| async move {
            tokio::select! {
                _arrived_or_not = arrival.clone() => {}
                () = self.run.stages.until_running(name) => {}
            }
        });
        join_all(begun).await;
    }

    async fn make(&self, artifact: Artifact) {
        let Ok(launch) = self.run.resolver.launch(self.instance, artifact) else {
            return;
        };
        self.run.stages.note(&self.instance.name, Stage::Begun);
        // The start makes it again where it failed, and says why it cannot.
        let _made_or_not = self.run.stack.runtime.make(&launch).await;
    }

    /// Removes what was made of an instance that is not started after all.
    pub(super) async fn take_back_made(&self) {
        let name = &self.instance.name;
        if self.run.stages.of(name).is_none() {
            return;
        }
        match self.run.stack.runtime.stop(name).await {
            Ok(()) => self.run.stages.forget(name),
            Err(error) => self.run.stack.events.warn(error.to_string()),
        }
    }
}
