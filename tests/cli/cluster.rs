//! A cluster that must not be deployed to, as a small API server plays it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::workspace::{Run, Workspace};

/// The UID that the environment records.
const RECORDED: &str = "0f0e0d0c-0000-4000-8000-000000000001";
const UNKNOWN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}"#;
const FORBIDDEN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"forbidden: User \"kim\" cannot get path","reason":"Forbidden","code":403}"#;

/// What an API server says.
#[derive(Clone, Copy)]
pub enum ApiServer {
    /// It accepts connections and never answers.
    Silent,
    /// It is the cluster of this UID and version, and holds nothing.
    Answering {
        /// The UID of `kube-system`.
        uid: &'static str,
        /// The version; API discovery is refused when `None`.
        version: Option<&'static str>,
    },
}

impl ApiServer {
    /// Starts it; where it listens.
    pub fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                std::thread::spawn(move || self.serve(stream));
            }
        });
        address
    }

    fn serve(self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while let Some(Ok(request)) = lines.next() {
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|it| !it.is_empty()))
            {}
            let Self::Answering { uid, version } = self else {
                // Whoever asks waits for an answer that does not come.
                loop {
                    std::thread::park();
                }
            };
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = answer(path, uid, version);
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json");
            let _gone = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    }
}

/// A cluster without anything in it, that has Secrets and no other kind.
const LISTS: [(&str, &str); 4] = [
    (
        "/api",
        r#"{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}"#,
    ),
    (
        "/apis",
        r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"#,
    ),
    (
        "/api/v1",
        r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"secrets","singularName":"secret","namespaced":true,"kind":"Secret","verbs":["get","list"]}]}"#,
    ),
    (
        "/api/v1/namespaces/shop/secrets",
        r#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[]}"#,
    ),
];

fn answer(path: &str, uid: &str, version: Option<&str>) -> (u16, String) {
    let path = path.split('?').next().unwrap_or_default();
    let list = LISTS
        .iter()
        .find(|(it, _)| *it == path && version.is_some());
    if let Some((_, list)) = list {
        return (200, (*list).to_owned());
    }
    match (path, version) {
        ("/api/v1/namespaces/kube-system", _) => {
            let metadata = format!(r#""metadata":{{"name":"kube-system","uid":"{uid}"}}"#);
            let object = format!(r#"{{"kind":"Namespace","apiVersion":"v1",{metadata}}}"#);
            (200, object)
        }
        ("/version", Some(version)) => {
            let fields = ["major", "minor", "gitCommit", "gitTreeState", "buildDate"];
            let more = ["goVersion", "compiler", "platform"];
            let all = fields.iter().chain(&more);
            let all: String = all.map(|it| format!(r#","{it}":"1""#)).collect();
            (200, format!(r#"{{"gitVersion":"{version}"{all}}}"#))
        }
        (_, None) => (403, FORBIDDEN.to_owned()),
        _ => (404, UNKNOWN.to_owned()),
    }
}

/// A shop with the environment `staging`, whose images are in a registry that never answers.
pub fn shop(environment: &str) -> Workspace {
    let registry = ApiServer::Silent.start();
    let content = format!(
        "namespace: shop\nregistry: {registry}/shop\ncluster: {{uid: {RECORDED}}}\n{environment}"
    );
    let workspace = Workspace::shop_with_orders().file("environments/staging.yaml", content);
    let run = workspace.gantline(&["generate"]);
    assert_eq!(run.code, 0, "{run}");
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
    let run = run("", server, &["deploy", "staging"]);
    assert_eq!(run.code, 4, "{run}");
    let expected = "the context test runs Kubernetes 1.29.9; 1.30 or newer is needed";
    assert!(run.stderr.contains(expected), "{run}");
}

#[test]
fn a_cluster_that_refuses_discovery_is_told_from_a_missing_role() {
    let server = ApiServer::Answering {
        uid: RECORDED,
        version: None,
    };
    let run = run("", server, &["deploy", "staging"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("API discovery is refused"), "{run}");
    assert!(run.stderr.contains("`system:discovery`"), "{run}");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let workspace = Workspace::shop();
    let run = workspace.gantline(&["deploy", "staging", "--atomic", "--keep-failed"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--keep-failed"), "{run}");
}
