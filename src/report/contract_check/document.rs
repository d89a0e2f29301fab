//! A check as a JSON document.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::contract_check::{
    Check, CheckTally, CheckedInteraction, CheckedPact, Finding, OfferedOperation, Outcome,
};
use crate::model::exchange::ProviderState;
use crate::model::verification::InteractionKind;
use crate::report::verification::rounded;

/// What `contract check --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Whether nothing differs, but for what is pending.
    green: bool,
    /// How many interactions came to what.
    tally: CheckTally,
    /// How long it took.
    seconds: f64,
    /// Each pact.
    pacts: Vec<Pact>,
    /// What the providers' documents offer, and who counts on it.
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Pact {
    /// The file, relative to the workspace.
    file: String,
    /// Who recorded it.
    consumer: String,
    /// Who has to keep it.
    provider: String,
    /// The version of the Pact specification that it is written in.
    specification: String,
    /// Why none of it was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    /// How many of its interactions came to what.
    tally: CheckTally,
    /// Each interaction.
    interactions: Vec<Interaction>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Interaction {
    /// The consumer's words for it.
    description: String,
    /// What it is.
    kind: InteractionKind,
    /// The states that the provider would be asked to be in.
    states: Vec<ProviderState>,
    /// The line of the pact on which it begins, counted from 1.
    line: usize,
    /// Whether a difference does not count yet.
    pending: bool,
    /// What came of it.
    result: Verdict,
    /// The operation of the document that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// Everything that was found.
    findings: Vec<Finding>,
    /// Why it was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// It fits the document, with or without warnings.
    Fits,
    /// It does not.
    Differs,
    /// There is nothing to hold it to.
    Unchecked,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Operation {
    /// Who offers it.
    provider: String,
    /// Its `operationId`, or its method and path.
    operation: String,
    /// Its method and path.
    title: String,
    /// Who counts on it.
    consumers: Vec<String>,
    /// How many interactions are about it.
    interactions: usize,
    /// How many of these differ from the document.
    differ: usize,
}

impl Document {
    /// The document of a check.
    pub fn of(check: &Check) -> Self {
        let tally = check.tally();
        Self {
            green: tally.is_green(),
            tally,
            seconds: rounded(check.elapsed),
            pacts: check.pacts.iter().map(Pact::of).collect(),
            operations: check.operations.iter().map(Operation::of).collect(),
        }
    }
}

impl Pact {
    fn of(pact: &CheckedPact) -> Self {
        Self {
            file: pact.file.display().to_string(),
            consumer: pact.consumer.to_string(),
            provider: pact.provider.to_string(),
            specification: pact.specification.clone(),
            skipped: pact.skipped.clone(),
            tally: CheckTally {
                pacts: 1,
                ..CheckTally::of(&pact.interactions)
            },
            interactions: pact.interactions.iter().map(Interaction::of).collect(),
        }
    }
}

impl Interaction {
    fn of(interaction: &CheckedInteraction) -> Self {
        let (operation, reason) = match &interaction.outcome {
            Outcome::Checked { operation, .. } => (operation.clone(), None),
            Outcome::Unchecked(reason) => (None, Some(reason.clone())),
        };
        Self {
            description: interaction.description.clone(),
            kind: interaction.kind,
            states: interaction.states.clone(),
            line: interaction.line,
            pending: interaction.pending,
            result: match (&reason, interaction.differs()) {
                (Some(_), _) => Verdict::Unchecked,
                (None, true) => Verdict::Differs,
                (None, false) => Verdict::Fits,
            },
            operation,
            findings: interaction.findings().to_vec(),
            reason,
        }
    }
}

impl Operation {
    fn of(operation: &OfferedOperation) -> Self {
        Self {
            provider: operation.provider.to_string(),
            operation: operation.name.clone(),
            title: operation.title.clone(),
            consumers: operation
                .consumers
                .iter()
                .map(ToString::to_string)
                .collect(),
            interactions: operation.interactions,
            differ: operation.differ,
        }
    }
}
