//! `up` and `down` killed at any time: the next `down` leaves nothing behind.
//!
//! `GANTLINE_SOAK_KILLS` is how often, ten times without it; `GANTLINE_SEED` repeats a run whose
//! seed a failure printed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::docker::workspace::{Workspace, docker, text};

/// How long a compiler that outlives its killed caller may take to end by itself.
const COMPILING: Duration = Duration::from_secs(60);
/// Where data lies that the servers' user could not reach in the workspace.
const ELSEWHERE: &str = "/var/cache/gantline/stacks";
/// Of so many rounds one has to have killed something, at least. Two of three kill an `up` at a time
/// that it takes usually, so most do.
const ROUNDS_OF_A_KILL: u64 = 5;
/// Within this time the daemon is done with what a killed command asked it for.
const LATE: Duration = Duration::from_millis(500);

/// Numbers that look random, the same for the same seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A time below `longest`.
    fn time(&mut self, longest: Duration) -> Duration {
        let micros = u64::try_from(longest.as_micros()).unwrap().max(1);
        Duration::from_micros(self.number() % micros)
    }
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap())
}

/// What the tests of one runtime kill, and look for afterwards.
struct Victim {
    workspace: Workspace,
    runtime: &'static str,
    stack: String,
    ports: Vec<u16>,
    up_takes: Duration,
    down_takes: Duration,
}

impl Victim {
    /// A stack that came up and went down once, so that everything is built.
    fn new(runtime: &'static str) -> Self {
        let workspace = Workspace::new();
        let up = ["up", "--detach", "--runtime", runtime, "--format", "json"];
        let first = workspace.run(&up);
        assert!(first.status.success(), "{}", text(&first));
        let answer: Value = serde_json::from_slice(&first.stdout).unwrap();
        let things = answer["things"].as_array().unwrap().iter();
        let ports = things
            .filter_map(|thing| thing["endpoints"].as_object())
            .flat_map(|endpoints| endpoints.values())
            .filter_map(|address| address["port"].as_u64())
            .map(|port| u16::try_from(port).unwrap())
            .collect();
        workspace.run(&["down", "--volumes"]);
        let begun = Instant::now();
        let second = workspace.run(&up);
        let up_takes = begun.elapsed();
        assert!(second.status.success(), "{}", text(&second));
        let begun = Instant::now();
        workspace.run(&["down", "--volumes"]);
        Self {
            stack: workspace.stack(),
            workspace,
            runtime,
            ports,
            up_takes,
            down_takes: begun.elapsed(),
        }
    }

    /// Begins a command and kills it after a time; whether it had not ended by itself.
    fn kill_after(&self, time: Duration, arguments: &[&str]) -> bool {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .current_dir(self.workspace.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(time);
        child.kill().unwrap();
        child.wait().unwrap().signal().is_some()
    }

    /// An `up`, and perhaps a `down`, of which some are killed, and a whole `down`; whether
    /// something was killed.
    fn round(&self, numbers: &mut Numbers) -> bool {
        let up = ["up", "--detach", "--runtime", self.runtime];
        let mut has_killed = match numbers.number() % 3 {
            0 => {
                self.workspace.run(&up);
                false
            }
            _ => self.kill_after(numbers.time(self.up_takes), &up),
        };
        if numbers.number().is_multiple_of(2) {
            let down = ["down", "--volumes"];
            has_killed |= self.kill_after(
                numbers.time(self.down_takes),
                &down[..1 + (numbers.number() % 2) as usize],
            );
        }
        let down = self.workspace.run(&["down", "--volumes"]);
        assert!(down.status.success(), "{}", text(&down));
        has_killed
    }

    /// Everything of the stack that is there.
    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.runtime == "docker" {
            let filter = format!("label=dev.gantline.stack={}", self.stack);
            for what in [
                &[
                    "ps",
                    "--all",
                    "--format",
                    "container {{.Names}} {{.Status}}",
                ][..],
                &["network", "ls", "--format", "network {{.Name}}"],
                &["volume", "ls", "--format", "volume {{.Name}}"],
            ] {
                let found = docker(&[what, &["--filter", &filter]].concat());
                left.extend(found.lines().map(str::to_owned));
            }
        }
        left.extend(processes(|place| has_in_environment(place, &self.stack)));
        left.extend(processes(|place| self.publishes_a_port(place)));
        left.extend(self.left_on_disk(&["data", "work", "logs", "supervisor"]));
        left
    }

    /// Those of these folders that are there.
    fn left_on_disk(&self, names: &[&str]) -> Vec<String> {
        let places = [
            self.workspace.path(".gantline/run"),
            Path::new(ELSEWHERE).join(&self.stack),
        ];
        let folders = places
            .iter()
            .flat_map(|place| names.iter().map(move |name| place.join(name)));
        folders
            .filter(|folder| folder.exists())
            .map(|folder| folder.display().to_string())
            .collect()
    }

    /// Whether a process is Docker's, and holds a port of the stack that nobody else may have: a
    /// port that is free again is anybody's, so that it is taken tells nothing.
    fn publishes_a_port(&self, process: &Path) -> bool {
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let is_proxy = words
            .first()
            .is_some_and(|word| word.ends_with(b"docker-proxy"));
        let holds = |port: &u16| {
            let port = port.to_string();
            words
                .windows(2)
                .any(|pair| pair == [b"-host-port".as_slice(), port.as_bytes()])
        };
        is_proxy && self.ports.iter().any(holds)
    }

    /// Processes that work in the workspace: a compiler that a killed command had started.
    fn compilers(&self) -> Vec<String> {
        let root = fs::canonicalize(self.workspace.path(".")).unwrap();
        processes(|place| fs::read_link(place.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&root)))
    }
}

fn has_in_environment(process: &Path, stack: &str) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0);
    variables.any(|variable| {
        let text = String::from_utf8_lossy(variable);
        text.split_once('=')
            .is_some_and(|(_, value)| value == stack)
    })
}

fn processes(wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .map(|entry| entry.path())
        .filter(|place| place.join("stat").exists() && wanted(place))
        .map(|place| {
            let name = fs::read_to_string(place.join("comm")).unwrap_or_default();
            format!("process {} {}", place.display(), name.trim())
        })
        .collect()
}

/// Kills `up` and `down` of a runtime again and again.
pub fn leave_nothing(runtime: &'static str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number_of("GANTLINE_SEED").unwrap_or(now.as_secs());
    let rounds = number_of("GANTLINE_SOAK_KILLS").unwrap_or(10);
    let mut numbers = Numbers(seed);
    let victim = Victim::new(runtime);
    println!(
        "{runtime}, seed {seed}: {rounds} rounds, up takes {:?}, down {:?}, {} ports",
        victim.up_takes,
        victim.down_takes,
        victim.ports.len()
    );
    let mut kills = 0;
    for round in 0..rounds {
        kills += u64::from(victim.round(&mut numbers));
        let place = format!("round {round} of GANTLINE_SEED={seed}");
        assert_eq!(victim.left(), Vec::<String>::new(), "{place}");
        std::thread::sleep(LATE);
        assert_eq!(
            victim.left(),
            Vec::<String>::new(),
            "{place}, a moment later"
        );
    }
    println!("{runtime}: something was killed in {kills} of {rounds} rounds");
    assert!(
        kills >= rounds / ROUNDS_OF_A_KILL,
        "{kills} of {rounds}, seed {seed}"
    );
    let begun = Instant::now();
    while !victim.compilers().is_empty() {
        assert!(
            begun.elapsed() < COMPILING,
            "seed {seed}: {:?}",
            victim.compilers()
        );
        std::thread::sleep(LATE);
    }
    // What a compiler wrote that outlived the last `down` goes with the next one.
    let down = victim.workspace.run(&["down", "--volumes"]);
    assert!(down.status.success(), "{}", text(&down));
    let programs = victim.left_on_disk(&["bin"]);
    assert_eq!(programs, Vec::<String>::new(), "seed {seed}");
}
