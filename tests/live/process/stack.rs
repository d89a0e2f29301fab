//! A stack of processes in a folder of its own, and what the tests run in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gantline::config::catalog::resource_types;
use gantline::engine::process::ProcessRuntime;
use gantline::engine::runtime::{Artifact, ClearScope, Launch, Progress, Runtime, RuntimeContext};
use gantline::model::event::{Event, EventSink};
use gantline::model::name::Name;
use gantline::model::secret::Secret;
use gantline::model::stack::{Instance, Program, Role, ServerProgram};

pub const PASSWORD: &str = "a password";

/// A program that serves, floods or ends, as its argument says.
pub const FIXTURE: &str = r#"package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "flood" {
		flood()
		return
	}
	fmt.Println("serving as", os.Getuid())
	err := http.ListenAndServe(os.Getenv("HTTP_ADDR"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "here")
	}))
	fmt.Println(err)
	os.Exit(3)
}

// flood writes 50,000 lines a second for four seconds, each in a call of its own.
func flood() {
	begun := time.Now()
	text := strings.Repeat("x", 100)
	for second := 1; second <= 4; second++ {
		out := bufio.NewWriterSize(os.Stdout, 128)
		for line := 0; line < 50000; line++ {
			fmt.Fprintln(out, second, line, text)
		}
		out.Flush()
		if rest := time.Duration(second)*time.Second - time.Since(begun); rest > 0 {
			time.Sleep(rest)
		}
	}
	fmt.Println("the last line")
}
"#;

pub struct Silent;

impl EventSink for Silent {
    fn emit(&self, _event: Event) {}
}

pub fn progress() -> Progress {
    Progress::new(Arc::new(Silent), "live test")
}

/// A workspace and the runtime of its stack; everything is removed at its end.
pub struct Stack {
    pub root: tempfile::TempDir,
    pub id: String,
    pub runtime: ProcessRuntime,
}

fn runtime_of(id: &str, root: &Path) -> ProcessRuntime {
    let context = RuntimeContext {
        stack: id.to_owned(),
        root: root.to_path_buf(),
        run: root.join(".gantline/run"),
    };
    let program = PathBuf::from(
        std::env::var_os("GANTLINE_LIVE_PROGRAM")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_gantline").into()),
    );
    ProcessRuntime::new(context).with_program(program)
}

impl Stack {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("live-{}-{number}", std::process::id());
        let root = tempfile::tempdir().unwrap();
        // As a folder under /home would be: others may pass.
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let runtime = runtime_of(&id, root.path());
        Self { root, id, runtime }
    }

    /// What a command has that comes later.
    pub fn runtime_of_another_program(&self) -> ProcessRuntime {
        runtime_of(&self.id, self.root.path())
    }

    pub async fn up(&self, instance: &Instance, port: u16) -> Launch {
        let artifact = self.runtime.prepare(instance, &progress()).await.unwrap();
        println!("{}: {}", instance.name, artifact.outcome);
        let mut ports = BTreeMap::from([("main".to_owned(), port)]);
        if instance.name == "nats" {
            ports.insert("monitor".to_owned(), port + 1);
        }
        let files = match &instance.program {
            Program::Server(server) => server
                .files
                .keys()
                .map(|path| (path.clone(), Secret::new("jetstream: enabled\n")))
                .collect(),
            Program::Service { .. } | Program::Container(_) => BTreeMap::new(),
        };
        let address = Secret::new(format!("127.0.0.1:{port}"));
        let launch = Launch {
            instance: instance.clone(),
            artifact,
            environment: BTreeMap::from([("HTTP_ADDR".to_owned(), address)]),
            files,
            ports,
            fingerprint: "first".to_owned(),
        };
        self.runtime.start(&launch).await.unwrap();
        launch
    }

    pub fn fixture(&self, name: &str, arguments: &[&str]) -> Instance {
        let directory = self.root.path().join("services").join(name);
        let main = directory.join("cmd").join(name);
        std::fs::create_dir_all(&main).unwrap();
        std::fs::write(
            directory.join("go.mod"),
            "module example.com/fixture\n\ngo 1.26\n",
        )
        .unwrap();
        std::fs::write(main.join("main.go"), FIXTURE).unwrap();
        Instance {
            name: name.to_owned(),
            role: Role::Service,
            program: Program::Service {
                service: Name::new(name).unwrap(),
                directory,
                image: "unused".to_owned(),
                arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            },
            environment: BTreeMap::new(),
            endpoints: Vec::new(),
            ready: None,
            after: Vec::new(),
            deadline_seconds: 60,
        }
    }

    /// Processes whose environment names this stack, supervisor included.
    pub fn processes(&self) -> Vec<String> {
        let marks = [
            format!("GANTLINE_STACK={}", self.id),
            format!("GANTLINE_SUPERVISOR={}", self.id),
        ];
        let entries = std::fs::read_dir("/proc").unwrap();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let marked = paths.filter(|path| {
            let environment = std::fs::read(path.join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| marks.iter().any(|mark| mark.as_bytes() == variable))
        });
        marked
            .map(|path| std::fs::read_to_string(path.join("comm")).unwrap_or_default())
            .collect()
    }

    /// A shell script, ready to start.
    pub fn script(&self, name: &str, text: &str) -> Launch {
        let path = self.root.path().join(format!("{name}.sh"));
        std::fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Launch {
            instance: self.fixture(name, &[]),
            artifact: Artifact {
                location: path.to_string_lossy().into_owned(),
                identity: "a script".to_owned(),
                outcome: String::new(),
            },
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            ports: BTreeMap::new(),
            fingerprint: "first".to_owned(),
        }
    }

    pub fn kill_supervisor(&self) {
        let supervisor = nix::unistd::Pid::from_raw(self.supervisor());
        nix::sys::signal::kill(supervisor, nix::sys::signal::Signal::SIGKILL).unwrap();
    }

    pub fn supervisor(&self) -> i32 {
        let state = self.root.path().join(".gantline/run/supervisor/state.json");
        let state: serde_json::Value =
            serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        i32::try_from(state["supervisor"]["id"].as_i64().unwrap()).unwrap()
    }

    pub async fn clear_everything(&self) {
        self.runtime.clear(ClearScope::Everything).await.unwrap();
        assert_eq!(self.processes(), Vec::<String>::new());
        let run = self.root.path().join(".gantline/run");
        let mut left: Vec<_> = std::fs::read_dir(&run)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        // What keeps the folder out of git stays with it.
        left.retain(|path| !path.ends_with(".gitignore"));
        assert_eq!(left, Vec::<PathBuf>::new());
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Also after a failed assertion.
        for path in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let environment = std::fs::read(path.path().join("environ")).unwrap_or_default();
            if String::from_utf8_lossy(&environment).contains(&format!("={}\0", self.id))
                && let Ok(id) = path.file_name().to_string_lossy().parse()
            {
                let _ended = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(id),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
        }
    }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub fn server(kind: &str) -> Instance {
    let kind = resource_types().unwrap().remove(kind).unwrap();
    Instance {
        name: kind.name.to_string(),
        role: Role::Resource,
        program: Program::Server(ServerProgram {
            version: kind.versions[0].version.clone(),
            image: kind.versions[0].image.clone(),
            arguments: Vec::new(),
            files: kind
                .files
                .keys()
                .map(|path| (path.clone(), Default::default()))
                .collect(),
            data: kind.data.clone(),
            process: kind.process.clone(),
            administrator: "postgres".to_owned(),
            administrator_password: Secret::new(PASSWORD),
            kind: kind.name,
        }),
        environment: BTreeMap::new(),
        endpoints: Vec::new(),
        ready: None,
        after: Vec::new(),
        deadline_seconds: 60,
    }
}

pub async fn connect(
    port: u16,
    password: &str,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let address = format!("host=127.0.0.1 port={port} user=postgres password='{password}'");
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks until there is an answer, for half a minute at most.
pub async fn eventually<T, E: std::fmt::Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) if Instant::now() > deadline => panic!("{error:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

pub async fn http(port: u16, path: &str) -> Result<String, std::io::Error> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Runs one of the tests above in another process, as another user or with another PATH.
pub fn run_again(test: &str, change: impl FnOnce(&Path, Command) -> Command) {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let copy = |from: &Path, name: &str| {
        let to = home.path().join(name);
        std::fs::copy(from, &to).unwrap();
        to
    };
    let tests = copy(&std::env::current_exe().unwrap(), "tests");
    let program = copy(Path::new(env!("CARGO_BIN_EXE_gantline")), "gantline");
    let mut command = change(home.path(), Command::new(tests));
    command
        .args(["--ignored", "--exact", "--nocapture", test])
        .env("GANTLINE_LIVE_PROGRAM", program)
        .env("TMPDIR", "/tmp");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    assert!(text.contains("1 passed"), "the test was not found");
}

/// The same command as an unprivileged user with a home of its own.
pub fn as_nobody(home: &Path, command: Command) -> Command {
    let mut lowered = Command::new("setpriv");
    lowered
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(command.get_program())
        .env("HOME", home)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("GOPATH")
        .env_remove("GOCACHE")
        .env_remove("GOMODCACHE")
        .current_dir(home);
    lowered
}
