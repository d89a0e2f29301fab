//! `contract check`: hold every pact to its provider's OpenAPI document, with nothing running.

use std::path::PathBuf;

use super::write_junit;
use crate::actions::check::{CheckRequest, check};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::contract_check::{Check, CheckTally};
use crate::model::name::Name;
use crate::report::contract_check::{Report, junit, summary};

/// Hold every pact to its provider's OpenAPI document, without running anything.
///
/// What a consumer sends must be taken by services/PROVIDER/api/openapi.yaml, and what it expects
/// must be possible by it and promised. It is a matter of files: no Go, no Docker, no network.
/// `contract verify` then asks the provider's code.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 when nothing differs, whatever the warnings, also when there are no pacts; \
    1 when a pact differs from a document; 2 when a file is invalid."
)]
pub struct Args {
    /// Look only at pacts in which these services take part, as consumer or as provider
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Also write the results to this file, as JUnit does
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a contract differs from a document, or a file is invalid.
pub fn run(args: Args, app: &App) -> Result<()> {
    let request = CheckRequest {
        directory: app.settings().directory.clone(),
        services: args.services,
    };
    let checked = check(&request, &*app.events())?;
    if let Some(path) = &args.junit {
        write_junit(path, junit(&checked))?;
    }
    app.answer(&Report(&checked))?;
    verdict(&checked)
}

fn verdict(check: &Check) -> Result<()> {
    let tally = check.tally();
    if tally.is_green() {
        return Ok(());
    }
    let red = check
        .pacts
        .iter()
        .filter(|pact| !CheckTally::of(&pact.interactions).is_green());
    let pairs: Vec<String> = red
        .map(|pact| format!("{} counts on {}", pact.consumer, pact.provider))
        .collect();
    Err(Error::failed(format!(
        "contracts do not fit the documents: {}",
        pairs.join("; ")
    ))
    .since(summary(&tally))
    .hint("Correct the document where it is wrong; else agree on the change with the consumer, who records its pact again"))
}
