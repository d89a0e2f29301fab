//! `logs`: what things wrote, each line under its name.

use futures::StreamExt;
use futures::stream::{BoxStream, select_all};

use super::Stack;
pub use crate::engine::runtime::LogRequest;
use crate::error::{Error, Result};
use crate::model::stack::{Observed, StackSpec, TenantProvision};

/// A line of a thing's log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LogLine {
    /// The thing.
    pub thing: String,
    /// The line, safe for a terminal.
    pub line: String,
}

/// The log lines of the named things, or of all that exist.
///
/// # Errors
/// When a name is unknown, or nothing of the stack exists.
pub async fn logs(
    stack: &Stack,
    names: &[String],
    request: LogRequest,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let observed = stack.runtime.observe().await?;
    let chosen = choose(stack, &observed, names)?;
    let mut streams = Vec::new();
    for name in chosen {
        let lines = stack.runtime.logs(&name, request).await?;
        let named = lines.map(move |line| {
            line.map(|line| LogLine {
                thing: name.clone(),
                line,
            })
        });
        streams.push(named.boxed());
    }
    match request.follow {
        true => Ok(select_all(streams).boxed()),
        false => Ok(futures::stream::iter(streams).flatten().boxed()),
    }
}

fn choose(stack: &Stack, observed: &[Observed], names: &[String]) -> Result<Vec<String>> {
    let known: Vec<&str> = stack.spec.instances().map(|it| it.name.as_str()).collect();
    let exists = |name: &str| {
        let mut observed = observed.iter();
        observed.any(|it| it.name == name && it.has_run())
    };
    if names.is_empty() {
        let all: Vec<String> = known
            .iter()
            .filter(|name| exists(name))
            .map(|&name| name.to_owned())
            .collect();
        return match all.is_empty() {
            true => {
                Err(Error::failed("nothing of this stack runs").hint("Start it with `gantline up`"))
            }
            false => Ok(all),
        };
    }
    for name in names {
        if !known.contains(&name.as_str()) && !exists(name) {
            return Err(unknown_thing(&stack.spec, name, &known));
        }
        if !exists(name) {
            return Err(
                Error::failed(format!("{name} does not run, and left no log"))
                    .hint("Start it with `gantline up`"),
            );
        }
    }
    Ok(names.to_vec())
}

/// The error for a name that the stack does not have, although it may serve what is called so.
pub fn unknown_thing(spec: &StackSpec, name: &str, known: &[&str]) -> Error {
    let mut servers = spec.provisions.iter();
    let serves =
        |tenants: &[TenantProvision]| tenants.iter().any(|it| it.resource.as_str() == name);
    match servers.find(|(_, tenants)| serves(tenants)) {
        Some((server, _)) => Error::invalid(format!("the stack runs nothing called `{name}`"))
            .since(format!("the resource `{name}` is on the server `{server}`"))
            .hint(format!("Name `{server}`")),
        None => {
            let error = Error::invalid(format!("the stack has nothing called `{name}`"));
            match known.is_empty() {
                true => error.hint("It has no services: `gantline add service NAME` makes one"),
                false => error.hint(format!("It has {}", known.join(", "))),
            }
        }
    }
}
