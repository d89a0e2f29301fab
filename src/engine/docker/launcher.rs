//! From a launch to a container that runs, in two steps: it is made, and it is started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::Docker;
use tokio::sync::OnceCell;

use super::containers::{self, Names};
use crate::engine::runtime::Launch;
use crate::error::Result;
use crate::model::stack::{Program, ServerProgram};

/// What starts containers. A copy of it goes on when nobody waits for it any more.
#[derive(Clone)]
pub struct Launcher {
    /// The daemon.
    pub client: Docker,
    /// Names and labels of the stack.
    pub names: Names,
    /// What was made.
    pub made: Made,
}

/// What this program made of a stack.
#[derive(Clone, Default)]
pub struct Made {
    network: Arc<OnceCell<()>>,
    parts: Arc<Mutex<Parts>>,
}

#[derive(Default)]
struct Parts {
    /// Fingerprints of containers that were not started yet, by instance.
    containers: BTreeMap<String, String>,
    /// Servers whose volume was not there before.
    volumes: BTreeSet<String>,
}

impl Made {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the data of a server was made; asked again, it was not.
    pub fn take_volume(&self, instance: &str) -> bool {
        self.parts().volumes.remove(instance)
    }

    fn take_container(&self, launch: &Launch) -> bool {
        let made = self.parts().containers.remove(&launch.instance.name);
        made.is_some_and(|fingerprint| fingerprint == launch.fingerprint)
    }
}

impl Launcher {
    /// Makes the container of an instance, and what it needs; one that ended is replaced.
    ///
    /// # Errors
    /// When the daemon says no.
    pub async fn make(&self, launch: &Launch) -> Result<()> {
        let instance = &launch.instance.name;
        let network = containers::ensure_network(&self.client, &self.names);
        self.made.network.get_or_try_init(|| network).await?;
        if let Program::Server(ServerProgram { data: Some(_), .. }) = &launch.instance.program
            && containers::ensure_volume(&self.client, &self.names, instance).await?
        {
            self.made.parts().volumes.insert(instance.clone());
        }
        containers::make(&self.client, &self.names, launch).await?;
        let made = (instance.clone(), launch.fingerprint.clone());
        self.made.parts().containers.extend([made]);
        Ok(())
    }

    /// Starts an instance, whose container is made unless it was made for this very launch.
    ///
    /// # Errors
    /// When the daemon says no.
    pub async fn start(&self, launch: &Launch) -> Result<()> {
        let instance = &launch.instance.name;
        if self.made.take_container(launch)
            && containers::start(&self.client, &self.names, instance).await?
        {
            return Ok(());
        }
        self.make(launch).await?;
        self.made.take_container(launch);
        containers::start(&self.client, &self.names, instance)
            .await
            .map(drop)
    }
}
