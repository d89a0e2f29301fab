//! Releases on a real cluster: what the real Helm makes of them, and what failures leave.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use gantline::actions::deploy::{AfterFailure, Change, Outcome, Schemas, Site};
use gantline::actions::release::read_chart;
use gantline::engine::kubernetes::records::{self, Status};
use gantline::engine::kubernetes::{Cluster, lease};
use gantline::engine::registry::labels::RegistryLabels;
use gantline::error::ErrorKind;
use gantline::model::release::ReleaseSpec;
use gantline::render::chart::{self, ChartInput};
use gantline::report::RecordingReporter;
use serde_json::{Value, json};

use super::namespace::{Namespace, config, kubeconfig};

/// Tells the child of a test which namespace it deploys to.
const CHILD: &str = "GANTLINE_TEST_DEPLOY_TO";
/// The release of most tests.
pub const RELEASE: &str = "web";

/// The test's chart.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/cluster/chart")
}

/// The live cluster.
pub async fn cluster() -> Cluster {
    Cluster::with(config().await, "the live cluster".to_owned()).unwrap()
}

/// How this test deploys to a namespace.
pub fn site(cluster: &Cluster, namespace: &str) -> Site {
    let never: futures::future::BoxFuture<'static, ()> = Box::pin(std::future::pending());
    Site {
        objects: Arc::new(cluster.clone()),
        rollouts: Arc::new(cluster.clone()),
        events: Arc::new(RecordingReporter::default()),
        namespace: namespace.to_owned(),
        workspace: "live".to_owned(),
        holder: format!(
            "test {} {:?}",
            std::process::id(),
            std::thread::current().id()
        ),
        lease: lease::DURATION,
        timeout: Duration::from_secs(180),
        schemas: Schemas::new(Arc::new(RegistryLabels::default()), false),
        interrupted: never.shared(),
    }
}

fn spec(namespace: &str, values: Value) -> ReleaseSpec {
    spec_of(RELEASE, namespace, values)
}

/// A release of the test's chart with these values.
pub fn spec_of(release: &str, namespace: &str, values: Value) -> ReleaseSpec {
    let chart = read_chart(&folder()).unwrap();
    let rendered = chart::render(
        &chart,
        &ChartInput {
            name: release,
            namespace,
            config: &values,
            revision: 1,
            upgrade: false,
            kubernetes_version: "v1.34.0",
            api_versions: &[],
            folder: &folder(),
        },
    );
    ReleaseSpec {
        name: release.to_owned(),
        namespace: namespace.to_owned(),
        rendered: rendered.unwrap(),
        chart,
        config: values,
    }
}

/// Deploys the chart with these values.
pub async fn deploy(namespace: &Namespace, values: Value) -> Outcome {
    let site = site(&cluster().await, &namespace.name);
    let spec = spec(&namespace.name, values);
    site.deploy(&spec, AfterFailure::TakeBack).await
}

/// As [`deploy`], which must end well; the revision.
pub async fn deployed(namespace: &Namespace, values: Value) -> u32 {
    let outcome = deploy(namespace, values).await;
    assert!(outcome.error.is_none(), "{outcome:?}");
    outcome.revision.unwrap()
}

/// The revisions of the release and their states.
pub async fn statuses(namespace: &str) -> Vec<(u32, Status)> {
    let cluster = cluster().await;
    let records = records::load(&cluster, namespace, RELEASE).await.unwrap();
    records
        .iter()
        .map(|it| (it.revision(), it.status()))
        .collect()
}

/// What Helm says of the namespace.
pub fn helm(namespace: &Namespace, arguments: &[&str]) -> String {
    let output = Command::new("helm")
        .env("KUBECONFIG", kubeconfig())
        .args(["--namespace", &namespace.name])
        .args(arguments)
        .output()
        .expect("helm is there: tests/setup cluster");
    succeeded(&output)
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A member of the ConfigMap; empty when it is not there.
pub fn mark(namespace: &Namespace, member: &str) -> String {
    let path = format!("jsonpath={{.data.{member}}}");
    succeeded(&namespace.kubectl(&["get", "configmap", RELEASE, "--output", &path], ""))
}

/// Whether an object is there.
pub fn exists(namespace: &Namespace, object: &str) -> bool {
    let found = namespace.kubectl(&["get", object, "--ignore-not-found", "--output=name"], "");
    !succeeded(&found).trim().is_empty()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn helm_works_on_what_was_deployed_and_gantline_after_helm() {
    let namespace = Namespace::new();
    assert_eq!(deployed(&namespace, json!({"extra": "first"})).await, 1);
    let listed: Value =
        serde_json::from_str(&helm(&namespace, &["list", "--output=json"])).unwrap();
    assert_eq!(listed[0]["status"], "deployed");
    assert_eq!(listed[0]["chart"], "web-0.1.0");
    assert!(helm(&namespace, &["get", "manifest", RELEASE]).contains("kind: Deployment"));
    assert!(helm(&namespace, &["get", "hooks", RELEASE]).contains("web-migrate"));

    let chart = folder().display().to_string();
    let upgrade = [
        "upgrade",
        RELEASE,
        &chart,
        "--set=mark=two",
        "--wait",
        "--timeout=3m",
    ];
    helm(&namespace, &upgrade);
    assert_eq!(mark(&namespace, "mark"), "two");
    assert!(
        !exists(&namespace, "configmap/first"),
        "Helm prunes what we recorded"
    );

    let third = deployed(&namespace, json!({"mark": "three", "extra": "third"})).await;
    assert_eq!(third, 3);
    assert!(exists(&namespace, "configmap/third"));
    helm(
        &namespace,
        &["rollback", RELEASE, "1", "--wait", "--timeout=3m"],
    );
    assert_eq!(mark(&namespace, "mark"), "one");
    assert!(!exists(&namespace, "configmap/third"));

    assert_eq!(deployed(&namespace, json!({"mark": "five"})).await, 5);
    assert!(
        !exists(&namespace, "configmap/first"),
        "we prune what Helm recorded"
    );
    let back = site(&cluster().await, &namespace.name)
        .rollback(RELEASE, Some(2))
        .await;
    assert_eq!(
        (back.change, back.restored),
        (Change::RolledBack, Some(2)),
        "{back:?}"
    );
    assert_eq!(mark(&namespace, "mark"), "two");

    helm(
        &namespace,
        &["uninstall", RELEASE, "--wait", "--timeout=2m"],
    );
    assert!(!exists(&namespace, "deployment/web"));
    assert!(statuses(&namespace.name).await.is_empty());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_migration_that_fails_stops_the_upgrade_and_shows_its_log() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    let values = json!({"mark": "two", "migration": "echo no such table; exit 3"});
    let failed = deploy(&namespace, values).await;
    assert_eq!(
        (failed.change, failed.restored),
        (Change::TakenBack, Some(1))
    );
    let error = failed.error.unwrap().to_string();
    assert!(error.contains("no such table"), "{error}");
    assert_eq!(mark(&namespace, "mark"), "one");
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_that_exits_again_and_again_is_rolled_back() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    let script = "echo broken pipe; exit 7";
    let values = json!({"mark": "two", "extra": "second", "script": script, "ends": true});
    let failed = deploy(&namespace, values).await;
    let error = failed.error.unwrap().to_string();
    assert!(
        error.contains("code 7") && error.contains("broken pipe"),
        "{error}"
    );
    assert_eq!(mark(&namespace, "mark"), "one");
    assert!(!exists(&namespace, "configmap/second"));
    let kept = statuses(&namespace.name).await;
    assert_eq!(kept[1..], [(2, Status::Failed), (3, Status::Deployed)]);
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_first_install_over_quota_is_removed_with_the_reason() {
    let namespace = Namespace::new();
    namespace.apply(&[json!({"apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "16Mi"}}})]);
    let failed = deploy(&namespace, json!({"requests": {"memory": "64Mi"}})).await;
    assert_eq!(failed.change, Change::Removed, "{failed:?}");
    let error = failed.error.unwrap().to_string();
    assert!(error.contains("quota"), "{error}");
    assert!(!exists(&namespace, "deployment/web"));
    assert!(statuses(&namespace.name).await.is_empty());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_object_of_another_release_is_refused() {
    let namespace = Namespace::new();
    namespace
        .apply(&[json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": RELEASE}})]);
    let refused = deploy(&namespace, json!({})).await;
    let error = refused.error.unwrap().to_string();
    assert!(error.contains("ConfigMap/web exists"), "{error}");
    assert!(statuses(&namespace.name).await.is_empty());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_second_deployment_hears_of_the_first() {
    let namespace = Namespace::new();
    let cluster = cluster().await;
    let mut first = site(&cluster, &namespace.name);
    first.holder = "kim@laptop".to_owned();
    let (slow, quick) = (
        spec(&namespace.name, json!({"migration": "sleep 20"})),
        spec(&namespace.name, json!({"mark": "two"})),
    );
    let second = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        site(&cluster, &namespace.name)
            .deploy(&quick, AfterFailure::TakeBack)
            .await
    };
    let (one, two) = tokio::join!(first.deploy(&slow, AfterFailure::TakeBack), second);
    assert!(one.error.is_none(), "{one:?}");
    let error = two.error.unwrap().to_string();
    assert!(error.contains("kim@laptop"), "{error}");
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn who_may_not_is_told_the_verb_and_the_resource() {
    let namespace = Namespace::new();
    let mut config = config().await;
    config.auth_info.impersonate = Some("nobody".to_owned());
    let nobody = Cluster::with(config, "the live cluster".to_owned()).unwrap();
    let site = site(&nobody, &namespace.name);
    let refused = site
        .deploy(&spec(&namespace.name, json!({})), AfterFailure::TakeBack)
        .await;
    let error = refused.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(
        error
            .message()
            .contains("create leases.coordination.k8s.io"),
        "{error}"
    );
    // Without the right to read kube-system, the certificate authority tells which cluster it is.
    let identity = nobody.identity().await.unwrap();
    assert!(identity.uid.is_none() && identity.ca.is_some());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_cluster_that_does_not_answer_is_missing() {
    let mut config = config().await;
    config.cluster_url = "https://127.0.0.1:1".parse().unwrap();
    let away = Cluster::with(config, "the context away".to_owned()).unwrap();
    let error = away.identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.message().contains("does not answer"), "{error}");
}

/// Killed at moments spread over a whole deployment, upgrades and their rollbacks included.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_killed_client_leaves_nothing_that_stops_the_next() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    for (turn, moment) in [60, 250, 600, 1200, 2500, 4000].into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "cluster::deploy::the_client_that_is_killed",
                "--ignored",
            ])
            .env(CHILD, format!("{}:{turn}", namespace.name))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_lease(&namespace).await;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        deployed(&namespace, json!({"mark": format!("after-{turn}")})).await;
        assert_eq!(mark(&namespace, "mark"), format!("after-{turn}"));
        assert!(
            !exists(&namespace, &format!("configmap/extra-{turn}")),
            "{moment} ms"
        );
        let kept = statuses(&namespace.name).await;
        assert!(
            kept.iter().all(|it| !it.1.is_pending()),
            "{moment} ms: {kept:?}"
        );
        let running = kept.iter().filter(|it| it.1 == Status::Deployed).count();
        assert_eq!(running, 1, "{moment} ms: {kept:?}");
    }
    helm(&namespace, &["history", RELEASE]);
}

async fn await_lease(namespace: &Namespace) {
    for _ in 0..300 {
        if exists(namespace, "lease/gantline.web") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// No test of its own: what [`a_killed_client_leaves_nothing_that_stops_the_next`] kills.
#[tokio::test]
#[ignore = "is started by another test"]
async fn the_client_that_is_killed() {
    let Ok(to) = std::env::var(CHILD) else { return };
    let (namespace, turn) = to.split_once(':').unwrap();
    let site = site(&cluster().await, namespace);
    // Every other turn it is killed while it fails and rolls back.
    let broken = turn.parse::<u32>().unwrap() % 2 == 1;
    let script = if broken { "exit 1" } else { "sleep 3600" };
    let values = json!({
        "mark": "killed", "extra": format!("extra-{turn}"), "script": script, "ends": broken,
        "migration": "sleep 1",
    });
    site.deploy(&spec(namespace, values), AfterFailure::TakeBack)
        .await;
}
