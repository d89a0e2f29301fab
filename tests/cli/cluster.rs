//! A cluster that must not be deployed to, as a small API server plays it.

use serde_json::Value;

use super::api_server::{ApiServer, RECORDED};
use super::schemas::assert_valid;
use super::workspace::{Run, Workspace};

/// A shop with the environment `staging`, whose images are in a registry that never answers.
pub fn shop(environment: &str) -> Workspace {
    let registry = ApiServer::Silent.start();
    let content = format!(
        "namespace: shop\nregistry: {registry}/shop\ncluster: {{uid: {RECORDED}}}\n{environment}"
    );
    let workspace = Workspace::shop_with_orders().file("environments/staging.yaml", content);
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

/// Writes the kubeconfig of a server into a workspace; its path.
pub fn kubeconfig(workspace: &Workspace, server: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {{server: \"http://{server}\"}}}}]\n\
         users: [{{name: test, user: {{}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n"
    );
    let path = workspace.path("kubeconfig");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A shop of one vendor's service, which uses a database that runs in the cluster of `staging`.
fn shop_with_a_database() -> Workspace {
    let digest = "a".repeat(64);
    let service = format!(
        "name: pages\nimage: ghcr.io/acme/pages:1@sha256:{digest}\nports: {{http: 8080}}\n\
         health: /\nuses: {{store: orders-db}}\n"
    );
    let environment =
        format!("namespace: shop\ncluster: {{uid: {RECORDED}}}\nresources: {{orders-db: {{}}}}\n");
    let workspace = Workspace::shop()
        .file("services/pages/service.yaml", service)
        .file("environments/staging.yaml", environment);
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

fn run(environment: &str, server: ApiServer, arguments: &[&str]) -> Run {
    let workspace = shop(environment);
    let kubeconfig = kubeconfig(&workspace, &server.start());
    workspace.gantline_with(&[("KUBECONFIG", &kubeconfig)], arguments)
}

#[test]
fn a_protected_environment_needs_a_confirmation_without_a_terminal() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: Some("v1.34.0"),
    };
    for arguments in [
        &["deploy", "staging"][..],
        &["rollback", "staging", "orders"],
        &["destroy", "staging"],
    ] {
        let run = run("protected: true\n", server, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains("needs a confirmation"), "{run}");
        assert!(run.stderr.contains("`--yes`"), "{run}");
    }
}

#[test]
fn another_cluster_than_the_recorded_one_is_refused() {
    let server = ApiServer::Answering {
        uid: "0f0e0d0c-0000-4000-8000-000000000002",
        version: Some("v1.34.0"),
    };
    for arguments in [
        &["deploy", "staging", "--yes"][..],
        &["rollback", "staging", "orders", "--yes"],
        &["history", "staging", "orders"],
        &["destroy", "staging", "--yes"],
    ] {
        let run = run("", server, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        let expected = "the context test is another cluster than the environment's";
        assert!(run.stderr.contains(expected), "{run}");
    }
}

#[test]
fn a_context_that_the_kubeconfig_lacks_is_refused_with_those_that_it_has() {
    let workspace = shop("");
    // Nothing listens there: the context is looked for before a cluster is asked.
    let path = kubeconfig(&workspace, "127.0.0.1:1");
    let known = std::fs::read_to_string(&path).unwrap();
    let two = "contexts: [{name: spare, context: {cluster: test, user: test}}, ";
    std::fs::write(&path, known.replace("contexts: [", two)).unwrap();
    for arguments in [
        &["deploy", "staging"][..],
        &["diff", "staging"],
        &["rollback", "staging", "orders"],
        &["history", "staging", "orders"],
        &["destroy", "staging"],
    ] {
        let named = [arguments, &["--context", "nope"]].concat();
        let run = workspace.gantline_with(&[("KUBECONFIG", &path)], &named);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        let said = "there is no context `nope`\n  why: [ROOT]/kubeconfig has spare, test\n";
        assert!(run.stderr.contains(said), "{arguments:?}: {run}");
    }
}

#[test]
fn a_name_that_neither_the_workspace_nor_the_cluster_has_is_refused() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: Some("v1.34.0"),
    };
    for arguments in [
        &["history", "staging", "ordes"][..],
        &["rollback", "staging", "ordes", "--yes"],
        &["destroy", "staging", "ordes", "--yes"],
    ] {
        let run = run("", server, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains("there is no service `ordes`"), "{run}");
        assert!(
            run.stderr.contains("no release in shop has this name"),
            "{run}"
        );
        assert!(run.stderr.contains("Did you mean `orders`?"), "{run}");
    }
}

#[test]
fn a_kubernetes_that_is_too_old_is_refused_with_what_is_needed() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: Some("v1.29.9"),
    };
    let run = run("", server, &["deploy", "staging"]).fails(4);
    let expected = "the context test runs Kubernetes 1.29.9; 1.30 or newer is needed";
    assert!(run.stderr.contains(expected), "{run}");
}

#[test]
fn a_cluster_that_refuses_discovery_is_told_from_a_missing_role() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: None,
    };
    let run = run("", server, &["deploy", "staging"]).fails(4);
    assert!(run.stderr.contains("API discovery is refused"), "{run}");
    assert!(run.stderr.contains("`system:discovery`"), "{run}");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let workspace = Workspace::shop();
    let run = workspace
        .gantline(&["deploy", "staging", "--atomic", "--keep-failed"])
        .fails(2);
    assert!(run.stderr.contains("--keep-failed"), "{run}");
}

#[test]
fn a_revision_that_is_no_number_is_told_where_the_numbers_are() {
    for word in ["latest", "-1", "0"] {
        let rollback = ["rollback", "staging", "orders", "--", word];
        let run = Workspace::shop().gantline(&rollback).fails(2);
        assert!(
            run.stderr.contains("as `gantline history` shows it"),
            "{run}"
        );
    }
}

#[test]
fn a_plan_names_the_namespace_and_the_secrets_that_would_be_created_first() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: Some("v1.34.0"),
    };
    let workspace = shop_with_a_database();
    let kubeconfig = kubeconfig(&workspace, &server.start());
    let run = workspace
        .gantline_with(
            &[("KUBECONFIG", &kubeconfig)],
            &["deploy", "staging", "--plan"],
        )
        .fails(3);
    let expected = "before any release:\n  + Namespace/shop\n  + Secret/orders-db-server\n  \
                    + Secret/orders-db\n  + Secret/orders-db-owner\norders-db: would be installed\n";
    assert!(run.stdout.starts_with(expected), "{run}");
    for (schema, arguments) in [
        ("deploy-plan", &["deploy", "staging", "--dry-run"][..]),
        ("diff", &["diff", "staging"]),
    ] {
        let asked = [arguments, &["--format", "json"]].concat();
        let run = workspace.gantline_with(&[("KUBECONFIG", &kubeconfig)], &asked);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_valid(schema, &answer);
        let kinds = answer["creates"].as_array().unwrap().iter();
        let kinds: Vec<&str> = kinds.map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["Namespace", "Secret", "Secret", "Secret"]);
    }
}

#[test]
fn a_kubeconfig_that_is_not_there_is_named_once() {
    let add = "add environment dev --context x --namespace y";
    let words: Vec<&str> = add.split(' ').collect();
    let run = Workspace::shop().gantline_with(&[("KUBECONFIG", "/nowhere/config")], &words);
    let told = run.fails(4).stderr;
    assert!(
        told.starts_with("error: there is no kubeconfig at /nowhere/config\n next: Point"),
        "{told}"
    );
    assert_eq!(told.matches("/nowhere/config").count(), 1, "{told}");
}
