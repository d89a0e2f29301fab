//! What `up`, `restart` and `down` would do, without doing it.

use std::sync::Arc;

use super::Stack;
use super::down::Scope;
use super::up::UpRequest;
use crate::engine::runtime::Runtime;
use crate::error::Result;
use crate::model::stack::{Observed, Role, RuntimeKind};

/// What would happen to one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It does not run, and would be started.
    Start,
    /// It runs, and would be started again.
    Restart,
    /// It runs, and would be replaced if anything that it is started from changed since: only a
    /// build tells.
    Compare,
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

/// What [`super::up::up`] would do with this request.
///
/// # Errors
/// When the runtime cannot be asked.
pub async fn before_up(stack: &Stack, request: &UpRequest) -> Result<Vec<Foreseen>> {
    let observed = stack.runtime.observe().await?;
    let mut foreseen = Vec::new();
    if request.stop_others {
        let known: Vec<&str> = stack.spec.instances().map(|it| it.name.as_str()).collect();
        let others = observed
            .iter()
            .filter(|it| !known.contains(&it.name.as_str()));
        foreseen.extend(others.map(|it| foresee(it, Step::Stop)));
    }
    for instance in stack.spec.instances() {
        let is_wanted = request
            .only
            .as_ref()
            .is_none_or(|only| only.contains(&instance.name));
        if !is_wanted {
            continue;
        }
        let runs = observed
            .iter()
            .any(|it| it.name == instance.name && (it.running || it.exit_code == Some(0)));
        let step = match runs {
            true if request.force.contains(&instance.name) => Step::Restart,
            true => Step::Compare,
            false => Step::Start,
        };
        foreseen.push(Foreseen {
            name: instance.name.clone(),
            kind: instance.role,
            step,
        });
    }
    Ok(foreseen)
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
