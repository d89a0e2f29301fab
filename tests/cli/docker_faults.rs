//! A Docker that is not as it should be: what is said, and the way out.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use snapbox::{assert_data_eq, str};

use super::workspace::{Run, Workspace};

/// What a daemon answers to every question: a body in JSON, or nothing.
pub fn daemon(workspace: &Workspace, body: Option<&'static str>) -> String {
    let socket = workspace.path("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _asked = stream.read(&mut [0; 4096]);
            let Some(body) = body else { continue };
            let _answered = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("unix://{}", socket.display())
}

/// Forbids the socket in a workspace to whoever runs gantline there.
fn forbid(workspace: &Workspace) {
    workspace.belongs_to_nobody();
    let socket = workspace.path("docker.sock");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
}

fn up(workspace: &Workspace, host: &str) -> Run {
    workspace.gantline_with(&[("DOCKER_HOST", host)], &["up", "--detach", "--quiet"])
}

#[test]
fn a_docker_that_is_too_old_is_named_with_what_is_needed() {
    let workspace = Workspace::shop_with_orders();
    let host = daemon(
        &workspace,
        Some(r#"{"Version":"1.12.6","ApiVersion":"1.24"}"#),
    );
    assert_data_eq!(
        up(&workspace, &host).to_string(),
        str![[r#"
exit code 4
--- stderr
error: Docker at unix://[ROOT]/docker.sock (DOCKER_HOST) is too old
  why: it speaks version 1.24 of its API, and gantline needs 1.41
 next: Update it to Docker Engine 20.10 or newer
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
}

#[test]
fn a_docker_that_may_not_be_used_is_told_from_one_that_does_not_run() {
    let workspace = Workspace::shop_with_orders();
    let host = daemon(&workspace, None);
    forbid(&workspace);
    let run =
        workspace.gantline_as_nobody(&[("DOCKER_HOST", &host)], &["up", "--detach", "--quiet"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 4
--- stderr
error: you may not use Docker at unix://[ROOT]/docker.sock (DOCKER_HOST)
  why: Permission denied (os error 13)
 next: Let an administrator add you to the group that owns the socket, often `docker`, and log in again
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
}

#[test]
fn a_socket_that_is_forbidden_to_a_build_keeps_its_way_out() {
    let workspace = Workspace::shop_with_orders().file("docker.sock", "");
    workspace.gantline(&["generate"]).succeeds();
    let host = format!("unix://{}", workspace.path("docker.sock").display());
    forbid(&workspace);
    let run = workspace.gantline_as_nobody(
        &[("DOCKER_HOST", &host)],
        &["build", "--dry-run", "orders", "--quiet"],
    );
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 4
--- stderr
error: you may not use Docker at unix://[ROOT]/docker.sock (DOCKER_HOST)
  why: Permission denied (os error 13)
 next: Let an administrator add you to the group that owns the socket, often `docker`, and log in again
 next: Without Docker images can be built natively and pushed: `gantline build --push`

"#]]
    );
}

#[test]
fn a_docker_that_hangs_up_is_no_end_without_a_way_out() {
    let workspace = Workspace::shop_with_orders();
    let host = daemon(&workspace, None);
    assert_data_eq!(
        up(&workspace, &host).to_string(),
        str![[r#"
exit code 4
--- stderr
error: Docker cannot be reached at unix://[ROOT]/docker.sock (DOCKER_HOST)
  why: connection closed before message completed
 next: Start Docker, or choose another one with DOCKER_HOST or `docker context use`
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
}

#[test]
fn a_socket_that_is_none_is_named() {
    let workspace = Workspace::shop_with_orders().file("docker.sock", "");
    let host = format!("unix://{}", workspace.path("docker.sock").display());
    assert_data_eq!(
        up(&workspace, &host).to_string(),
        str![[r#"
exit code 4
--- stderr
error: Docker cannot be reached at unix://[ROOT]/docker.sock (DOCKER_HOST)
  why: Connection refused (os error 111)
 next: Start Docker, or choose another one with DOCKER_HOST or `docker context use`
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
    assert_data_eq!(
        up(&workspace, "carrier-pigeon://coop").to_string(),
        str![[r#"
exit code 4
--- stderr
error: Docker cannot be reached at carrier-pigeon://coop (DOCKER_HOST)
  why: URI scheme is not supported: carrier-pigeon://coop
 next: Start Docker, or choose another one with DOCKER_HOST or `docker context use`
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
}

#[test]
fn a_docker_behind_ssh_is_refused_with_the_way_to_it() {
    let workspace = Workspace::shop_with_orders();
    assert_data_eq!(
        up(&workspace, "ssh://me@build.example").to_string(),
        str![[r#"
exit code 4
--- stderr
error: Docker at ssh://me@build.example (DOCKER_HOST) is reached through SSH, which gantline does not speak
 next: Forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock me@build.example`, and set DOCKER_HOST=unix:///tmp/docker.sock
 next: Or choose a Docker at unix:// or tcp:// with DOCKER_HOST or `docker context use`
 next: Or run everything as host processes: `--runtime process`

"#]]
    );
}
