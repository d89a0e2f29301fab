//! `gantline demo`: the whole path on each runtime, from an empty folder to an order that was
//! billed, with nothing left behind.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

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
    serde_json::from_slice(&output.stdout).expect("one JSON document on stdout")
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
        assert_the_order_went_through(&demo(folder.path(), &["--runtime", "process"]));
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
        assert_the_order_went_through(&demo(folder.path(), &["--runtime", "docker"]));
        let stack = stack_id(&folder.path().join("shop"));
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
        assert_eq!(
            answer["kept"], "orders is not deployed: what is in use would be gone",
            "a migration that drops what is in use is refused"
        );
        let said = answer["rolled_back"].as_str().expect("a reason");
        assert!(said.contains("revision 1 runs again"), "{said}");
    }
}
