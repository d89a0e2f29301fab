//! Whom the supervisor serves, and how many at a time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::net::UnixStream;

use super::Supervisor;
use crate::engine::process::protocol::{Envelope, PROTOCOL, Response, receive, send};

/// A connection without a request for this long is closed. A command keeps its own open while it
/// prepares what it will start.
const SILENCE: Duration = Duration::from_secs(900);
/// The most connections that are served at a time: each process that starts has two of its command's,
/// and the system usually lets a program open 1,024 files.
pub(super) const MOST_CONNECTIONS: usize = 512;
/// How long a connection beyond them may take to ask, so that it can be told.
const BEYOND: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Serves a connection of this user or of root, unless there are too many.
    pub(super) fn welcome(self: &Arc<Self>, stream: UnixStream) {
        let user = nix::unistd::geteuid().as_raw();
        let known = stream
            .peer_cred()
            .is_ok_and(|peer| peer.uid() == user || peer.uid() == 0);
        if !known {
            return;
        }
        let is_beyond = self.connections.load(Ordering::Relaxed) >= MOST_CONNECTIONS;
        let served = Served::by(Arc::clone(self));
        tokio::spawn(async move {
            // A connection that breaks concerns the other side alone.
            let _closed = match is_beyond {
                true => refuse(stream).await,
                false => served.0.converse(stream).await,
            };
        });
    }

    async fn converse(self: &Arc<Self>, stream: UnixStream) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = tokio::io::BufReader::new(reader);
        while let Some(message) = receive::<Value, _>(&mut reader, SILENCE).await? {
            // What another protocol asks may not even be understood.
            let response = if message["protocol"] == PROTOCOL {
                let envelope: Envelope = serde_json::from_value(message)?;
                self.answer(envelope.request).await
            } else {
                Response::OtherProtocol(PROTOCOL)
            };
            send(&mut writer, &response).await?;
        }
        Ok(())
    }
}

/// Tells a connection that there are too many.
async fn refuse(stream: UnixStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = tokio::io::BufReader::new(reader);
    // Read first: who closes with a question unread takes back its answer.
    let _question = receive::<Value, _>(&mut reader, BEYOND).await?;
    let refusal = format!(
        "the supervisor of this checkout serves {MOST_CONNECTIONS} commands already: wait until some have ended"
    );
    send(&mut writer, &Response::Failed(refusal)).await
}

/// Counts a connection for as long as it lives.
struct Served(Arc<Supervisor>);

impl Served {
    fn by(supervisor: Arc<Supervisor>) -> Self {
        supervisor.connections.fetch_add(1, Ordering::Relaxed);
        Self(supervisor)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
