//! Waiting for real workloads: each way in which a rollout fails, and what is said about it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gantline::engine::kubernetes::rollout::{RolloutEnd, RolloutRequest, await_ready, job_failure};
use gantline::model::event::{Event, EventSink};
use gantline::model::release::{ReleaseObject, RolloutCause};
use kube::Client;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::namespace::{Namespace, client, config};

/// Ample for what should become ready or fail on a machine that is busy with other tests.
pub const AMPLE: Duration = Duration::from_secs(240);

/// A container that fulfils `restricted` and runs this shell script.
fn container(script: &str) -> Value {
    json!({
        "name": "main", "image": "busybox:1.37", "command": ["sh", "-c", script],
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}},
    })
}

/// A container whose script ends. Without a probe it would count as ready while it runs, however
/// short that is; this probe is not asked before the test is over.
fn ending(script: &str) -> Value {
    let mut container = container(script);
    container["readinessProbe"] =
        json!({"exec": {"command": ["true"]}, "initialDelaySeconds": 3600});
    container
}

/// A workload of this kind whose pods have this specification.
fn workload(kind: &str, pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["terminationGracePeriodSeconds"] = json!(0);
    let labels = json!({"app": "orders"});
    let mut specification = json!({
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    });
    if kind != "DaemonSet" {
        specification["replicas"] = json!(1);
    }
    if kind == "StatefulSet" {
        specification["serviceName"] = json!("orders");
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "orders"}, "spec": specification})
}

fn deployment(container: &Value) -> Value {
    workload("Deployment", &json!({"containers": [container]}))
}

fn job(script: &str) -> Value {
    let mut container = container(script);
    container["name"] = json!("migrate");
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        if let Event::Progressed { message, .. } | Event::Noted { message } = event {
            self.0.lock().unwrap().push(message);
        }
    }
}

/// How waiting for these objects ended, and what was said on the way.
pub async fn wait(
    client: &Client,
    namespace: &Namespace,
    objects: &[Value],
    deadline: Duration,
) -> (RolloutEnd, Vec<String>) {
    let objects: Vec<ReleaseObject> = objects
        .iter()
        .map(|value| ReleaseObject {
            source: "orders/templates/x.yaml".to_owned(),
            text: value.to_string(),
            value: value.clone(),
        })
        .collect();
    let request = RolloutRequest {
        namespace: &namespace.name,
        objects: &objects,
        deadline,
        id: "orders",
    };
    let events = Recorder::default();
    let end = await_ready(client, &request, &events).await.unwrap();
    let said = events.0.into_inner().unwrap();
    println!("{end:#?}\n{said:#?}");
    (end, said)
}

/// The only cause why this object fails before the time is up.
async fn fails(namespace: &Namespace, object: Value) -> (RolloutCause, Vec<String>) {
    let objects = [object];
    namespace.apply(&objects);
    match wait(&client().await, namespace, &objects, AMPLE).await {
        (RolloutEnd::Failed(mut causes), said) => {
            assert_eq!(causes.len(), 1, "{causes:?}");
            (causes.remove(0), said)
        }
        (end, _) => panic!("it does not fail: {end:?}"),
    }
}

/// The only cause why this object is not ready when the time is up.
async fn is_late(namespace: &Namespace, object: Value, deadline: Duration) -> RolloutCause {
    let objects = [object];
    namespace.apply(&objects);
    match wait(&client().await, namespace, &objects, deadline).await.0 {
        RolloutEnd::TimedOut(mut causes) => {
            assert_eq!(causes.len(), 1, "{causes:?}");
            causes.remove(0)
        }
        end => panic!("it is in time: {end:?}"),
    }
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn workloads_of_every_kind_become_ready() {
    let namespace = Namespace::new();
    let pod = json!({"containers": [container("sleep 1000")]});
    let mut objects = vec![job("echo done")];
    for (kind, name) in [
        ("Deployment", "web"),
        ("StatefulSet", "store"),
        ("DaemonSet", "agent"),
    ] {
        let mut object = workload(kind, &pod);
        object["metadata"]["name"] = json!(name);
        let labels = json!({"app": name});
        object["spec"]["selector"]["matchLabels"] = labels.clone();
        object["spec"]["template"]["metadata"]["labels"] = labels;
        objects.push(object);
    }
    objects.push(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    namespace.apply(&objects);
    let (end, said) = wait(&client().await, &namespace, &objects, AMPLE).await;
    assert_eq!(end, RolloutEnd::Ready);
    assert!(said[0].contains("Deployment/web: "), "{said:?}");
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_crash_loop_fails_with_the_exit_code_and_the_last_lines() {
    let namespace = Namespace::new();
    let script = r"printf '\033[31mcannot open the ledger\033[0m\n'; exit 3";
    let (cause, said) = fails(&namespace, deployment(&ending(script))).await;
    assert_eq!(cause.object, "Deployment/orders");
    assert!(cause.pod.unwrap().starts_with("orders-"));
    assert!(
        cause
            .message
            .starts_with("the container `main` exits with code 3"),
        "{}",
        cause.message
    );
    assert_eq!(cause.log, ["cannot open the ledger"]);
    assert!(
        cause.events.iter().any(|it| it.starts_with("BackOff: ")),
        "{:?}",
        cause.events
    );
    assert!(
        said.iter().any(|it| it.contains("exits with code 3")),
        "{said:?}"
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_container_that_needs_too_much_memory_fails_with_its_limit() {
    let namespace = Namespace::new();
    let mut greedy = ending("echo filling; exec tail /dev/zero");
    greedy["resources"] = json!({"limits": {"memory": "24Mi", "cpu": "500m"}});
    let (cause, _) = fails(&namespace, deployment(&greedy)).await;
    assert!(
        cause
            .message
            .contains("uses more memory than its limit of 24Mi (OOMKilled)"),
        "{}",
        cause.message
    );
    assert_eq!(cause.log, ["filling"]);
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_secret_that_is_missing_is_waited_for_and_then_named_as_the_cause() {
    let namespace = Namespace::new();
    let mut main = container("sleep 1000");
    main["volumeMounts"] = json!([{"name": "store", "mountPath": "/var/run/store"}]);
    let object = workload(
        "Deployment",
        &json!({"containers": [main], "volumes": [{"name": "store", "secret": {"secretName": "orders-db"}}]}),
    );
    let (cause, said) = fails(&namespace, object).await;
    let expected = "it waits for the Secret `orders-db`, which does not exist";
    assert_eq!(cause.message, expected);
    let line = said.iter().find(|it| it.contains(expected)).unwrap();
    // Whether the controller has counted the pod by then is its own affair.
    let counted = line.starts_with("0 of 1 replica ");
    assert!(counted && line.contains("; pod orders-"), "{line}");
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_secret_without_the_key_is_named_with_the_key() {
    let namespace = Namespace::new();
    namespace.apply(&[
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "orders-db"},
        "stringData": {"type": "postgresql"}}),
    ]);
    let mut main = container("sleep 1000");
    main["env"] = json!([{"name": "STORE_URI", "valueFrom": {"secretKeyRef": {"name": "orders-db", "key": "uri"}}}]);
    let (cause, _) = fails(&namespace, deployment(&main)).await;
    assert_eq!(
        cause.message,
        "it waits for the key `uri` of the Secret `orders-db`, which has no such key"
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_secret_that_comes_in_time_heals_the_rollout() {
    let namespace = Namespace::new();
    let mut main = container("sleep 1000");
    main["envFrom"] = json!([{"secretRef": {"name": "late"}}]);
    let objects = [deployment(&main)];
    namespace.apply(&objects);
    let client = client().await;
    let (ended, ()) = tokio::join!(wait(&client, &namespace, &objects, AMPLE), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        namespace
            .apply(&[json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}})]);
    });
    assert_eq!(ended.0, RolloutEnd::Ready);
    assert!(
        ended.1.iter().any(|it| it.contains("the Secret `late`")),
        "{:?}",
        ended.1
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_image_that_does_not_exist_fails_and_pods_of_the_revision_before_do_not_count() {
    let namespace = Namespace::new();
    let good = [deployment(&container("sleep 1000"))];
    namespace.apply(&good);
    let client = client().await;
    assert_eq!(
        wait(&client, &namespace, &good, AMPLE).await.0,
        RolloutEnd::Ready
    );

    let mut absent = container("sleep 1000");
    absent["image"] = json!("ghcr.io/acme/absent:1");
    let (cause, _) = fails(&namespace, deployment(&absent)).await;
    assert!(
        cause
            .message
            .starts_with("the image of the container `main` cannot be had: "),
        "{}",
        cause.message
    );
    assert!(
        cause.message.contains("ghcr.io/acme/absent:1"),
        "{}",
        cause.message
    );

    let better = [deployment(&container("sleep 2000"))];
    namespace.apply(&better);
    assert_eq!(
        wait(&client, &namespace, &better, AMPLE).await.0,
        RolloutEnd::Ready
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_quota_that_is_exceeded_fails_for_each_kind_of_workload() {
    let namespace = Namespace::new();
    namespace.apply(&[
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}}}),
    ]);
    // The quota counts from when its controller has seen it.
    let used = || {
        namespace.kubectl(
            &[
                "get",
                "resourcequota",
                "none",
                "-o",
                "jsonpath={.status.hard}",
            ],
            "",
        )
    };
    let began = Instant::now();
    while used().stdout.is_empty() && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let pod = json!({"containers": [container("sleep 1000")]});
    let mut set = workload("StatefulSet", &pod);
    set["metadata"]["name"] = json!("store");
    let objects = [workload("Deployment", &pod), set];
    namespace.apply(&objects);
    let [deployment, set] = objects;
    let (deployment, set) = tokio::join!(fails(&namespace, deployment), fails(&namespace, set));
    for (cause, _) in [deployment, set] {
        assert!(
            cause.message.starts_with("its pods cannot be made: ")
                && cause.message.contains("exceeded quota"),
            "{}",
            cause.message
        );
    }
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn pods_that_the_namespace_forbids_fail_with_the_rule() {
    let namespace = Namespace::new();
    let mut privileged = container("sleep 1000");
    privileged["securityContext"] = json!({"privileged": true});
    let (cause, _) = fails(&namespace, deployment(&privileged)).await;
    assert!(
        cause.message.contains("violates PodSecurity"),
        "{}",
        cause.message
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_pod_that_fits_no_node_is_waited_for_until_the_time_is_up() {
    let namespace = Namespace::new();
    let mut large = container("sleep 1000");
    large["resources"] = json!({"requests": {"cpu": "1000"}});
    let cause = is_late(&namespace, deployment(&large), Duration::from_secs(6)).await;
    assert!(
        cause.message.starts_with("no node can take it: "),
        "{}",
        cause.message
    );
    assert!(
        cause.message.contains("Insufficient cpu"),
        "{}",
        cause.message
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_probe_that_fails_is_quoted_with_the_log() {
    let namespace = Namespace::new();
    let mut unready = container("echo listening; sleep 1000");
    unready["readinessProbe"] =
        json!({"exec": {"command": ["sh", "-c", "echo no database; exit 1"]}, "periodSeconds": 1});
    let cause = is_late(&namespace, deployment(&unready), Duration::from_secs(25)).await;
    assert!(
        cause
            .message
            .starts_with("the container `main` is not ready: Readiness probe failed: no database"),
        "{}",
        cause.message
    );
    assert_eq!(cause.log, ["listening"]);
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_failed_job_tells_how_it_ended() {
    let namespace = Namespace::new();
    let (cause, _) = fails(&namespace, job("echo the column exists already; exit 1")).await;
    assert!(
        cause
            .message
            .starts_with("the container `migrate` exits with code 1 ("),
        "{}",
        cause.message
    );
    assert_eq!(cause.log, ["the column exists already"]);
    let again = job_failure(&client().await, &namespace.name, "migrate")
        .await
        .unwrap();
    assert_eq!(again.message, cause.message);
    assert_eq!(again.log, cause.log);
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_api_server_that_goes_away_for_a_while_is_waited_for() {
    let namespace = Namespace::new();
    let mut slow = deployment(&container("sleep 1000"));
    slow["spec"]["minReadySeconds"] = json!(10);
    let objects = [slow];
    namespace.apply(&objects);
    let mut config = config().await;
    let server = Door::to(config.cluster_url.authority().unwrap().as_str()).await;
    config.cluster_url = format!("https://{}", server.address).parse().unwrap();
    let client = Client::try_from(config).unwrap();
    let (ended, ()) = tokio::join!(wait(&client, &namespace, &objects, AMPLE), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.shut();
        tokio::time::sleep(Duration::from_secs(6)).await;
        server.open();
    });
    assert_eq!(ended.0, RolloutEnd::Ready);
    let away = "the API server does not answer; trying again";
    assert!(ended.1.iter().any(|it| it.contains(away)), "{:?}", ended.1);
}

/// The way to the API server, which can be shut without ending the server for other tests.
struct Door {
    address: std::net::SocketAddr,
    shut: std::sync::Arc<AtomicBool>,
    changed: std::sync::Arc<tokio::sync::Notify>,
}

impl Door {
    async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            address: listener.local_addr().unwrap(),
            shut: std::sync::Arc::default(),
            changed: std::sync::Arc::default(),
        };
        let (shut, changed) = (door.shut.clone(), door.changed.clone());
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((mut inside, _)) = listener.accept().await {
                if shut.load(Ordering::SeqCst) {
                    continue;
                }
                let (server, changed) = (server.clone(), changed.clone());
                tokio::spawn(async move {
                    let Ok(mut outside) = TcpStream::connect(&server).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut inside, &mut outside) => {}
                        () = changed.notified() => {}
                    }
                });
            }
        });
        door
    }

    /// Breaks all connections and refuses new ones.
    fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
    }
}
