//! What the real Helm left: an upgrade that it began and never ended, and fields of its client's side.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use gantline::engine::kubernetes::records::Status;
use gantline::error::ErrorKind;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration as Span, OffsetDateTime};

use super::deploy::{
    RELEASE, cluster, deploy, deployed, exists, folder, helm, mark, site, statuses,
};
use super::namespace::{Namespace, kubeconfig};

/// How long Helm may take to begin, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
/// The record of what Helm began.
const RECORD: &str = "sh.helm.release.v1.web.v2";

/// Lets Helm begin an upgrade, and kills it while its migration runs.
fn begun_by_helm(namespace: &Namespace) {
    let mut helm = Command::new("helm")
        .env("KUBECONFIG", kubeconfig())
        .args(["--namespace", &namespace.name, "upgrade", RELEASE])
        .arg(folder())
        .args(["--set=mark=two", "--set=migration=sleep 600"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("helm is there: tests/setup cluster");
    let began = Instant::now();
    while !exists(namespace, &format!("secret/{RECORD}")) {
        assert!(began.elapsed() < PATIENCE, "Helm does not begin");
        std::thread::sleep(Duration::from_millis(100));
    }
    helm.kill().unwrap();
    helm.wait().unwrap();
}

/// Lets the record say that Helm began so long ago.
fn began_minutes_ago(namespace: &Namespace, minutes: i64) {
    let get = ["get", "secret", RECORD, "--output=json"];
    let mut secret: Value = serde_json::from_slice(&namespace.kubectl(&get, "").stdout).unwrap();
    let data = secret["data"]["release"].as_str().unwrap();
    let packed = STANDARD.decode(STANDARD.decode(data).unwrap()).unwrap();
    let mut text = String::new();
    let mut unpacking = GzDecoder::new(packed.as_slice());
    unpacking.read_to_string(&mut text).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    let began = OffsetDateTime::now_utc() - Span::minutes(minutes);
    record["info"]["last_deployed"] = json!(began.format(&Rfc3339).unwrap());
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(record.to_string().as_bytes()).unwrap();
    let packed = STANDARD.encode(packing.finish().unwrap());
    secret["data"]["release"] = json!(STANDARD.encode(packed));
    let replaced = namespace.kubectl(&["replace", "--filename=-"], &secret.to_string());
    assert!(replaced.status.success(), "{replaced:?}");
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_upgrade_that_helm_left_is_refused_while_it_may_run_and_taken_over_afterwards() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    begun_by_helm(&namespace);
    let young = deploy(&namespace, json!({"mark": "three"})).await;
    let error = young.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let expected = "Helm may be at work on web: its revision 2 is pending-upgrade";
    assert_eq!(error.message(), expected);
    assert!(error.hints()[0].contains("10 minutes"), "{error}");
    let pending = [(1, Status::Deployed), (2, Status::PendingUpgrade)];
    assert_eq!(statuses(&namespace.name).await, pending);

    began_minutes_ago(&namespace, 11);
    assert_eq!(deployed(&namespace, json!({"mark": "three"})).await, 3);
    assert_eq!(mark(&namespace, "mark"), "three");
    let ended = [
        (1, Status::Superseded),
        (2, Status::Failed),
        (3, Status::Deployed),
    ];
    assert_eq!(statuses(&namespace.name).await, ended);
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn fields_that_helm_set_on_the_clients_side_leave_with_the_chart() {
    let namespace = Namespace::new();
    let chart = folder().display().to_string();
    helm(
        &namespace,
        &["install", RELEASE, &chart, "--server-side=false", "--wait"],
    );
    assert_eq!(mark(&namespace, "only-in-one"), "yes");
    assert_eq!(deployed(&namespace, json!({"mark": "two"})).await, 2);
    assert_eq!(mark(&namespace, "only-in-one"), "");
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_plan_shows_what_helm_set_on_the_clients_side_and_no_default_of_the_server() {
    let namespace = Namespace::new();
    let chart = folder().display().to_string();
    let client_side = [RELEASE, &chart, "--server-side=false", "--wait"];
    helm(
        &namespace,
        &[&["install", "--set=mark=two"], &client_side[..]].concat(),
    );
    helm(&namespace, &[&["upgrade"], &client_side[..]].concat());
    let site = site(&cluster().await, &namespace.name);
    let plan = site.plan_rollback(RELEASE, Some(1)).await.unwrap();
    let changes = plan.changes;
    let lines = |kind: &str| -> Vec<&str> {
        let change = changes.iter().find(|it| it.object.kind == kind).unwrap();
        let is_gone = |line: &&str| line.starts_with('-') && !line.starts_with("---");
        change
            .diff
            .lines()
            .filter(is_gone)
            .map(str::trim_end)
            .collect()
    };
    let configuration = lines("ConfigMap");
    assert_eq!(configuration.len(), 2, "{configuration:?}");
    assert!(
        configuration[1].starts_with("-  only-in-one: "),
        "{configuration:?}"
    );
    assert_eq!(lines("Deployment"), ["-          value: one"]);
    assert_eq!(mark(&namespace, "only-in-one"), "yes");
    let back = site.rollback(RELEASE, Some(1)).await;
    assert!(back.error.is_none(), "{back:?}");
    assert_eq!(mark(&namespace, "only-in-one"), "");
}
