//! A shop under load whose parts go away: nothing that it took in is lost, and nothing is done twice.
//!
//! `make soak` runs the same with larger numbers: `GANTLINE_LOAD_ORDERS` orders, and
//! `GANTLINE_LOAD_KILLS` kills of each server.

mod client;
pub mod running;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use self::client::{Order, Outcome};
use self::running::RunningShop;

/// Between one order and the next.
const PACE: Duration = Duration::from_millis(25);
/// How long it may take until all that was ordered is billed, after the last order.
const BILLING: Duration = Duration::from_secs(120);
/// Until the broker delivers again what nobody settled: `AckWait` of the generated worker, and some.
const REDELIVERY: Duration = Duration::from_secs(12);
/// How long one order may be repeated.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two attempts with one order.
const PAUSE: Duration = Duration::from_millis(250);

fn number(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    }
}

fn orders() -> usize {
    number("GANTLINE_LOAD_ORDERS", 500)
}

/// Places the orders at a steady pace, each in a task of its own, and gives what became of each.
/// `placed` counts those that are done.
async fn place<T, F>(
    count: usize,
    placed: &Arc<AtomicUsize>,
    one: impl Fn(usize) -> F,
) -> BTreeMap<usize, T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut ticks = interval(PACE);
    for order in 0..count {
        ticks.tick().await;
        let (task, placed) = (one(order), placed.clone());
        tasks.spawn(async move {
            let outcome = task.await;
            placed.fetch_add(1, Ordering::Relaxed);
            (order, outcome)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Waits until so many orders are done, while all goes on.
async fn until(placed: &AtomicUsize, wanted: usize) {
    let deadline = Instant::now() + PATIENCE * 4;
    while placed.load(Ordering::Relaxed) < wanted {
        assert!(Instant::now() < deadline, "{wanted} orders were never done");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every order that the shop holds is billed, and billed once; also after whatever is delivered
/// again has been.
async fn all_is_billed_once(shop: &RunningShop) -> BTreeMap<String, String> {
    let kept = all_is_billed(shop).await;
    sleep(REDELIVERY).await;
    assert_eq!(shop.unsent().await, 0, "messages wait in the outbox");
    assert_eq!(all_is_billed(shop).await, kept, "an order came afterwards");
    kept
}

async fn all_is_billed(shop: &RunningShop) -> BTreeMap<String, String> {
    let deadline = Instant::now() + BILLING;
    loop {
        let (kept, billed) = (shop.orders().await, shop.invoices().await);
        let twice: Vec<_> = billed.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "billed more than once: {twice:?}");
        let missing: Vec<_> = kept.keys().filter(|it| !billed.contains_key(*it)).collect();
        if missing.is_empty() {
            assert_eq!(
                kept.len(),
                billed.len(),
                "something is billed that nobody ordered"
            );
            return kept;
        }
        assert!(Instant::now() < deadline, "never billed: {missing:?}");
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go, and PostgreSQL or npm"]
async fn restarting_services_under_load_loses_no_request_and_no_message() {
    let shop = RunningShop::start();
    let (count, placed) = (orders() * 3 / 5, Arc::new(AtomicUsize::new(0)));
    let (orders, storefront) = (shop.port("orders"), shop.port("storefront"));
    let posting = place(count, &placed, |number| {
        // Half of them go through the front door.
        let order = match number % 2 {
            0 => Order::at(orders, "/orders", number),
            _ => Order::at(storefront, "/checkouts", number),
        };
        async move { order.post().await }
    });
    let restarting = async {
        for (at, service) in ["orders", "storefront", "billing", "orders"]
            .iter()
            .enumerate()
        {
            until(&placed, count * (at + 1) / 6).await;
            shop.restart(service).await;
        }
    };
    let (outcomes, ()) = tokio::join!(posting, restarting);
    let kept = all_is_billed_once(&shop).await;

    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for (number, outcome) in outcomes {
        let reference = client::reference(number);
        *tally.entry(outcome.to_string()).or_default() += 1;
        match outcome {
            Outcome::Answered { status: 201, .. } => {
                assert!(
                    kept.contains_key(&reference),
                    "{reference} was accepted and is lost"
                );
            }
            // The front door says so while nobody answers behind it.
            Outcome::Answered { status: 503, .. } if number % 2 == 1 => {}
            Outcome::NeverAccepted => {
                assert!(
                    !kept.contains_key(&reference),
                    "{reference} got no answer, and is kept"
                );
            }
            other => panic!("{reference}: {other}"),
        }
    }
    println!(
        "{count} orders: {tally:?}; {} kept and billed once",
        kept.len()
    );
    assert!(kept.len() > count / 2, "{tally:?}");
    shop.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go, and PostgreSQL or npm"]
async fn killing_servers_under_load_loses_no_order_and_bills_none_twice() {
    let shop = RunningShop::start();
    let (count, placed) = (orders(), Arc::new(AtomicUsize::new(0)));
    let kills = number("GANTLINE_LOAD_KILLS", 1);
    let (orders, storefront) = (shop.port("orders"), shop.port("storefront"));
    let posting = place(count, &placed, |number| {
        let order = match number % 2 {
            0 => Order::at(orders, "/orders", number),
            _ => Order::at(storefront, "/checkouts", number),
        };
        async move { timeout(PATIENCE, repeat(order)).await }
    });
    let killing = async {
        for round in 0..kills {
            for (at, server) in ["postgres", "nats"].iter().enumerate() {
                until(&placed, count * (2 * round + at + 1) / (2 * kills + 2)).await;
                shop.kill_and_start_again(server).await;
            }
        }
    };
    let (accepted, ()) = tokio::join!(posting, killing);
    let kept = all_is_billed_once(&shop).await;

    let mut attempts = 0;
    for (number, outcome) in accepted {
        let reference = client::reference(number);
        let Ok((id, tries)) = outcome else {
            panic!("{reference} was never accepted");
        };
        attempts += tries;
        assert_eq!(
            kept.get(&reference),
            Some(&id),
            "{reference} is lost, or another one"
        );
    }
    assert_eq!(kept.len(), count);
    println!(
        "{count} orders in {attempts} attempts, {kills} kills of each server: each kept and billed once"
    );
    shop.stop();
}

/// Repeats an order with its key until it is accepted: the id that it got, and how often it was sent.
async fn repeat(order: Order) -> (String, usize) {
    for attempt in 1.. {
        if let Outcome::Answered { status: 201, body } = order.post().await {
            return (client::id_of_the_order(&body), attempt);
        }
        sleep(PAUSE).await;
    }
    unreachable!("it is repeated until its time is up")
}
