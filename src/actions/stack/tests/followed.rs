//! `up` in the foreground: what it says of services that end by themselves while it follows them.

use std::future::pending;
use std::time::Duration;

use super::bench::Bench;
use crate::actions::stack::follow::until_ended;
use crate::error::EXIT_FAILED;
use crate::model::event::Event;

/// A stack that runs, and whose `orders` said last why it cannot go on.
async fn running() -> Bench {
    let bench = Bench::working().behave("orders", |it| {
        it.log = vec!["begin".to_owned(), "cannot go on: no queue".to_owned()];
    });
    bench.up().await.unwrap();
    bench
}

/// What is said while a stack is followed: warnings, and lines of logs.
fn said(bench: &Bench) -> Vec<String> {
    let said = bench.reporter.events().into_iter();
    said.filter_map(|event| match event {
        Event::Warned { message } => Some(message),
        Event::Logged { thing, line } => Some(format!("{thing} | {line}")),
        _ => None,
    })
    .collect()
}

#[tokio::test]
async fn a_service_that_dies_is_named_after_its_last_lines_and_the_others_are_followed_on() {
    let bench = running().await;
    let user = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.runtime.end("orders", 7);
        // Long enough to be noticed, and then the user has seen enough.
        tokio::time::sleep(Duration::from_millis(2500)).await;
    };
    until_ended(&bench.stack, user).await.unwrap();
    assert_eq!(
        said(&bench),
        [
            "orders | begin",
            "orders | cannot go on: no queue",
            "orders ended with exit code 7"
        ]
    );
}

#[tokio::test]
async fn when_all_services_have_died_the_command_fails_and_says_each_exit_code() {
    let bench = running().await;
    let deaths = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.runtime.end("orders", 7);
        bench.runtime.end("front", 0);
    };
    let (ended, ()) = tokio::join!(until_ended(&bench.stack, pending()), deaths);
    let error = ended.unwrap_err();
    assert_eq!(error.message(), "all services have ended");
    assert_eq!(error.kind().exit_code(), EXIT_FAILED);
    let said = said(&bench);
    for warning in [
        "orders ended with exit code 7",
        "front ended with exit code 0",
    ] {
        assert!(said.iter().any(|it| it == warning), "{said:?}");
    }
}
