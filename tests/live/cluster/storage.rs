//! The volume of a resource in the cluster.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::namespace::{Namespace, kubectl};
use super::shop::{Shop, of_release};
use crate::docker::workspace::text;

const DEPLOY: [&str; 2] = ["deploy", "live"];
const ENVIRONMENT: &str = "environments/live.yaml";

/// A volume of this machine that only one namespace's claim can have, and the class by which claims
/// grow; they go with the test.
struct Volume {
    folder: tempfile::TempDir,
    name: String,
}

impl Volume {
    fn of(namespace: &Namespace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Whoever the server runs as.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let volume = Self {
            name: namespace.name.clone(),
            folder,
        };
        let claim = json!({"namespace": namespace.name, "name": "events-data"});
        let class = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {
                "name": volume.name,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubernetes.io/no-provisioner",
            "allowVolumeExpansion": true,
        });
        let of_this_machine = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume.name},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1Gi"},
                "claimRef": claim,
                "hostPath": {"path": volume.folder.path()},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": volume.name,
            },
        });
        let both = json!({"apiVersion": "v1", "kind": "List", "items": [class, of_this_machine]});
        let made = kubectl(&["create", "--filename=-"], &both.to_string());
        assert!(made.status.success(), "{}", text(&made));
        volume
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        for kind in ["persistentvolume", "storageclass"] {
            kubectl(&["delete", kind, &self.name, "--wait=false"], "");
        }
    }
}

/// How much storage the server's claim asks for.
fn wanted(shop: &Shop) -> String {
    let path = "--output=jsonpath={.spec.resources.requests.storage}";
    let get = ["get", "persistentvolumeclaim", "events-data", path];
    let output = shop.namespace.kubectl(&get, "");
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs the cluster"]
fn a_volume_is_added_to_a_server_that_runs_grows_and_outlives_it() {
    let shop = Shop::with_events(Namespace::new());
    let volume = Volume::of(&shop.namespace);
    shop.done(&DEPLOY);

    let environment = shop.read(ENVIRONMENT);
    assert!(environment.contains("events: {}"), "{environment}");
    shop.write(
        ENVIRONMENT,
        &environment.replace("events: {}", "events: {storage: 1Gi}"),
    );
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "events", "change"), "upgraded");
    let written = std::fs::read_dir(volume.folder.path()).unwrap().count();
    assert!(written > 0, "the server keeps its data in the volume");

    let environment = shop.read(ENVIRONMENT);
    shop.write(ENVIRONMENT, &environment.replace("1Gi", "2Gi"));
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "events", "change"), "upgraded");
    assert_eq!(wanted(&shop), "2Gi");
    // No claim becomes smaller.
    shop.done(&["rollback", "live", "events", "2", "--yes"]);
    assert_eq!(wanted(&shop), "2Gi");
    assert_eq!(shop.statuses("events")[3], "deployed");

    let removed = shop.done(&["destroy", "live", "--yes"]);
    assert!(
        removed.contains("persistentvolumeclaim/events-data"),
        "{removed}"
    );
    let claim = ["get", "persistentvolumeclaim", "events-data"];
    let kept = shop.namespace.kubectl(&claim, "");
    assert!(kept.status.success(), "{}", text(&kept));

    // What was kept is taken up again, as large as it was.
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "events", "change"), "installed");
    assert_eq!(wanted(&shop), "2Gi");
}
