//! A verification as a JSON document.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::exchange::ProviderState;
use crate::model::verification::{
    InteractionKind, InteractionResult, Mismatch, PactResult, Tally, Trouble, Verdict, Verification,
};

/// What `contract verify --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Whether all that was looked at holds.
    green: bool,
    /// How many interactions came to what.
    tally: Tally,
    /// How long it took.
    seconds: f64,
    /// Each pact.
    pacts: Vec<Pact>,
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
    /// Why its interactions were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    /// Each interaction.
    interactions: Vec<Interaction>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Interaction {
    /// The consumer's words for it.
    description: String,
    /// What it is.
    kind: InteractionKind,
    /// The states that the provider was asked to be in.
    states: Vec<ProviderState>,
    /// The line of the pact on which it begins, counted from 1.
    line: usize,
    /// Whether a failure does not count yet.
    pending: bool,
    /// What came of it.
    result: Outcome,
    /// How long it took.
    seconds: f64,
    /// Every difference, when it is broken.
    mismatches: Vec<Mismatch>,
    /// What was asked, when it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    /// What came, when it is broken; long bodies are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<String>,
    /// Why it could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// The provider does what the consumer counts on.
    Holds,
    /// The provider does something else.
    Broken,
    /// It could not be found out.
    Unknown,
    /// It was not looked at.
    Skipped,
}

impl Document {
    /// The document of a verification.
    pub fn of(verification: &Verification) -> Self {
        let tally = verification.tally();
        Self {
            green: tally.is_green(),
            tally,
            seconds: rounded(verification.elapsed),
            pacts: verification.pacts.iter().map(Pact::of).collect(),
        }
    }
}

impl Pact {
    fn of(pact: &PactResult) -> Self {
        Self {
            file: pact.file.display().to_string(),
            consumer: pact.consumer.to_string(),
            provider: pact.provider.to_string(),
            specification: pact.specification.clone(),
            skipped: pact.skipped.clone(),
            interactions: pact.interactions.iter().map(Interaction::of).collect(),
        }
    }
}

impl Interaction {
    fn of(interaction: &InteractionResult) -> Self {
        let breach = match &interaction.verdict {
            Verdict::Broken(breach) => Some(breach),
            _ => None,
        };
        Self {
            description: interaction.description.clone(),
            kind: interaction.kind,
            states: interaction.states.clone(),
            line: interaction.line,
            pending: interaction.pending,
            result: match interaction.verdict {
                Verdict::Holds => Outcome::Holds,
                Verdict::Broken(_) => Outcome::Broken,
                Verdict::Unknown(_) => Outcome::Unknown,
                Verdict::Skipped => Outcome::Skipped,
            },
            seconds: rounded(interaction.elapsed),
            mismatches: breach.map(|it| it.mismatches.clone()).unwrap_or_default(),
            asked: breach.map(|it| it.asked.clone()),
            answered: breach.map(|it| it.answered.clone()),
            trouble: match &interaction.verdict {
                Verdict::Unknown(trouble) => Some(trouble.clone()),
                _ => None,
            },
        }
    }
}

/// Seconds, to the millisecond.
pub(in crate::report) fn rounded(elapsed: std::time::Duration) -> f64 {
    (elapsed.as_secs_f64() * 1000.0).round() / 1000.0
}
