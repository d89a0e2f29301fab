//! Running another program to its end: an argument list, a time limit, bounded output, and
//! nothing left behind when the work is cancelled.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;

/// The most output that is kept of each stream, in bytes; the rest is read and dropped.
const LARGEST_OUTPUT: u64 = 4 * 1024 * 1024;

/// Where what a program writes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Streams {
    /// To us.
    #[default]
    Kept,
    /// To whom our own streams go, each to its own.
    PassedOn,
    /// To us, both line by line as they come.
    Lines,
}

/// A program to run to its end.
#[derive(Debug, Clone)]
pub struct ProgramCall {
    program: PathBuf,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    environment: Vec<(String, OsString)>,
    inherits: bool,
    input: Option<Vec<u8>>,
    streams: Streams,
    owner: Option<(u32, u32)>,
    patience: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code; 128 plus the signal's number when a signal ended it.
    pub code: i32,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Finished {
    /// The last lines that it wrote, standard error first, for an error's cause.
    pub fn last_words(&self, count: usize) -> String {
        let text = if self.errors.trim().is_empty() {
            &self.output
        } else {
            &self.errors
        };
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// Why a program gave no exit code.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It is not there.
    #[error("{} was not found", .0.display())]
    Absent(PathBuf),
    /// It cannot be run.
    #[error("{} cannot be run", .program.display())]
    Unrunnable {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It took too long, and was ended.
    #[error("{} did not end within {} s", .program.display(), .patience.as_secs())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// How long it was given.
        patience: Duration,
    },
}

impl ProgramCall {
    /// A call of a program, which is looked for on PATH unless it has a folder.
    pub fn new(program: impl Into<PathBuf>, patience: Duration) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: None,
            environment: Vec::new(),
            inherits: true,
            input: None,
            streams: Streams::Kept,
            owner: None,
            patience,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Where it runs.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets variables of its environment.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables.into_iter();
        self.environment
            .extend(variables.map(|(name, value)| (name, value.into())));
        self
    }

    /// Takes no variable from our own environment.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.inherits = false;
        self
    }

    /// What it reads from standard input; nothing otherwise.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Where what it writes goes.
    #[must_use]
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// As whom it runs: user and group id.
    #[must_use]
    pub fn owner(mut self, owner: Option<(u32, u32)>) -> Self {
        self.owner = owner;
        self
    }

    /// Runs it. `on_line` is given each line of standard error as it comes, and of standard output
    /// where that is to come line by line, too.
    ///
    /// # Errors
    /// When it is absent, cannot be run or takes too long. Any exit code is a success here.
    pub async fn run(&self, on_line: impl FnMut(&str)) -> Result<Finished, CallError> {
        let mut child = self
            .command()
            .spawn()
            .map_err(|error| self.failure(error))?;
        let group = GroupGuard::of(&child);
        let output = child.stdout.take();
        let errors = child.stderr.take();
        let input = child.stdin.take();
        let on_line = Mutex::new(on_line);
        let tell = |line: &str| (on_line.lock().unwrap_or_else(PoisonError::into_inner))(line);
        let work = async {
            let output = async {
                match self.streams {
                    Streams::Lines => lines_of(output, &tell).await,
                    Streams::Kept | Streams::PassedOn => all_of(output).await,
                }
            };
            let (output, errors, ()) = tokio::join!(
                output,
                lines_of(errors, &tell),
                give(input, self.input.as_deref())
            );
            (child.wait().await, output, errors)
        };
        let (status, output, errors) =
            tokio::time::timeout(self.patience, work)
                .await
                .map_err(|_elapsed| CallError::TimedOut {
                    program: self.program.clone(),
                    patience: self.patience,
                })?;
        let status = status.map_err(|error| self.failure(error))?;
        group.release();
        let signalled = status.signal().map(|signal| 128 + signal);
        Ok(Finished {
            code: status.code().or(signalled).unwrap_or(1),
            output,
            errors,
        })
    }

    fn command(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        if !self.inherits {
            command.env_clear();
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(match self.input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(match self.streams {
                Streams::Kept | Streams::Lines => Stdio::piped(),
                Streams::PassedOn => Stdio::inherit(),
            })
            .stderr(match self.streams {
                Streams::Kept | Streams::Lines => Stdio::piped(),
                Streams::PassedOn => Stdio::inherit(),
            })
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn failure(&self, error: io::Error) -> CallError {
        let program = self.program.clone();
        let folder_exists = self.directory.as_deref().is_none_or(Path::is_dir);
        if error.kind() == io::ErrorKind::NotFound && folder_exists {
            CallError::Absent(program)
        } else {
            CallError::Unrunnable {
                program,
                source: error,
            }
        }
    }
}

/// Ends the whole group of a program whose call was dropped before its end.
pub(super) struct GroupGuard(Option<Pid>);

impl GroupGuard {
    /// Of a child that leads a group of its own.
    pub(super) fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.map(Pid::from_raw))
    }

    /// Leaves the group alone: it has ended by itself.
    pub(super) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It has not been waited for, so its id is still its own.
            let _ended = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Writes a program's input and closes it; one that ends without having read it is no error.
async fn give(stream: Option<ChildStdin>, input: Option<&[u8]>) {
    if let (Some(mut stream), Some(input)) = (stream, input) {
        let _unread = stream.write_all(input).await;
    }
}

async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        let _cut = (&mut stream)
            .take(LARGEST_OUTPUT)
            .read_to_end(&mut kept)
            .await;
        let _dropped = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&kept).into_owned()
}

async fn lines_of(stream: Option<impl AsyncRead + Unpin>, on_line: &impl Fn(&str)) -> String {
    let mut kept = String::new();
    let Some(stream) = stream else { return kept };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut reader).take(64 * 1024);
        match bounded.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return kept,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        on_line(text.trim_end_matches(['\r', '\n']));
        if kept.len() as u64 <= LARGEST_OUTPUT {
            kept.push_str(&text);
        }
    }
}

/// All programs of this name in the folders of PATH, in its order; relative folders are left out.
pub fn on_path(program: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .filter(|found| is_program(found))
        .collect()
}

/// Whether this is a file that somebody may execute.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
