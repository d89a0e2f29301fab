//! The demonstration's own part: an order at the front door, followed to the worker's log; and a
//! break of a contract, taken back.

pub mod breakage;
mod deployed;
mod local;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value, json};

pub use self::deployed::DeployedShop;
pub use self::local::LocalShop;
use super::stack::logs::LogLine;
use crate::engine::http::Answered;
use crate::error::{Error, Result};
use crate::model::event::{Event, EventSink};

/// How long an order may take from the front door to the worker's log.
const DELIVERY: Duration = Duration::from_secs(30);
/// How often the worker's log is read meanwhile.
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
#[derive(Debug, Clone, serde::Serialize)]
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
    async fn post(&self, service: &str, path: &str, document: &Value)
    -> Result<(String, Answered)>;

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
    let request = json!({ "reference": order.reference, "quantity": 2 });
    let (url, answered) = shop.post(order.front_door, order.path, &request).await?;
    if answered.status != 201 {
        let status = answered.status;
        return Err(Error::failed(format!(
            "{} answered {status} to the order",
            order.front_door
        ))
        .since(answered.body.to_string())
        .hint("Read the logs: `gantline logs`, or `kubectl logs` of a cluster's pods"));
    }
    Ok(Delivery {
        url,
        request,
        status: answered.status,
        response: answered.body,
        trail: follow(shop, order).await?,
    })
}

/// The log lines of the order's trace, once the worker's is among them.
async fn follow(shop: &dyn Shop, order: Order<'_>) -> Result<Vec<LogLine>> {
    let deadline = Instant::now() + DELIVERY;
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
        tokio::time::sleep(POLL).await;
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
mod tests {
    use super::*;

    fn line(thing: &str, line: &str) -> LogLine {
        LogLine {
            thing: thing.to_owned(),
            line: line.to_owned(),
        }
    }

    #[test]
    fn the_trail_is_the_lines_of_one_trace_in_order_of_time() {
        let lines = [
            line("orders", r#"{"msg":"created","trace_id":"1"}"#),
            line("orders", r#"{"msg":"created","trace_id":"2"}"#),
            line("orders", "no JSON"),
            line("billing", r#"{"msg":"billed","trace_id":"1"}"#),
        ];
        assert_eq!(
            trail(&lines, &lines[3]),
            [lines[0].clone(), lines[3].clone()]
        );
    }

    #[test]
    fn a_line_without_a_trace_is_the_whole_trail() {
        let lines = [line("billing", r#"{"msg":"billed"}"#), line("orders", "{}")];
        assert_eq!(trail(&lines, &lines[0]), lines[..1]);
    }
}
