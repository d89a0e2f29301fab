//! A shop of a vendor's services in a namespace of its own: nothing is built, and a service is
//! ready almost at once.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::namespace::{Namespace, kubeconfig};
use crate::docker::workspace::text;
use crate::schemas::{assert_events, assert_valid};

/// The context that `tests/cluster/cluster` makes.
const CONTEXT: &str = "gantline-test";
/// The image of every service, in the cluster's registry.
pub const IMAGE: &str = "localhost:5000/library/busybox:1.37";
/// What a service runs that is ready at once, and ends when it is told to.
pub const QUICK: &str = "trap exit TERM; httpd -f -p 8080 -h /tmp & wait";
/// What a service runs that takes a while.
pub const SLOW: &str = "trap exit TERM; sleep 5 & wait $!; httpd -f -p 8080 -h /tmp & wait";
/// What a service runs that is ready long after another, also where that one starts late.
pub const SLOWEST: &str = "trap exit TERM; sleep 30 & wait $!; httpd -f -p 8080 -h /tmp & wait";
/// What the service of [`Shop::with_events`] says besides.
pub const USES_EVENTS: &str = "uses: {events: events}\n";
/// How long something that is waited for may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What a command answered to a program, when it exited with this code and kept to this schema.
pub fn answer_of(output: &Output, schema: &str, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    assert_events(&String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_valid(schema, &answer);
    answer
}

/// A workspace whose environment `live` is a namespace of the cluster.
pub struct Shop {
    folder: tempfile::TempDir,
    /// The namespace.
    pub namespace: Namespace,
    /// Who runs the commands.
    kubeconfig: PathBuf,
}

impl Shop {
    /// A shop of these services, each of which is ready at once.
    pub fn new(services: &[&str]) -> Self {
        let shop = Self::empty(Namespace::new(), "{}");
        for service in services {
            shop.service(service, QUICK);
        }
        shop.enters(&[]);
        shop
    }

    /// A shop of the service `pages`, which uses `events`: a server that is to run in this
    /// namespace.
    pub fn with_events(namespace: Namespace) -> Self {
        let shop = Self::empty(namespace, "{events: nats}");
        shop.service_and("pages", QUICK, USES_EVENTS);
        shop.enters(&["--in-cluster", "all"]);
        shop
    }

    fn empty(namespace: Namespace, resources: &str) -> Self {
        let shop = Self {
            folder: tempfile::tempdir().unwrap(),
            namespace,
            kubeconfig: kubeconfig(),
        };
        let workspace = "version: 1\nname: live\nmodule: example.com/live\n";
        let workspace =
            format!("{workspace}registry: localhost:5000/live\nresources: {resources}\n");
        shop.write("gantline.yaml", &workspace);
        shop
    }

    /// The same shop, whose commands are run by the user of this kubeconfig.
    #[must_use]
    pub fn acting_as(mut self, kubeconfig: PathBuf) -> Self {
        self.kubeconfig = kubeconfig;
        self
    }

    fn enters(&self, more: &[&str]) {
        self.done(&["generate"]);
        let add = ["add", "environment", "live", "--context", CONTEXT];
        let place = ["--namespace", &self.namespace.name];
        self.done(&[&add[..], &place, more].concat());
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Where a file of the workspace is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A file of the workspace.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Adds a service that runs this script, or changes it.
    pub fn service(&self, name: &str, script: &str) {
        self.service_and(name, script, "");
    }

    /// As [`Shop::service`], with more in its manifest.
    pub fn service_and(&self, name: &str, script: &str, more: &str) {
        let manifest = format!(
            "name: {name}\nimage: {IMAGE}\nports: {{http: 8080}}\nhealth: {{tcp: http}}\n\
             command: [sh, -c]\nargs: [\"{script}\"]\nscale: 1\n{more}"
        );
        self.write(&format!("services/{name}/service.yaml"), &manifest);
    }

    /// Takes a service out of the workspace; its release stays.
    pub fn remove(&self, service: &str) {
        let folder = self.folder.path().join("services").join(service);
        std::fs::remove_dir_all(folder).unwrap();
        self.done(&["generate"]);
    }

    /// Changes what a service runs, up to its chart.
    pub fn change(&self, service: &str, script: &str) {
        self.service(service, script);
        self.done(&["generate"]);
    }

    /// A run of the program.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("KUBECONFIG", &self.kubeconfig)
            // Where the context is kept: not in the home of who runs the tests.
            .env("XDG_CONFIG_HOME", self.folder.path().join(".gantline/run"));
        command
    }

    /// Runs the program.
    pub fn gantline(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program, which must end well; what it said.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.gantline(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        text(&output)
    }

    /// Runs a command for programs, which exits with this code and answers by this schema.
    pub fn answer(&self, schema: &str, code: i32, arguments: &[&str]) -> Value {
        let output = self.gantline(&[arguments, &["--yes", "--format", "json"]].concat());
        answer_of(&output, schema, code)
    }

    /// Runs a command and kills it, as `kill -9` does, as soon as something holds.
    pub fn killed_once(&self, arguments: &[&str], what: &str, holds: impl Fn() -> bool) {
        let mut command = self.command(arguments);
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child: Child = silent.stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while !holds() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{arguments:?} ended before {what}");
            assert!(began.elapsed() < PATIENCE, "{arguments:?}: never {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The names of objects, as `kubectl get` selects them.
    pub fn found(&self, selection: &[&str]) -> Vec<String> {
        let always = ["--output=name", "--ignore-not-found"];
        let get = [&["get"], selection, &always].concat();
        let output = self.namespace.kubectl(&get, "");
        assert!(output.status.success(), "{}", text(&output));
        let names = String::from_utf8(output.stdout).unwrap();
        names.lines().map(str::to_owned).collect()
    }

    /// Whether a release has a revision of this state.
    pub fn has_revision(&self, release: &str, status: &str) -> bool {
        let labels = format!("--selector=owner=helm,name={release},status={status}");
        !self.found(&["secrets", &labels]).is_empty()
    }

    /// The states of the revisions of a release, oldest first.
    pub fn statuses(&self, release: &str) -> Vec<String> {
        let history = self.answer("history", 0, &["history", "live", release]);
        let revisions = history["revisions"].as_array().unwrap().iter();
        let status = |it: &Value| it["status"].as_str().unwrap().to_owned();
        revisions.map(status).collect()
    }
}

/// The titles of the objects that an answer lists under a name: `Secret/events`.
pub fn titles(answer: &Value, member: &str) -> Vec<String> {
    let keys = answer[member].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.map(|key| format!("{}/{}", text(&key["kind"]), text(&key["name"])))
        .collect()
}

/// A member of the answer about one release.
pub fn of_release<'a>(answer: &'a Value, release: &str, member: &str) -> &'a Value {
    let mut releases = answer["releases"].as_array().unwrap().iter();
    let found = releases.find(|it| it["release"] == release);
    &found.unwrap_or_else(|| panic!("no {release}: {answer}"))[member]
}
