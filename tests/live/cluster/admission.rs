//! What the API server says of the charts in a namespace that enforces Pod Security `restricted`.

use std::path::Path;

use serde_json::{Value, json};

use super::gateway;
use super::namespace::{Namespace, kubectl};
use crate::lint::rendered::Rendered;

/// The pod that a workload would make, as an object that admission judges by itself.
fn pod_of(workload: &Value) -> Option<Value> {
    let template = workload.pointer("/spec/template")?;
    let mut pod = template.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = workload["metadata"]["name"].clone();
    // Made by the chart; a dry run makes none.
    pod["spec"]["serviceAccountName"] = json!("default");
    Some(pod)
}

/// The objects as `kubectl` reads them: its YAML has octal numbers.
fn read(manifests: &Path) -> Vec<Value> {
    let file = manifests.display().to_string();
    let arguments = [
        "create",
        "--dry-run=client",
        "--validate=false",
        "--output=json",
        "--filename",
        &file,
    ];
    let output = kubectl(&arguments, "");
    assert!(output.status.success(), "{output:?}");
    let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let objects: Vec<Value> = objects.map(|it| it.expect("JSON")).collect();
    assert!(!objects.is_empty());
    objects
        .into_iter()
        .flat_map(|it| match it["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![it],
        })
        .collect()
}

#[test]
#[ignore = "needs the cluster"]
fn every_object_of_the_charts_is_admitted_where_restricted_is_enforced() {
    gateway::definitions();
    let namespace = Namespace::new();
    let level = "pod-security.kubernetes.io/warn=restricted";
    namespace.kubectl(&["label", "namespace", &namespace.name, level], "");
    let mut pods = 0;
    for service in Rendered::shop().services() {
        for mut object in read(&service.manifests) {
            object["metadata"]["namespace"] = json!(namespace.name);
            let pod = pod_of(&object);
            pods += usize::from(pod.is_some());
            for object in [Some(object), pod].into_iter().flatten() {
                let arguments = ["apply", "--server-side", "--dry-run=server", "--filename=-"];
                let output = namespace.kubectl(&arguments, &object.to_string());
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(
                    output.status.success(),
                    "{}: {object}: {said}",
                    service.name
                );
                assert!(
                    !said.contains("Warning"),
                    "{}: {object}: {said}",
                    service.name
                );
            }
        }
    }
    assert!(pods >= 5, "three services and two migrations: {pods}");
}
