//! The outcome of a verification of contracts: what each provider did of what its consumers
//! count on.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::exchange::ProviderState;
use super::name::Name;

/// A verification of all pacts that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The pacts, by consumer and provider.
    pub pacts: Vec<PactResult>,
    /// The services whose pacts were asked for; all when empty.
    pub services: Vec<Name>,
    /// How long it took.
    pub elapsed: Duration,
}

/// One pact.
#[derive(Debug, Clone)]
pub struct PactResult {
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// Who recorded it.
    pub consumer: Name,
    /// Who has to keep it.
    pub provider: Name,
    /// The version of the Pact specification that it is written in.
    pub specification: String,
    /// Why its interactions were not looked at, such as a provider of another workspace.
    pub skipped: Option<String>,
    /// Its interactions, in the file's order.
    pub interactions: Vec<InteractionResult>,
}

/// One interaction.
#[derive(Debug, Clone)]
pub struct InteractionResult {
    /// The consumer's words for it.
    pub description: String,
    /// What it is.
    pub kind: InteractionKind,
    /// The states that the provider was asked to be in.
    pub states: Vec<ProviderState>,
    /// The line of the pact on which it begins, counted from 1.
    pub line: usize,
    /// Whether the consumer marked it as pending: it is shown, and never makes the answer no.
    pub pending: bool,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub elapsed: Duration,
}

/// What an interaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InteractionKind {
    /// A request and its response.
    Http,
    /// A message that the provider publishes.
    Message,
    /// Something that is not verified here.
    Unsupported,
}

/// What came of an interaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The provider does what the consumer counts on.
    Holds,
    /// The provider does something else.
    Broken(Breach),
    /// It could not be found out.
    Unknown(Trouble),
    /// It was not looked at, since its pact was not.
    Skipped,
}

/// What a provider does otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Breach {
    /// Every difference.
    pub mismatches: Vec<Mismatch>,
    /// What was asked: `GET /orders/1`, or the message's description.
    pub asked: String,
    /// What came: the status and the body, shortened.
    pub answered: String,
}

/// Why an interaction could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trouble {
    /// A word for programs.
    pub kind: TroubleKind,
    /// What happened, in a sentence without a final stop.
    pub message: String,
    /// What the provider wrote, or what it knows.
    pub details: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Trouble {
    /// Trouble without details or a next step.
    pub fn new(kind: TroubleKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: Vec::new(),
            next: None,
        }
    }
}

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleKind {
    /// The provider has no harness.
    NoHarness,
    /// The harness does not compile.
    DoesNotCompile,
    /// The harness did not start as it should.
    DoesNotStart,
    /// The harness ended before its time.
    Exited,
    /// The harness did not answer in time.
    Hangs,
    /// The harness answered something that makes no sense.
    Garbage,
    /// The harness does not know a state.
    UnknownState,
    /// The harness knows the state, and could not bring it about.
    StateFailed,
    /// The harness does not know the message.
    UnknownMessage,
    /// A state gave no value that the request needs.
    MissingValue,
    /// Interactions of this kind are not verified.
    Unsupported,
}

/// One difference between what a consumer counts on and what a provider does.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Mismatch {
    /// Who counts on it: the pact, or the provider's own OpenAPI document.
    pub source: Source,
    /// Which part of the answer differs.
    pub part: Part,
    /// Where in that part: a JSON path such as `$.items[0].id`, or a header's name.
    pub path: String,
    /// What was expected; absent when any value would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What came; absent when nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// The rule that does not hold: `type`, `equality`, `regex ^A`, or a keyword of JSON Schema.
    pub rule: String,
    /// The difference in a sentence.
    pub message: String,
}

/// Who counts on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The consumer, in its pact.
    Pact,
    /// The provider itself, in its OpenAPI document.
    Openapi,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The status code.
    Status,
    /// The media type of the body.
    ContentType,
    /// A header.
    Header,
    /// Metadata of a message.
    Metadata,
    /// The body of a response, or the contents of a message.
    Body,
    /// The operation itself, which is not in the OpenAPI document.
    Operation,
}

/// How many interactions came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Tally {
    /// Pacts.
    pub pacts: usize,
    /// Interactions.
    pub interactions: usize,
    /// Those that hold.
    pub hold: usize,
    /// Those that are broken.
    pub broken: usize,
    /// Those that could not be verified.
    pub unknown: usize,
    /// Those that were skipped.
    pub skipped: usize,
    /// Those among the broken and unknown that are pending, and do not count.
    pub pending: usize,
}

impl Verification {
    /// How many interactions came to what.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            pacts: self.pacts.len(),
            ..Tally::default()
        };
        for interaction in self.pacts.iter().flat_map(|pact| &pact.interactions) {
            tally.interactions += 1;
            let count = match interaction.verdict {
                Verdict::Holds => &mut tally.hold,
                Verdict::Broken(_) => &mut tally.broken,
                Verdict::Unknown(_) => &mut tally.unknown,
                Verdict::Skipped => &mut tally.skipped,
            };
            *count += 1;
            let red = matches!(
                interaction.verdict,
                Verdict::Broken(_) | Verdict::Unknown(_)
            );
            tally.pending += usize::from(red && interaction.pending);
        }
        tally
    }
}

impl Tally {
    /// Whether the answer is yes: all that was looked at holds, but for what is pending.
    pub fn is_green(&self) -> bool {
        self.broken + self.unknown == self.pending
    }
}
