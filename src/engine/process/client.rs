//! The commands' side of the supervisor: finding it, starting it, asking it.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::folders::Folders;
use super::process_table::{ProcessKey, SUPERVISOR_VARIABLE};
use super::protocol::{Envelope, PROTOCOL, Record, Request, Response, SavedState, receive, send};
use super::supervisor::{GRACE, state_file};
use crate::engine::files::own_file;
use crate::error::{Error, Result};

/// The hidden subcommand that makes the program a supervisor.
pub const SUBCOMMAND: &str = "supervise";

/// How long a supervisor may take to listen after it was started.
const START: Duration = Duration::from_secs(15);
/// How long an answer may take that needs no waiting for a process.
const ANSWER: Duration = Duration::from_secs(15);
/// How long one request waits for an end before it is asked again.
const WAIT: Duration = Duration::from_secs(60);
/// How long a supervisor that hung up may go on listening.
const END: Duration = Duration::from_secs(2);
/// How often a supervisor that starts or ends is looked for.
const POLL: Duration = Duration::from_millis(10);

/// The way out of every trouble with a supervisor: asks it, and ends it by force when it is silent.
const WAY_OUT: &str = "End it, and what it started: `gantline down --runtime process`";

/// Why a supervisor gave no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// It ended, or was killed, while it was asked.
    Gone(std::io::Error),
    /// It is there and says no, or is silent.
    Failed(Error),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Unanswered {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
        match error.kind() {
            BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof => Self::Gone(error),
            _ => Self::Failed(silent(error)),
        }
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Gone(error) => silent(error),
            Unanswered::Failed(error) => error,
        }
    }
}

fn not_ours(error: std::io::Error) -> Error {
    Error::missing("the stack of this checkout was started by another user")
        .because(error)
        .hint("Run the command as that user, or as root")
}

fn silent(error: std::io::Error) -> Error {
    Error::failed("the supervisor of this checkout does not answer")
        .because(error)
        .hint(WAY_OUT)
}

/// A supervisor that may be there, and cannot be connected to.
fn unreached(socket: &Path, error: std::io::Error) -> Error {
    let shown = socket.display();
    let unreached = Error::failed(format!(
        "the supervisor of this checkout cannot be reached at {shown}"
    ));
    match error.kind() {
        ErrorKind::WouldBlock => {
            let seconds = ANSWER.as_secs();
            unreached
                .since(format!(
                    "it took no connection within {seconds} s: too many commands ask it"
                ))
                .hint("Wait until some of them have ended, and try again")
                .hint(WAY_OUT)
        }
        ErrorKind::PermissionDenied => unreached
            .because(error)
            .hint("Let its owner open the folder and the socket again: `chmod u+rwx`")
            .hint(WAY_OUT),
        _ => unreached.because(error).hint(WAY_OUT),
    }
}

/// A supervisor that runs, and listens no more.
pub fn deaf(supervisor: &ProcessKey) -> Error {
    Error::failed("the supervisor of this checkout runs, and listens no more")
        .since(format!(
            "it is process {}, and its socket is gone or belongs to nobody",
            supervisor.id
        ))
        .hint("If it was told to end, it is still stopping things: wait, and try again")
        .hint(WAY_OUT)
}

/// A connection to a running supervisor.
pub struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Connection {
    /// Connects to the supervisor of a checkout; `None` when none listens.
    ///
    /// # Errors
    /// When one listens that may not be asked, or is not to be trusted.
    pub async fn open(folders: &Folders) -> Result<Option<Self>> {
        match folders.listening_user() {
            Ok(Some(user)) => Self::to(&folders.socket(), user).await,
            Ok(None) => Ok(None),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(not_ours(error)),
            Err(error) => Err(unreached(&folders.socket(), error)),
        }
    }

    /// Connects to a socket at which this user listens. Requests hold passwords, so that nothing is
    /// sent to anybody else.
    async fn to(socket: &Path, user: u32) -> Result<Option<Self>> {
        let own = nix::unistd::geteuid().as_raw();
        let stream = match connect(socket).await {
            Ok(stream) => stream,
            // No socket, and one that a killed supervisor left behind.
            Err(error) if is_of_nobody(&error) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::PermissionDenied && user != own => {
                return Err(not_ours(error));
            }
            Err(error) => return Err(unreached(socket, error)),
        };
        let listening = stream.peer_cred().map_err(not_ours)?.uid();
        if listening != user {
            let reason = format!("user {listening} listens there, and not user {user}");
            return Err(not_ours(std::io::Error::other(reason)));
        }
        let (reader, writer) = stream.into_split();
        Ok(Some(Self {
            reader: BufReader::new(reader),
            writer,
        }))
    }

    async fn ask(&mut self, request: Request, patience: Duration) -> Result<Response, Unanswered> {
        let envelope = Envelope {
            protocol: PROTOCOL,
            request,
        };
        send(&mut self.writer, &envelope).await?;
        let response = receive(&mut self.reader, patience).await?;
        match response {
            Some(Response::Failed(reason)) => Err(Error::failed(reason).into()),
            Some(Response::OtherProtocol(theirs)) => Err(Error::failed(
                "the stack of this checkout was started by another version of gantline",
            )
            .since(format!(
                "its supervisor speaks protocol {theirs}, and this program {PROTOCOL}"
            ))
            .hint("Stop it with that version, or with `gantline down --runtime process`, then start it again")
            .into()),
            Some(response) => Ok(response),
            None => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn start(&mut self, spec: super::protocol::ChildSpec) -> Result<(), Unanswered> {
        self.ask(Request::Start(Box::new(spec)), ANSWER).await?;
        Ok(())
    }

    /// All instances that it knows.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn observe(&mut self) -> Result<Vec<Record>, Unanswered> {
        match self.ask(Request::Observe, ANSWER).await? {
            Response::Instances(records) => Ok(records),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Waits for the end of an instance; `None` when there is none of that name.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn wait(&mut self, name: &str) -> Result<Option<i32>, Unanswered> {
        loop {
            let request = Request::Wait {
                name: name.to_owned(),
                milliseconds: u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX),
            };
            match self.ask(request, WAIT + ANSWER).await? {
                Response::Runs => {}
                Response::Ended(code) => return Ok(Some(code)),
                Response::Absent => return Ok(None),
                other => return Err(unexpected(&other).into()),
            }
        }
    }

    /// Stops an instance and has it forgotten.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn stop(&mut self, name: &str) -> Result<(), Unanswered> {
        let request = Request::Stop {
            name: name.to_owned(),
        };
        self.ask(request, GRACE + ANSWER).await?;
        Ok(())
    }

    /// Has everything stopped, and the supervisor end.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn end(&mut self) -> Result<(), Unanswered> {
        // Services first, then servers: two periods of grace.
        self.ask(Request::End, GRACE + GRACE + ANSWER).await?;
        Ok(())
    }
}

/// Connects, and waits while more connections are on their way than the system keeps.
async fn connect(socket: &Path) -> std::io::Result<UnixStream> {
    let deadline = tokio::time::Instant::now() + ANSWER;
    loop {
        match UnixStream::connect(socket).await {
            Err(error)
                if error.kind() == ErrorKind::WouldBlock
                    && tokio::time::Instant::now() < deadline =>
            {
                tokio::time::sleep(POLL).await;
            }
            connected => return connected,
        }
    }
}

/// Whether nobody listens there; any other error is about somebody who does, or may.
fn is_of_nobody(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}

/// What a supervisor answered; `None` when it ended while it was asked.
///
/// # Errors
/// When it says no, or is there and does not answer.
pub async fn unless_gone<T>(folders: &Folders, answer: Result<T, Unanswered>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Unanswered::Failed(error)) => Err(error),
        Err(Unanswered::Gone(error)) => {
            let deadline = tokio::time::Instant::now() + END;
            while Connection::open(folders).await?.is_some() {
                if tokio::time::Instant::now() > deadline {
                    return Err(silent(error));
                }
                tokio::time::sleep(POLL).await;
            }
            Ok(None)
        }
    }
}

fn unexpected(response: &Response) -> Error {
    Error::failed("the supervisor of this checkout gave an answer to another question")
        .since(format!("{response:?}"))
}

/// What the last supervisor of a checkout kept; `None` when there was none.
pub fn saved_state(folders: &Folders) -> Option<SavedState> {
    let bytes = std::fs::read(state_file(&folders.control())).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Starts a supervisor in the background and connects to it.
///
/// # Errors
/// When it does not listen in time.
pub async fn start_supervisor(
    program: &Path,
    stack: &str,
    folders: &Folders,
) -> Result<Connection> {
    folders.make_control()?;
    let log = folders.log("supervisor");
    let cannot = |what: &str| Error::failed(format!("the supervisor of the stack cannot {what}"));
    let opened = own_file().truncate(true).open(&log);
    let output = opened.map_err(|error| cannot("log").because(error))?;
    let errors = output
        .try_clone()
        .map_err(|error| cannot("log").because(error))?;
    let mut child = tokio::process::Command::new(program)
        .arg(SUBCOMMAND)
        .arg("--stack")
        .arg(stack)
        .arg("--control")
        .arg(folders.control())
        .arg("--socket")
        .arg(folders.socket())
        .env(SUPERVISOR_VARIABLE, stack)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .current_dir("/")
        .spawn()
        .map_err(|error| cannot("be started").because(error))?;
    let deadline = tokio::time::Instant::now() + START;
    loop {
        if let Some(connection) = Connection::open(folders).await? {
            return Ok(connection);
        }
        let ended = child.try_wait().ok().flatten();
        if ended.is_some_and(|status| !status.success()) || tokio::time::Instant::now() > deadline {
            return Err(cannot("be started").since(log_text(&log)));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn log_text(log: &Path) -> String {
    let lines = super::log_file::last_lines(log, 5).unwrap_or_default();
    if lines.is_empty() {
        format!("it does not listen, and wrote nothing to {}", log.display())
    } else {
        lines.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_sent_to_a_supervisor_of_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let own = nix::unistd::geteuid().as_raw();
        assert!(Connection::to(&socket, own).await.unwrap().is_some());
        let refused = Connection::to(&socket, own + 1).await.err().unwrap();
        assert!(refused.to_string().contains("listens there"), "{refused}");
    }

    #[tokio::test]
    async fn only_a_socket_that_is_absent_or_left_behind_means_that_nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let own = nix::unistd::geteuid().as_raw();
        assert!(Connection::to(&socket, own).await.unwrap().is_none());
        drop(tokio::net::UnixListener::bind(&socket).unwrap());
        assert!(Connection::to(&socket, own).await.unwrap().is_none());
        // Not a folder on the way, and a path that no socket can have.
        for path in [socket.join("below"), folder.path().join("x".repeat(200))] {
            let error = Connection::to(&path, own).await.err().unwrap();
            assert!(error.message().contains("cannot be reached"), "{error}");
            assert!(error.hints().iter().any(|hint| hint == WAY_OUT));
        }
    }

    #[test]
    fn what_keeps_one_from_a_supervisor_is_told_with_the_way_out() {
        for (kind, said) in [
            (ErrorKind::WouldBlock, "too many commands ask it"),
            (ErrorKind::PermissionDenied, "permission denied"),
            (ErrorKind::Other, "other error"),
        ] {
            assert!(!is_of_nobody(&kind.into()));
            let error = unreached(Path::new("/run/socket"), kind.into());
            assert!(error.to_string().contains(said), "{error}");
            assert!(error.hints().iter().any(|hint| hint == WAY_OUT));
        }
    }
}
