//! The tools of this machine.

use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::config::catalog::resource_types;
use crate::engine::docker::connection::{DockerEnvironment, connect};
use crate::engine::go;
use crate::engine::ports::PortAllocator;
use crate::engine::process::{Availability, availability};
use crate::engine::program::ProgramCall;
use crate::error::{ErrorKind, Result};

/// How long a tool may take to tell its version.
const QUESTION: Duration = Duration::from_secs(20);
/// BuildKit answers since this version of the Engine API (Docker 18.09).
const FIRST_API_WITH_BUILDKIT: (u32, u32) = (1, 39);
/// The oldest Engine API that is supported (Docker 20.10).
const OLDEST_API: (u32, u32) = (1, 41);

pub(super) async fn go(directory: &Path) -> Finding {
    let (major, minor) = go::OLDEST_GO;
    let advice = format!("install Go {major}.{minor} or newer: https://go.dev/dl");
    match go::version(directory).await {
        Ok(version) if go::is_new_enough(&version) => Finding::ok("Go", version),
        Ok(version) => {
            let detail = format!("{version} is older than the services that are generated");
            Finding::attention("Go", detail, advice)
        }
        Err(error) if error.kind() == ErrorKind::Missing => Finding::missing(
            "Go",
            "services are built with it, in `--runtime process` and by the native builder",
            advice,
        ),
        Err(error) => Finding::attention("Go", error.to_string(), advice),
    }
}

pub(super) async fn git() -> Finding {
    let lack = Lack {
        purpose: "a workspace is a git repository, and conflicts are shown by it",
        advice: "install git",
    };
    tool("git", &["--version"], lack).await
}

pub(super) async fn golangci_lint() -> Finding {
    let lack = Lack {
        purpose: "it checks the services by the rules that come with them",
        advice: "install golangci-lint 2: https://golangci-lint.run",
    };
    tool("golangci-lint", &["version"], lack).await
}

pub(super) async fn helm() -> Finding {
    let lack = Lack {
        purpose: "the charts work with plain Helm; gantline itself does not need it",
        advice: "install Helm 4 when you want to use it: https://helm.sh",
    };
    tool("helm", &["version", "--short"], lack).await
}

/// What the absence of a tool means.
struct Lack {
    purpose: &'static str,
    advice: &'static str,
}

async fn tool(program: &str, arguments: &[&str], lack: Lack) -> Finding {
    let told = ProgramCall::new(program, QUESTION)
        .arguments(arguments.iter().copied())
        .run(|_line| {})
        .await;
    match told {
        Ok(told) if told.code == 0 => {
            let line = told.output.lines().next().unwrap_or_default();
            Finding::ok(program, line.trim())
        }
        Ok(told) => {
            let detail = format!("it fails: {}", told.last_words(1));
            Finding::attention(program, detail, lack.advice)
        }
        Err(_absent) => Finding::missing(program, lack.purpose, lack.advice),
    }
}

pub(super) async fn docker() -> Finding {
    let advice = "start Docker, or run everything as host processes: `--runtime process`";
    let client = match connect(&DockerEnvironment::of_process()).await {
        Ok(client) => client,
        Err(error) => return Finding::missing("Docker", error.to_string(), advice),
    };
    let version = match tokio::time::timeout(QUESTION, client.version()).await {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => return Finding::attention("Docker", error.to_string(), advice),
        Err(_) => return Finding::attention("Docker", "it does not answer", advice),
    };
    let engine = version.version.unwrap_or_default();
    let api = version.api_version.unwrap_or_default();
    let number = numbers(&api);
    if number < OLDEST_API {
        return Finding::attention(
            "Docker",
            format!("version {engine} (API {api}) is not supported"),
            "update to Docker 20.10 or newer",
        );
    }
    let buildkit = if number >= FIRST_API_WITH_BUILDKIT {
        "with BuildKit"
    } else {
        "without BuildKit"
    };
    Finding::ok("Docker", format!("version {engine}, API {api}, {buildkit}"))
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// The servers of the catalogue, for `--runtime process`.
pub(super) fn servers() -> Result<Vec<Finding>> {
    let types = resource_types()?;
    let with_recipe = types
        .values()
        .filter_map(|kind| Some((kind, kind.process.as_ref()?)));
    Ok(with_recipe
        .map(|(kind, recipe)| {
            let thing = format!("{} as a process", kind.name);
            match availability(recipe) {
                Availability::OnPath(folder) => {
                    Finding::ok(&thing, format!("on PATH, in {}", folder.display()))
                }
                Availability::Kept(folder) => {
                    Finding::ok(&thing, format!("fetched before, in {}", folder.display()))
                }
                Availability::AtFirstUse(source) => {
                    Finding::ok(&thing, format!("not on PATH; {source} at its first use"))
                }
                Availability::Missing(reason) => Finding::missing(
                    &thing,
                    reason,
                    format!("install {}, or use Docker", kind.name),
                ),
            }
        })
        .collect())
}

pub(super) fn ports() -> Finding {
    match PortAllocator::new("doctor", []).allocate("doctor", "main") {
        Ok(_free) => Finding::ok("ports", "there are free ones on 127.0.0.1"),
        Err(error) => Finding::attention(
            "ports",
            error.to_string(),
            "stop other stacks with `gantline down`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_compared_by_number() {
        assert!(numbers("1.9") < OLDEST_API);
        assert!(numbers("1.52") > OLDEST_API);
        assert_eq!(numbers(""), (0, 0));
    }

    #[tokio::test]
    async fn an_absent_tool_says_what_it_is_for() {
        let lack = Lack {
            purpose: "a purpose",
            advice: "install it",
        };
        let finding = tool("no-such-tool-at-all", &[], lack).await;
        assert_eq!(finding.state, super::super::FindingState::Missing);
        assert_eq!(finding.detail, "a purpose");
        assert_eq!(finding.advice.as_deref(), Some("install it"));
    }
}
