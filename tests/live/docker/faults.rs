//! Docker that changes under a stack: containers removed by hand, ports taken, a daemon that goes
//! away while `up` works.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::workspace::{self, Workspace, docker};

#[test]
#[ignore = "needs Docker"]
fn a_container_that_was_removed_by_hand_is_shown_and_started_again_alone() {
    let workspace = Workspace::new();
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    let other = docker(&[
        "inspect",
        "--format",
        "{{.Id}}",
        &workspace.container("orders"),
    ]);
    docker(&["rm", "--force", &workspace.container("storefront")]);
    assert_eq!(workspace.status()["storefront"]["state"], "stopped");

    let again = workspace.run(&["up", "--detach"]);
    assert!(again.status.success(), "{}", workspace::text(&again));
    assert_eq!(workspace.status()["storefront"]["state"], "ready");
    let kept = docker(&[
        "inspect",
        "--format",
        "{{.Id}}",
        &workspace.container("orders"),
    ]);
    assert_eq!(kept, other);
}

#[test]
#[ignore = "needs Docker"]
fn a_port_that_somebody_took_meanwhile_is_replaced_by_a_free_one() {
    let workspace = Workspace::new();
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    let before = address(&workspace);
    docker(&["rm", "--force", &workspace.container("storefront")]);
    let _thief = TcpListener::bind(&before).unwrap();

    let again = workspace.run(&["up", "--detach"]);
    assert!(again.status.success(), "{}", workspace::text(&again));
    assert_ne!(address(&workspace), before);
}

/// The public address of the storefront, without its scheme.
fn address(workspace: &Workspace) -> String {
    let status = workspace.status();
    let url = status["storefront"]["endpoints"]["http"].as_str().unwrap();
    url.trim_start_matches("http://").to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn a_daemon_that_goes_away_while_up_works_is_said_and_the_next_down_cleans_up() {
    let workspace = Workspace::new();
    let daemon = Daemon::in_front_of_docker(&workspace.path("docker.sock"));
    let host = format!("unix://{}", workspace.path("docker.sock").display());
    // Containers are there, and services about to be asked whether they are ready.
    daemon.leave_after("/containers/create?name=", 3);
    let up = workspace.run_with(&[("DOCKER_HOST", &host)], &["up", "--detach", "--quiet"]);
    let said = workspace::text(&up);
    assert_eq!(up.status.code(), Some(4), "{said}");
    assert!(said.contains("docker info"), "{said}");
    assert!(!workspace.containers().is_empty(), "{said}");

    let down = workspace.run(&["down", "--volumes"]);
    assert!(down.status.success(), "{}", workspace::text(&down));
    assert_eq!(workspace.containers(), "");
    assert_eq!(workspace.networks(), "");
    assert_eq!(workspace.volumes(), "");
}

/// A socket that passes everything on to the Docker daemon, until it is told to leave.
struct Daemon {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    gone: AtomicBool,
    connections: Mutex<Vec<UnixStream>>,
    trigger: Mutex<Option<(String, usize)>>,
}

impl Daemon {
    fn in_front_of_docker(socket: &Path) -> Self {
        let state = Arc::new(State::default());
        let listener = UnixListener::bind(socket).unwrap();
        let (shared, socket) = (Arc::clone(&state), socket.to_path_buf());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.gone.load(Ordering::SeqCst) {
                    break;
                }
                serve(&shared, client.unwrap(), &socket);
            }
        });
        Self { state }
    }

    /// From when on nobody answers any more: after so many requests whose text holds this.
    fn leave_after(&self, text: &str, times: usize) {
        *self.state.trigger.lock().unwrap() = Some((text.to_owned(), times));
    }
}

impl State {
    fn leave(&self, socket: &Path) {
        self.gone.store(true, Ordering::SeqCst);
        let _removed = std::fs::remove_file(socket);
        for connection in self.connections.lock().unwrap().iter() {
            let _closed = connection.shutdown(Shutdown::Both);
        }
    }

    fn sees(&self, bytes: &[u8]) -> bool {
        let mut trigger = self.trigger.lock().unwrap();
        let Some((text, left)) = trigger.as_mut() else {
            return false;
        };
        let found = bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        *left -= usize::from(found && *left > 0);
        *left == 0
    }
}

/// Passes on both directions of a connection.
fn serve(state: &Arc<State>, client: UnixStream, socket: &Path) {
    let server = UnixStream::connect(daemon_socket()).unwrap();
    let kept = [client.try_clone().unwrap(), server.try_clone().unwrap()];
    state.connections.lock().unwrap().extend(kept);
    let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || pass_on(back.0, back.1, |_| false));
    let (state, socket) = (Arc::clone(state), socket.to_path_buf());
    std::thread::spawn(move || {
        let watched = Arc::clone(&state);
        if pass_on(client, server, move |bytes| watched.sees(bytes)) {
            state.leave(&socket);
        }
    });
}

/// Whether `ends` saw what it waited for; then that was not passed on.
fn pass_on(mut from: UnixStream, mut to: UnixStream, ends: impl Fn(&[u8]) -> bool) -> bool {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) if ends(&buffer[..count]) => return true,
            Ok(count) => {
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        }
    }
    let _closed = to.shutdown(Shutdown::Write);
    false
}

fn daemon_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let path = host
        .strip_prefix("unix://")
        .unwrap_or("/var/run/docker.sock");
    PathBuf::from(path)
}
