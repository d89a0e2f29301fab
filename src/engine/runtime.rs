//! What the local stack needs from the place where it runs: Docker, or the host's processes.
//!
//! A runtime starts and stops single instances and tells what it sees. It knows nothing of the
//! order between them, of readiness or of provisioning: `actions::stack` does that, the same way
//! for every runtime. What a runtime knows about a stack survives the program: labels on
//! containers, or the supervisor of the checkout.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::error::Result;
use crate::model::event::{Event, EventSink};
use crate::model::secret::Secret;
use crate::model::stack::{Instance, Observed};

#[cfg(test)]
pub mod fake;

/// Where a stack belongs; what every runtime is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeContext {
    /// The stack's id, unique to the checkout: `shop-3f2a91c4`. Scopes names of containers,
    /// networks and volumes, and marks processes.
    pub stack: String,
    /// The absolute folder of the workspace.
    pub root: PathBuf,
    /// The absolute folder of what must survive the program but not be committed
    /// (`.gantline/run`): logs, sockets, data of processes.
    pub run: PathBuf,
}

/// Programs inside an instance that runs, where a runtime has an inside.
#[async_trait]
pub trait Inside: Send + Sync {
    /// Runs a program in an instance; bounded by a time-out of its own.
    ///
    /// # Errors
    /// Why it does not end well, for people.
    async fn ask(&self, instance: &str, program: &[String]) -> Result<(), String>;
}

/// A place where instances run.
///
/// Every method may be cancelled by dropping its future: at most an instance is left behind that
/// [`Runtime::observe`] shows and [`Runtime::stop`] removes. No method waits for ever, except
/// [`Runtime::wait_exit`] and a following [`Runtime::logs`]. A runtime that is not there (no
/// Docker daemon) fails at the first call, with [`crate::error::ErrorKind::Missing`].
#[async_trait]
pub trait Runtime: Inside {
    /// What exists of the stack: running instances and ended ones that were not stopped.
    async fn observe(&self) -> Result<Vec<Observed>>;

    /// Makes what an instance runs available: builds a service, obtains a server's image or
    /// programs. Does nothing when it is there already. Called once for all instances that
    /// run the same program, while others start.
    async fn prepare(&self, instance: &Instance, progress: &Progress) -> Result<Artifact>;

    /// What [`Runtime::prepare`] would give without building or fetching anything; `None` when
    /// it had to.
    async fn at_hand(&self, instance: &Instance) -> Result<Option<Artifact>>;

    /// Whether Go of this host builds the services.
    fn builds_with_go(&self) -> bool;

    /// Does ahead what [`Runtime::start`] of the same launch would have to do before the program
    /// runs, so that little is left to do then. What was made is observed as an instance that
    /// never ran, and [`Runtime::stop`] removes it. A start without it only takes longer.
    async fn make(&self, launch: &Launch) -> Result<()>;

    /// Starts an instance and returns as soon as it runs, not when it is ready. One of that name
    /// that ended is replaced; one that runs is stopped by the caller first.
    async fn start(&self, launch: &Launch) -> Result<()>;

    /// Waits until an instance ends, and returns its exit code; at once when it has ended. A
    /// program killed by a signal ends with 128 plus the signal's number.
    async fn wait_exit(&self, instance: &str) -> Result<i32>;

    /// Stops an instance (SIGTERM, then SIGKILL after its grace period) and forgets it; its data
    /// and its log stay. One that is absent is no error.
    async fn stop(&self, instance: &str) -> Result<()>;

    /// Stops a server that was never ready, and forgets it. Where this runtime made its data, it
    /// ends at once and the data goes with it: half of a database serves nobody. Data that was
    /// there before stays, and the server has its grace.
    async fn abandon(&self, instance: &str) -> Result<()>;

    /// The log of an instance, oldest line first.
    async fn logs(&self, instance: &str, request: LogRequest) -> Result<LogStream>;

    /// Stops and removes everything that belongs to the stack, known or left over from a crash:
    /// instances, networks, sockets, the supervisor; and its data, when asked to.
    async fn clear(&self, scope: ClearScope) -> Result<Cleared>;
}

/// What an instance runs, made available by [`Runtime::prepare`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where the runtime finds it again: an image, the path of a program, a folder of programs.
    pub location: String,
    /// Changes exactly when what it runs changes: an image's id, a hash of the source. Goes into
    /// the instance's fingerprint.
    pub identity: String,
    /// What was done, for people: `built in 3.2 s`, `unchanged`, `on PATH, version 17.5`.
    pub outcome: String,
}

/// An instance with everything resolved that it needs to start.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The instance. Its `environment` and its server's `files` are templates; the resolved
    /// ones are below.
    pub instance: Instance,
    /// What it runs.
    pub artifact: Artifact,
    /// Its whole environment, `HTTP_ADDR` and the like included. Each may hold a password.
    pub environment: BTreeMap<String, Secret>,
    /// A server's files by absolute path inside its container; a process finds them under
    /// `${files}/NAME`. Each may hold a password.
    pub files: BTreeMap<String, Secret>,
    /// The port on 127.0.0.1 of the host for each endpoint: where a container's port is
    /// published, or where a process listens.
    pub ports: BTreeMap<String, u16>,
    /// What [`Observed::fingerprint`] must give back.
    pub fingerprint: String,
}

/// Which lines of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogRequest {
    /// At most this many of the last lines; all when `None`.
    pub tail: Option<usize>,
    /// Whether to go on with new lines until the instance ends.
    pub follow: bool,
    /// Whether lines of earlier starts are left out, where a runtime keeps them.
    pub last_start_only: bool,
}

/// Lines of a log, made safe by [`clean_line`].
pub type LogStream = BoxStream<'static, Result<String>>;

/// How much [`Runtime::clear`] removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearScope {
    /// All but data: a later start finds it again.
    KeepData,
    /// Data too.
    Everything,
}

/// What [`Runtime::clear`] removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cleared {
    /// Instances, by name.
    pub instances: Vec<String>,
    /// Data of servers, by the server's name.
    pub data: Vec<String>,
}

/// The way of a long step to the reporter.
#[derive(Clone)]
pub struct Progress {
    sink: Arc<dyn EventSink>,
    step: String,
}

impl Progress {
    /// Reports under the id of a step that was started.
    pub fn new(sink: Arc<dyn EventSink>, step: impl Into<String>) -> Self {
        Self {
            sink,
            step: step.into(),
        }
    }

    /// Says what the step does or waits for now.
    pub fn say(&self, message: impl Into<String>) {
        self.sink.progress(&self.step, message);
    }

    /// Says something that may surprise: another version, another builder.
    pub fn warn(&self, message: impl Into<String>) {
        self.sink.warn(message);
    }

    /// Passes on a line that a program wrote while the step ran, such as a compiler's.
    pub fn log(&self, line: &str) {
        self.sink.emit(Event::Logged {
            thing: self.step.clone(),
            line: clean_line(line.as_bytes()),
        });
    }
}

/// The longest log line that is passed on, in characters; the rest is cut.
pub const LONGEST_LINE: usize = 4_096;

/// A line of a log as text that a terminal can be shown: colours and control characters
/// removed, invalid UTF-8 replaced, cut at [`LONGEST_LINE`] characters.
pub fn clean_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::new();
    let mut letters = text.trim_end_matches(['\r', '\n']).chars().peekable();
    let mut count = 0;
    while let Some(letter) = letters.next() {
        if count == LONGEST_LINE {
            clean.push('…');
            break;
        }
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            // A control sequence (ECMA-48): parameters and intermediates, then one final byte.
            while letters
                .next_if(|next| ('\u{20}'..='\u{3f}').contains(next))
                .is_some()
            {}
            letters.next_if(|next| ('\u{40}'..='\u{7e}').contains(next));
        } else if letter == '\t' || !letter.is_control() {
            clean.push(letter);
            count += 1;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_cannot_steer_the_terminal() {
        assert_eq!(
            clean_line(b"\x1b[31mred\x1b[0m\tand\x07 plain\r\n"),
            "red\tand plain"
        );
        assert_eq!(clean_line(b"\x1b]0;title\x07text"), "]0;titletext");
        assert_eq!(clean_line(b"caf\xc3\xa9 \xff"), "café \u{fffd}");
    }

    #[test]
    fn a_log_line_is_bounded() {
        let line = clean_line("x".repeat(LONGEST_LINE * 2).as_bytes());
        assert_eq!(line.chars().count(), LONGEST_LINE + 1);
    }
}
