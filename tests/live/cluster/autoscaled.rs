//! Workloads whose replicas are an autoscaler's.

use serde_json::{Value, json};

use super::deploy::{RELEASE, deployed};
use super::namespace::Namespace;

fn workload(namespace: &Namespace) -> Value {
    let arguments = [
        "get",
        "deployment",
        RELEASE,
        "--output=json",
        "--show-managed-fields",
    ];
    let output = namespace.kubectl(&arguments, "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Who set the number of replicas.
fn owners(workload: &Value) -> Vec<&str> {
    let managers = workload["metadata"]["managedFields"].as_array().unwrap();
    let replicas = |it: &&Value| it["fieldsV1"]["f:spec"]["f:replicas"].is_object();
    let owners = managers.iter().filter(replicas);
    owners.map(|it| it["manager"].as_str().unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_new_workload_begins_with_what_its_autoscaler_keeps_and_later_ones_leave_it_alone() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({"least": 2})).await;
    let first = workload(&namespace);
    assert_eq!(first["spec"]["replicas"], 2);
    assert_eq!(owners(&first), ["gantline"]);
    assert_eq!(first["status"]["readyReplicas"], 2);

    let name = format!("deployment/{RELEASE}");
    let scaled = namespace.kubectl(&["scale", &name, "--replicas=3"], "");
    assert!(scaled.status.success(), "{scaled:?}");
    deployed(&namespace, json!({"least": 2, "mark": "two"})).await;
    assert_eq!(workload(&namespace)["spec"]["replicas"], 3);
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_workload_that_is_handed_to_an_autoscaler_keeps_its_replicas() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({"replicas": 3})).await;
    assert_eq!(owners(&workload(&namespace)), ["helm"]);
    deployed(&namespace, json!({"least": 1})).await;
    let handed = workload(&namespace);
    assert_eq!(handed["spec"]["replicas"], 3);
    assert_eq!(owners(&handed), ["gantline"]);

    let name = format!("deployment/{RELEASE}");
    let scaled = namespace.kubectl(&["scale", &name, "--replicas=2"], "");
    assert!(scaled.status.success(), "{scaled:?}");
    deployed(&namespace, json!({"least": 1, "mark": "two"})).await;
    assert_eq!(workload(&namespace)["spec"]["replicas"], 2);
    deployed(&namespace, json!({"replicas": 3, "mark": "two"})).await;
    assert_eq!(workload(&namespace)["spec"]["replicas"], 3);
}
