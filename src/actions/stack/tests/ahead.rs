//! What is made before it can be started, and what is taken back of it.

use super::*;

#[tokio::test]
async fn what_has_to_wait_is_made_meanwhile_once_the_servers_before_it_were_started() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    let calls = bench.runtime.take_calls();
    let make = |text: &str| at(&calls, &Call::Make(text.to_owned()));
    let start = |text: &str| at(&calls, &Call::Start(text.to_owned()));
    for service in ["front", "orders"] {
        assert!(start("database") < make(service));
        assert!(start("broker") < make(service));
        assert!(make(service) < start(service));
    }
    assert!(make("orders-migrate") < start("orders-migrate"));
    assert!(
        !calls.contains(&Call::Make("database".to_owned())),
        "it does not wait"
    );
}

#[tokio::test]
async fn what_exists_is_not_made_ahead() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.end("front", 1);
    bench.runtime.take_calls();
    bench.up().await.unwrap();
    let calls = bench.runtime.take_calls();
    assert!(calls.contains(&Call::Start("front".to_owned())));
    assert!(
        !calls.iter().any(|call| matches!(call, Call::Make(_))),
        "its log is still needed"
    );
}

#[tokio::test]
async fn what_was_made_and_never_started_is_taken_back() {
    let bench = Bench::new().behave("orders-migrate", |it| it.exits = Some(1));
    bench.up().await.unwrap_err();
    let calls = bench.runtime.take_calls();
    assert!(calls.contains(&Call::Make("front".to_owned())));
    assert!(calls.contains(&Call::Stop("front".to_owned())));
    let left = bench.stack.runtime.observe().await.unwrap();
    assert!(
        left.iter()
            .all(|it| it.name != "front" && it.name != "orders")
    );
}

#[tokio::test]
async fn an_interrupted_start_abandons_the_servers_that_were_never_ready() {
    let bench = Bench::working().behave("database", |it| it.unready = Some("starting".to_owned()));
    let soon = tokio::time::sleep(Duration::from_millis(300));
    up(&bench.stack, &bench.request, soon).await.unwrap_err();
    let calls = bench.runtime.take_calls();
    assert!(
        calls.contains(&Call::Abandon("database".to_owned())),
        "{calls:?}"
    );
    assert!(
        calls.contains(&Call::Stop("broker".to_owned())),
        "it has served"
    );
    for call in [Call::Make, Call::Stop] {
        assert!(calls.contains(&call("orders".to_owned())), "{calls:?}");
    }
    assert!(bench.stack.runtime.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_made_and_never_started_has_no_log_and_waits() {
    let bench = Bench::working().behave("database", |it| it.unready = Some("starting".to_owned()));
    let during = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let things = status::status(&bench.stack, true).await.unwrap();
        let orders = things.iter().find(|thing| thing.name == "orders").unwrap();
        assert_eq!(orders.state, State::Waiting);
        let request = logs::LogRequest::default();
        let asked = logs::logs(&bench.stack, &["orders".to_owned()], request).await;
        let error = asked.err().unwrap();
        assert_eq!(error.message(), "orders does not run, and left no log");
    };
    up(&bench.stack, &bench.request, during).await.unwrap_err();
}
