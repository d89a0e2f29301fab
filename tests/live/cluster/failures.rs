//! Ways in which a deployment fails on a real cluster, and what each leaves.

use std::collections::BTreeMap;

use gantline::actions::deploy::{AfterFailure, Change, DeployRequest, Outcome, Releases};
use gantline::engine::kubernetes::records::Status;
use gantline::error::ErrorKind;
use serde_json::{Value, json};

use super::deploy::{RELEASE, cluster, deploy, deployed, exists, mark, site, spec_of, statuses};
use super::namespace::Namespace;

/// Deploys several releases of the test's chart in one run with `--atomic`; the outcomes by name.
async fn deploy_atomically(
    namespace: &Namespace,
    services: &[(&str, Value)],
) -> BTreeMap<String, Outcome> {
    let specs = services
        .iter()
        .map(|(name, values)| spec_of(name, &namespace.name, values.clone()));
    let releases = Releases {
        resources: Vec::new(),
        services: specs.collect(),
    };
    let request = DeployRequest {
        after: AfterFailure::TakeBack,
        atomic: true,
    };
    let site = site(&cluster().await, &namespace.name);
    let deployment = site.deploy_all(&releases, request).await.unwrap();
    let outcomes = deployment.outcomes.into_iter();
    outcomes.map(|it| (it.release.clone(), it)).collect()
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_atomic_run_takes_back_the_other_services_when_one_fails() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    let services = [
        (RELEASE, json!({"mark": "two", "extra": "second"})),
        ("new", json!({})),
        ("broken", json!({"script": "exit 7", "ends": true})),
    ];
    let outcomes = deploy_atomically(&namespace, &services).await;
    let web = &outcomes[RELEASE];
    assert_eq!((web.change, web.restored), (Change::TakenBack, Some(1)));
    assert_eq!(mark(&namespace, "mark"), "one");
    assert!(!exists(&namespace, "configmap/second"));
    assert_eq!(outcomes["new"].change, Change::Removed);
    assert!(!exists(&namespace, "deployment/new"));
    let broken = outcomes["broken"].error.as_ref().unwrap().to_string();
    assert!(broken.contains("code 7"), "{broken}");
    assert!(!exists(&namespace, "deployment/broken"));
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_first_install_that_is_kept_although_it_failed_is_gone_on_from() {
    let namespace = Namespace::new();
    let site = site(&cluster().await, &namespace.name);
    let values = json!({"script": "echo no table; exit 7", "ends": true, "extra": "tried"});
    let broken = spec_of(RELEASE, &namespace.name, values);
    let kept = site.deploy(&broken, AfterFailure::KeepFirst).await;
    assert_eq!(kept.change, Change::Failed, "{kept:?}");
    assert!(kept.error.unwrap().to_string().contains("no table"));
    assert!(exists(&namespace, "deployment/web"));
    assert_eq!(statuses(&namespace.name).await, [(1, Status::Failed)]);

    assert_eq!(deployed(&namespace, json!({})).await, 2);
    assert!(!exists(&namespace, "configmap/tried"));
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_first_install_whose_pods_the_namespace_forbids_is_removed_with_the_rule() {
    let namespace = Namespace::new();
    let failed = deploy(&namespace, json!({"privileged": true})).await;
    assert_eq!(failed.change, Change::Removed, "{failed:?}");
    let error = failed.error.unwrap().to_string();
    assert!(error.contains("violates PodSecurity"), "{error}");
    assert!(!exists(&namespace, "deployment/web"));
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn an_upgrade_to_an_image_that_does_not_exist_is_taken_back_with_its_name() {
    let namespace = Namespace::new();
    deployed(&namespace, json!({})).await;
    let absent = "ghcr.io/acme/absent:1";
    let failed = deploy(&namespace, json!({"mark": "two", "image": absent})).await;
    assert_eq!(
        (failed.change, failed.restored),
        (Change::TakenBack, Some(1))
    );
    let error = failed.error.unwrap().to_string();
    assert!(error.contains(absent), "{error}");
    assert_eq!(mark(&namespace, "mark"), "one");
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_rollback_to_a_revision_that_cannot_become_ready_leaves_what_ran_before() {
    let namespace = Namespace::new();
    let site = site(&cluster().await, &namespace.name);
    let values = json!({"script": "echo no table; exit 7", "ends": true, "extra": "first"});
    let broken = spec_of(RELEASE, &namespace.name, values);
    site.deploy(&broken, AfterFailure::KeepFirst).await;
    deployed(&namespace, json!({"mark": "two"})).await;

    let failed = site.rollback(RELEASE, Some(1)).await;
    assert_eq!(
        (failed.change, failed.restored, failed.revision),
        (Change::TakenBack, Some(2), Some(4)),
        "{failed:?}"
    );
    let error = failed.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("no table"), "{error}");
    assert_eq!(mark(&namespace, "mark"), "two");
    assert!(!exists(&namespace, "configmap/first"));
    assert_eq!(
        statuses(&namespace.name).await[1..],
        [
            (2, Status::Superseded),
            (3, Status::Failed),
            (4, Status::Deployed)
        ]
    );
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn a_namespace_that_is_going_away_is_said_and_nothing_is_made_in_it() {
    let namespace = Namespace::new();
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "held", "finalizers": ["example.com/held"]}});
    namespace.apply(&[held]);
    let ending = ["delete", "namespace", &namespace.name, "--wait=false"];
    assert!(namespace.kubectl(&ending, "").status.success());

    let refused = deploy(&namespace, json!({})).await;
    let release = [
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch={\"metadata\":{\"finalizers\":null}}",
    ];
    assert!(namespace.kubectl(&release, "").status.success());
    assert_eq!(refused.change, Change::Failed);
    let error = refused.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("being terminated"), "{error}");
}
