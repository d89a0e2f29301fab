//! Ends the pause between two looks early: the server tells when a target changes.
//!
//! Only the looks count. Where nothing may be watched, or the server went away, they go on at
//! their own pace.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll, select_all};
use futures::{FutureExt, StreamExt, future, stream};
use kube::Client;
use kube::api::WatchParams;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::target::Target;

/// The shortest pause: what changes together is looked at once.
const SHORTEST: Duration = Duration::from_millis(50);
/// Any version that the server has at hand will do to begin with.
const ANY_VERSION: &str = "0";

/// Changes of targets, as they happen.
pub struct Changes(SelectAll<BoxStream<'static, ()>>);

impl Changes {
    /// Watches targets, from the first pause on.
    pub fn of(client: &Client, targets: &[Target]) -> Self {
        Self(select_all(targets.iter().map(|it| changes(client, it))))
    }

    /// Waits until a target changes, and at most this long.
    pub async fn pause(&mut self, longest: Duration) {
        let end = Instant::now() + longest;
        sleep(SHORTEST.min(longest)).await;
        if let Ok(None) = timeout_at(end, self.0.next()).await {
            // Nothing is watched.
            sleep_until(end).await;
        }
        while let Some(Some(())) = self.0.next().now_or_never() {}
    }
}

fn changes(client: &Client, target: &Target) -> BoxStream<'static, ()> {
    let api = target.api(client);
    let only = format!("metadata.name={}", target.name());
    let watching = async move {
        let parameters = WatchParams::default().fields(&only).disable_bookmarks();
        match api.watch_metadata(&parameters, ANY_VERSION).await {
            Ok(events) => events.boxed(),
            // Whoever waits asks for the target itself from time to time.
            Err(_) => stream::empty().boxed(),
        }
    };
    let events = stream::once(watching).flatten();
    // The first event is the target as it is.
    let changes = events
        .take_while(|event| future::ready(event.is_ok()))
        .skip(1);
    changes.map(drop).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_ends_the_pause_and_changes_together_end_one() {
        let changed = stream::iter([(), ()]).chain(stream::pending());
        let mut changes = Changes(select_all([changed.boxed()]));
        changes.pause(Duration::from_secs(3600)).await;
        let mut next = std::pin::pin!(changes.0.next());
        assert!(next.as_mut().now_or_never().is_none());
    }

    #[tokio::test]
    async fn without_a_watch_the_pause_is_as_long_as_it_was_asked_for() {
        let mut changes = Changes(select_all([stream::empty().boxed()]));
        let began = Instant::now();
        changes.pause(SHORTEST * 3).await;
        assert!(began.elapsed() >= SHORTEST * 3);
    }
}
