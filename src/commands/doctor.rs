//! `gantline doctor`.

use std::io::{self, Write};

use crate::actions::doctor::{Finding, FindingState, WorkspaceHealth, machine, workspace_health};
use crate::app::App;
use crate::error::Result;
use crate::report::{Answer, Style, Verbosity};

/// When one service would do: the counsel that no tool's vendor likes to give.
const COUNSEL: &str = "\
Before you add a service: services pay off where teams deploy apart, or where parts differ much \
in load or in risk. One team, a young product whose parts still change their borders, data that \
must change in one transaction, or nobody to run a cluster: then one well-divided service is \
faster to build, to test and to understand, and can be split later along the borders that have \
held.";

/// Check this machine and this workspace, and say what to do
///
/// Each line says whether something is there, missing, or needs attention. What is missing is
/// needed by some commands only, so the exit code stays 0, unless the workspace's own files are
/// invalid: then it is 2, as with every other command. With -v there is a word on when not to use
/// microservices.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 whatever is missing; 2 when the workspace's files are invalid."
)]
pub struct Args {}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Diagnosis {
    /// Whether nothing needs the user.
    healthy: bool,
    /// What was looked at.
    findings: Vec<Finding>,
    /// Where to go on, when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    counsel: Option<&'static str>,
}

impl Answer for Diagnosis {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let things = self.findings.iter().map(|finding| finding.thing.len());
        let width = things.max().unwrap_or_default();
        for finding in &self.findings {
            let state = match finding.state {
                FindingState::Ok => style.good("ok       "),
                FindingState::Missing => style.caution("missing  "),
                FindingState::Attention => style.bad("attention"),
            };
            let (thing, detail) = (&finding.thing, &finding.detail);
            writeln!(out, "{state}  {thing:width$}  {detail}")?;
            if let Some(advice) = &finding.advice {
                writeln!(out, "{:11}{:width$}  -> {advice}", "", "")?;
            }
        }
        if let Some(counsel) = self.counsel {
            writeln!(out, "\n{counsel}")?;
        }
        Ok(())
    }
}

/// Runs the command.
///
/// # Errors
/// The workspace's, when its files are invalid; what was found of the machine is printed first.
pub async fn run(_args: Args, app: &App) -> Result<()> {
    let directory = &app.settings().directory;
    let mut findings = machine(directory).await?;
    let invalid = match workspace_health(directory) {
        WorkspaceHealth::None => None,
        WorkspaceHealth::Valid(found) => {
            findings.extend(found);
            None
        }
        WorkspaceHealth::Invalid(error) => {
            findings.push(Finding {
                thing: "workspace".to_owned(),
                state: FindingState::Attention,
                detail: error.message().to_owned(),
                advice: Some("correct what is said about it on standard error".to_owned()),
            });
            Some(*error)
        }
    };
    let nothing_to_do = findings
        .iter()
        .all(|finding| finding.state != FindingState::Attention);
    let verbose = app.settings().verbosity == Verbosity::Verbose;
    app.answer(&Diagnosis {
        healthy: nothing_to_do && invalid.is_none(),
        findings,
        counsel: verbose.then_some(COUNSEL),
    })?;
    invalid.map_or(Ok(()), Err)
}
