//! Starts that are under way, which end by themselves also when nobody waits for them any more.
//!
//! A request that was sent to the daemon cannot be called back: whoever stops an instance whose
//! start was cancelled waits for the daemon to be done with it, or would leave it behind.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, join_all};

use crate::error::{Error, Result};

/// How long the daemon may take to make a container before nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(60);

type Start = Shared<BoxFuture<'static, Result<()>>>;

/// The starts under way, by instance.
#[derive(Default)]
pub struct Starts {
    under_way: Mutex<HashMap<String, Start>>,
}

impl Starts {
    /// Runs a start to its end, also when this future is dropped.
    ///
    /// # Errors
    /// The start's.
    pub async fn run(
        &self,
        instance: &str,
        start: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        let task = tokio::spawn(start).map(|ended| match ended {
            Ok(result) => result,
            Err(error) => Err(Error::failed("a start ended unexpectedly").because(error)),
        });
        let start = task.boxed().shared();
        self.lock().insert(instance.to_owned(), start.clone());
        let result = start.await;
        self.lock().remove(instance);
        result
    }

    /// Waits for the start of one instance, where it is under way.
    pub async fn settle(&self, instance: &str) {
        let start = self.lock().remove(instance);
        wait(start).await;
    }

    /// Waits for every start that is under way.
    pub async fn settle_all(&self) {
        let starts: Vec<Start> = self.lock().drain().map(|(_, start)| start).collect();
        wait(starts).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Start>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes of it is seen by looking at what exists afterwards.
async fn wait(starts: impl IntoIterator<Item = Start>) {
    let _ended_or_given_up = tokio::time::timeout(PATIENCE, join_all(starts)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::Starts;

    #[tokio::test]
    async fn a_start_that_nobody_waits_for_is_over_before_it_is_taken_back() {
        let starts = Starts::default();
        let made = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&made);
        let (go_on, daemon) = oneshot::channel::<()>();
        let start = starts.run("orders", async move {
            daemon.await.unwrap();
            made.store(true, Ordering::SeqCst);
            Ok(())
        });
        assert!(start.now_or_never().is_none(), "cancelled on its way");
        go_on.send(()).unwrap();
        starts.settle("orders").await;
        assert!(seen.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn what_was_never_started_needs_no_waiting() {
        let starts = Starts::default();
        starts.settle("orders").await;
        starts.settle_all().await;
    }
}
