//! `--dry-run` of up, restart and down.

use std::sync::Arc;

use super::bench::Bench;
use crate::actions::stack::preview::{Foreseen, Step, before_down, before_up};
use crate::actions::stack::restart;
use crate::engine::runtime::{ClearScope, Runtime};
use crate::error::Error;
use crate::model::stack::RuntimeKind;

fn steps(foreseen: &[Foreseen]) -> Vec<(&str, Step)> {
    foreseen
        .iter()
        .map(|it| (it.name.as_str(), it.step))
        .collect()
}

#[tokio::test]
async fn what_does_not_run_would_be_started_and_nothing_is() {
    let bench = Bench::working();
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    assert_eq!(foreseen.len(), 5);
    assert!(foreseen.iter().all(|it| it.step == Step::Start));
    assert!(bench.started().is_empty());
}

#[tokio::test]
async fn what_runs_would_stay_or_be_replaced_when_it_changed() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    assert!(foreseen.iter().all(|it| it.step == Step::Keep));
    let bench = bench
        .behave("front", |it| it.identity = "edited".to_owned())
        .behave("orders", |it| {
            it.unavailable = Some(Error::failed("not built yet"));
        });
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    assert_eq!(
        steps(&foreseen),
        [
            ("broker", Step::Keep),
            ("database", Step::Keep),
            ("orders-migrate", Step::Keep),
            ("front", Step::Replace),
            ("orders", Step::Replace),
        ]
    );
    bench.runtime.take_calls();
    assert!(bench.started().is_empty());
}

#[tokio::test]
async fn what_is_named_would_be_started_again_and_the_rest_is_not_spoken_of() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    let request = restart::request(&bench.stack, &["front".to_owned()]).unwrap();
    let foreseen = before_up(&bench.stack, &request).await.unwrap();
    assert!(steps(&foreseen).contains(&("front", Step::Restart)));
    assert!(!foreseen.iter().any(|it| it.name == "orders"));
}

#[tokio::test]
async fn a_migration_would_be_done_again_behind_a_server_that_would_start() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.stop("database").await.unwrap();
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    let steps = steps(&foreseen);
    assert!(steps.contains(&("database", Step::Start)));
    assert!(steps.contains(&("orders-migrate", Step::Start)));
    assert!(steps.contains(&("orders", Step::Keep)));
}

#[tokio::test]
async fn a_service_that_ended_by_itself_would_be_started_however_it_ended() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.end("front", 0);
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    assert!(steps(&foreseen).contains(&("front", Step::Start)));
    assert!(steps(&foreseen).contains(&("orders-migrate", Step::Keep)));
}

#[tokio::test]
async fn what_the_workspace_has_no_more_would_be_stopped() {
    let mut bench = Bench::working();
    bench.up().await.unwrap();
    bench.stack.spec.services.retain(|it| it.name != "front");
    let foreseen = before_up(&bench.stack, &bench.request).await.unwrap();
    assert!(steps(&foreseen).contains(&("front", Step::Stop)));
}

#[tokio::test]
async fn down_would_remove_data_only_when_asked_to() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    let runtime = Arc::clone(&bench.runtime) as Arc<dyn Runtime>;
    let runtimes = [(RuntimeKind::Docker, runtime)];
    let kept = before_down(&runtimes, ClearScope::KeepData).await.unwrap();
    assert!(kept.iter().all(|it| it.step == Step::Stop));
    let removed = before_down(&runtimes, ClearScope::Everything)
        .await
        .unwrap();
    assert!(steps(&removed).contains(&("database", Step::Remove)));
    assert!(steps(&removed).contains(&("orders", Step::Stop)));
    assert_eq!(bench.runtime.observe().await.unwrap().len(), 5);
}
