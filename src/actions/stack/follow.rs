//! A stack in the foreground: its services' logs until the user stops it, or nothing runs.

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::Stack;
use crate::engine::runtime::{ClearScope, LogRequest};
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::stack::Observed;

/// How often a service that ended is looked for: `restart` in another terminal brings it back.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many lines of what was logged before are shown.
const FIRST_LINES: usize = 20;

/// How a service came to its end.
enum End {
    /// It is gone: `down` in another terminal.
    Removed,
    /// It ended by itself.
    Exited,
}

/// Shows logs until `interrupt`, and then stops the stack; that is the normal end. Data stays.
///
/// # Errors
/// When every service ended by itself, or the stack cannot be stopped.
pub async fn follow(stack: &Stack, interrupt: impl Future<Output = ()>) -> Result<()> {
    let names = stack.spec.services.iter().map(|it| it.name.as_str());
    let ends = join_all(names.map(|name| follow_one(stack, name)));
    let has_services = !stack.spec.services.is_empty();
    let outcome = tokio::select! {
        // Servers alone run until somebody stops them.
        ends = ends, if has_services => ended(ends),
        () = interrupt => Ok(()),
    };
    stack.events.note("stopping the stack; its data stays");
    stack.runtime.clear(ClearScope::KeepData).await?;
    outcome
}

fn ended(ends: Vec<End>) -> Result<()> {
    match ends.iter().any(|end| matches!(end, End::Exited)) {
        true => Err(Error::failed("all services have ended")
            .hint("Their last lines are above; `gantline up` starts them again")),
        false => Ok(()),
    }
}

/// Follows a service through its restarts until it is gone for good.
async fn follow_one(stack: &Stack, name: &str) -> End {
    loop {
        show(stack, name).await;
        if let Some(end) = settle(stack, name).await {
            return end;
        }
    }
}

async fn show(stack: &Stack, name: &str) {
    let request = LogRequest {
        tail: Some(FIRST_LINES),
        follow: true,
        last_start_only: true,
    };
    let Ok(mut lines) = stack.runtime.logs(name, request).await else {
        return;
    };
    while let Some(Ok(line)) = lines.next().await {
        stack.events.emit(Event::Logged {
            thing: name.to_owned(),
            line,
        });
    }
}

/// Waits until a service whose log ended runs again (`None`), or has ended for good.
async fn settle(stack: &Stack, name: &str) -> Option<End> {
    tokio::time::sleep(LOOK_AGAIN).await;
    let observed = stack.runtime.observe().await.ok()?;
    let found: Option<&Observed> = observed.iter().find(|it| it.name == name);
    match found {
        None => Some(End::Removed),
        Some(it) if it.running => None,
        Some(it) => {
            let code = it.exit_code.unwrap_or_default();
            stack
                .events
                .warn(format!("{name} ended with exit code {code}"));
            Some(End::Exited)
        }
    }
}
