//! The command `deploy` with a real registry and a real cluster.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::namespace::{Namespace, kubeconfig};
use super::shop::answer_of;
use crate::docker::workspace::{Workspace, text};
use crate::registry::server::Registry;

/// The context that `tests/cluster/cluster` makes.
const CONTEXT: &str = "gantline-test";

/// A workspace of one service with an environment in a namespace of its own.
struct Deployment {
    workspace: Workspace,
    namespace: Namespace,
    /// Where the context is kept, and not in the home of who runs the tests.
    configuration: tempfile::TempDir,
}

impl Deployment {
    fn with_images_at(registry: &str) -> Self {
        let made = Self {
            workspace: Workspace::generated("quotes"),
            namespace: Namespace::new(),
            configuration: tempfile::tempdir().unwrap(),
        };
        made.workspace.push_to(registry);
        let add = ["add", "environment", "staging", "--context", CONTEXT];
        let place = ["--namespace", &made.namespace.name];
        let added = made.gantline(&[&add[..], &place].concat());
        assert!(added.status.success(), "{}", text(&added));
        made
    }

    fn gantline(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        command
            .args(arguments)
            .current_dir(self.workspace.path("."))
            .env("KUBECONFIG", kubeconfig())
            .env("XDG_CONFIG_HOME", self.configuration.path());
        command
    }

    /// Makes a version that cannot start; it needs no other image.
    fn break_the_service(&self) {
        let overlay = self.workspace.path("services/quotes/service.staging.yaml");
        std::fs::write(overlay, "env: {LOG_LEVEL: loud}\n").unwrap();
        let generated = self.gantline(&["generate"]);
        assert!(generated.status.success(), "{}", text(&generated));
    }

    /// The Deployment as YAML; empty when there is none.
    fn deployed(&self) -> String {
        let get = [
            "get",
            "deployment",
            "quotes",
            "--output=yaml",
            "--ignore-not-found",
        ];
        let output = self.namespace.kubectl(&get, "");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The states of the revisions.
    fn statuses(&self) -> Vec<String> {
        let history = self.answer("history", 0, &["history", "staging", "quotes"]);
        let revisions = history["revisions"].as_array().unwrap();
        let status = |it: &Value| it["status"].as_str().unwrap().to_owned();
        revisions.iter().map(status).collect()
    }

    /// Runs a command for programs, which exits with this code and answers by this schema.
    fn answer(&self, schema: &str, code: i32, arguments: &[&str]) -> Value {
        let output = self.gantline(&[arguments, &["--yes", "--format", "json"]].concat());
        answer_of(&output, schema, code)
    }

    /// What a deployment would have made in the namespace.
    fn objects(&self) -> String {
        let kinds = "deployments,services,jobs,leases,secrets";
        let get = ["get", kinds, "--output=name", "--ignore-not-found"];
        let output = self.namespace.kubectl(&get, "");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
#[ignore = "needs the cluster, Docker and Go"]
fn a_registry_that_is_down_ends_the_deployment_before_anything_changes() {
    let registry = Registry::open();
    let address = registry.address.clone();
    let deployment = Deployment::with_images_at(&registry.prefix());
    let pushed = deployment.gantline(&["build", "--push"]);
    assert!(pushed.status.success(), "{}", text(&pushed));
    let planned = deployment.gantline(&["deploy", "staging", "--plan"]);
    assert_eq!(planned.status.code(), Some(3), "{}", text(&planned));

    drop(registry);
    let run = deployment.gantline(&["deploy", "staging"]);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(4), "{said}");
    let expected = format!("the registry {address} cannot be reached");
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains("next:"), "{said}");
    assert_eq!(deployment.objects(), "");
}

#[test]
#[ignore = "needs the cluster, Docker and Go"]
fn a_deployment_that_builds_makes_the_image_that_is_missing() {
    let prefix = format!("localhost:5000/live-{}", std::process::id());
    let deployment = Deployment::with_images_at(&prefix);
    let refused = deployment.gantline(&["deploy", "staging"]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(said.contains("deploy with `--build`"), "{said}");
    assert_eq!(deployment.objects(), "");

    let deploy = ["deploy", "staging", "--build"];
    let built = deployment.answer("deploy", 0, &deploy);
    assert_eq!(built["releases"][0]["change"], "installed", "{built}");
    let again = deployment.answer("deploy", 0, &deploy);
    assert_eq!(again["releases"][0]["change"], "unchanged", "{again}");
}

#[test]
#[ignore = "needs the cluster, Docker and Go"]
fn a_services_life_is_told_to_programs_by_the_published_schemas() {
    let prefix = format!("localhost:5000/live-life-{}", std::process::id());
    let deployment = Deployment::with_images_at(&prefix);
    let told = |schema: &str, code, arguments: &[&str]| {
        let answer = deployment.answer(schema, code, arguments);
        let first = answer.pointer("/releases/0");
        first.cloned().unwrap_or(answer)
    };
    told("build", 0, &["build", "--push"]);
    told("deploy-plan", 3, &["deploy", "staging", "--plan"]);
    told("deploy", 0, &["deploy", "staging"]);

    let manifest = "services/quotes/service.yaml";
    deployment
        .workspace
        .append(manifest, "scale: {min: 1, max: 3}\n");
    told("generate", 0, &["generate"]);
    told("build", 0, &["build", "--push"]);
    let differs = told("diff", 3, &["diff", "staging"]);
    assert_eq!(differs["install"], false);
    let upgraded = told("deploy", 0, &["deploy", "staging"]);
    assert_eq!(upgraded["change"], "upgraded");

    let service = ["staging", "quotes"];
    let history = told("history", 0, &[&["history"], &service[..]].concat());
    assert_eq!(history["revisions"][1]["status"], "deployed");
    let back = [&["rollback"], &service[..]].concat();
    told("rollback-plan", 0, &[&back[..], &["--dry-run"]].concat());
    let restored = told("rollback", 0, &back);
    assert_eq!(restored["restored"], 1);
    told("destroy", 0, &["destroy", "staging", "--dry-run"]);
    let removed = told("destroy", 0, &["destroy", "staging"]);
    assert_eq!(removed["existed"], true);
}

#[test]
#[ignore = "needs the cluster, Docker and Go"]
fn ctrl_c_while_readiness_is_waited_for_brings_back_what_ran_before() {
    let prefix = format!("localhost:5000/live-interrupt-{}", std::process::id());
    let deployment = Deployment::with_images_at(&prefix);
    deployment.answer("deploy", 0, &["deploy", "staging", "--build"]);
    deployment.break_the_service();

    let mut deploying = deployment.command(&["deploy", "staging"]);
    let deploying = deploying.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = deploying.spawn().unwrap();
    let began = Instant::now();
    while !deployment.deployed().contains("value: loud") {
        assert!(began.elapsed() < Duration::from_secs(90), "not applied");
        std::thread::sleep(Duration::from_millis(200));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = text(&ended);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("revision 1 runs again"), "{said}");
    assert!(!deployment.deployed().contains("value: loud"));
    let expected = ["superseded", "failed", "deployed"];
    assert_eq!(deployment.statuses(), expected);
}

#[test]
#[ignore = "needs the cluster, Docker and Go"]
fn a_first_install_that_fails_is_kept_or_removed_as_the_flags_say() {
    let prefix = format!("localhost:5000/live-flags-{}", std::process::id());
    let deployment = Deployment::with_images_at(&prefix);
    deployment.break_the_service();
    let deploy = ["deploy", "staging", "--build", "--timeout", "2s"];
    let kept = deployment.gantline(&[&deploy[..], &["--keep-failed"]].concat());
    let said = text(&kept);
    assert_eq!(kept.status.code(), Some(1), "{said}");
    assert!(said.contains("not ready within 2 s"), "{said}");
    assert!(deployment.deployed().contains("value: loud"));

    let removed = deployment.gantline(&[&deploy[..], &["--atomic"]].concat());
    assert_eq!(removed.status.code(), Some(1), "{}", text(&removed));
    assert_eq!(deployment.deployed(), "");
}
