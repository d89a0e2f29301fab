//! What an interruption leaves, whenever it comes, and a rollback that does not get where it was to
//! go.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::tests::{
    FIRST, SECOND, cluster, deploy, first_with_broken_hook, live, mark, site, spec, statuses,
};
use super::*;
use crate::engine::kubernetes::fake::{BROKEN, FakeCluster};
use crate::engine::kubernetes::objects::{ObjectKey, Objects};
use crate::engine::kubernetes::records::Status;
use crate::error::ErrorKind;
use crate::model::release::ReleaseSpec;

/// A release that runs in its second version, after a first one.
async fn running() -> Arc<FakeCluster> {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    deploy(&cluster, &spec("2", SECOND)).await;
    cluster
}

/// A release whose first revision cannot become ready, and whose second one runs.
async fn running_after_a_broken_one() -> Arc<FakeCluster> {
    let cluster = cluster();
    let broken = spec(BROKEN, FIRST);
    let first = site(&cluster, "one");
    first.deploy(&broken, AfterFailure::KeepFirst).await;
    deploy(&cluster, &spec("2", SECOND)).await;
    cluster
}

/// A site whose user interrupts after so many more changes.
fn interrupted_after(cluster: &Arc<FakeCluster>, changes: usize) -> Site {
    let signal = cluster.after_changes(cluster.changes().len() + changes);
    Site {
        interrupted: signal.shared(),
        ..site(cluster, "interrupted")
    }
}

/// How many changes an operation makes when nobody interrupts it.
async fn changes_of(cluster: &Arc<FakeCluster>, work: impl AsyncFn(&Site)) -> usize {
    let before = cluster.changes().len();
    work(&site(cluster, "whole")).await;
    cluster.changes().len() - before
}

/// What must hold after every interruption: no lease, nothing under way, one revision that runs.
async fn assert_in_order(cluster: &Arc<FakeCluster>, step: usize) {
    let lease = "gantline.orders";
    let lease = ObjectKey::namespaced("coordination.k8s.io/v1", "Lease", "shop", lease);
    // Who is interrupted while the lease is taken may leave it; it expires.
    let is_left = step > 1 && cluster.get(&lease).await.unwrap().is_some();
    assert!(!is_left, "step {step}");
    let kept = statuses(cluster).await;
    let is_open = |status: &Status| status.is_pending() || *status == Status::Uninstalling;
    assert!(
        kept.iter().all(|(_, status)| !is_open(status)),
        "step {step}: {kept:?}"
    );
    let deployed = kept.iter().filter(|it| it.1 == Status::Deployed).count();
    assert!(deployed <= 1, "step {step}: {kept:?}");
}

/// The mark that runs, with which of the two ConfigMaps.
pub(super) async fn runs(cluster: &Arc<FakeCluster>) -> (String, bool, bool) {
    let old = live(cluster, "ConfigMap", "old").await.is_some();
    let new = live(cluster, "ConfigMap", "new").await.is_some();
    (mark(cluster).await, old, new)
}

pub(super) fn first_version() -> (String, bool, bool) {
    ("1".to_owned(), true, false)
}

pub(super) fn second_version() -> (String, bool, bool) {
    ("2".to_owned(), false, true)
}

fn kind_of(outcome: &Outcome) -> Option<ErrorKind> {
    outcome.error.as_ref().map(crate::error::Error::kind)
}

/// Interrupts a deployment over a version that runs, after each of its changes.
async fn deploy_interrupted_everywhere(spec: &ReleaseSpec, over: &ReleaseSpec, end: Change) {
    let whole = cluster();
    deploy(&whole, over).await;
    let changes = changes_of(&whole, async |site| {
        site.deploy(spec, AfterFailure::TakeBack).await;
    });
    let changes = changes.await;
    assert!(changes > 5, "{:?}", whole.changes());
    let mut interrupted = 0;
    for step in 1..=changes {
        let cluster = cluster();
        deploy(&cluster, over).await;
        let site = interrupted_after(&cluster, step);
        let outcome = site.deploy(spec, AfterFailure::TakeBack).await;
        assert_in_order(&cluster, step).await;
        if outcome.change == end && outcome.error.is_none() {
            // It was as good as done.
            assert_eq!(runs(&cluster).await, second_version(), "step {step}");
            continue;
        }
        interrupted += 1;
        let kind = kind_of(&outcome);
        // With its last change the lease is given back: there is nothing left to interrupt.
        let is_over = step == changes && kind == Some(ErrorKind::Failed);
        assert!(
            is_over || kind == Some(ErrorKind::Interrupted),
            "step {step}: {outcome:?}"
        );
        assert_eq!(runs(&cluster).await, first_version(), "step {step}");
    }
    assert!(interrupted > 5, "{interrupted} of {changes}");
}

#[tokio::test]
async fn an_upgrade_that_is_interrupted_anywhere_is_done_or_taken_back() {
    let (first, second) = (spec("1", FIRST), spec("2", SECOND));
    deploy_interrupted_everywhere(&second, &first, Change::Upgraded).await;
}

#[tokio::test]
async fn an_interruption_while_a_failed_upgrade_is_taken_back_ends_with_what_ran_before() {
    let (first, broken) = (spec("1", FIRST), spec(BROKEN, SECOND));
    deploy_interrupted_everywhere(&broken, &first, Change::Upgraded).await;
}

#[tokio::test]
async fn a_first_install_that_is_interrupted_anywhere_is_done_or_removed() {
    let new = spec("1", FIRST);
    let whole = cluster();
    let changes = changes_of(&whole, async |site| {
        site.deploy(&new, AfterFailure::TakeBack).await;
    });
    for step in 1..=changes.await {
        let cluster = cluster();
        let site = interrupted_after(&cluster, step);
        let outcome = site.deploy(&new, AfterFailure::TakeBack).await;
        assert_in_order(&cluster, step).await;
        if outcome.change == Change::Installed {
            continue;
        }
        assert_eq!(
            kind_of(&outcome),
            Some(ErrorKind::Interrupted),
            "step {step}"
        );
        assert!(statuses(&cluster).await.is_empty(), "step {step}");
        assert!(live(&cluster, "Deployment", "orders").await.is_none());
    }
}

#[tokio::test]
async fn a_rollback_that_is_interrupted_anywhere_is_done_or_taken_back() {
    let whole = running().await;
    let changes = changes_of(&whole, async |site| {
        site.rollback("orders", None).await;
    });
    let mut interrupted = 0;
    for step in 1..=changes.await {
        let cluster = running().await;
        let site = interrupted_after(&cluster, step);
        let outcome = site.rollback("orders", None).await;
        assert_in_order(&cluster, step).await;
        if outcome.change == Change::RolledBack {
            assert_eq!(runs(&cluster).await, first_version(), "step {step}");
            continue;
        }
        interrupted += 1;
        assert_eq!(
            kind_of(&outcome),
            Some(ErrorKind::Interrupted),
            "step {step}"
        );
        assert_eq!(runs(&cluster).await, second_version(), "step {step}");
    }
    assert!(interrupted > 3, "{interrupted}");
}

#[tokio::test]
async fn a_rollback_to_a_revision_that_cannot_become_ready_leaves_what_ran_before() {
    let cluster = running_after_a_broken_one().await;
    let outcome = site(&cluster, "one").rollback("orders", Some(1)).await;
    assert_eq!(
        (outcome.change, outcome.restored, outcome.revision),
        (Change::TakenBack, Some(2), Some(4))
    );
    let error = outcome.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        error.message(),
        "orders was not rolled back to revision 1: revision 2 runs again, as revision 4"
    );
    assert_eq!(runs(&cluster).await, second_version());
    assert_eq!(
        statuses(&cluster).await[1..],
        [
            (2, Status::Superseded),
            (3, Status::Failed),
            (4, Status::Deployed)
        ]
    );
}

#[tokio::test]
async fn an_interruption_while_a_failed_rollback_is_taken_back_ends_with_what_ran_before() {
    let whole = running_after_a_broken_one().await;
    let changes = changes_of(&whole, async |site| {
        site.rollback("orders", Some(1)).await;
    });
    for step in 1..=changes.await {
        let cluster = running_after_a_broken_one().await;
        let site = interrupted_after(&cluster, step);
        let outcome = site.rollback("orders", Some(1)).await;
        assert_in_order(&cluster, step).await;
        assert_eq!(runs(&cluster).await, second_version(), "step {step}");
        let kind = kind_of(&outcome);
        // After its last change there is nothing left to interrupt.
        let expected = [Some(ErrorKind::Interrupted), Some(ErrorKind::Failed)];
        assert!(expected.contains(&kind), "step {step}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_hook_that_stops_a_rollback_does_not_keep_what_failed_before() {
    let cluster = cluster();
    deploy(&cluster, &first_with_broken_hook("pre-rollback")).await;
    let outcome = deploy(&cluster, &spec(BROKEN, SECOND)).await;
    assert_eq!(outcome.change, Change::Failed, "{outcome:?}");
    assert_eq!(runs(&cluster).await, first_version());
}

#[tokio::test]
async fn a_removal_that_is_interrupted_anywhere_says_so_and_the_next_one_ends_it() {
    let whole = running().await;
    let changes = changes_of(&whole, async |site| {
        site.destroy("orders").await.unwrap();
    });
    let mut interrupted = 0;
    for step in 1..=changes.await {
        let cluster = running().await;
        let removing = interrupted_after(&cluster, step);
        let Err(error) = removing.destroy("orders").await else {
            assert!(statuses(&cluster).await.is_empty(), "step {step}");
            continue;
        };
        interrupted += 1;
        assert_eq!(error.kind(), ErrorKind::Interrupted, "step {step}");
        assert_in_order(&cluster, step).await;
        site(&cluster, "next").destroy("orders").await.unwrap();
        assert!(statuses(&cluster).await.is_empty(), "step {step}");
        assert!(live(&cluster, "Deployment", "orders").await.is_none());
    }
    assert!(interrupted > 3, "{interrupted}");
}

#[tokio::test]
async fn a_release_whose_removal_was_interrupted_before_it_began_is_as_it_was() {
    let cluster = running().await;
    // The lease, then the record that says that it is being removed.
    let removing = interrupted_after(&cluster, 2);
    removing.destroy("orders").await.unwrap_err();
    assert_eq!(runs(&cluster).await, second_version());
    assert_eq!(
        statuses(&cluster).await,
        [(1, Status::Superseded), (2, Status::Deployed)]
    );
}

#[tokio::test]
async fn a_deployment_that_was_interrupted_before_it_began_changes_nothing() {
    let cluster = running().await;
    let before = cluster.changes();
    let mut site = site(&cluster, "one");
    let done: futures::future::BoxFuture<'static, ()> = Box::pin(std::future::ready(()));
    site.interrupted = done.shared();
    let outcome = site.deploy(&spec("3", FIRST), AfterFailure::TakeBack).await;
    assert_eq!(kind_of(&outcome), Some(ErrorKind::Interrupted));
    assert_eq!(cluster.changes(), before);
}

#[tokio::test]
async fn an_interrupted_deployment_is_taken_back_and_leaves_no_pending_record() {
    let cluster = cluster();
    deploy(&cluster, &spec("1", FIRST)).await;
    let mut interrupted = site(&cluster, "one");
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let signal: futures::future::BoxFuture<'static, ()> = Box::pin(async {
        let _ = receiver.await;
    });
    interrupted.interrupted = signal.shared();
    // The pods never become ready, and the user loses patience.
    interrupted.rollouts = Arc::new(Never);
    let spec = spec("2", SECOND);
    let (outcome, ()) = tokio::join!(interrupted.deploy(&spec, AfterFailure::TakeBack), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(sender);
    });
    assert_eq!(outcome.error.unwrap().kind(), ErrorKind::Interrupted);
    assert_eq!(mark(&cluster).await, "1");
    let kept = statuses(&cluster).await;
    assert!(
        kept.iter().all(|(_, status)| !status.is_pending()),
        "{kept:?}"
    );
    assert_eq!(kept.last(), Some(&(3, Status::Deployed)));
}

struct Never;

#[async_trait::async_trait]
impl crate::engine::kubernetes::objects::Rollouts for Never {
    async fn await_ready(
        &self,
        request: &crate::engine::kubernetes::rollout::RolloutRequest<'_>,
        _events: &dyn crate::model::event::EventSink,
    ) -> crate::error::Result<crate::engine::kubernetes::rollout::RolloutEnd> {
        if request.objects[0].value["kind"] == "Job" {
            return Ok(crate::engine::kubernetes::rollout::RolloutEnd::Ready);
        }
        std::future::pending().await
    }
}
