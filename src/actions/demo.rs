//! The demonstration's own part: an order at the front door, followed to the worker's log; a break
//! of a contract, taken back; and an edit that the next version of the blueprints has to keep.

pub mod breakage;
pub mod contraction;
mod deployed;
mod local;
pub mod next_version;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

pub use self::deployed::DeployedShop;
pub use self::local::LocalShop;
use super::stack::logs::LogLine;
pub use crate::engine::go::require as require_go;
use crate::engine::http::{Answered, JsonPost};
use crate::error::{Error, Result};
use crate::model::event::{Event, EventSink};

/// How long an order may take from the front door to the worker's log.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// What a front door answers while the service behind it is not reached: bad gateway, service
/// unavailable, gateway timeout (RFC 9110, 15.6.3 to 15.6.5).
const NOT_REACHED: [u16; 3] = [502, 503, 504];
/// How often an order is repeated, and the worker's log is read, meanwhile.
const POLL: Duration = Duration::from_millis(250);
/// How many lines of each log are looked through.
const LINES: u16 = 200;
/// The step's id.
const STEP: &str = "place an order";

/// An order to place: where, and as what.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The service that takes it in.
    pub front_door: &'a str,
    /// The path to post it to.
    pub path: &'a str,
    /// The customer's own reference, which every log line about it names.
    pub reference: &'a str,
    /// The service that must tell of it in the end.
    pub worker: &'a str,
}

/// An order that went the whole way.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Delivery {
    /// Where it was posted.
    pub url: String,
    /// What was posted.
    pub request: Value,
    /// The answer's status.
    pub status: u16,
    /// The answer's body.
    pub response: Value,
    /// What the services logged about it, front door first.
    pub trail: Vec<LogLine>,
}

/// A shop that runs somewhere.
#[async_trait]
pub trait Shop: Send + Sync {
    /// Posts a document to a path of a service; the address it was posted to, and the answer.
    async fn post(
        &self,
        service: &str,
        path: &str,
        post: &JsonPost<'_>,
    ) -> Result<(String, Answered)>;

    /// The last lines that its services logged.
    async fn lines(&self) -> Result<Vec<LogLine>>;
}

/// A new, empty folder below the system's temporary folder; it stays.
///
/// # Errors
/// When it cannot be made.
pub fn new_folder() -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("gantline-demo-")
        .tempdir()
        .map_err(|error| Error::failed("cannot make a temporary folder").because(error))?;
    Ok(folder.keep())
}

/// Places an order and waits until the worker tells of it.
///
/// # Errors
/// When the front door refuses it, or the worker does not tell of it in time.
pub async fn deliver(
    shop: &dyn Shop,
    order: Order<'_>,
    events: &dyn EventSink,
) -> Result<Delivery> {
    let started = Instant::now();
    events.emit(Event::Started {
        id: STEP.to_owned(),
        label: STEP.to_owned(),
        after: Vec::new(),
    });
    let outcome = place_and_follow(shop, order).await;
    events.emit(match &outcome {
        Ok(_) => Event::Finished {
            id: STEP.to_owned(),
            message: format!("{} told of it", order.worker),
            elapsed: started.elapsed(),
        },
        Err(error) => Event::Failed {
            id: STEP.to_owned(),
            message: error.message().to_owned(),
        },
    });
    outcome
}

async fn place_and_follow(shop: &dyn Shop, order: Order<'_>) -> Result<Delivery> {
    let deadline = Instant::now() + DELIVERY;
    let request = json!({ "reference": order.reference, "quantity": 2 });
    let (url, answered) = place(shop, order, &request, deadline).await?;
    Ok(Delivery {
        url,
        request,
        status: answered.status,
        response: answered.body,
        trail: follow(shop, order, deadline).await?,
    })
}

/// Places the order, again while the shop is not whole.
///
/// A cluster's network learns of new pods a moment after they are ready, so the first call from one
/// new service to another may find nobody, or whoever had the address before. A caller with an idempotency key may repeat: the order
/// is taken once, however often it arrives.
async fn place(
    shop: &dyn Shop,
    order: Order<'_>,
    document: &Value,
    deadline: Instant,
) -> Result<(String, Answered)> {
    let key = idempotency_key();
    let post = JsonPost {
        document,
        idempotency_key: &key,
        deadline: ANSWER,
    };
    loop {
        let (url, answered) = shop.post(order.front_door, order.path, &post).await?;
        match answered.status {
            201 => return Ok((url, answered)),
            status if NOT_REACHED.contains(&status) && Instant::now() < deadline => {
                sleep(POLL).await;
            }
            status => {
                let front_door = order.front_door;
                let refused = Error::failed(format!("{front_door} answered {status} to the order"));
                return Err(refused.since(answered.body.to_string()).hint(
                    "Read the logs: `gantline logs`, or `kubectl logs` of a cluster's pods",
                ));
            }
        }
    }
}

/// Another one for each run: a database that outlived an earlier demonstration knows its orders.
fn idempotency_key() -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos();
    format!("demo-{}-{now:x}", std::process::id())
}

/// The log lines of the order's trace, once the worker's is among them.
async fn follow(shop: &dyn Shop, order: Order<'_>, deadline: Instant) -> Result<Vec<LogLine>> {
    loop {
        let lines = shop.lines().await?;
        let told =
            |line: &&LogLine| line.thing == order.worker && line.line.contains(order.reference);
        if let Some(told) = lines.iter().find(told) {
            return Ok(trail(&lines, told));
        }
        if Instant::now() > deadline {
            let (worker, seconds) = (order.worker, DELIVERY.as_secs());
            return Err(Error::failed(format!(
                "{worker} did not tell of the order within {seconds} s"
            ))
            .hint(format!("Read its log: `gantline logs {worker}`")));
        }
        sleep(POLL).await;
    }
}

/// The lines of the same trace as `told`, in order of time; itself when it has none.
fn trail(lines: &[LogLine], told: &LogLine) -> Vec<LogLine> {
    let Some(trace) = field(told, "trace_id") else {
        return vec![told.clone()];
    };
    let same = lines
        .iter()
        .filter(|line| field(line, "trace_id").as_ref() == Some(&trace));
    let mut trail: Vec<LogLine> = same.cloned().collect();
    // Times are RFC 3339 in UTC, which sort as text.
    trail.sort_by_key(|line| field(line, "time"));
    trail
}

fn field(line: &LogLine, name: &str) -> Option<String> {
    let fields: Value = serde_json::from_str(&line.line).ok()?;
    fields.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
