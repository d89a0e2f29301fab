//! What this machine and this workspace have, lack, and what to do about it.

mod tools;
mod workspace;

use std::path::Path;

use crate::error::Result;

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// The thing: `Go`, `Docker`, `workspace`.
    pub thing: String,
    /// How it is.
    pub state: FindingState,
    /// What was found, or what it is needed for when it is missing.
    pub detail: String,
    /// What to do, when there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// As it should be.
    Ok,
    /// Not there; some commands need it.
    Missing,
    /// There, and something needs the user.
    Attention,
}

impl Finding {
    fn ok(thing: &str, detail: impl Into<String>) -> Self {
        Self {
            thing: thing.to_owned(),
            state: FindingState::Ok,
            detail: detail.into(),
            advice: None,
        }
    }

    fn missing(thing: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            thing: thing.to_owned(),
            state: FindingState::Missing,
            detail: detail.into(),
            advice: Some(advice.into()),
        }
    }

    fn attention(thing: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            state: FindingState::Attention,
            ..Self::missing(thing, detail, advice)
        }
    }
}

/// Looks at the machine, and at the workspace that a folder belongs to when there is one.
///
/// Every question has a time-out, and none changes anything.
///
/// # Errors
/// When the resource types of the program are broken.
pub async fn machine(start: &Path) -> Result<Vec<Finding>> {
    let (go, git, docker, lint, helm) = tokio::join!(
        tools::go(start),
        tools::git(),
        tools::docker(),
        tools::golangci_lint(),
        tools::helm(),
    );
    let mut findings = vec![go, git, docker, lint, helm];
    findings.extend(tools::servers()?);
    findings.push(tools::ports());
    Ok(findings)
}

pub use workspace::{WorkspaceHealth, workspace_health};
