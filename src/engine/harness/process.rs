//! A harness that runs as a process of this host.

use std::io;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

use super::client::{self, Client, Greeting, Silence};
use super::output::{LastWords, Readers, follow};
use super::stop::Process;
use super::{ADDRESS_VARIABLE, Deadlines, FOLDER, Harness, Offers, TEST};
use crate::model::exchange::{HttpAnswer, HttpCall, MessageAnswer, ProviderState, StateValues};
use crate::model::verification::{Trouble, TroubleKind};

/// The version of the protocol that is spoken here.
const PROTOCOL: u32 = 1;
/// How many lines a harness may write before it says where it listens.
const MOST_LINES: usize = 1000;
/// How long a harness that went silent is given to end, so that its end can be told.
const MOMENT: Duration = Duration::from_millis(300);
/// How many characters of an answer an error shows.
const SHOWN: usize = 200;

/// A harness that runs.
pub(super) struct ProcessHarness {
    provider: String,
    process: Process,
    client: Client,
    offers: Offers,
    words: LastWords,
    deadlines: Deadlines,
    _readers: Readers,
    /// A harness ends when this closes: also when we are killed.
    _input: Option<ChildStdin>,
}

impl ProcessHarness {
    /// Starts a program in a process group of its own, and waits for its greeting.
    pub(super) async fn start(
        provider: &str,
        mut command: Command,
        deadlines: Deadlines,
    ) -> Result<Self, Trouble> {
        let fails = |error: io::Error| {
            Trouble::new(
                TroubleKind::DoesNotStart,
                format!("the harness of {provider} cannot be run: {error}"),
            )
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(fails)?;
        let input = child.stdin.take();
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(fails(io::ErrorKind::BrokenPipe.into()));
        };
        let mut process = Process::new(child);
        let words = LastWords::default();
        let (sender, lines) = mpsc::channel(16);
        let readers = Readers([
            follow(output, words.clone(), Some(sender)),
            follow(errors, words.clone(), None),
        ]);
        let greeting = tokio::time::timeout(deadlines.start, greeting(lines, &words)).await;
        let greeting = match greeting {
            Ok(Some(greeting)) => greeting,
            Ok(None) => {
                let message = match process.end_within(MOMENT).await {
                    Some(end) => format!(
                        "the harness of {provider} ended before it said where it listens ({end})"
                    ),
                    None => {
                        format!("the harness of {provider} wrote much, and never where it listens")
                    }
                };
                return Err(no_start(message, &words));
            }
            Err(_elapsed) => {
                let message = format!(
                    "the harness of {provider} did not say within {} s where it listens",
                    deadlines.start.as_secs()
                );
                return Err(no_start(message, &words));
            }
        };
        let client = connection(provider, &greeting, deadlines.answer)
            .map_err(|message| no_start(message, &words))?;
        let offers = Offers {
            http: greeting.http,
            messages: greeting.messages,
        };
        Ok(Self {
            provider: provider.to_owned(),
            process,
            client,
            offers,
            words,
            deadlines,
            _readers: readers,
            _input: input,
        })
    }

    /// Why no answer came.
    async fn silent(&mut self, asked: &str, silence: Silence) -> Trouble {
        let provider = &self.provider;
        match silence {
            Silence::TimedOut => {
                let seconds = self.deadlines.answer.as_secs_f64();
                let message = format!("{provider} did not answer {asked} within {seconds} s");
                let next =
                    "Find out where it waits: a double that blocks, a lock, a missing time-out";
                with_words(Trouble::new(TroubleKind::Hangs, message), &self.words).next(next)
            }
            Silence::Unspeakable(reason) => {
                let message = format!("the request {asked} cannot be sent: {reason}");
                Trouble::new(TroubleKind::Unsupported, message)
            }
            Silence::TooLarge => {
                let message = format!("the answer of {provider} to {asked} is larger than 8 MiB");
                Trouble::new(TroubleKind::Garbage, message)
            }
            Silence::Failed(reason) => {
                let found = match self.process.end_within(MOMENT).await {
                    Some(end) => Trouble::new(
                        TroubleKind::Exited,
                        format!(
                            "the harness of {provider} ended while it was asked {asked} ({end})"
                        ),
                    ),
                    None => Trouble::new(
                        TroubleKind::Garbage,
                        format!(
                            "{provider} at {} gave no HTTP answer to {asked}: {reason}",
                            self.client.address()
                        ),
                    ),
                };
                with_words(found, &self.words)
            }
        }
    }

    async fn control(&mut self, path: &str, document: &Value) -> Result<HttpAnswer, Trouble> {
        match self.client.control(path, document).await {
            Ok(answer) => Ok(answer),
            Err(silence) => Err(self
                .silent(&format!("POST /_contract/{path}"), silence)
                .await),
        }
    }

    async fn state(&mut self, states: &[ProviderState], action: &str) -> Result<Value, Trouble> {
        let answer = self
            .control("state", &client::states(states, action))
            .await?;
        self.document(
            "state",
            &answer,
            TroubleKind::UnknownState,
            TroubleKind::StateFailed,
        )
    }

    /// The document of a control answer, or the trouble that it tells.
    fn document(
        &self,
        path: &str,
        answer: &HttpAnswer,
        unknown: TroubleKind,
        failed: TroubleKind,
    ) -> Result<Value, Trouble> {
        let provider = &self.provider;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let text = |name: &str| body.as_ref()?.get(name)?.as_str().map(str::to_owned);
        match (answer.status, &body) {
            (200, Some(document)) if document.is_object() => Ok(document.clone()),
            (404, Some(problem)) if problem.get("known").is_some_and(Value::is_array) => {
                let (what, name) = match unknown {
                    TroubleKind::UnknownMessage => ("message", text("description")),
                    _ => ("state", text("state")),
                };
                let name = name.unwrap_or_default();
                let known = problem["known"].as_array().into_iter().flatten();
                let known: Vec<String> =
                    known.filter_map(Value::as_str).map(str::to_owned).collect();
                Err(Trouble {
                    kind: unknown,
                    message: format!("{provider} knows no {what} `{name}`"),
                    details: known,
                    next: Some(format!(
                        "Add it to the {what}s in {FOLDER}/provider_test.go of {provider}, or correct its name in the consumer's test"
                    )),
                })
            }
            (400..=599, Some(problem)) if problem.is_object() => {
                let told = text("detail").or_else(|| text("title"));
                let told = told.unwrap_or_else(|| shortened(&answer.body));
                let message = match failed {
                    TroubleKind::StateFailed => {
                        format!("{provider} cannot bring the state about: {told}")
                    }
                    _ => format!("{provider} cannot make the message: {told}"),
                };
                Err(with_words(Trouble::new(failed, message), &self.words))
            }
            _ => {
                let message = format!(
                    "the harness of {provider} answered POST /_contract/{path} with {} and no document of the protocol",
                    answer.status
                );
                let mut found = Trouble::new(TroubleKind::Garbage, message);
                found.details = vec![shortened(&answer.body)];
                Err(found)
            }
        }
    }
}

#[async_trait]
impl Harness for ProcessHarness {
    fn offers(&self) -> Offers {
        self.offers
    }

    async fn set_up(&mut self, states: &[ProviderState]) -> Result<StateValues, Trouble> {
        let document = self.state(states, "setup").await?;
        let values = document.get("values").and_then(Value::as_object);
        Ok(values.cloned().into_iter().flatten().collect())
    }

    async fn tear_down(&mut self, states: &[ProviderState]) -> Result<(), Trouble> {
        self.state(states, "teardown").await.map(drop)
    }

    async fn call(&mut self, call: &HttpCall) -> Result<HttpAnswer, Trouble> {
        match self.client.send(call).await {
            Ok(answer) => Ok(answer),
            Err(silence) => {
                let asked = format!("{} {}", call.method, call.path);
                Err(self.silent(&asked, silence).await)
            }
        }
    }

    async fn message(
        &mut self,
        description: &str,
        states: &[ProviderState],
    ) -> Result<MessageAnswer, Trouble> {
        let document = client::message(description, states);
        let answer = self.control("message", &document).await?;
        let unknown = match states.is_empty() || of_message(&answer) {
            true => TroubleKind::UnknownMessage,
            false => TroubleKind::UnknownState,
        };
        let document = self.document("message", &answer, unknown, TroubleKind::StateFailed)?;
        let Some(contents) = document.get("contents") else {
            let message = format!(
                "the harness of {} gave a message without `contents`",
                self.provider
            );
            return Err(Trouble::new(TroubleKind::Garbage, message));
        };
        let kind = document.get("contentType").and_then(Value::as_str);
        let metadata = document.get("metadata").and_then(Value::as_object);
        Ok(MessageAnswer {
            contents: contents.clone(),
            content_type: kind.map(str::to_owned),
            metadata: metadata.cloned().into_iter().flatten().collect(),
        })
    }

    async fn stop(self: Box<Self>) {
        let Self {
            process,
            client,
            deadlines,
            ..
        } = *self;
        process.stop(client, deadlines.stop).await;
    }
}

/// Whether a refusal names the message, and not one of its states.
fn of_message(answer: &HttpAnswer) -> bool {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    body.is_some_and(|body| body.get("description").is_some())
}

/// The first line that is a greeting; other lines may come before it. `None` at the end.
async fn greeting(mut lines: mpsc::Receiver<String>, words: &LastWords) -> Option<Greeting> {
    for _ in 0..MOST_LINES {
        let line = lines.recv().await?;
        if let Ok(greeting) = serde_json::from_str(&line) {
            words.forget(&line);
            return Some(greeting);
        }
    }
    None
}

fn connection(provider: &str, greeting: &Greeting, patience: Duration) -> Result<Client, String> {
    if greeting.version != PROTOCOL {
        return Err(format!(
            "the harness of {provider} speaks version {} of the protocol, and this program version {PROTOCOL}",
            greeting.version
        ));
    }
    let address: SocketAddr = greeting.address.parse().map_err(|_| {
        format!(
            "the harness of {provider} listens at `{}`, which is no address",
            greeting.address
        )
    })?;
    if !address.ip().is_loopback() {
        return Err(format!(
            "the harness of {provider} listens at {address}, which is not this host alone"
        ));
    }
    Client::new(address, patience).map_err(|error| format!("cannot make an HTTP client: {error}"))
}

fn with_words(mut trouble: Trouble, words: &LastWords) -> Trouble {
    trouble.details = words.lines();
    trouble
}

fn no_start(message: impl Into<String>, words: &LastWords) -> Trouble {
    let next = format!(
        "Start it by hand in its folder: {ADDRESS_VARIABLE}=127.0.0.1:0 go test -run '^{TEST}$' ./{FOLDER}"
    );
    with_words(Trouble::new(TroubleKind::DoesNotStart, message), words).next(next)
}

impl Trouble {
    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

fn shortened(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(SHOWN)
        .collect();
    if shown.is_empty() {
        shown.push_str("(an empty body)");
    }
    shown
}

#[cfg(test)]
mod properties;
