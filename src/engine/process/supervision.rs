//! How a command comes to the supervisor of its checkout, and cleans up behind one that was killed.

use std::path::PathBuf;
use std::time::Duration;

use super::ProcessRuntime;
use super::client::{Connection, deaf, saved_state, start_supervisor};
use super::folders::Folders;
use super::orphans;
use super::process_table::await_end;
use crate::error::{Error, ErrorKind, Result};

/// How long a supervisor that was told to end may take.
const END: Duration = Duration::from_secs(5);

impl ProcessRuntime {
    fn supervisor_program(&self) -> Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => {
                let own = std::env::current_exe().map_err(|error| {
                    Error::failed("the program's own path is unknown").because(error)
                })?;
                // A running program whose file was replaced is still there under this name.
                let running = PathBuf::from("/proc/self/exe");
                Ok(if own.exists() || !running.exists() {
                    own
                } else {
                    running
                })
            }
        }
    }

    /// The supervisor, started when there is none, after cleaning up behind an earlier one.
    pub(super) async fn supervisor(&self, folders: &Folders) -> Result<Connection> {
        if let Some(connection) = Connection::open(folders).await? {
            return Ok(connection);
        }
        self.clean_up(folders).await?;
        start_supervisor(&self.supervisor_program()?, &self.context.stack, folders).await
    }

    /// Ends what a killed supervisor left running, and says so. One that runs is not killed for
    /// listening no more: it may be about to end, and is waited for.
    pub(super) async fn clean_up(&self, folders: &Folders) -> Result<()> {
        let saved = saved_state(folders);
        if let Some(state) = &saved
            && !await_end(std::slice::from_ref(&state.supervisor), END).await
        {
            return Err(deaf(&state.supervisor));
        }
        let ended = orphans::end_orphans(&self.context.stack, saved.as_ref()).await;
        if let (Some(events), false) = (&self.events, ended.is_empty()) {
            events.warn(format!(
                "the supervisor of this checkout was killed: what it left running was stopped ({})",
                ended.join(", ")
            ));
        }
        Ok(())
    }

    /// Ends the supervisor and all that runs, whatever state they are in.
    pub(super) async fn end_everything(&self, folders: &Folders) -> Result<Vec<String>> {
        let saved = saved_state(folders);
        let mut names: Vec<String> = Vec::new();
        let connection = match Connection::open(folders).await {
            // One that cannot be reached is ended by force, but not another user's.
            Err(error) if error.kind() == ErrorKind::Failed => None,
            connection => connection?,
        };
        if let Some(mut connection) = connection {
            let ended = async {
                let records = connection.observe().await?;
                names.extend(records.into_iter().map(|record| record.observed.name));
                connection.end().await
            };
            if ended.await.is_ok()
                && let Some(state) = &saved
            {
                await_end(std::slice::from_ref(&state.supervisor), END).await;
            }
        }
        orphans::end_supervisors(&self.context.stack, saved.as_ref()).await;
        names.extend(orphans::end_orphans(&self.context.stack, saved.as_ref()).await);
        names.extend(saved.into_iter().flat_map(|state| {
            let instances = state.instances.into_iter();
            instances.map(|record| record.observed.name)
        }));
        names.sort();
        names.dedup();
        Ok(names)
    }
}
