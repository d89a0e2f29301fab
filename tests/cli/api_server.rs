//! A small API server, as tests of the real binary need it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::{Value, json};

/// The UID that the environment records.
pub const RECORDED: &str = "0f0e0d0c-0000-4000-8000-000000000001";

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
    /// As above, until someone took a lease: from then on it says nothing.
    SilentOnceLeased {
        /// The UID of `kube-system`.
        uid: &'static str,
    },
}

/// A request, as far as it matters.
struct Request {
    verb: String,
    path: String,
    body: String,
}

impl ApiServer {
    /// Starts it; where it listens.
    pub fn start(self) -> String {
        self.start_telling().0
    }

    /// Starts it; where it listens, and what hears of each request that it does not answer.
    pub fn start_telling(self) -> (String, Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let is_leased = Arc::new(AtomicBool::new(false));
        let (unanswered, hears) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, is_leased) = (stream.unwrap(), Arc::clone(&is_leased));
                let unanswered = unanswered.clone();
                std::thread::spawn(move || self.serve(stream, &is_leased, &unanswered));
            }
        });
        (address, hears)
    }

    fn serve(self, mut stream: TcpStream, is_leased: &AtomicBool, unanswered: &Sender<()>) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = Request::read(&mut reader) {
            let Some((status, body)) = self.answer(&request, is_leased) else {
                // Not every test listens.
                let _ = unanswered.send(());
                // Whoever asks waits for an answer that does not come.
                loop {
                    std::thread::park();
                }
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json");
            let _gone = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    }

    /// The answer, unless the server is silent.
    fn answer(self, request: &Request, is_leased: &AtomicBool) -> Option<(u16, String)> {
        match self {
            Self::Silent => None,
            Self::Answering { uid, version } => Some(answer(&request.path, uid, version)),
            Self::SilentOnceLeased { .. } if is_leased.load(Ordering::SeqCst) => None,
            Self::SilentOnceLeased { uid } => {
                if request.verb == "POST" && request.path.contains("/leases") {
                    is_leased.store(true, Ordering::SeqCst);
                    return Some((201, request.body.clone()));
                }
                Some(answer(&request.path, uid, Some("v1.34.0")))
            }
        }
    }
}

impl Request {
    /// The next one; `None` once the client is gone.
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut lines = reader.by_ref().lines();
        let first = lines.next()?.ok()?;
        let mut words = first.split(' ').map(str::to_owned);
        let headers = lines.map_while(|line| line.ok().filter(|line| !line.is_empty()));
        let lengths = headers.filter_map(|header| {
            let (name, value) = header.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<u64>().unwrap())
        });
        let length: u64 = lengths.sum();
        let mut body = String::new();
        reader.take(length).read_to_string(&mut body).ok()?;
        Some(Self {
            verb: words.next()?,
            path: words.next()?,
            body,
        })
    }
}

/// What a cluster without anything in it says of itself and of the Secrets of a namespace.
const LISTS: [(&str, &str); 3] = [
    (
        "/api",
        r#"{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}"#,
    ),
    (
        "/apis",
        r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"#,
    ),
    (
        "/api/v1/namespaces/shop/secrets",
        r#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[]}"#,
    ),
];
/// The kinds that it has: where each is told of, its plural, its name, and whether it lives in a
/// namespace.
const KINDS: [(&str, &str, &str, bool); 11] = [
    ("/api/v1", "namespaces", "Namespace", false),
    ("/api/v1", "secrets", "Secret", true),
    ("/api/v1", "services", "Service", true),
    ("/api/v1", "serviceaccounts", "ServiceAccount", true),
    ("/apis/apps/v1", "deployments", "Deployment", true),
    ("/apis/apps/v1", "statefulsets", "StatefulSet", true),
    (
        "/apis/autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        true,
    ),
    ("/apis/coordination.k8s.io/v1", "leases", "Lease", true),
    (
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
        "NetworkPolicy",
        true,
    ),
    (
        "/apis/policy/v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        true,
    ),
    ("/apis/batch/v1", "jobs", "Job", true),
];

/// The kinds of a version of an API group; `None` when there is none.
fn kinds_of(path: &str) -> Option<String> {
    let kinds = KINDS.iter().filter(|(group, ..)| *group == path);
    let kinds: Vec<Value> = kinds
        .map(|(_, plural, kind, namespaced)| {
            json!({
                "name": plural, "singularName": kind.to_lowercase(), "kind": kind,
                "namespaced": namespaced, "verbs": ["get", "list"],
            })
        })
        .collect();
    let version = path
        .trim_start_matches("/apis/")
        .trim_start_matches("/api/");
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": kinds,
    });
    (!kinds.is_empty()).then(|| list.to_string())
}

fn answer(path: &str, uid: &str, version: Option<&str>) -> (u16, String) {
    let path = path.split('?').next().unwrap_or_default();
    let list = LISTS
        .iter()
        .find(|(it, _)| *it == path && version.is_some());
    if let Some((_, list)) = list {
        return (200, (*list).to_owned());
    }
    if let Some(kinds) = kinds_of(path).filter(|_| version.is_some()) {
        return (200, kinds);
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
