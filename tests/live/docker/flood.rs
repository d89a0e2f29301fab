//! A container that writes more than anybody reads: 50,000 lines a second, for some seconds.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::workspace::{Workspace, text};

/// How long the flood, and what follows it, may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much memory a command may take, in KiB: some of it grows with the machine, none with the log.
const MOST_MEMORY: u64 = 256 * 1024;

/// A workspace whose one service serves, and floods its log meanwhile.
fn flooder() -> Workspace {
    let line = "x".repeat(100);
    let script = format!(
        "trap 'exit 0' TERM; echo hello > /tmp/index.html; httpd -f -p 8080 -h /tmp & \
         for second in 1 2 3 4; do yes {line} | head -n 50000; sleep 1; done; \
         echo the last line; wait"
    );
    let manifest = format!(
        "name: flooder\nimage: busybox:1.37\nports: {{http: 8080}}\nhealth: /\n\
         command: [sh, -c, \"{script}\"]\n"
    );
    Workspace::with_files(&[("services/flooder/service.yaml".to_owned(), manifest)])
}

/// A command of gantline, whose lines are read as fast as they come.
struct Reading {
    command: Child,
    lines: Arc<AtomicUsize>,
}

impl Reading {
    fn start(workspace: &Workspace, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .current_dir(workspace.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(AtomicUsize::new(0));
        count(command.stdout.take().unwrap(), Arc::clone(&lines));
        count(command.stderr.take().unwrap(), Arc::clone(&lines));
        Self { command, lines }
    }

    /// The most memory that it took so far, in KiB.
    fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.command.id());
        let status = std::fs::read_to_string(status).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().trim().trim_end_matches(" kB");
        peak.parse().unwrap()
    }

    /// It reads on, and has not grown with what it read.
    fn assert_is_well(&self) {
        let (lines, memory) = (self.lines.load(Ordering::SeqCst), self.memory());
        println!("{lines} lines, {memory} KiB");
        assert!(lines > 10_000, "{lines}");
        assert!(memory < MOST_MEMORY, "{memory} KiB");
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> ExitStatus {
        kill(
            Pid::from_raw(self.command.id().try_into().unwrap()),
            Signal::SIGINT,
        )
        .unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.command.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it goes on");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind; one that ended is no error here.
        let _ = self.command.kill();
        let _ = self.command.wait();
    }
}

/// Counts the lines of a stream to its end, so that nobody waits for us.
fn count(stream: impl Read + Send + 'static, lines: Arc<AtomicUsize>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            if line.is_err() {
                break;
            }
            lines.fetch_add(1, Ordering::SeqCst);
        }
    });
}

/// Waits until the flood is over; meanwhile others have their answers.
fn await_last_line(workspace: &Workspace) {
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let tail = text(&workspace.run(&["logs", "flooder", "--tail", "1"]));
        slowest = slowest.max(asked.elapsed());
        if tail.contains("the last line") {
            println!("the slowest answer came after {slowest:?}");
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{tail}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the service is ready, which it is from its beginning.
fn await_ready(workspace: &Workspace) {
    let begun = Instant::now();
    // Until `up` has named the stack there is none to ask for.
    while !workspace.path(".gantline/run/checkout.json").exists()
        || workspace.status()["flooder"]["state"] != "ready"
    {
        assert!(begun.elapsed() < PATIENCE, "it is not ready");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs Docker"]
fn logs_of_a_flood_are_read_without_being_kept() {
    let workspace = flooder();
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", text(&up));
    let logs = Reading::start(&workspace, &["logs", "flooder", "--follow"]);
    await_last_line(&workspace);
    logs.assert_is_well();
    assert_eq!(workspace.status()["flooder"]["state"], "ready");
    assert_eq!(logs.interrupt().code(), Some(0));
}

#[test]
#[ignore = "needs Docker"]
fn up_shows_a_flood_and_stops_it_when_it_is_told_to() {
    let workspace = flooder();
    let up = Reading::start(&workspace, &["up"]);
    await_ready(&workspace);
    await_last_line(&workspace);
    up.assert_is_well();
    assert_eq!(up.interrupt().code(), Some(0));
    assert_eq!(workspace.containers(), "");
}
