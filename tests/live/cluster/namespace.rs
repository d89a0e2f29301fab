//! A namespace of a test's own, which enforces Pod Security `restricted` and goes with the test.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};

/// The kubeconfig that `tests/cluster/cluster up` prints.
pub fn kubeconfig() -> PathBuf {
    let cache = std::env::var_os("GANTLINE_TEST_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    cache
        .unwrap_or_else(|| home().join(".cache/gantline-test"))
        .join("cluster/kubeconfig")
}

/// How a client of the cluster is made.
pub async fn config() -> kube::Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig()).expect("the cluster runs");
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap()
}

/// A client of the cluster.
pub async fn client() -> Client {
    Client::try_from(config().await).unwrap()
}

/// `kubectl` with these arguments.
pub fn kubectl(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("kubectl")
        .env("KUBECONFIG", kubeconfig())
        .arg("--request-timeout=60s")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is there: tests/setup cluster");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// A namespace, removed at the end.
pub struct Namespace {
    /// Its name, unique to the test.
    pub name: String,
}

impl Namespace {
    /// One that is not there yet.
    pub fn absent() -> Self {
        Self {
            name: unique_name(),
        }
    }

    /// Makes one that admits only pods that fulfil Pod Security `restricted`.
    pub fn new() -> Self {
        Self::named(&unique_name())
    }

    /// As [`Namespace::new`], of this name.
    pub fn named(name: &str) -> Self {
        let made = Self {
            name: name.to_owned(),
        };
        let manifest = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": made.name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        });
        let output = kubectl(&["create", "--filename=-"], &manifest.to_string());
        assert!(output.status.success(), "{output:?}");
        made
    }

    /// Applies objects in the namespace; panics with what `kubectl` says when one is refused.
    pub fn apply(&self, objects: &[serde_json::Value]) {
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let output = self.kubectl(
            &["apply", "--server-side", "--filename=-"],
            &list.to_string(),
        );
        assert!(output.status.success(), "{output:?}");
    }

    /// `kubectl` in the namespace.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        let namespaced = [&["--namespace", self.name.as_str()], arguments].concat();
        kubectl(&namespaced, input)
    }
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("live-{}-{count}", std::process::id())
}

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.name, "--wait=false"], "");
    }
}
