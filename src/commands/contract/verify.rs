//! `contract verify`: hold every provider to what its consumers count on.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::write_junit;
use crate::actions::verify::{Deadlines, VerifyRequest, harnesses, verify};
use crate::app::App;
use crate::commands::interrupt;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::verification::{PactResult, Verdict, Verification};
use crate::report::verification::{Report, junit, summary};

/// The most harnesses that run at once unless the user says otherwise.
const MOST_JOBS: usize = 8;

/// Hold every provider to what its consumers count on.
///
/// Every pact of the workspace (services/CONSUMER/contracts/CONSUMER--PROVIDER.json) is replayed
/// against its provider's harness: the real handler and encoder over in-memory doubles, compiled
/// from the provider's tests. Nothing has to run, and nothing leaves this machine. Responses are
/// also held to the provider's own api/openapi.yaml.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 when all hold, also when there are no pacts; 1 when one is broken or \
    could not be verified; 2 when a pact is invalid; 4 when Go is missing."
)]
pub struct Args {
    /// Look only at pacts in which these services take part, as consumer or as provider
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Also write the results to this file, as JUnit does
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How many harnesses run at once; one for each processor, and 8 at most, unless given
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
    /// How many seconds one answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// Runs the command.
///
/// # Errors
/// When a contract is broken, a pact is invalid, or Go is missing.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let request = VerifyRequest {
        directory: app.settings().directory.clone(),
        services: args.services,
        jobs: args
            .jobs
            .map_or(processors.min(MOST_JOBS), NonZeroUsize::get),
    };
    let deadlines = Deadlines {
        answer: Duration::from_secs(args.timeout),
        ..Deadlines::default()
    };
    let harnesses = harnesses(&request.directory, deadlines)?;
    let verification = tokio::select! {
        // Dropping the verification ends every harness with its group.
        () = interrupts.signal() => return Err(Error::interrupted()),
        done = verify(&request, &harnesses, app.events()) => done?,
    };
    if let Some(path) = &args.junit {
        write_junit(path, junit(&verification))?;
    }
    app.answer(&Report(&verification))?;
    verdict(&verification)
}

fn verdict(verification: &Verification) -> Result<()> {
    let tally = verification.tally();
    if tally.is_green() {
        return Ok(());
    }
    let red: Vec<&PactResult> = verification
        .pacts
        .iter()
        .filter(|pact| is_red(pact))
        .collect();
    let pairs: Vec<String> = red
        .iter()
        .map(|pact| format!("{} counts on {}", pact.consumer, pact.provider))
        .collect();
    let mut providers: Vec<&str> = red.iter().map(|pact| pact.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    Err(Error::failed(format!("contracts do not hold: {}", pairs.join("; ")))
        .since(summary(&tally))
        .hint(format!(
            "Correct the provider, or agree on the change with the consumer and record its pact again; then: gantline contract verify {}",
            providers.join(" ")
        )))
}

fn is_red(pact: &PactResult) -> bool {
    pact.interactions.iter().any(|interaction| {
        let red = matches!(
            interaction.verdict,
            Verdict::Broken(_) | Verdict::Unknown(_)
        );
        red && !interaction.pending
    })
}
