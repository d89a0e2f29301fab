//! What a client leaves that died: the version that ran or the one that was to run, and nothing that
//! keeps the next client from going on.

use std::sync::Arc;
use std::time::Duration;

use super::interrupt_tests::{first_version, runs, second_version};
use super::tests::{FIRST, SECOND, cluster, deploy, live, mark, site, spec, statuses};
use super::*;
use crate::engine::kubernetes::fake::{BROKEN, FakeCluster};
use crate::engine::kubernetes::records::Status;
use crate::model::release::ReleaseSpec;

/// Whether all of these objects are there.
async fn has_all(cluster: &FakeCluster, objects: &[(&str, &str)]) -> bool {
    for (kind, name) in objects {
        if live(cluster, kind, name).await.is_none() {
            return false;
        }
    }
    true
}

/// What holds at once, before anybody deploys again: where a version ran, all its objects are there
/// or all of the new one, and the records tell of one that runs.
async fn assert_old_or_new(cluster: &Arc<FakeCluster>, has_run: bool, step: usize) {
    let kept = statuses(cluster).await;
    let deployed = kept.iter().filter(|it| it.1 == Status::Deployed).count();
    let is_done = kept.last().is_some_and(|it| it.1 == Status::Deployed);
    let place = format!("step {step}: {kept:?}\n{:#?}", cluster.changes());
    if has_run {
        assert!(deployed >= 1, "{place}");
        let is_whole = has_all(cluster, FIRST).await || has_all(cluster, SECOND).await;
        assert!(is_whole, "{place}");
    }
    // So that there is always one, the new one counts as running before the old one counts no more.
    let at_most = 1 + usize::from(has_run && is_done);
    assert!(deployed <= at_most, "{place}");
    if is_done {
        let found = runs(cluster).await;
        let is_one = found == first_version() || found == second_version();
        assert!(is_one, "{found:?}, {place}");
    }
}

/// Lets a client die after each of its changes, and deploys again from what it left.
async fn survives_each_death(before: Option<ReleaseSpec>, dying: ReleaseSpec) {
    let whole = cluster();
    if let Some(before) = &before {
        deploy(&whole, before).await;
    }
    let start = whole.changes().len();
    deploy(&whole, &dying).await;
    let steps = whole.changes().len() - start;
    assert!(steps > 5, "{:?}", whole.changes());
    let deaths = (1..=steps).map(|step| {
        let (before, dying) = (before.clone(), dying.clone());
        async move {
            let cluster = cluster();
            if let Some(before) = &before {
                deploy(&cluster, before).await;
            }
            cluster.die_after(Some(step));
            let site = site(&cluster, "dead");
            tokio::select! {
                _ = site.deploy(&dying, AfterFailure::TakeBack) => {}
                () = async {
                    while !cluster.is_dead() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                } => {}
            }
            drop(site);
            cluster.die_after(None);
            assert_old_or_new(&cluster, before.is_some(), step).await;
            let after = super::tests::site(&cluster, "next");
            let outcome = after
                .deploy(&spec("3", FIRST), AfterFailure::TakeBack)
                .await;
            let done = cluster.changes();
            assert!(
                outcome.error.is_none(),
                "step {step}: {:?}\n{done:#?}",
                outcome.error
            );
            assert_eq!(mark(&cluster).await, "3", "step {step}");
            assert!(
                live(&cluster, "ConfigMap", "new").await.is_none(),
                "step {step}: {done:#?}"
            );
            let kept = statuses(&cluster).await;
            let deployed = kept.iter().filter(|it| it.1 == Status::Deployed).count();
            assert_eq!(deployed, 1, "step {step}: {kept:?}");
            assert!(
                kept.iter().all(|it| !it.1.is_pending()),
                "step {step}: {kept:?}"
            );
        }
    });
    futures::future::join_all(deaths).await;
}

#[tokio::test]
async fn the_next_deployment_succeeds_wherever_a_first_install_died() {
    survives_each_death(None, spec("2", SECOND)).await;
}

#[tokio::test]
async fn the_next_deployment_succeeds_wherever_an_upgrade_died() {
    survives_each_death(Some(spec("1", FIRST)), spec("2", SECOND)).await;
}

#[tokio::test]
async fn the_next_deployment_succeeds_wherever_a_rollback_died() {
    survives_each_death(Some(spec("1", FIRST)), spec(BROKEN, SECOND)).await;
}

#[tokio::test]
async fn the_next_deployment_succeeds_wherever_a_removal_died() {
    survives_each_death(None, spec(BROKEN, SECOND)).await;
}
