//! An exposed service reached through a real Gateway: Traefik beside the cluster.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gantline::engine::kubernetes::rollout::RolloutEnd;
use serde_json::{Value, json};

use super::namespace::{Namespace, client, kubeconfig, kubectl};
use super::rollout::{AMPLE, wait};
use crate::lint::rendered::Rendered;
use crate::lint::tool::{Tool, cache};

/// How long a route may take from acceptance to traffic.
const TRAFFIC: Duration = Duration::from_secs(30);

/// Gives the cluster the kinds of the Gateway API. Safe to repeat, and at the same time.
pub fn definitions() {
    let folder = cache().join("gateway-api").display().to_string();
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--filename",
        &folder,
    ];
    let output = kubectl(&apply, "");
    assert!(output.status.success(), "{output:?}");
    let kinds = ["httproutes", "gateways", "gatewayclasses"];
    for kind in kinds {
        let name = format!("crd/{kind}.gateway.networking.k8s.io");
        let output = kubectl(
            &[
                "wait",
                "--for=condition=Established",
                &name,
                "--timeout=60s",
            ],
            "",
        );
        assert!(output.status.success(), "{output:?}");
    }
}

/// A Gateway controller for one namespace, ended with the test.
struct Traefik {
    child: Child,
    port: u16,
    class: String,
}

impl Traefik {
    fn start(namespace: &Namespace) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let class = namespace.name.clone();
        let objects = [
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": class},
                "spec": {"controllerName": "traefik.io/gateway-controller"}}),
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "metadata": {"name": "public", "namespace": namespace.name},
                "spec": {"gatewayClassName": class, "listeners": [{"name": "web", "port": port, "protocol": "HTTP"}]}}),
        ];
        namespace.apply(&objects);
        let child = Command::new("traefik")
            .env("KUBECONFIG", kubeconfig())
            .arg(format!("--entrypoints.web.address=127.0.0.1:{port}"))
            .arg("--providers.kubernetesgateway=true")
            .arg(format!(
                "--providers.kubernetesgateway.namespaces={}",
                namespace.name
            ))
            .args([
                "--global.checknewversion=false",
                "--global.sendanonymoususage=false",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("traefik is there: tests/setup cluster");
        Self { child, port, class }
    }
}

impl Drop for Traefik {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        kubectl(&["delete", "gatewayclass", &self.class, "--wait=false"], "");
    }
}

/// The image of storefront in the cluster's registry: repository and digest.
fn image(folder: &str) -> (String, String) {
    let repository = "localhost:5000/live/storefront";
    let name = format!("{repository}:{}", std::process::id());
    for arguments in [
        vec!["build", "--tag", &name, folder],
        vec!["push", "--quiet", &name],
    ] {
        // Debian's client brings BuildKit; a newer one that stands before it needs a plugin.
        let debian = std::path::Path::new("/usr/bin/docker");
        let client = if debian.exists() {
            debian
        } else {
            std::path::Path::new("docker")
        };
        let output = Command::new(client)
            .env("DOCKER_BUILDKIT", "1")
            .args(&arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let format = ["inspect", "--format", "{{index .RepoDigests 0}}", &name];
    let output = Command::new("docker").args(format).output().unwrap();
    let reference = String::from_utf8(output.stdout).unwrap();
    let digest = reference.trim().split_once('@').unwrap().1.to_owned();
    Command::new("docker")
        .args(["rmi", &name])
        .output()
        .unwrap();
    (repository.to_owned(), digest)
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_exposed_service_is_reached_through_a_real_gateway() {
    definitions();
    let namespace = Namespace::new();
    let shop = Rendered::shop();
    let folder = &shop.service("storefront").folder;
    let (repository, digest) = image(&folder.display().to_string());
    let values = json!({
        "image": {"repository": repository, "digest": digest},
        "expose": {"hosts": ["shop.example"], "gateway": {"name": "public"}},
        "scale": {"min": 1, "max": 1},
    });
    let file = shop.environment().with_file_name("cluster.json");
    std::fs::write(&file, values.to_string()).unwrap();
    Tool::new("helm")
        .arguments([
            "upgrade",
            "--install",
            "storefront",
            "--namespace",
            &namespace.name,
        ])
        .argument("--kubeconfig")
        .argument(kubeconfig())
        .argument("--values")
        .argument(&file)
        .argument(folder.join("chart"))
        .passes();
    let manifest = Tool::new("helm")
        .arguments([
            "get",
            "manifest",
            "storefront",
            "--namespace",
            &namespace.name,
        ])
        .argument("--kubeconfig")
        .argument(kubeconfig())
        .passes();
    let objects: Vec<Value> = manifest
        .split("\n---")
        .map(|document| serde_yaml::from_str::<Value>(document).unwrap())
        .filter(|object| object.get("kind").is_some())
        .collect();

    // Nobody serves the Gateway yet, and it does not exist: the route is what is missing.
    let route: Vec<Value> = objects
        .iter()
        .filter(|it| it["kind"] == "HTTPRoute")
        .cloned()
        .collect();
    assert_eq!(route.len(), 1);
    let client = client().await;
    let (end, _) = wait(&client, &namespace, &route, AMPLE).await;
    let RolloutEnd::Failed(causes) = end else {
        panic!("a route to a Gateway that does not exist: {end:?}");
    };
    assert_eq!(causes[0].message, "the Gateway `public` does not exist");

    let traefik = Traefik::start(&namespace);
    assert_eq!(
        wait(&client, &namespace, &objects, AMPLE).await.0,
        RolloutEnd::Ready
    );
    let url = format!("http://127.0.0.1:{}/checkouts", traefik.port);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let began = Instant::now();
    loop {
        let request = http
            .post(&url)
            .header("host", "shop.example")
            .header("content-type", "application/json");
        let answer = request.body("{").send().await;
        let kind = answer
            .as_ref()
            .ok()
            .and_then(|it| it.headers().get("content-type").cloned());
        if kind.is_some_and(|it| {
            it.to_str()
                .unwrap_or_default()
                .starts_with("application/problem+json")
        }) {
            assert_eq!(answer.unwrap().status(), 400);
            break;
        }
        assert!(began.elapsed() < TRAFFIC, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
