//! The host's processes: which belong to a stack, and ending them without hitting a stranger.
//!
//! Every child of a stack carries [`STACK_VARIABLE`] in its environment, so it is found even
//! when nothing else is left of the stack. A process is known by its id and the moment it
//! started: an id alone may since belong to somebody else.

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::model::resource_type::StopSignal;

/// The variable that carries the stack's id in each child's environment.
pub const STACK_VARIABLE: &str = "GANTLINE_STACK";
/// The variable that carries the instance's name in each child's environment.
pub const INSTANCE_VARIABLE: &str = "GANTLINE_INSTANCE";
/// The variable that carries the stack's id in its supervisor's environment.
pub const SUPERVISOR_VARIABLE: &str = "GANTLINE_SUPERVISOR";

/// How often a process that should end is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A process: its id, and when it started, in a form that only equality is asked of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ProcessKey {
    /// The process id.
    pub id: i32,
    /// When it started: clock ticks since boot on Linux, a date elsewhere.
    pub started: String,
}

impl ProcessKey {
    /// The process that has this id now; `None` when there is none, or only a zombie.
    pub fn of(id: i32) -> Option<Self> {
        let entry = platform::entry(id)?;
        Some(Self {
            id,
            started: entry.started,
        })
    }

    /// Whether this very process still runs.
    pub fn lives(&self) -> bool {
        Self::of(self.id).is_some_and(|now| now == *self)
    }

    /// Sends a signal to this process, or nothing when it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.lives() {
            // It may end in between: nothing is left to be told then.
            let _ended = kill(Pid::from_raw(self.id), signal);
        }
    }

    /// Sends a signal to the group that this process leads, or nothing when it has ended.
    pub fn signal_group(&self, signal: Signal) {
        if self.lives() && killpg(Pid::from_raw(self.id), signal) == Err(Errno::ESRCH) {
            self.signal(signal);
        }
    }
}

/// The signal that asks for an orderly end.
pub fn stop_signal(stop: StopSignal) -> Signal {
    match stop {
        StopSignal::Terminate => Signal::SIGTERM,
        StopSignal::Interrupt => Signal::SIGINT,
    }
}

/// A process of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which process.
    pub key: ProcessKey,
    /// The instance that it belongs to, where its environment says so.
    pub instance: Option<String>,
}

/// All processes whose environment says that they belong to this stack, and what those started.
///
/// A server may overwrite its environment (PostgreSQL's sessions do), so descendants count too.
pub fn members(stack: &str) -> Vec<Member> {
    let wanted = format!("{STACK_VARIABLE}={stack}");
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let entries = platform::entries();
    let mut found: Vec<(i32, Member)> = Vec::new();
    for entry in &entries {
        if entry.id != own && platform::has_variable(entry.id, &wanted) {
            found.push((entry.id, entry.member(platform::variable(entry.id))));
        }
    }
    let mut at = 0;
    while at < found.len() {
        let (parent, instance) = (found[at].0, found[at].1.instance.clone());
        for entry in entries.iter().filter(|entry| entry.parent == parent) {
            if entry.id != own && found.iter().all(|(id, _)| *id != entry.id) {
                found.push((entry.id, entry.member(instance.clone())));
            }
        }
        at += 1;
    }
    found.into_iter().map(|(_, member)| member).collect()
}

/// The supervisors of this stack; more than one only after a crash.
pub fn supervisors(stack: &str) -> Vec<ProcessKey> {
    let wanted = format!("{SUPERVISOR_VARIABLE}={stack}");
    platform::entries()
        .into_iter()
        .filter(|entry| platform::has_variable(entry.id, &wanted))
        .map(|entry| ProcessKey {
            id: entry.id,
            started: entry.started,
        })
        .collect()
}

/// Waits until all have ended; `false` when some still live after `patience`.
pub async fn await_end(processes: &[ProcessKey], patience: Duration) -> bool {
    let deadline = tokio::time::Instant::now() + patience;
    while processes.iter().any(ProcessKey::lives) {
        if tokio::time::Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

/// One row of the process table.
struct Entry {
    id: i32,
    parent: i32,
    started: String,
}

impl Entry {
    fn member(&self, instance: Option<String>) -> Member {
        Member {
            key: ProcessKey {
                id: self.id,
                started: self.started.clone(),
            },
            instance,
        }
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use super::{Entry, INSTANCE_VARIABLE};

    /// The row of one process; `None` when it ended or is a zombie.
    pub(super) fn entry(id: i32) -> Option<Entry> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in parentheses, may hold spaces and parentheses itself (proc(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.to_owned();
        (!matches!(state, "Z" | "X")).then_some(Entry {
            id,
            parent,
            started,
        })
    }

    pub(super) fn entries() -> Vec<Entry> {
        let Ok(folder) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        folder
            .filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(entry)
            .collect()
    }

    pub(super) fn has_variable(id: i32, wanted: &str) -> bool {
        environment(id)
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted.as_bytes())
    }

    /// The instance's name in the environment of a process.
    pub(super) fn variable(id: i32) -> Option<String> {
        let prefix = format!("{INSTANCE_VARIABLE}=");
        environment(id)
            .split(|byte| *byte == 0)
            .find_map(|variable| variable.strip_prefix(prefix.as_bytes()))
            .map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Empty when it may not be read: then it is another user's process.
    fn environment(id: i32) -> Vec<u8> {
        std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::process::Command;

    use super::{Entry, INSTANCE_VARIABLE};

    fn ps(arguments: &[&str]) -> String {
        Command::new("ps")
            .args(arguments)
            .env("LC_ALL", "C")
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default()
    }

    fn parse(line: &str) -> Option<Entry> {
        let mut fields = line.split_ascii_whitespace();
        let id = fields.next()?.parse().ok()?;
        let parent = fields.next()?.parse().ok()?;
        let zombie = fields.next()?.starts_with('Z');
        let started = fields.collect::<Vec<_>>().join(" ");
        (!zombie).then_some(Entry {
            id,
            parent,
            started,
        })
    }

    /// The row of one process; `None` when it ended or is a zombie.
    pub(super) fn entry(id: i32) -> Option<Entry> {
        parse(ps(&["-o", "pid=,ppid=,state=,lstart=", "-p", &id.to_string()]).trim())
    }

    pub(super) fn entries() -> Vec<Entry> {
        ps(&["-axo", "pid=,ppid=,state=,lstart="])
            .lines()
            .filter_map(parse)
            .collect()
    }

    pub(super) fn has_variable(id: i32, wanted: &str) -> bool {
        environment(id)
            .split_ascii_whitespace()
            .any(|word| word == wanted)
    }

    /// The instance's name in the environment of a process.
    pub(super) fn variable(id: i32) -> Option<String> {
        let prefix = format!("{INSTANCE_VARIABLE}=");
        environment(id)
            .split_ascii_whitespace()
            .find_map(|word| word.strip_prefix(&prefix))
            .map(str::to_owned)
    }

    /// `ps -E` shows the environment of the user's own processes, all of them to root.
    fn environment(id: i32) -> String {
        ps(&["-Eww", "-o", "command=", "-p", &id.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    struct Sleeper(Child);

    impl Sleeper {
        fn of_stack(stack: &str) -> Self {
            let child = Command::new("sh")
                .args(["-c", "sleep 60 & wait"])
                .env(STACK_VARIABLE, stack)
                .env(INSTANCE_VARIABLE, "orders")
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            Self(child)
        }

        fn id(&self) -> i32 {
            i32::try_from(self.0.id()).unwrap()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ended = self.0.kill();
            let _reaped = self.0.wait();
        }
    }

    #[test]
    fn a_process_is_known_by_its_id_and_its_start() {
        let own = ProcessKey::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.lives());
        let reused = ProcessKey {
            started: "another time".to_owned(),
            ..own
        };
        assert!(!reused.lives());
    }

    #[tokio::test]
    async fn the_processes_of_a_stack_are_found_by_their_environment() {
        let stack = format!("table-test-{}", std::process::id());
        let sleeper = Sleeper::of_stack(&stack);
        let mut found = Vec::new();
        for _ in 0..250 {
            found = members(&stack);
            if found.len() == 2 {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        assert_eq!(found.len(), 2, "the shell and what it started");
        assert!(found.iter().any(|member| member.key.id == sleeper.id()));
        assert!(
            found
                .iter()
                .all(|member| member.instance.as_deref() == Some("orders"))
        );
        for member in &found {
            member.key.signal(Signal::SIGKILL);
        }
        let keys: Vec<_> = found.into_iter().map(|member| member.key).collect();
        assert!(await_end(&keys, Duration::from_secs(5)).await);
        assert_eq!(members("no-such-stack"), Vec::new());
    }
}
