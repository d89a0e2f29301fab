mod ahead;
mod bench;
mod down;
mod followed;
mod previews;

use std::future::pending;

use self::bench::Bench;
use super::up::{AfterFailure, Arrived, Change, up};
use super::*;
use crate::engine::runtime::ClearScope;
use crate::engine::runtime::fake::{Behaviour, Call};
use crate::error::{Error, ErrorKind};
use crate::model::container::User;
use crate::model::event::Event;
use crate::model::stack::{ContainerImage, ContainerProgram, Program, Readiness, State, Template};

fn at<T: PartialEq>(all: &[T], wanted: &T) -> usize {
    all.iter().position(|it| it == wanted).unwrap()
}

fn changes(arrived: &[Arrived]) -> Vec<(&str, Change)> {
    arrived
        .iter()
        .map(|it| (it.name.as_str(), it.change))
        .collect()
}

#[tokio::test]
async fn servers_then_provisioning_then_migrations_then_services() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    let calls = bench.runtime.take_calls();
    let start = |text: &str| at(&calls, &Call::Start(text.to_owned()));
    let provision = at(&calls, &Call::Provision("orders-db".to_owned()));
    assert!(start("database") < provision);
    assert!(provision < start("orders-migrate"));
    assert!(start("orders-migrate") < start("front"));
    assert!(start("orders-migrate") < start("orders"));
    let builds = calls
        .iter()
        .filter(|call| **call == Call::Prepare("orders-migrate".to_owned()));
    assert_eq!(builds.count(), 1, "job and service share one build");
    assert!(!calls.contains(&Call::Prepare("orders".to_owned())));
}

#[tokio::test]
async fn up_again_starts_only_what_differs() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    assert_eq!(bench.started().len(), 5);
    let arrived = bench.up().await.unwrap();
    assert!(arrived.iter().all(|it| it.change == Change::Unchanged));
    assert!(bench.started().is_empty());
    bench.runtime.behave(
        "front",
        Behaviour {
            identity: "edited".to_owned(),
            ..Behaviour::default()
        },
    );
    let arrived = bench.up().await.unwrap();
    assert_eq!(bench.started(), ["front"]);
    assert!(changes(&arrived).contains(&("front", Change::Replaced)));
    let said = format!("{:?}", bench.reporter.events());
    assert!(said.contains("its program changed"), "{said}");
}

#[tokio::test]
async fn what_runs_keeps_its_port() {
    let bench = Bench::working();
    let first = bench.up().await.unwrap();
    let second = bench.up().await.unwrap();
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one.endpoints, other.endpoints);
    }
}

#[tokio::test]
async fn a_server_that_was_started_anew_is_migrated_again() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.stop("database").await.unwrap();
    bench.runtime.take_calls();
    bench.up().await.unwrap();
    assert_eq!(bench.started(), ["database", "orders-migrate"]);
}

#[tokio::test]
async fn a_failing_migration_stops_before_any_service_and_shows_its_log() {
    let bench = Bench::new().behave("orders-migrate", |it| {
        it.exits = Some(1);
        it.log = vec!["relation exists".to_owned()];
    });
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.message(), "orders-migrate failed with exit code 1");
    assert!(error.causes()[0].ends_with("relation exists"), "{error}");
    assert!(!bench.started().contains(&"orders".to_owned()));
}

#[tokio::test]
async fn a_service_that_exits_at_once_is_an_error_with_its_exit_code_and_last_lines() {
    let bench = Bench::working().behave("orders", |it| {
        it.exits = Some(3);
        it.unready = Some("connection refused".to_owned());
        it.log = (1..=40).map(|line| format!("line {line}")).collect();
    });
    let error = bench.up().await.unwrap_err();
    assert_eq!(
        error.message(),
        "orders ended with exit code 3 before it was ready"
    );
    assert!(error.causes()[0].contains("line 40"));
    assert!(!error.causes()[0].contains("line 25\n"));
}

#[tokio::test]
async fn a_service_that_never_becomes_ready_is_an_error_that_says_why() {
    let mut bench = Bench::working().behave("orders", |it| {
        it.unready = Some("/health/ready answers 503".to_owned());
    });
    bench.stack.spec.services[1].deadline_seconds = 2;
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.message(), "orders is not ready after 2 s");
    assert!(error.to_string().contains("answers 503"), "{error}");
    let waited = bench.reporter.events().into_iter().any(|event| {
        matches!(event, Event::Progressed { id, message }
            if id == "orders" && message.contains("answers 503"))
    });
    assert!(waited);
}

#[tokio::test]
async fn a_container_that_nobody_reaches_is_told_where_it_has_to_listen() {
    let mut bench = Bench::working().behave("orders", |it| {
        it.unready = Some("connection refused".to_owned());
    });
    let orders = &mut bench.stack.spec.services[1];
    orders.program = Program::Container(ContainerProgram {
        service: bench::name("orders"),
        image: ContainerImage::Named("vendor/orders:1".to_owned()),
        command: Vec::new(),
        arguments: Vec::new(),
        user: User {
            id: 1000,
            group: 1000,
        },
        writable: Vec::new(),
    });
    orders.ready = Some(Readiness {
        check: ReadyCheck::Tcp {
            port: "http".to_owned(),
        },
        ..bench::readiness()
    });
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.message(), "orders is not ready after 1 s");
    assert!(
        error.hints()[0].starts_with("It has to listen on port 8080"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_had_is_the_one_error_that_is_told() {
    let bench = Bench::working().behave("database", |it| {
        it.unavailable = Some(Error::missing("the image postgres:17 cannot be pulled"));
    });
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.message(), "the image postgres:17 cannot be pulled");
    assert!(error.related().is_empty());
}

#[tokio::test]
async fn every_failure_of_a_run_is_told() {
    let bench = Bench::working()
        .behave("orders", |it| it.exits = Some(1))
        .behave("front", |it| it.exits = Some(2));
    // A probe that answers is believed; these end first only because they never answer.
    for service in ["orders", "front"] {
        let exits = Some(1);
        let unready = Some("connection refused".to_owned());
        bench.runtime.behave(
            service,
            Behaviour {
                exits,
                unready,
                ..Behaviour::default()
            },
        );
    }
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.message(), "2 parts of the stack did not come up");
    assert_eq!(error.related().len(), 2);
}

#[tokio::test]
async fn refused_provisioning_is_an_error() {
    let bench = Bench::working().behave("database", |it| {
        it.refuses = Some("password authentication failed".to_owned());
    });
    let error = bench.up().await.unwrap_err();
    assert_eq!(
        error.message(),
        "database cannot be provisioned for orders-db"
    );
}

#[tokio::test]
async fn a_failed_run_in_the_foreground_stops_what_it_started() {
    let mut bench = Bench::new().behave("orders-migrate", |it| it.exits = Some(1));
    bench.request.after_failure = AfterFailure::Stop;
    bench.up().await.unwrap_err();
    assert!(bench.stack.runtime.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_run_in_the_background_leaves_what_it_started() {
    let bench = Bench::new().behave("orders-migrate", |it| it.exits = Some(1));
    bench.up().await.unwrap_err();
    assert_eq!(bench.stack.runtime.observe().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_interrupted_start_takes_back_what_it_started_and_nothing_else() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.stop("front").await.unwrap();
    let bench = bench.behave("front", |it| it.unready = Some("starting".to_owned()));
    bench.runtime.take_calls();
    let soon = tokio::time::sleep(Duration::from_millis(300));
    let error = up(&bench.stack, &bench.request, soon).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let calls = bench.runtime.take_calls();
    assert!(calls.contains(&Call::Stop("front".to_owned())));
    assert!(!calls.contains(&Call::Clear(ClearScope::KeepData)));
    let left = bench.stack.runtime.observe().await.unwrap();
    assert_eq!(left.len(), 4);
}

#[tokio::test]
async fn what_the_workspace_no_longer_has_is_stopped_unless_services_were_selected() {
    let mut bench = Bench::working();
    bench.up().await.unwrap();
    bench.stack.spec.services.remove(0);
    bench.request.stop_others = false;
    bench.up().await.unwrap();
    assert_eq!(bench.stack.runtime.observe().await.unwrap().len(), 5);
    bench.request.stop_others = true;
    bench.up().await.unwrap();
    assert_eq!(bench.stack.runtime.observe().await.unwrap().len(), 4);
}

#[tokio::test]
async fn servers_alone_run_until_somebody_stops_them() {
    let mut bench = Bench::working();
    bench.stack.spec.services.clear();
    bench.stack.spec.jobs.clear();
    bench.up().await.unwrap();
    let soon = tokio::time::sleep(Duration::from_millis(200));
    let followed = follow::until_ended(&bench.stack, pending());
    tokio::select! {
        ended = followed => panic!("it ended by itself: {ended:?}"),
        () = soon => {}
    }
    assert_eq!(bench.stack.runtime.observe().await.unwrap().len(), 2);
}

#[tokio::test]
async fn restart_starts_the_named_ones_again() {
    let bench = Bench::working();
    bench.up().await.unwrap();
    bench.runtime.take_calls();
    let names = ["orders".to_owned()];
    restart::restart(&bench.stack, &names, pending())
        .await
        .unwrap();
    assert_eq!(bench.started(), ["orders"]);
    let unknown = ["order".to_owned()];
    let error = restart::restart(&bench.stack, &unknown, pending())
        .await
        .unwrap_err();
    assert_eq!(error.message(), "the stack has nothing called `order`");
}

#[tokio::test]
async fn a_name_in_a_stack_without_anything_is_refused_with_what_makes_a_service() {
    let mut bench = Bench::working();
    for instances in [
        &mut bench.stack.spec.servers,
        &mut bench.stack.spec.services,
    ] {
        instances.clear();
    }
    bench.stack.spec.jobs.clear();
    let names = ["orders".to_owned()];
    let asked = restart::restart(&bench.stack, &names, pending()).await;
    let hints = asked.unwrap_err().hints().join("\n");
    assert!(hints.contains("gantline add service"), "{hints}");
}

#[tokio::test]
async fn services_that_wait_for_one_another_are_refused() {
    let mut bench = Bench::working();
    bench.stack.spec.services[0].after.push("orders".to_owned());
    bench.stack.spec.services[1].after.push("front".to_owned());
    let error = bench.up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("front, orders"), "{error}");
}

#[tokio::test]
async fn status_tells_the_state_of_each_thing_and_why() {
    let bench = Bench::working().behave("orders", |it| {
        it.unready = Some("/health/ready answers 503".to_owned());
    });
    bench.up().await.unwrap_err();
    bench.runtime.stop("front").await.unwrap();
    let things = status::status(&bench.stack, false).await.unwrap();
    let states: Vec<(&str, State)> = things
        .iter()
        .map(|thing| (thing.name.as_str(), thing.state))
        .collect();
    assert_eq!(
        states,
        [
            ("broker", State::Ready),
            ("database", State::Ready),
            ("orders-migrate", State::Done),
            ("front", State::Stopped),
            ("orders", State::Starting),
        ]
    );
    assert_eq!(
        things[4].reason.as_deref(),
        Some("/health/ready answers 503")
    );
    assert!(things[4].endpoints["http"].starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn the_environment_of_a_service_has_the_hosts_addresses() {
    let mut bench = Bench::working();
    let uri = Template(vec![
        crate::model::stack::Piece::Host {
            instance: "database".to_owned(),
        },
        crate::model::stack::Piece::Text(":".to_owned()),
        crate::model::stack::Piece::Port {
            instance: "database".to_owned(),
            endpoint: "main".to_owned(),
        },
    ]);
    bench.stack.spec.services[1]
        .environment
        .insert("STORE_URI".to_owned(), uri);
    let arrived = bench.up().await.unwrap();
    let found = env::environment(&bench.stack, "orders").await.unwrap();
    let expected = arrived[1].endpoints["main"].to_string();
    assert_eq!(found["STORE_URI"].reveal(), expected);
    assert_eq!(found["HTTP_ADDR"].reveal(), "127.0.0.1:0");
    let inside = bench.runtime.launch("orders").unwrap();
    assert_eq!(inside.environment["STORE_URI"].reveal(), "database:8080");
    assert_eq!(inside.environment["HTTP_ADDR"].reveal(), ":8080");
}

#[tokio::test]
async fn status_says_waiting_while_the_stack_is_changed_and_why_it_is_not_there_afterwards() {
    let bench = Bench::new().behave("orders-migrate", |it| it.exits = Some(1));
    bench.up().await.unwrap_err();
    let of_orders = async |is_being_changed| {
        let things = status::status(&bench.stack, is_being_changed)
            .await
            .unwrap();
        let orders = things.into_iter().find(|thing| thing.name == "orders");
        orders.unwrap()
    };
    let during = of_orders(true).await;
    assert_eq!(during.state, State::Waiting);
    assert_eq!(during.waiting_for, ["orders-migrate"]);
    let after = of_orders(false).await;
    assert_eq!(after.state, State::Stopped);
    assert_eq!(
        after.reason.as_deref(),
        Some("not started: it needs orders-migrate, which did not come up")
    );
    let bench = bench.behave("orders-migrate", |it| it.exits = Some(0));
    bench.up().await.unwrap();
    bench.runtime.stop("orders").await.unwrap();
    let things = status::status(&bench.stack, false).await.unwrap();
    assert!(things.iter().all(|thing| thing.reason.is_none()));
}
