//! The outcome of a check of contracts: whether what consumers count on is in their providers'
//! documents. Nothing runs for it.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::exchange::ProviderState;
use super::name::Name;
use super::verification::InteractionKind;

/// A check of all pacts that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// The pacts, by consumer and provider.
    pub pacts: Vec<CheckedPact>,
    /// What the documents offer, and who counts on it.
    pub operations: Vec<OfferedOperation>,
    /// The services whose pacts were asked for; all when empty.
    pub services: Vec<Name>,
    /// How long it took.
    pub elapsed: Duration,
}

/// One pact.
#[derive(Debug, Clone)]
pub struct CheckedPact {
    /// The file, relative to the workspace.
    pub file: PathBuf,
    /// Who recorded it.
    pub consumer: Name,
    /// Who has to keep it.
    pub provider: Name,
    /// The version of the Pact specification that it is written in.
    pub specification: String,
    /// Why none of it was checked, such as a provider of another workspace.
    pub skipped: Option<String>,
    /// Its interactions, in the file's order.
    pub interactions: Vec<CheckedInteraction>,
}

/// One interaction.
#[derive(Debug, Clone)]
pub struct CheckedInteraction {
    /// The consumer's words for it.
    pub description: String,
    /// What it is.
    pub kind: InteractionKind,
    /// The states that the provider would be asked to be in.
    pub states: Vec<ProviderState>,
    /// The line of the pact on which it begins, counted from 1.
    pub line: usize,
    /// Whether the consumer marked it as pending: it is shown, and never makes the answer no.
    pub pending: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an interaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was held to the document.
    Checked {
        /// The operation or message of the document, when there is one: `createOrder`.
        operation: Option<String>,
        /// What was found; nothing when it fits.
        findings: Vec<Finding>,
    },
    /// There is nothing to hold it to, and why.
    Unchecked(String),
}

impl CheckedInteraction {
    /// What was found; nothing when it fits, or was not checked.
    pub fn findings(&self) -> &[Finding] {
        match &self.outcome {
            Outcome::Checked { findings, .. } => findings,
            Outcome::Unchecked(_) => &[],
        }
    }

    /// Whether something was found that cannot be.
    pub fn differs(&self) -> bool {
        self.findings()
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

/// One thing that a consumer counts on and a document does not promise.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// Whether it cannot be, or is only not promised.
    pub severity: Severity,
    /// Which part of the exchange it is about.
    pub subject: Subject,
    /// Where in that part: a JSON path such as `$.items[0].id`, or a name.
    pub path: String,
    /// The rule that does not hold: a keyword of OpenAPI or of JSON Schema.
    pub rule: String,
    /// What the pact holds there; absent where it holds nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Where the pact says so.
    pub pact: Spot,
    /// Where the document says otherwise, or says too little.
    pub document: Spot,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spot {
    /// The file, relative to the workspace.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What leads to the value: a JSON pointer (RFC 6901).
    pub pointer: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It cannot be, by the document.
    Error,
    /// It can be, and the document does not promise it.
    Warning,
}

/// A part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The operation: its path and its method.
    Operation,
    /// A parameter of the path.
    PathParameter,
    /// A parameter of the query.
    QueryParameter,
    /// A header of the request.
    RequestHeader,
    /// A cookie of the request.
    Cookie,
    /// The media type of the request's body.
    RequestContentType,
    /// The body of the request.
    RequestBody,
    /// The status of the response.
    Status,
    /// A header of the response.
    ResponseHeader,
    /// The media type of the response's body.
    ResponseContentType,
    /// The body of the response.
    ResponseBody,
    /// A header of a message.
    MessageHeader,
    /// The contents of a message.
    MessageContents,
}

/// What a document offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedOperation {
    /// Who offers it.
    pub provider: Name,
    /// Its `operationId`, or its method and path.
    pub name: String,
    /// Its method and path: `POST /orders`.
    pub title: String,
    /// Who counts on it, in order.
    pub consumers: Vec<Name>,
    /// How many interactions are about it.
    pub interactions: usize,
    /// How many of these differ from the document.
    pub differ: usize,
}

/// How many interactions came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct CheckTally {
    /// Pacts.
    pub pacts: usize,
    /// Interactions.
    pub interactions: usize,
    /// Those that fit the document, with or without warnings.
    pub fit: usize,
    /// Those that do not.
    pub differ: usize,
    /// Those that there is nothing to hold to.
    pub unchecked: usize,
    /// Those among the different that are pending, and do not count.
    pub pending: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
}

impl CheckTally {
    /// Counts interactions.
    pub fn of<'a>(interactions: impl IntoIterator<Item = &'a CheckedInteraction>) -> Self {
        let mut tally = Self::default();
        for interaction in interactions {
            tally.interactions += 1;
            match &interaction.outcome {
                Outcome::Unchecked(_) => tally.unchecked += 1,
                Outcome::Checked { .. } if interaction.differs() => {
                    tally.differ += 1;
                    tally.pending += usize::from(interaction.pending);
                }
                Outcome::Checked { .. } => tally.fit += 1,
            }
            for finding in interaction.findings() {
                match finding.severity {
                    Severity::Error => tally.errors += 1,
                    Severity::Warning => tally.warnings += 1,
                }
            }
        }
        tally
    }

    /// Whether the answer is yes: nothing differs, but for what is pending.
    pub fn is_green(&self) -> bool {
        self.differ == self.pending
    }
}

impl Check {
    /// How many interactions came to what.
    pub fn tally(&self) -> CheckTally {
        let interactions = self.pacts.iter().flat_map(|pact| &pact.interactions);
        CheckTally {
            pacts: self.pacts.len(),
            ..CheckTally::of(interactions)
        }
    }
}
