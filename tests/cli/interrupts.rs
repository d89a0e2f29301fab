//! Ctrl-C while a server accepts and does not answer.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::api_server::{ApiServer, RECORDED};
use super::cluster::{kubeconfig, shop};
use super::workspace::{Run, Workspace};

/// How long the program may take to ask, or to say what it waits for.
const SPEECH: Duration = Duration::from_secs(30);
/// How long it may take to end: without the signal it takes at least half a minute.
const END: Duration = Duration::from_secs(15);
/// How long it may take to end at once: what the first signal waits for takes longer.
const AT_ONCE: Duration = Duration::from_secs(5);
/// What it says of a cluster that does not answer.
const WAITS: &str = "waiting for the context test, which has not answered for";

/// A command that runs, and what it said so far.
struct Started<'a> {
    workspace: &'a Workspace,
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl<'a> Started<'a> {
    fn new(workspace: &'a Workspace, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut child = workspace.start(environment, arguments);
        let lines = lines_of(child.stderr.take().unwrap());
        Self {
            workspace,
            child,
            lines,
            said: String::new(),
        }
    }

    /// Reads on until a line holds these words.
    fn says(mut self, words: &str) -> Self {
        let deadline = Instant::now() + SPEECH;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                self.child.kill().unwrap();
                panic!("{words:?} is not said: {}", self.said);
            };
            self.said += &line;
            if line.contains(words) {
                return self;
            }
        }
    }

    /// Waits until a server left one of its requests without an answer.
    fn waits_for(mut self, unanswered: &Receiver<()>) -> Self {
        if unanswered.recv_timeout(SPEECH).is_err() {
            self.child.kill().unwrap();
            let said: String = self.lines.iter().collect();
            panic!("the server is not asked: {said}");
        }
        self
    }

    fn gets(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// What comes of it after a signal.
    fn ended(self, signal: Signal) -> Run {
        self.gets(signal);
        let began = Instant::now();
        let mut output = self.child.wait_with_output().unwrap();
        output.stderr = (self.said + &self.lines.iter().collect::<String>()).into();
        let run = self.workspace.ended(&output);
        assert!(began.elapsed() < END, "{:?}: {run}", began.elapsed());
        assert_eq!(run.code, 130, "{run}");
        run
    }
}

/// The lines of a stream as they come, until it ends.
fn lines_of(stream: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
            // A test that failed listens no more.
            let _ = sender.send(std::mem::take(&mut line));
        }
    });
    lines
}

/// Runs a command against a cluster that does not answer, and interrupts it once it says so.
fn interrupted(arguments: &[&str], signal: Signal) -> Run {
    let workspace = shop("");
    let kubeconfig = kubeconfig(&workspace, &ApiServer::Silent.start());
    let environment = [("KUBECONFIG", kubeconfig.as_str())];
    Started::new(&workspace, &environment, arguments)
        .says(WAITS)
        .ended(signal)
}

#[test]
fn a_command_that_waits_for_the_cluster_says_so_and_ends_at_ctrl_c() {
    let commands = [
        &["deploy", "staging", "--yes"][..],
        &["deploy", "staging", "--plan"],
        &["diff", "staging"],
        &["history", "staging", "orders"],
        &["rollback", "staging", "orders", "--yes"],
        &["rollback", "staging", "orders", "--dry-run"],
        &["destroy", "staging", "--yes"],
    ];
    std::thread::scope(|scope| {
        for arguments in commands {
            scope.spawn(move || {
                let run = interrupted(arguments, Signal::SIGINT);
                assert!(run.stderr.contains("interrupted"), "{arguments:?}: {run}");
            });
        }
    });
}

#[test]
fn a_command_that_waits_for_the_cluster_ends_when_it_is_told_to() {
    interrupted(&["deploy", "staging", "--yes"], Signal::SIGTERM);
}

#[test]
fn a_command_that_waits_for_the_cluster_ends_with_its_terminal() {
    interrupted(&["deploy", "staging", "--yes"], Signal::SIGHUP);
}

#[test]
fn a_command_that_waits_for_docker_ends_at_ctrl_c() {
    let workspace = Workspace::shop_with_orders();
    workspace.gantline(&["generate"]).succeeds();
    for arguments in [&["up", "--detach"][..], &["test"]] {
        let (address, unanswered) = ApiServer::Silent.start_telling();
        let host = format!("tcp://{address}");
        Started::new(&workspace, &[("DOCKER_HOST", &host)], arguments)
            .waits_for(&unanswered)
            .ended(Signal::SIGINT);
    }
}

#[test]
fn a_build_that_waits_for_the_registry_ends_at_ctrl_c() {
    let workspace = shop("");
    let (address, unanswered) = ApiServer::Silent.start_telling();
    let registry = format!("{address}/shop");
    let build = ["build", "--push", "--registry", &registry];
    Started::new(&workspace, &[], &build)
        .waits_for(&unanswered)
        .ended(Signal::SIGINT);
}

#[test]
fn a_second_ctrl_c_ends_a_cluster_command_at_once() {
    let commands = [
        (
            &["rollback", "staging", "orders", "--yes"][..],
            "The next `gantline deploy` goes on from what is left",
        ),
        (
            &["destroy", "staging", "orders", "--yes"],
            "`gantline destroy` again removes what is left",
        ),
    ];
    std::thread::scope(|scope| {
        for (arguments, way_on) in commands {
            scope.spawn(move || ends_at_the_second_ctrl_c(arguments, way_on));
        }
    });
}

fn ends_at_the_second_ctrl_c(arguments: &[&str], way_on: &str) {
    let workspace = shop("");
    let server = ApiServer::SilentOnceLeased { uid: RECORDED };
    let kubeconfig = kubeconfig(&workspace, &server.start());
    let environment = [("KUBECONFIG", kubeconfig.as_str())];
    let mut started = Started::new(&workspace, &environment, arguments).says(WAITS);
    // The first one gives the lease back, to which the server says nothing.
    started.gets(Signal::SIGINT);
    std::thread::sleep(Duration::from_secs(1));
    assert!(started.child.try_wait().unwrap().is_none(), "{arguments:?}");
    let began = Instant::now();
    let run = started.ended(Signal::SIGINT);
    assert!(began.elapsed() < AT_ONCE, "{:?}: {run}", began.elapsed());
    let expected = "what was under way was left as it was";
    assert!(run.stderr.contains(expected), "{arguments:?}: {run}");
    assert!(run.stderr.contains(way_on), "{arguments:?}: {run}");
}
