//! Starting one process in a group of its own, and taking its output into its log.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::log_file::{LOG_LIMIT, LogWriter};
use super::process_table::ProcessKey;
use super::protocol::{ChildSpec, Record};
use crate::model::stack::Observed;

/// How much of a process's output is taken at a time.
const BLOCK: usize = 64 * 1024;
/// How long the last of a process's output may take after its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A process that was started.
pub struct Running {
    child: Child,
    log: JoinHandle<()>,
}

/// Starts a process.
///
/// # Errors
/// When its log or its pipe cannot be made, or the program cannot be run.
pub fn spawn(spec: ChildSpec) -> io::Result<(Record, Running)> {
    let writer = LogWriter::begin(&spec.log, LOG_LIMIT)?;
    // One pipe for both streams keeps their lines in order.
    let (output, input) = io::pipe()?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.arguments)
        .env_clear()
        .envs(&spec.environment)
        .current_dir(&spec.directory)
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input)
        .process_group(0);
    if let Some((user, group)) = spec.owner {
        command.uid(user).gid(group);
    }
    let child = command.spawn().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("{} cannot be run: {error}", spec.program.display()),
        )
    })?;
    // The command holds the pipe's other end: while it lives, the pipe has no end.
    drop(command);
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .unwrap_or_default();
    let process = ProcessKey::of(id).unwrap_or(ProcessKey {
        id,
        started: String::new(),
    });
    let log = tokio::spawn(take_output(
        pipe::Receiver::from_owned_fd(output.into())?,
        writer,
    ));
    let record = Record {
        process,
        stop: spec.stop,
        log: spec.log,
        observed: Observed {
            name: spec.name,
            role: spec.role,
            fingerprint: spec.fingerprint,
            running: true,
            exit_code: None,
            since: now(),
            endpoints: spec.endpoints,
        },
    };
    Ok((record, Running { child, log }))
}

impl Running {
    /// Waits until the process has ended and its last words are in its log.
    ///
    /// A process killed by a signal gives 128 plus the signal's number.
    pub async fn wait(mut self) -> i32 {
        let code = self.child.wait().await.map_or(1, exit_code);
        // What it started may hold the pipe open for ever.
        if tokio::time::timeout(LAST_WORDS, &mut self.log)
            .await
            .is_err()
        {
            self.log.abort();
        }
        code
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    let signalled = status.signal().map(|signal| 128 + signal);
    status.code().or(signalled).unwrap_or(1)
}

/// Moves output into the log as fast as it comes, so that no process waits for its log; what a
/// full disk cannot take is lost.
async fn take_output(mut output: pipe::Receiver, mut log: LogWriter) {
    let mut block = vec![0; BLOCK];
    let mut told = false;
    while let Ok(count) = output.read(&mut block).await {
        if count == 0 {
            break;
        }
        if let Err(error) = log.append(&block[..count])
            && !told
        {
            tracing::warn!("a log cannot be written, and lines are lost: {error}");
            told = true;
        }
        tokio::task::yield_now().await;
    }
}

/// The time, RFC 3339 in UTC, to the second.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&Rfc3339)
        .unwrap_or_default()
}
