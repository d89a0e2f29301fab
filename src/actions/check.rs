//! Checks contracts: every pact of the workspace against its provider's OpenAPI and AsyncAPI
//! documents. Only files are read; nothing is started.

mod messages;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use self::messages::{Messages, messages};
use super::pacts::{Described, OPENAPI, Pact, Provider, Read, read};
use crate::contract::pact_file::{Exchange, Interaction};
use crate::contract::static_check::{Checked, Discrepancy, check_http, check_message};
use crate::error::{Place, Result};
use crate::model::contract_check::{
    Check, CheckedInteraction, CheckedPact, Finding, OfferedOperation, Outcome, Spot,
};
use crate::model::event::EventSink;
use crate::model::json_pointer::pointer;
use crate::model::name::Name;

/// What to check.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// A folder of the workspace.
    pub directory: PathBuf,
    /// The services whose pacts are looked at, as consumer or as provider; all when empty.
    pub services: Vec<Name>,
}

/// Checks.
///
/// # Errors
/// When a file is invalid. A contract that does not fit is no error here.
pub fn check(request: &CheckRequest, events: &dyn EventSink) -> Result<Check> {
    let begun = Instant::now();
    let read = read(&request.directory, &request.services, events)?;
    let messages = messages(&read)?;
    let pacts: Vec<CheckedPact> = read
        .pacts
        .iter()
        .map(|pact| check_pact(pact, &read, &messages))
        .collect();
    Ok(Check {
        operations: offered(&read, &pacts),
        pacts,
        services: request.services.clone(),
        elapsed: begun.elapsed(),
    })
}

fn check_pact(pact: &Pact, read: &Read, messages: &BTreeMap<Name, Messages>) -> CheckedPact {
    let provider = read
        .providers
        .get(&pact.provider)
        .map(|provider| (provider, messages.get(&pact.provider)));
    let interactions = pact.file.interactions.iter();
    CheckedPact {
        file: pact.path.clone(),
        consumer: pact.consumer.clone(),
        provider: pact.provider.clone(),
        specification: pact.file.specification.clone(),
        skipped: pact.skipped.clone(),
        interactions: interactions
            .map(|interaction| CheckedInteraction {
                description: interaction.description.clone(),
                kind: interaction.exchange.kind(),
                states: interaction.states.clone(),
                line: interaction.line,
                pending: interaction.pending,
                outcome: outcome(pact, interaction, provider),
            })
            .collect(),
    }
}

fn outcome(
    pact: &Pact,
    interaction: &Interaction,
    provider: Option<(&Provider, Option<&Messages>)>,
) -> Outcome {
    let Some((provider, messages)) = provider else {
        return Outcome::Unchecked(pact.skipped.clone().unwrap_or_default());
    };
    let name = &pact.provider;
    match &interaction.exchange {
        Exchange::Unsupported(reason) => Outcome::Unchecked(reason.clone()),
        Exchange::Http(http) => match &provider.document {
            Some(described) => {
                let checked = check_http(&described.document, http);
                told(pact, interaction, described, checked)
            }
            None => Outcome::Unchecked(format!("{name} has no {OPENAPI}")),
        },
        Exchange::Message(message) => match messages {
            Some(Messages::Described(described)) => {
                let checked = check_message(&described.document, message);
                told(pact, interaction, described, checked)
            }
            Some(Messages::Unread(reason)) => Outcome::Unchecked(reason.clone()),
            None => Outcome::Unchecked(format!("{name} has no {}", messages::ASYNCAPI)),
        },
    }
}

fn told(
    pact: &Pact,
    interaction: &Interaction,
    described: &Described,
    checked: Checked,
) -> Outcome {
    let finding = |found: Discrepancy| {
        let (place, steps) = pact.file.place(&pact.path, interaction, &found.pact);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let at: Vec<&str> = found.document.iter().map(String::as_str).collect();
        Finding {
            severity: found.severity,
            subject: found.subject,
            path: found.path,
            rule: found.rule,
            expected: found.expected,
            message: found.message,
            pact: spot(&pact.path, &place, &steps),
            document: spot(&described.path, &described.written.key_place(&at), &at),
        }
    };
    let mut findings: Vec<Finding> = checked.found.into_iter().map(finding).collect();
    findings.sort_by(|one, other| {
        let key = |it: &Finding| (it.severity, it.subject, it.path.clone());
        key(one).cmp(&key(other))
    });
    findings.dedup();
    Outcome::Checked {
        operation: checked.operation,
        findings,
    }
}

fn spot(file: &Path, place: &Place, steps: &[&str]) -> Spot {
    Spot {
        file: file.display().to_string(),
        line: place.line,
        column: place.column,
        pointer: pointer(steps),
    }
}

/// What the documents of the providers offer, and who counts on it.
fn offered(read: &Read, pacts: &[CheckedPact]) -> Vec<OfferedOperation> {
    let mut all = Vec::new();
    for (name, provider) in &read.providers {
        let Some(described) = &provider.document else {
            continue;
        };
        for (operation, title) in described.document.offers() {
            let mut offered = OfferedOperation {
                provider: name.clone(),
                name: operation,
                title,
                consumers: Vec::new(),
                interactions: 0,
                differ: 0,
            };
            for pact in pacts.iter().filter(|pact| pact.provider == *name) {
                count(&mut offered, pact);
            }
            all.push(offered);
        }
    }
    all
}

fn count(offered: &mut OfferedOperation, pact: &CheckedPact) {
    for interaction in &pact.interactions {
        let Outcome::Checked { operation, .. } = &interaction.outcome else {
            continue;
        };
        if operation.as_ref() != Some(&offered.name) {
            continue;
        }
        offered.interactions += 1;
        offered.differ += usize::from(interaction.differs());
        if !offered.consumers.contains(&pact.consumer) {
            offered.consumers.push(pact.consumer.clone());
        }
    }
}
