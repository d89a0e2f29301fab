//! `gantline demo`: the whole path on each runtime, from an empty folder to an order that was
//! billed, with nothing left behind.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::schemas::{assert_events, assert_valid};

/// How long a demonstration may take on a slow machine with no caches, in seconds.
const LONGEST: &str = "1200";

fn demo(folder: &Path, place: &[&str]) -> Value {
    demo_with(&[], folder, place)
}

fn demo_with(environment: &[(&str, &Path)], folder: &Path, place: &[&str]) -> Value {
    let output = Command::new("timeout")
        .envs(environment.iter().copied())
        .args([LONGEST, env!("CARGO_BIN_EXE_gantline")])
        .args(["demo", "--stop", "--format", "json", "--directory"])
        .arg(folder)
        .args(place)
        .stdin(Stdio::null())
        .output()
        .expect("timeout can be run");
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{progress}", output.status);
    assert_events(&progress);
    let answer = serde_json::from_slice(&output.stdout).expect("one JSON document on stdout");
    assert_valid("demo", &answer);
    answer
}

fn assert_an_upgrade_kept_the_edits(answer: &Value, workspace: &Path) {
    for service in ["storefront", "orders", "billing"] {
        let file = format!("services/{service}/internal/platform/lifecycle/supervisor.go");
        let merged = serde_json::json!({ "path": file, "outcome": "merged" });
        let files = answer["upgraded"]["files"].as_array().expect("files");
        assert!(files.contains(&merged), "{file}: {answer}");
        let text = std::fs::read_to_string(workspace.join(&file)).unwrap();
        for line in ["edited", "newer"] {
            let line = answer["upgraded"][line].as_str().expect("a line");
            assert!(text.contains(line), "{file} has no {line}");
        }
        let folder = workspace.join("services").join(service);
        assert_success("go", &folder, &["vet", "./..."]);
    }
    let gantline = env!("CARGO_BIN_EXE_gantline");
    assert_success(gantline, workspace, &["generate", "--check"]);
    assert_success(gantline, workspace, &["contract", "check"]);
}

fn assert_success(program: &str, folder: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}\n{said}");
}

fn assert_the_order_went_through(answer: &Value) {
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["running"], false);
    assert_eq!(answer["status"], 201);
    assert_eq!(
        answer["refused"], "contracts do not hold: billing counts on orders",
        "the gate says no to a broken contract"
    );
    assert_eq!(
        answer["refused_document"],
        "contracts do not fit the documents: storefront counts on orders",
        "the gate says no to a broken document"
    );
    let trail = answer["trail"].as_array().expect("a trail");
    for service in ["storefront", "orders", "billing"] {
        let told = trail.iter().any(|line| line["thing"] == service);
        assert!(told, "{service} says nothing of the order: {answer}");
    }
}

mod process {
    use super::*;

    #[test]
    #[ignore = "needs Go, and PostgreSQL or npm"]
    fn the_demo_sends_an_order_through_processes_and_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let answer = demo(folder.path(), &["--runtime", "process"]);
        assert_the_order_went_through(&answer);
        assert_an_upgrade_kept_the_edits(&answer, &folder.path().join("shop"));
        let root = folder.path().canonicalize().unwrap();
        let left = processes_in(&root);
        assert!(left.is_empty(), "{left:?}");
    }

    /// Command lines of processes that run in, or from, a folder.
    fn processes_in(folder: &Path) -> Vec<String> {
        let folder = folder.to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let here = std::fs::read_link(entry.path().join("cwd"));
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let works_there = here.is_ok_and(|here| here.starts_with(&folder));
            if works_there || line.contains(&folder) {
                found.push(line);
            }
        }
        found
    }
}

mod docker {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn the_demo_sends_an_order_through_containers_and_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let answer = demo(folder.path(), &["--runtime", "docker"]);
        assert_the_order_went_through(&answer);
        let workspace = folder.path().join("shop");
        assert_an_upgrade_kept_the_edits(&answer, &workspace);
        let stack = stack_id(&workspace);
        for things in ["container", "network", "volume"] {
            let left = left_of(&stack, things);
            assert!(left.is_empty(), "{things}: {left}");
        }
    }

    /// Names everything that the stack has in Docker.
    fn stack_id(workspace: &Path) -> String {
        let text = std::fs::read(workspace.join(".gantline/run/checkout.json")).unwrap();
        let checkout: Value = serde_json::from_slice(&text).unwrap();
        checkout["stack"].as_str().expect("an id").to_owned()
    }

    fn left_of(stack: &str, things: &str) -> String {
        let all: &[&str] = if things == "container" {
            &["--all"]
        } else {
            &[]
        };
        let output = Command::new("docker")
            .args([things, "ls", "--quiet"])
            .args(all)
            .args(["--filter", &format!("label=dev.gantline.stack={stack}")])
            .output()
            .expect("docker can be run");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

mod cluster {
    use super::*;
    use crate::cluster::namespace::{Namespace, kubeconfig};

    /// The context that `tests/cluster/cluster` makes.
    const CONTEXT: &str = "gantline-test";

    #[test]
    #[ignore = "needs the cluster"]
    fn the_demo_deploys_the_shop_and_a_bad_version_takes_itself_back() {
        let folder = tempfile::tempdir().unwrap();
        let _restricted = Namespace::named("shop-demo");
        let kubeconfig = kubeconfig();
        let place = ["--deploy", CONTEXT, "--registry", "localhost:5000/demo"];
        let answer = demo_with(
            &[("KUBECONFIG", kubeconfig.as_path())],
            folder.path(),
            &place,
        );
        assert_the_order_went_through(&answer);
        assert_an_upgrade_kept_the_edits(&answer, &folder.path().join("shop"));
        assert_eq!(
            answer["kept"], "orders is not deployed: what is in use would be gone",
            "a migration that drops what is in use is refused"
        );
        let said = answer["rolled_back"].as_str().expect("a reason");
        assert!(said.contains("revision 1 runs again"), "{said}");
    }
}
