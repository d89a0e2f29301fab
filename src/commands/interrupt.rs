//! Ctrl-C and SIGTERM, as a future.

use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Error, Result};

/// Listens from now on; the future that is returned is done at the next Ctrl-C or SIGTERM. While
/// someone listens, neither ends the program.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn listen() -> Result<impl Fn() -> BoxFuture<'static, ()>> {
    let (sender, receiver) = tokio::sync::watch::channel(0_u32);
    let failed = |error| Error::failed("cannot listen to signals").because(error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            sender.send_modify(|count| *count += 1);
        }
    });
    Ok(move || {
        let mut receiver = receiver.clone();
        let future: BoxFuture<'static, ()> = Box::pin(async move {
            // An error means that nobody sends any more: wait for ever.
            if receiver.wait_for(|count| *count > 0).await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        future
    })
}
