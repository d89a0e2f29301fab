//! `restart`: things start again, with what their manifests say now.

use super::Stack;
use super::logs::unknown_thing;
use super::up::{AfterFailure, Arrived, UpRequest, up};
use crate::error::Result;
use crate::model::stack::StackSpec;

/// Starts the named things again; all services when none is named. What they need is started
/// when it does not run.
///
/// # Errors
/// When a name is unknown, or as [`up`].
pub async fn restart(
    stack: &Stack,
    names: &[String],
    interrupt: impl Future<Output = ()>,
) -> Result<Vec<Arrived>> {
    up(stack, &request(stack, names)?, interrupt).await
}

/// What [`restart`] asks of [`up`].
///
/// # Errors
/// When a name is unknown.
pub fn request(stack: &Stack, names: &[String]) -> Result<UpRequest> {
    let known: Vec<&str> = stack.spec.instances().map(|it| it.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown_thing(&stack.spec, name, &known));
    }
    let services = stack.spec.services.iter().map(|it| it.name.clone());
    let force: Vec<String> = match names.is_empty() {
        true => services.collect(),
        false => names.to_vec(),
    };
    Ok(UpRequest {
        after_failure: AfterFailure::Keep,
        stop_others: false,
        only: Some(with_what_comes_before(&stack.spec, &force)),
        force,
    })
}

/// The named things and what comes before them; the others are left alone, changed or not.
fn with_what_comes_before(spec: &StackSpec, names: &[String]) -> Vec<String> {
    let mut wanted = names.to_vec();
    let mut next = 0;
    while let Some(name) = wanted.get(next) {
        let instance = spec.instances().find(|it| it.name == *name);
        for before in instance.iter().flat_map(|it| &it.after) {
            if !wanted.contains(before) {
                wanted.push(before.clone());
            }
        }
        next += 1;
    }
    wanted
}
