//! What is asked of an API server, and how often.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::engine::kubernetes::fake::FakeCluster;
use crate::engine::kubernetes::lease::LeaseRequest;

/// The answer to a request (`GET /apis`): a status, and a body.
type Respond = fn(&str) -> (u16, Value);

/// An API server.
struct Server {
    cluster: Cluster,
    /// The requests that it got.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(respond: Respond) -> Self {
        // As main does; a second time changes nothing.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, respond, Arc::clone(&heard)));
            }
        });
        let config = Config::new(address.parse().unwrap());
        let cluster = Cluster::with(config, "the context x".to_owned()).unwrap();
        Self { cluster, requests }
    }
}

async fn serve(stream: TcpStream, respond: Respond, heard: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            if first.is_empty() {
                let words: Vec<&str> = line.split([' ', '?']).take(2).collect();
                first = words.join(" ");
            }
        }
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        heard.lock().unwrap().push(first.clone());
        let (status, body) = respond(&first);
        let (body, length) = (body.to_string(), body.to_string().len());
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json");
        let answer = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn refusal(code: u16) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "code": code,
    });
    (code, status)
}

/// The kinds of a version of an API group.
fn kinds(version: &str, kind: &str, plural: &str) -> (u16, Value) {
    let resource = json!({
        "name": plural, "singularName": "", "kind": kind, "namespaced": true, "verbs": ["get"],
    });
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": [resource],
    });
    (200, list)
}

/// A group that serves its kind `Shop` in `v1` alone.
fn moved_on(request: &str) -> (u16, Value) {
    match request {
        "GET /apis" => {
            let version = json!({"groupVersion": "example.com/v1", "version": "v1"});
            let group = json!({"name": "example.com", "versions": [version]});
            (200, json!({"kind": "APIGroupList", "groups": [group]}))
        }
        "GET /apis/example.com/v1" => kinds("example.com/v1", "Shop", "shops"),
        _ => refusal(404),
    }
}

#[tokio::test]
async fn an_object_is_found_in_the_version_that_its_group_still_serves() {
    let server = Server::start(moved_on).await;
    let place = async |version: &str, kind: &str| {
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "one"}});
        let found = server.cluster.find_earlier_place(&object, "shop").await;
        found.unwrap().map(|key| key.api_version)
    };
    let served = Some("example.com/v1".to_owned());
    assert_eq!(place("example.com/v1beta1", "Shop").await, served);
    assert_eq!(place("example.com/v1beta1", "Market").await, None);
    assert_eq!(place("example.org/v1", "Shop").await, None);
}

#[tokio::test]
async fn a_group_that_cannot_be_asked_for_is_not_taken_for_gone() {
    let server = Server::start(|request| match request {
        "GET /apis" => refusal(403),
        _ => refusal(404),
    })
    .await;
    let object = json!({"apiVersion": "example.com/v1", "kind": "Shop"});
    let found = server.cluster.find_earlier_place(&object, "shop").await;
    assert!(found.is_err(), "{found:?}");
    assert_eq!(
        *server.requests.lock().unwrap(),
        ["GET /apis/example.com/v1", "GET /apis"]
    );
}

#[tokio::test]
async fn a_change_is_not_repeated_once_another_took_the_lease() {
    let server = Server::start(|request| match request {
        "GET /api/v1" => kinds("v1", "ConfigMap", "configmaps"),
        _ => refusal(503),
    })
    .await;
    let leases = Arc::new(FakeCluster::default());
    let request = LeaseRequest {
        namespace: "shop".to_owned(),
        release: "orders".to_owned(),
        holder: "one".to_owned(),
        duration: Duration::from_secs(1),
    };
    let lease = Lease::acquire(Arc::clone(&leases) as Arc<dyn Objects>, &request, |_| {});
    let objects = Arc::new(server.cluster).guarded(&lease.await.unwrap());
    let version = "coordination.k8s.io/v1";
    let key = ObjectKey::namespaced(version, "Lease", "shop", "gantline.orders");
    let mut taken = leases.get(&key).await.unwrap().unwrap();
    taken["spec"]["holderIdentity"] = "another".into();
    let taken = leases.replace(&key, &taken, ApplyMode::Real).await;
    assert!(taken.unwrap().is_some());
    let key = ObjectKey::namespaced("v1", "ConfigMap", "shop", "one");
    let error = objects.delete(&key).await.unwrap_err();
    assert_eq!(error.message(), "another deployment took this one's place");
}
