//! What `up`, `restart` and `down` would do, without doing it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Stack;
use super::addresses::HostPorts;
use super::down::Scope;
use super::launches::{Resolver, difference};
use super::up::UpRequest;
use crate::engine::runtime::Runtime;
use crate::error::Result;
use crate::model::stack::{Instance, Observed, Role, RuntimeKind};

/// What would happen to one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It does not run, and would be started.
    Start,
    /// It runs, and would be started again.
    Restart,
    /// It runs, and would be replaced: what it is started from changed since.
    Replace,
    /// It runs as wanted, or is done.
    Keep,
    /// It would be stopped.
    Stop,
    /// It would be stopped, and its data removed.
    Remove,
}

/// What would happen to one instance.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Foreseen {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Role,
    /// What would happen.
    pub step: Step,
}

/// What [`super::up::up`] would do with this request. Nothing is built: where the source changed,
/// so would the program.
///
/// # Errors
/// When the runtime cannot be asked.
pub async fn before_up(stack: &Stack, request: &UpRequest) -> Result<Vec<Foreseen>> {
    let observed = stack.runtime.observe().await?;
    let observed: BTreeMap<String, Observed> = observed
        .into_iter()
        .map(|it| (it.name.clone(), it))
        .collect();
    let mut foreseen = Vec::new();
    if request.stop_others {
        let known: Vec<&str> = stack.spec.instances().map(|it| it.name.as_str()).collect();
        let others = observed
            .values()
            .filter(|it| !known.contains(&it.name.as_str()));
        foreseen.extend(others.map(|it| foresee(it, Step::Stop)));
    }
    let ports = HostPorts::assign(&stack.spec, &observed)?;
    let resolver = Resolver::new(stack.kind, &stack.spec, ports);
    for instance in stack.spec.instances() {
        let only = request.only.as_ref();
        if only.is_some_and(|only| !only.contains(&instance.name)) {
            continue;
        }
        let step = match observed.get(&instance.name) {
            Some(found) if found.running || is_done(found) => {
                match request.force.contains(&instance.name) {
                    true => Step::Restart,
                    false => compared(stack, &resolver, instance, found).await?,
                }
            }
            _ => Step::Start,
        };
        // A job is done again when a server behind it is started anew.
        let starts = |name: &String| {
            let mut before = foreseen.iter();
            before.any(|it: &Foreseen| it.name == *name && it.step != Step::Keep)
        };
        let again = instance.role == Role::Job && instance.after.iter().any(starts);
        foreseen.push(Foreseen {
            name: instance.name.clone(),
            kind: instance.role,
            step: match (step, instance.role) {
                (Step::Replace, Role::Job) => Step::Start,
                (Step::Keep, _) if again => Step::Start,
                (step, _) => step,
            },
        });
    }
    Ok(foreseen)
}

/// A server or a service that ended, well or not, is started again.
fn is_done(found: &Observed) -> bool {
    found.role == Role::Job && found.exit_code == Some(0)
}

/// Whether what exists is what would be started now.
async fn compared(
    stack: &Stack,
    resolver: &Resolver,
    instance: &Instance,
    found: &Observed,
) -> Result<Step> {
    let Some(artifact) = stack.runtime.at_hand(instance).await? else {
        return Ok(Step::Replace);
    };
    let wanted = resolver.launch(instance, artifact)?.fingerprint;
    Ok(match difference(&wanted, &found.fingerprint) {
        None => Step::Keep,
        Some(_) => Step::Replace,
    })
}

/// What [`super::down::down`] would do.
///
/// # Errors
/// When a runtime cannot be asked.
pub async fn before_down(
    runtimes: &[(RuntimeKind, Arc<dyn Runtime>)],
    scope: Scope,
) -> Result<Vec<Foreseen>> {
    let mut foreseen = Vec::new();
    for (_, runtime) in runtimes {
        for observed in runtime.observe().await? {
            let step = match (scope, observed.role) {
                (Scope::Everything, Role::Resource) => Step::Remove,
                _ => Step::Stop,
            };
            foreseen.push(foresee(&observed, step));
        }
    }
    Ok(foreseen)
}

fn foresee(observed: &Observed, step: Step) -> Foreseen {
    Foreseen {
        name: observed.name.clone(),
        kind: observed.role,
        step,
    }
}
