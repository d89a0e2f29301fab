//! Whatever a Secret of the cluster holds, to read it as a record panics as little as to work with
//! what was read.

use proptest::prelude::*;

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_json};

/// What means something in a record.
const WORDS: &[&str] = &[
    "name",
    "info",
    "status",
    "deployed",
    "pending-upgrade",
    "version",
    "chart",
    "metadata",
    "config",
    "manifest",
    "hooks",
    "kind",
    "Job",
    "last_run",
    "image",
    "digest",
    "labels",
    "annotations",
    "---\nkind: A\n--- \n",
    "a: [1",
    "",
];

/// A revision as Helm writes it.
fn body() -> Value {
    json!({
        "name": "orders",
        "info": {
            "first_deployed": "2026-01-01T00:00:00Z",
            "last_deployed": "2026-01-01T00:00:00Z",
            "description": "Install complete",
            "status": "deployed",
            "notes": "It runs."
        },
        "chart": {
            "metadata": {"name": "orders", "version": "0.1.0", "appVersion": "1"},
            "values": {"image": {"repository": "ghcr.io/acme/orders", "tag": "1", "digest": ""}}
        },
        "config": {"image": {"digest": Digest::of(b"")}},
        "manifest": "---\n# Source: orders/templates/a.yaml\nkind: A\nmetadata: {name: one}\n",
        "hooks": [{
            "name": "orders-migrate", "kind": "Job", "path": "orders/templates/job.yaml",
            "manifest": "kind: Job\nmetadata: {name: orders-migrate}\n",
            "events": ["pre-install"], "last_run": {"phase": ""}, "weight": -1,
            "delete_policies": ["before-hook-creation"]
        }],
        "version": 3,
        "namespace": "shop",
        "apply_method": "ssa"
    })
}

/// A body as the cluster keeps it.
fn stored(body: Value) -> Value {
    let record = Record {
        body,
        labels: BTreeMap::new(),
        holder: Some("someone".to_owned()),
        workspace: Some("shop".to_owned()),
        resource_version: None,
    };
    record.secret("shop", "createdAt").unwrap()
}

/// Does all that is done with a record once it was read.
fn work_with(mut record: Record) {
    let _ = (record.chart(), record.image(), record.rollback_revision());
    let _ = (record.objects(), record.hooks());
    let back = record.brought_back(&NewRecord {
        revision: 7,
        status: Status::PendingRollback,
        description: "Rollback".to_owned(),
        holder: "someone",
        workspace: "shop",
        first_deployed: record.first_deployed(),
    });
    assert_eq!(back.revision(), 7);
    let _ = back.deploys_the_same(&record);
    for phase in ["Running", "Succeeded"] {
        record.note_hook("Job", "orders-migrate", phase);
    }
    record.settle(Status::Failed, "it failed");
    assert_eq!(record.status(), Status::Failed);
    Record::of_secret(&record.secret("shop", "modifiedAt").unwrap()).unwrap();
}

/// The bytes that a Secret keeps, without their two codes.
fn compressed() -> Vec<u8> {
    let secret = stored(body());
    let once = STANDARD.decode(secret["data"]["release"].as_str().unwrap());
    STANDARD.decode(once.unwrap()).unwrap()
}

#[test]
fn the_record_that_is_damaged_below_is_sound() {
    let record = Record::of_secret(&stored(body())).unwrap();
    assert_eq!((record.revision(), record.objects().unwrap().len()), (3, 1));
    assert_eq!(record.hooks().unwrap().len(), 1);
    assert!(record.image().is_some());
    work_with(record);
}

proptest! {
    #[test]
    fn no_body_of_a_record_makes_who_works_with_it_panic(body in damaged_json(body(), WORDS)) {
        if let Ok(record) = Record::of_secret(&stored(body)) {
            work_with(record);
        }
    }

    #[test]
    fn no_secret_makes_the_reader_of_records_panic(secret in damaged_json(stored(body()), WORDS)) {
        if let Ok(record) = Record::of_secret(&secret) {
            work_with(record);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_of_records_panic(bytes in damaged_bytes(Just(compressed()))) {
        let mut secret = stored(body());
        secret["data"]["release"] = STANDARD.encode(STANDARD.encode(bytes)).into();
        if let Ok(record) = Record::of_secret(&secret) {
            work_with(record);
        }
    }
}
