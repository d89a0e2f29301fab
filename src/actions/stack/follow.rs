//! A stack in the foreground: its services' logs until the user stops it, or nothing runs.

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::Stack;
use super::opened::Opened;
use crate::engine::runtime::{ClearScope, LogRequest};
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::stack::Observed;

/// How often a service that ended is looked for: `restart` in another terminal brings it back.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a runtime that cannot be asked any more is asked again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many lines of what was logged before are shown.
const FIRST_LINES: usize = 20;

/// How a service came to its end.
enum End {
    /// It is gone: `down` in another terminal.
    Removed,
    /// It ended by itself.
    Exited,
    /// Nobody can say.
    Lost(Error),
}

/// Shows logs until `interrupt`, and then stops the stack; that is the normal end. Data stays.
///
/// # Errors
/// When every service ended by itself, the runtime cannot be asked any more, or the stack cannot
/// be stopped.
pub async fn follow(opened: &Opened, interrupt: impl Future<Output = ()>) -> Result<()> {
    let stack = &opened.stack;
    let outcome = until_ended(stack, interrupt).await;
    stack.events.note("stopping the stack; its data stays");
    // What `restart` in another terminal has begun would come after it.
    let _held = opened.lock_when_free().await?;
    stack.runtime.clear(ClearScope::KeepData).await?;
    outcome
}

/// Shows logs until `interrupt`, or until no service is left.
pub(super) async fn until_ended(stack: &Stack, interrupt: impl Future<Output = ()>) -> Result<()> {
    let names = stack.spec.services.iter().map(|it| it.name.as_str());
    let ends = join_all(names.map(|name| follow_one(stack, name)));
    let has_services = !stack.spec.services.is_empty();
    tokio::select! {
        // Servers alone run until somebody stops them.
        ends = ends, if has_services => ended(ends),
        () = interrupt => Ok(()),
    }
}

fn ended(ends: Vec<End>) -> Result<()> {
    let mut have_exited = false;
    for end in ends {
        match end {
            End::Lost(error) => return Err(error),
            End::Exited => have_exited = true,
            End::Removed => {}
        }
    }
    match have_exited {
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
    let observed = match observe(stack, name).await {
        Ok(observed) => observed,
        Err(error) => return Some(End::Lost(error)),
    };
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

/// What runs a moment later. A runtime that cannot be asked, such as a Docker that is started anew,
/// is asked again for a while.
async fn observe(stack: &Stack, name: &str) -> Result<Vec<Observed>> {
    let deadline = Instant::now() + PATIENCE;
    let mut is_said = false;
    loop {
        sleep(LOOK_AGAIN).await;
        match stack.runtime.observe().await {
            Err(error) if Instant::now() < deadline => {
                if !is_said {
                    let seconds = PATIENCE.as_secs();
                    stack.events.warn(format!(
                        "whether {name} runs is not known, and is asked for {seconds} s: {error}"
                    ));
                    is_said = true;
                }
            }
            observed => return observed,
        }
    }
}
