//! What a supervisor that was killed has left behind: found by its environment, ended in order.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::process_table::{ProcessKey, await_end, members, stop_signal, supervisors};
use super::protocol::SavedState;

/// How long an orphan may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long a process may take to vanish after SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// Ends every process of a stack that has no supervisor, and names the instances they were.
pub async fn end_orphans(stack: &str, saved: Option<&SavedState>) -> Vec<String> {
    let found = members(stack);
    let leaders: Vec<(&ProcessKey, Signal, &str)> = saved
        .iter()
        .flat_map(|state| &state.instances)
        .filter(|record| record.observed.running && record.process.lives())
        .map(|record| {
            let name = record.observed.name.as_str();
            (&record.process, stop_signal(record.stop), name)
        })
        .collect();
    for (process, signal, _) in &leaders {
        process.signal_group(*signal);
    }
    for member in &found {
        let led = |name: &String| leaders.iter().any(|(_, _, led)| led == name);
        if !member.instance.as_ref().is_some_and(led) {
            member.key.signal(Signal::SIGTERM);
        }
    }
    let mut names: BTreeSet<String> = found
        .iter()
        .filter_map(|member| member.instance.clone())
        .collect();
    names.extend(leaders.iter().map(|(_, _, name)| (*name).to_owned()));
    let mut processes: Vec<ProcessKey> = found.into_iter().map(|member| member.key).collect();
    processes.extend(leaders.iter().map(|(process, _, _)| (*process).clone()));
    end(&processes, GRACE).await;
    // What they started in their last moments.
    let last: Vec<ProcessKey> = members(stack)
        .into_iter()
        .map(|member| member.key)
        .collect();
    end(&last, Duration::ZERO).await;
    names.into_iter().collect()
}

/// Ends every supervisor of a stack that is left, by force: it did not answer.
pub async fn end_supervisors(stack: &str, saved: Option<&SavedState>) {
    let mut left = supervisors(stack);
    left.extend(saved.map(|state| state.supervisor.clone()));
    end(&left, Duration::ZERO).await;
}

async fn end(processes: &[ProcessKey], grace: Duration) {
    if await_end(processes, grace).await {
        return;
    }
    for process in processes {
        process.signal(Signal::SIGKILL);
    }
    await_end(processes, AFTER_KILL).await;
}
