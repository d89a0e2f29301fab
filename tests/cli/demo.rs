//! What `demo --deploy` asks before it makes anything.

use super::workspace::{Run, Workspace};

/// A kubeconfig of a cluster at an address where nothing listens.
const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: \"https://127.0.0.1:1\"}}]
users: [{name: me, user: {token: none}}]
contexts: [{name: away, context: {cluster: away, user: me}}]
";

/// Runs the demonstration with a context of that kubeconfig; whether it made its folder.
fn demo_in(context: &str) -> (Run, bool) {
    let workspace = Workspace::empty().file("kubeconfig", KUBECONFIG);
    let kubeconfig = workspace.path("kubeconfig").display().to_string();
    let arguments = [
        "demo",
        "--deploy",
        context,
        "--registry",
        "localhost:1/demo",
    ];
    let run = workspace.gantline_with(
        &[("KUBECONFIG", &kubeconfig)],
        &[&arguments[..], &["--directory", "made"]].concat(),
    );
    let made = workspace.path("made").exists();
    (run, made)
}

#[test]
fn a_context_that_is_none_is_refused_before_anything_is_made() {
    let (run, made) = demo_in("stagign");
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("there is no context `stagign`"),
        "{run}"
    );
    assert!(run.stderr.contains("kubeconfig has away"), "{run}");
    assert!(!made);
}

#[test]
fn a_cluster_that_does_not_answer_is_said_before_anything_is_made() {
    let (run, made) = demo_in("away");
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("the cluster does not answer"), "{run}");
    assert!(!made);
}
