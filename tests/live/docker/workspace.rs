//! A workspace of two small services, and what Docker has of it; removed even after a panic.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gantline::engine::docker::{DockerOptions, DockerRuntime};
use gantline::engine::runtime::{Artifact, Progress, Runtime, RuntimeContext};
use gantline::error::Error;
use gantline::model::name::Name;
use gantline::model::secret::Secret;
use gantline::model::stack::{Instance, Program, Role, ServerProgram};
use gantline::report::RecordingReporter;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Map, Value};

/// The program of both services: standard library alone.
const SERVICE: &str = include_str!("fixture/service.go.txt");

/// Makes a server's image available, as `up` does before it starts one.
pub async fn prepare_server(image: &str) -> Result<Artifact, Error> {
    let folder = tempfile::tempdir().unwrap();
    let context = RuntimeContext {
        stack: "live-image".to_owned(),
        root: folder.path().to_path_buf(),
        run: folder.path().join("run"),
    };
    let runtime = DockerRuntime::new(context, DockerOptions::default());
    let instance = Instance {
        name: "none".to_owned(),
        role: Role::Resource,
        program: Program::Server(ServerProgram {
            kind: Name::new("none").unwrap(),
            version: "1".to_owned(),
            image: image.to_owned(),
            arguments: Vec::new(),
            files: BTreeMap::new(),
            data: None,
            process: None,
            administrator: String::new(),
            administrator_password: Secret::default(),
        }),
        environment: BTreeMap::new(),
        endpoints: Vec::new(),
        ready: None,
        after: Vec::new(),
        deadline_seconds: 60,
    };
    let events = Arc::new(RecordingReporter::default());
    runtime
        .prepare(&instance, &Progress::new(events, "none"))
        .await
}

/// A workspace in a folder of its own.
pub struct Workspace {
    root: tempfile::TempDir,
}

/// What a program wrote to both streams.
pub fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|it| String::from_utf8_lossy(it)).concat()
}

/// What the docker program says.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Workspace {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = Self { root };
        workspace.write(
            "gantline.yaml",
            "version: 1\ngantline: \">=0.1, <0.2\"\nname: live\nmodule: example.com/live\n\
             registry: ghcr.io/acme/live\nservices: services/*\nresources:\n  \
             orders-db: {type: postgres, version: \"17\"}\n  events: {type: nats}\n",
        );
        workspace.add_service(
            "orders",
            "options: {entity: order, transport: rest, store: postgres, messaging: nats}\n\
             uses: {store: orders-db, messaging: events}\npublishes: [order-placed]\n",
        );
        workspace.add_service(
            "storefront",
            "options: {entity: checkout, store: none, messaging: none}\nneeds: [orders]\n",
        );
        workspace
    }

    /// A workspace with these files besides its `gantline.yaml`.
    pub fn with_files(files: &[(String, String)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = Self { root };
        workspace.write(
            "gantline.yaml",
            "version: 1\nname: live\nmodule: example.com/live\nregistry: ghcr.io/acme/live\n",
        );
        for (path, text) in files {
            workspace.write(path, text);
        }
        workspace
    }

    /// A workspace with one generated service that needs nothing.
    pub fn generated(service: &str) -> Self {
        Self::with_service(service, &[])
    }

    /// A workspace with one generated service that keeps rows.
    pub fn with_a_store(service: &str) -> Self {
        Self::with_service(service, &["--with", "store=postgres"])
    }

    fn with_service(service: &str, options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = Self { root };
        workspace.write(
            "gantline.yaml",
            "version: 1\nname: live\nmodule: example.com/live\nregistry: ghcr.io/acme/live\n",
        );
        let add = ["add", "service", service, "--blueprint", "go-service"];
        let always = ["--with", "entity=quote", "--yes"];
        let added = workspace.run(&[&add[..], &always, options].concat());
        assert!(added.status.success(), "{}", text(&added));
        workspace
    }

    /// The same workspace in another folder, as a clone of the repository has it.
    pub fn cloned(&self) -> Self {
        let root = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(format!("{}/.", self.root.path().display()))
            .arg(root.path())
            .status()
            .unwrap();
        assert!(copied.success());
        let clone = Self { root };
        let _absent = std::fs::remove_dir_all(clone.path(".gantline/run"));
        clone
    }

    /// Names another prefix of images.
    pub fn push_to(&self, registry: &str) {
        let path = self.path("gantline.yaml");
        let before = std::fs::read_to_string(&path).unwrap();
        let lines = before
            .lines()
            .map(|line| match line.starts_with("registry:") {
                true => format!("registry: {registry}\n"),
                false => format!("{line}\n"),
            });
        std::fs::write(path, lines.collect::<String>()).unwrap();
    }

    /// Runs the program with further variables in its environment.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(self.root.path())
            .output()
            .unwrap()
    }

    /// A comment in Go that no other workspace has.
    pub fn unique_comment(&self) -> String {
        format!("\n// {}\n", self.root.path().display())
    }

    /// Adds text at the end of a file.
    pub fn append(&self, path: &str, text: &str) {
        let path = self.path(path);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, before + text).unwrap();
    }

    /// Replaces text in a file.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let path = self.path(path);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{before}");
        std::fs::write(path, before.replace(from, to)).unwrap();
    }

    fn add_service(&self, name: &str, rest: &str) {
        let folder = format!("services/{name}");
        let manifest = format!("name: {name}\nblueprint: go-service@1\n{rest}");
        self.write(&format!("{folder}/service.yaml"), &manifest);
        let module = format!("module example.com/live/services/{name}\n\ngo 1.26.0\n");
        self.write(&format!("{folder}/go.mod"), &module);
        self.write(&format!("{folder}/cmd/{name}/main.go"), SERVICE);
        let dockerfile = format!(
            "FROM golang:1.26-bookworm AS build\nWORKDIR /src\nCOPY . .\n\
             RUN --mount=type=cache,target=/root/.cache/go-build \
             CGO_ENABLED=0 go build -o /out/{name} ./cmd/{name}\n\n\
             FROM gcr.io/distroless/static-debian12:nonroot\n\
             COPY --from=build /out/{name} /app/{name}\nUSER 65532:65532\n\
             ENTRYPOINT [\"/app/{name}\"]\n"
        );
        self.write(&format!("{folder}/Dockerfile"), &dockerfile);
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Sets a variable of a service, by its manifest.
    pub fn edit_environment(&self, service: &str, variable: &str) {
        let path = self.path(&format!("services/{service}/service.yaml"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}env: {{{variable}: \"1\"}}\n")).unwrap();
    }

    pub fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    /// Runs the program here.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .current_dir(self.root.path())
            .output()
            .unwrap()
    }

    /// Runs the program, and interrupts it as Ctrl-C does once its progress holds `texts`.
    pub fn interrupt_when(&self, arguments: &[&str], texts: &[&str]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let progress = BufReader::new(child.stderr.take().unwrap());
        let mut lines = progress.lines();
        for line in lines.by_ref() {
            said.push_str(&(line.unwrap() + "\n"));
            if texts.iter().all(|text| said.contains(text)) {
                break;
            }
        }
        // The last line of a start comes a moment before the start is over.
        if texts.len() > 1 {
            std::thread::sleep(Duration::from_secs(2));
        }
        let process = Pid::from_raw(child.id().try_into().unwrap());
        kill(process, Signal::SIGINT).unwrap();
        lines
            .map_while(Result::ok)
            .for_each(|line| said.push_str(&(line + "\n")));
        Output {
            status: child.wait().unwrap(),
            stdout: Vec::new(),
            stderr: said.into_bytes(),
        }
    }

    /// Runs the program, and interrupts it as Ctrl-C does once something is so.
    pub fn interrupt_once(&self, arguments: &[&str], is_so: impl Fn(&Self) -> bool) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gantline"))
            .args(arguments)
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while !is_so(self) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let process = Pid::from_raw(child.id().try_into().unwrap());
        kill(process, Signal::SIGINT).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The signals that the container of an instance was sent, oldest first.
    pub fn signals(&self, instance: &str) -> Vec<String> {
        let container = format!("container={}", self.container(instance));
        let only = ["--filter", "event=kill", "--filter", &container];
        // A time without a fraction would leave out what was sent in this very second.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let times = ["--since", "30m", "--until", &now];
        let format = ["--format", "{{.Actor.Attributes.signal}}"];
        let signals = docker(&[&["events"][..], &times, &only, &format].concat());
        signals.lines().map(str::to_owned).collect()
    }

    /// The things of `status`, by name.
    pub fn status(&self) -> Map<String, Value> {
        let output = self.run(&["status", "--format", "json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let things = answer["things"].as_array().unwrap().iter();
        things
            .map(|thing| (thing["name"].as_str().unwrap().to_owned(), thing.clone()))
            .collect()
    }

    /// What the public endpoint of a service answers.
    pub fn get(&self, service: &str) -> String {
        let url = self.status()[service]["endpoints"]["http"].clone();
        let output = Command::new("curl")
            .args(["--silent", "--fail", "--max-time", "10"])
            .arg(url.as_str().unwrap())
            .output()
            .unwrap();
        text(&output)
    }

    /// The id of its stack.
    pub fn stack(&self) -> String {
        let path = self.path(".gantline/run/checkout.json");
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        file["stack"].as_str().unwrap().to_owned()
    }

    /// The container of an instance.
    pub fn container(&self, instance: &str) -> String {
        format!("{}-{instance}", self.stack())
    }

    /// Containers of tests that `gantline test` left.
    pub fn test_containers(&self) -> String {
        let filter = format!("{}-test", self.filter());
        docker(&["ps", "--all", "--quiet", "--filter", &filter])
    }

    fn filter(&self) -> String {
        format!("label=dev.gantline.stack={}", self.stack())
    }

    pub fn containers(&self) -> String {
        docker(&["ps", "--all", "--quiet", "--filter", &self.filter()])
    }

    pub fn networks(&self) -> String {
        docker(&["network", "ls", "--quiet", "--filter", &self.filter()])
    }

    pub fn volumes(&self) -> String {
        docker(&["volume", "ls", "--quiet", "--filter", &self.filter()])
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if Path::new(&self.path(".gantline/run/checkout.json")).exists() {
            self.run(&["down", "--volumes"]);
        }
    }
}
