//! `status`: each thing of the stack, what state it is in, and why.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::Stack;
use crate::engine::readiness::Query;
use crate::error::Result;
use crate::model::stack::{Addresses, Instance, Observed, Role, State};

/// One thing of the stack.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Role,
    /// Its state.
    pub state: State,
    /// Since when it runs, or when it ended; RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Its endpoints from the host's view: `http://127.0.0.1:20123` where HTTP is spoken.
    pub endpoints: BTreeMap<String, String>,
    /// What has to be ready or done before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<String>,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Looks at every thing of the stack, and asks those that run whether they serve. Only while a
/// command changes the stack does something wait.
///
/// # Errors
/// When the runtime cannot be asked.
pub async fn status(stack: &Stack, is_being_changed: bool) -> Result<Vec<Thing>> {
    let observed = stack.runtime.observe().await?;
    let observed: BTreeMap<String, Observed> = observed
        .into_iter()
        .map(|it| (it.name.clone(), it))
        .collect();
    let things = stack
        .spec
        .instances()
        .map(|instance| look_at(stack, instance, observed.get(&instance.name)));
    let mut things = join_all(things).await;
    match is_being_changed {
        true => add_waiting(stack, &mut things),
        false if observed.is_empty() => {}
        false => add_failures(stack, &mut things),
    }
    let known: Vec<String> = things.iter().map(|thing| thing.name.clone()).collect();
    let others = observed.values().filter(|it| !known.contains(&it.name));
    things.extend(others.map(|it| Thing {
        reason: Some("the workspace has no such thing any more".to_owned()),
        ..thing(&it.name, it.role, Some(it))
    }));
    Ok(things)
}

async fn look_at(stack: &Stack, instance: &Instance, found: Option<&Observed>) -> Thing {
    let mut thing = thing(&instance.name, instance.role, found);
    if let (State::Starting, Some(readiness), Some(found)) = (thing.state, &instance.ready, found) {
        let endpoints = found.endpoints.clone();
        let query = Query {
            instance: &instance.name,
            readiness,
            addresses: &Addresses(BTreeMap::from([(instance.name.clone(), endpoints)])),
        };
        match stack.probe(&query).await {
            Ok(()) => thing.state = State::Ready,
            Err(reason) => thing.reason = Some(reason),
        }
    }
    thing
}

/// A thing as the runtime sees it; what runs counts as starting until it answers.
fn thing(name: &str, kind: Role, found: Option<&Observed>) -> Thing {
    let state = match found {
        None => State::Stopped,
        Some(it) if it.running => State::Starting,
        Some(it) => match (kind, it.exit_code) {
            (_, None) => State::Stopped,
            (Role::Job, Some(0)) => State::Done,
            (_, Some(_)) => State::Failed,
        },
    };
    let exit = found.filter(|_| state == State::Failed);
    let code = exit.and_then(|it| it.exit_code);
    let endpoints = found.into_iter().flat_map(|it| &it.endpoints);
    Thing {
        name: name.to_owned(),
        kind,
        state,
        since: found
            .map(|it| it.since.clone())
            .filter(|since| !since.is_empty()),
        endpoints: endpoints
            .map(|(endpoint, address)| (endpoint.clone(), shown(kind, endpoint, address)))
            .collect(),
        waiting_for: Vec::new(),
        reason: code.map(|code| format!("it ended with exit code {code}")),
    }
}

fn shown(kind: Role, endpoint: &str, address: &crate::model::stack::Address) -> String {
    let of_service = kind == Role::Service && matches!(endpoint, "http" | "admin");
    let speaks_http = of_service || endpoint == "monitor";
    match speaks_http {
        true => format!("http://{address}"),
        false => address.to_string(),
    }
}

/// Why the last `up` did not start what is not there.
fn add_failures(stack: &Stack, things: &mut [Thing]) {
    let reasons = stack.failures.read();
    for thing in things.iter_mut().filter(|thing| thing.since.is_none()) {
        if let Some(reason) = reasons.get(&thing.name) {
            thing.reason = Some(reason.clone());
        }
    }
}

/// What does not run although something else does waits for what comes before it.
fn add_waiting(stack: &Stack, things: &mut [Thing]) {
    let some_run = things
        .iter()
        .any(|thing| matches!(thing.state, State::Starting | State::Ready));
    let there: Vec<String> = things
        .iter()
        .filter(|thing| matches!(thing.state, State::Ready | State::Done))
        .map(|thing| thing.name.clone())
        .collect();
    for (instance, thing) in stack.spec.instances().zip(things) {
        if some_run && thing.state == State::Stopped && thing.since.is_none() {
            let missing = instance.after.iter().filter(|name| !there.contains(name));
            thing.waiting_for = missing.cloned().collect();
            if !thing.waiting_for.is_empty() {
                thing.state = State::Waiting;
            }
        }
    }
}
