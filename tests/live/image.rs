//! The image of a generated service: built from its Dockerfile, run as a cluster would run it.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::lint::rendered::Rendered;

/// How long a build may take on a slow machine with no caches.
const BUILD_SECONDS: &str = "1200";
/// How long a container may take to answer.
const START: Duration = Duration::from_secs(60);

/// Debian's client brings BuildKit; a newer one that stands before it needs a plugin.
fn docker(arguments: &[&str]) -> Output {
    let client = Path::new("/usr/bin/docker");
    let client = if client.exists() {
        client
    } else {
        Path::new("docker")
    };
    Command::new("timeout")
        .arg(BUILD_SECONDS)
        .arg(client)
        .args(arguments)
        .env("DOCKER_BUILDKIT", "1")
        .stdin(Stdio::null())
        .output()
        .expect("timeout can be run")
}

fn succeeds(arguments: &[&str]) -> String {
    let output = docker(arguments);
    assert!(output.status.success(), "docker {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An image and a container of one test, which go with it.
struct Owned {
    image: String,
    container: String,
}

impl Owned {
    fn new() -> Self {
        let name = format!("gantline-image-test-{}", std::process::id());
        Self {
            image: format!("{name}:1"),
            container: name,
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.container]);
        docker(&["rmi", "--force", &self.image]);
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_service_runs_as_nobody_on_a_read_only_file_system_and_stops_when_told() {
    let shop = Rendered::shop();
    let folder = shop.service("storefront").folder.display().to_string();
    let owned = Owned::new();
    succeeds(&["build", "--tag", &owned.image, &folder]);

    let user = succeeds(&["inspect", "--format", "{{.Config.User}}", &owned.image]);
    assert_eq!(user, "65532:65532");
    succeeds(&[
        "run",
        "--detach",
        "--name",
        &owned.container,
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--tmpfs=/tmp",
        "--env=ORDERS_URL=http://127.0.0.1:1",
        &owned.image,
    ]);
    let probe = ["exec", &owned.container, "/app/storefront", "healthcheck"];
    let deadline = Instant::now() + START;
    while !docker(&probe).status.success() {
        let logs = || docker(&["logs", &owned.container]);
        assert!(Instant::now() < deadline, "no answer: {:?}", logs());
        std::thread::sleep(Duration::from_millis(200));
    }
    succeeds(&["stop", "--time", "20", &owned.container]);
    let code = succeeds(&[
        "inspect",
        "--format",
        "{{.State.ExitCode}}",
        &owned.container,
    ]);
    assert_eq!(code, "0", "it ends by itself when told to");
}
