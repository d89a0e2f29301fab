//! What the commands and the supervisor of a checkout say to each other: one JSON document a
//! line over a private socket, bounded in size and time.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::process_table::ProcessKey;
use crate::model::resource_type::StopSignal;
use crate::model::stack::{Address, Observed, Role};

/// Raised when a message changes its meaning; a supervisor refuses another one.
pub const PROTOCOL: u32 = 1;

/// The largest message, in bytes: an environment has its place in it, a flood has not.
const LARGEST_MESSAGE: u64 = 1024 * 1024;

/// How long the rest of a message may take once it has begun to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A request with the protocol that it is written in.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Envelope {
    /// [`PROTOCOL`] of the sender.
    pub protocol: u32,
    /// What is asked.
    pub request: Request,
}

/// What a command asks of the supervisor.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Start an instance.
    Start(Box<ChildSpec>),
    /// All instances.
    Observe,
    /// Answer when the instance has ended, or after so many milliseconds.
    Wait {
        /// The instance.
        name: String,
        /// How long to wait at most.
        milliseconds: u64,
    },
    /// Stop an instance and forget it.
    Stop {
        /// The instance.
        name: String,
    },
    /// Stop all instances, services before servers, and end.
    End,
}

/// What the supervisor answers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// It is done.
    Done,
    /// All instances.
    Instances(Vec<Record>),
    /// The instance ended with this exit code.
    Ended(i32),
    /// The instance runs still.
    Runs,
    /// No instance has this name.
    Absent,
    /// It could not be done, and why.
    Failed(String),
    /// The request is written in another protocol than this one, the supervisor's.
    OtherProtocol(u32),
}

/// A process to start, with everything resolved.
///
/// It has no `Debug` output of its values: the environment holds passwords.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct ChildSpec {
    /// The instance.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// What [`Observed::fingerprint`] gives back.
    pub fingerprint: String,
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments; no password is among them.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// As whom it runs, when not as the supervisor: user and group id.
    pub owner: Option<(u32, u32)>,
    /// Where its output goes.
    pub log: PathBuf,
    /// What asks it to stop.
    pub stop: StopSignal,
    /// Where it listens, as seen from the host.
    pub endpoints: BTreeMap<String, Address>,
}

impl std::fmt::Debug for ChildSpec {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ChildSpec")
            .field("name", &self.name)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// What the supervisor knows of an instance.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The process; the leader of its group.
    pub process: ProcessKey,
    /// What asks it to stop.
    pub stop: StopSignal,
    /// Where its output is.
    pub log: PathBuf,
    /// What a command sees of it.
    pub observed: Observed,
}

/// What is kept on disk, so that a crash of the supervisor is noticed and cleaned up after.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct SavedState {
    /// The supervisor that wrote this.
    pub supervisor: ProcessKey,
    /// Its instances.
    pub instances: Vec<Record>,
}

/// Reads one message; `None` when the other side has closed.
///
/// # Errors
/// A broken connection, and a message that is too large or no JSON of this type.
pub async fn receive<T, R>(reader: &mut R, patience: Duration) -> io::Result<Option<T>>
where
    T: serde::de::DeserializeOwned,
    R: AsyncBufRead + Unpin,
{
    let mut line = Vec::new();
    let mut bounded = reader.take(LARGEST_MESSAGE);
    let read = bounded.read_until(b'\n', &mut line);
    tokio::time::timeout(patience, read)
        .await
        .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the message is cut off or too large",
        ));
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

/// Writes one message.
///
/// # Errors
/// A broken connection, and a message that is too large.
pub async fn send<T, W>(writer: &mut W, message: &T) -> io::Result<()>
where
    T: serde::Serialize + Sync,
    W: AsyncWrite + Unpin,
{
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() as u64 > LARGEST_MESSAGE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the message is too large",
        ));
    }
    tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(&line))
        .await
        .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_message_arrives_as_it_was_sent() {
        let (mut near, far) = tokio::io::duplex(4096);
        let asked = Envelope {
            protocol: PROTOCOL,
            request: Request::Stop {
                name: "orders".to_owned(),
            },
        };
        send(&mut near, &asked).await.unwrap();
        drop(near);
        let mut reader = tokio::io::BufReader::new(far);
        let read: Envelope = receive(&mut reader, SOON).await.unwrap().unwrap();
        assert!(matches!(read.request, Request::Stop { name } if name == "orders"));
        let end: Option<Envelope> = receive(&mut reader, SOON).await.unwrap();
        assert!(end.is_none());
    }

    #[tokio::test]
    async fn a_flood_without_a_line_end_is_refused() {
        let flood = vec![b'x'; 3 * 1024 * 1024];
        let mut reader = tokio::io::BufReader::new(flood.as_slice());
        let read: io::Result<Option<Envelope>> = receive(&mut reader, SOON).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn silence_ends_after_its_time() {
        let (_near, far) = tokio::io::duplex(16);
        let mut reader = tokio::io::BufReader::new(far);
        let read: io::Result<Option<Envelope>> =
            receive(&mut reader, Duration::from_millis(10)).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

#[cfg(test)]
mod properties;
