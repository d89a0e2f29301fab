//! Orders over connections of their own, so that it is known what became of each.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(30);

/// What names an order everywhere.
pub fn reference(number: usize) -> String {
    format!("load-{number:05}")
}

/// An order to place at one service.
#[derive(Clone)]
pub struct Order {
    port: u16,
    path: &'static str,
    number: usize,
}

/// What became of an attempt.
pub enum Outcome {
    Answered {
        status: u16,
        body: String,
    },
    /// Nobody listened, or the connection was reset while it waited to be accepted. That nothing of
    /// it was done is for the test to check.
    NeverAccepted,
    /// It was accepted, and the answer is missing or incomplete: who accepts a connection and closes
    /// it in order, without a word, has lost a request.
    Cut(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(out, "answered {status}"),
            Self::NeverAccepted => write!(out, "never accepted"),
            Self::Cut(why) => write!(out, "cut: {why}"),
        }
    }
}

impl Order {
    pub fn at(port: u16, path: &'static str, number: usize) -> Self {
        Self { port, path, number }
    }

    pub async fn post(&self) -> Outcome {
        match timeout(LONGEST, self.exchange()).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Cut("no answer in time".to_owned()),
        }
    }

    async fn exchange(&self) -> Outcome {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else {
            return Outcome::NeverAccepted;
        };
        let mut answer = Vec::new();
        // A reset may come in the middle of either; what was read before it counts.
        let sent = stream.write_all(self.request().as_bytes()).await;
        let read = stream.read_to_end(&mut answer).await;
        if answer.is_empty() && (sent.is_err() || read.is_err()) {
            return Outcome::NeverAccepted;
        }
        match (sent, read, parse(&String::from_utf8_lossy(&answer))) {
            (Ok(()), Ok(_), Some(outcome)) => outcome,
            (sent, read, _) => Outcome::Cut(format!("{sent:?}, {read:?}")),
        }
    }

    fn request(&self) -> String {
        let reference = reference(self.number);
        let body = format!(r#"{{"reference":"{reference}","quantity":1}}"#);
        format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nIdempotency-Key: {reference}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.path,
            self.port,
            body.len(),
        )
    }
}

/// A whole answer: its body is as long as its head says.
fn parse(answer: &str) -> Option<Outcome> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok())?;
    let body = body.to_owned();
    (body.len() == length).then_some(Outcome::Answered { status, body })
}

/// The id that orders gave, from the answer of orders or of the front door.
pub fn id_of_the_order(body: &str) -> String {
    let answer: Value = serde_json::from_str(body).unwrap();
    let id = match answer["receipts"].as_array() {
        Some(receipts) => &receipts[0]["id"],
        None => &answer["id"],
    };
    id.as_str().unwrap().to_owned()
}
