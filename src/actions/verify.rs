//! Verifies contracts: every pact of the workspace against its provider's harness.
//!
//! A harness is one set of doubles, so what one process is asked goes one after the other. Where
//! there is much to ask, a provider has several processes; all providers together have no more
//! than the request allows.

mod one;
mod provider;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::sync::Semaphore;

use self::provider::{Work, verify_provider};
use super::pacts::{self, Provider, Read, read};
use crate::config::project::find;
use crate::contract::pact_file::Interaction;
pub use crate::engine::harness::Deadlines;
use crate::engine::harness::{FOLDER, HarnessSource, Harnesses, ProcessHarnesses};
use crate::error::Result;
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::verification::{InteractionResult, PactResult, Verdict, Verification};

/// What to verify.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// A folder of the workspace.
    pub directory: PathBuf,
    /// The services whose pacts are looked at, as consumer or as provider; all when empty.
    pub services: Vec<Name>,
    /// How many harnesses run, or are compiled, at once.
    pub jobs: usize,
}

/// The harnesses of the workspace that a folder belongs to.
///
/// # Errors
/// When it belongs to none.
pub fn harnesses(directory: &Path, deadlines: Deadlines) -> Result<ProcessHarnesses> {
    Ok(ProcessHarnesses::new(find(directory)?, deadlines))
}

/// Verifies.
///
/// # Errors
/// When a file is invalid, or Go is missing. A broken contract is no error here.
pub async fn verify(
    request: &VerifyRequest,
    harnesses: &dyn Harnesses,
    events: Arc<dyn EventSink>,
) -> Result<Verification> {
    let begun = Instant::now();
    let mut read = read(&request.directory, &request.services, &*events)?;
    leave_out_without_harness(&mut read, &*events);
    let limit = Semaphore::new(request.jobs.max(1));
    let works = works(&read);
    let verifying = works
        .iter()
        .map(|work| verify_provider(work, harnesses, &limit, &*events));
    let outcomes = try_join_all(verifying).await?;
    let mut results: Vec<PactResult> = read.pacts.iter().map(unverified).collect();
    for (work, outcome) in works.iter().zip(outcomes) {
        for (task, result) in work.tasks.iter().zip(outcome) {
            results[task.pact].interactions[task.index] = result;
        }
    }
    Ok(Verification {
        pacts: results,
        services: request.services.clone(),
        elapsed: begun.elapsed(),
    })
}

/// A provider without a blueprint may be written in any language: without a harness nobody can
/// ask it. One that is made from a blueprint has lost its harness, which is red.
fn leave_out_without_harness(read: &mut Read, events: &dyn EventSink) {
    let can_be_asked =
        |provider: &Provider| provider.is_made || provider.directory.join(FOLDER).is_dir();
    let providers = read.providers.iter();
    for (name, provider) in providers.filter(|(_, provider)| !can_be_asked(provider)) {
        let folder = provider.shown.join(FOLDER);
        let reason = format!(
            "{name} is made from no blueprint, and has no harness in {}",
            folder.display()
        );
        events.warn(format!(
            "left out: {reason}; `gantline contract check` holds its documents to its pacts"
        ));
        for pact in read.pacts.iter_mut().filter(|pact| pact.provider == *name) {
            pact.skipped = Some(reason.clone());
        }
    }
    read.providers.retain(|_, provider| can_be_asked(provider));
}

/// What there is to do, by provider.
fn works(read: &Read) -> Vec<Work<'_>> {
    let providers = read.providers.iter();
    providers
        .map(|(name, provider)| {
            let pacts = read.pacts.iter().enumerate();
            let own = pacts.filter(|(_, pact)| pact.provider == *name && pact.skipped.is_none());
            let tasks = own.flat_map(|(at, pact)| {
                let interactions = pact.file.interactions.iter().enumerate();
                interactions.map(move |(index, interaction)| provider::Task {
                    pact: at,
                    index,
                    interaction,
                })
            });
            Work {
                source: HarnessSource {
                    provider: name.to_string(),
                    directory: provider.directory.clone(),
                },
                document: provider.document.as_ref().map(|it| &it.document),
                tasks: tasks.collect(),
            }
        })
        .collect()
}

/// A pact of which nothing is known yet; one that is skipped stays so.
fn unverified(pact: &pacts::Pact) -> PactResult {
    let interactions = pact.file.interactions.iter();
    PactResult {
        file: pact.path.clone(),
        consumer: pact.consumer.clone(),
        provider: pact.provider.clone(),
        specification: pact.file.specification.clone(),
        skipped: pact.skipped.clone(),
        interactions: interactions
            .map(|interaction| result(interaction, Verdict::Skipped, Duration::ZERO))
            .collect(),
    }
}

fn result(interaction: &Interaction, verdict: Verdict, elapsed: Duration) -> InteractionResult {
    InteractionResult {
        description: interaction.description.clone(),
        kind: interaction.exchange.kind(),
        states: interaction.states.clone(),
        line: interaction.line,
        pending: interaction.pending,
        verdict,
        elapsed,
    }
}
