//! Ctrl-C while a server accepts and does not answer.

use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::api_server::{ApiServer, RECORDED};
use super::cluster::{kubeconfig, shop};
use super::workspace::{Run, Workspace};

/// How long the program may take to say what it waits for.
const SPEECH: Duration = Duration::from_secs(4);
/// How long it may take to end: without the signal it takes at least half a minute.
const END: Duration = Duration::from_secs(15);
/// How long it may take to end at once: what the first signal waits for takes longer.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Runs a command against a server that does not answer, and interrupts it once.
fn interrupted(arguments: &[&str], signal: Signal) -> Run {
    let workspace = shop("");
    let kubeconfig = kubeconfig(&workspace, &ApiServer::Silent.start());
    let child = workspace.start(&[("KUBECONFIG", &kubeconfig)], arguments);
    std::thread::sleep(SPEECH);
    ended(&workspace, child, signal)
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

fn ended(workspace: &Workspace, child: Child, signal: Signal) -> Run {
    kill(pid_of(&child), signal).unwrap();
    let began = Instant::now();
    let run = workspace.ended(&child.wait_with_output().unwrap());
    assert!(began.elapsed() < END, "{:?}: {run}", began.elapsed());
    assert_eq!(run.code, 130, "{run}");
    run
}

#[test]
fn a_command_that_waits_for_the_cluster_says_so_and_ends_at_ctrl_c() {
    for arguments in [
        &["deploy", "staging", "--yes"][..],
        &["deploy", "staging", "--plan"],
        &["diff", "staging"],
        &["history", "staging", "orders"],
        &["rollback", "staging", "orders", "--yes"],
        &["rollback", "staging", "orders", "--dry-run"],
        &["destroy", "staging", "--yes"],
    ] {
        let run = interrupted(arguments, Signal::SIGINT);
        let expected = "waiting for the context test, which has not answered for";
        assert!(run.stderr.contains(expected), "{arguments:?}: {run}");
        assert!(run.stderr.contains("interrupted"), "{arguments:?}: {run}");
    }
}

#[test]
fn a_command_that_waits_for_the_cluster_ends_when_it_is_told_to() {
    interrupted(&["deploy", "staging", "--yes"], Signal::SIGTERM);
}

#[test]
fn a_command_that_waits_for_the_cluster_ends_with_its_terminal() {
    interrupted(&["deploy", "staging", "--yes"], Signal::SIGHUP);
}

#[test]
fn a_command_that_waits_for_docker_ends_at_ctrl_c() {
    let workspace = Workspace::shop_with_orders();
    let run = workspace.gantline(&["generate"]);
    assert_eq!(run.code, 0, "{run}");
    let host = format!("tcp://{}", ApiServer::Silent.start());
    for arguments in [&["up", "--detach"][..], &["test"]] {
        let child = workspace.start(&[("DOCKER_HOST", &host)], arguments);
        std::thread::sleep(SPEECH);
        ended(&workspace, child, Signal::SIGINT);
    }
}

#[test]
fn a_build_that_waits_for_the_registry_ends_at_ctrl_c() {
    let workspace = shop("");
    let registry = format!("{}/shop", ApiServer::Silent.start());
    let build = ["build", "--push", "--registry", &registry];
    let child = workspace.start(&[], &build);
    std::thread::sleep(SPEECH);
    ended(&workspace, child, Signal::SIGINT);
}

#[test]
fn a_second_ctrl_c_ends_a_cluster_command_at_once() {
    for (arguments, way_on) in [
        (
            &["rollback", "staging", "orders", "--yes"][..],
            "The next `gantline deploy` goes on from what is left",
        ),
        (
            &["destroy", "staging", "orders", "--yes"],
            "`gantline destroy` again removes what is left",
        ),
    ] {
        let workspace = shop("");
        let server = ApiServer::SilentOnceLeased { uid: RECORDED };
        let kubeconfig = kubeconfig(&workspace, &server.start());
        let mut child = workspace.start(&[("KUBECONFIG", &kubeconfig)], arguments);
        std::thread::sleep(SPEECH);
        // The first one gives the lease back, to which the server says nothing.
        kill(pid_of(&child), Signal::SIGINT).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "{arguments:?}");
        let began = Instant::now();
        let run = ended(&workspace, child, Signal::SIGINT);
        assert!(began.elapsed() < AT_ONCE, "{:?}: {run}", began.elapsed());
        let expected = "what was under way was left as it was";
        assert!(run.stderr.contains(expected), "{arguments:?}: {run}");
        assert!(run.stderr.contains(way_on), "{arguments:?}: {run}");
    }
}
