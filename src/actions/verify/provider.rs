//! All that is asked of one provider.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::one::verify_one;
use crate::contract::document::Document;
use crate::contract::pact_file::Interaction;
use crate::engine::harness::{BuildFailure, Harness, HarnessProgram, HarnessSource, Harnesses};
use crate::error::{Error, Result};
use crate::model::event::{Event, EventSink};
use crate::model::verification::{InteractionResult, Trouble, TroubleKind, Verdict};

/// How many interactions make another process worth its start.
const SHARE: usize = 8;
/// How many harnesses of a provider may fail before the rest is given up.
const MOST_FAILURES: usize = 3;

/// What is asked of one provider.
pub(super) struct Work<'a> {
    pub(super) source: HarnessSource,
    pub(super) document: Option<&'a Document>,
    pub(super) tasks: Vec<Task<'a>>,
}

/// One interaction, and where it belongs.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) pact: usize,
    pub(super) index: usize,
    pub(super) interaction: &'a Interaction,
}

/// Verifies all tasks; their results are in the tasks' order.
pub(super) async fn verify_provider(
    work: &Work<'_>,
    harnesses: &dyn Harnesses,
    limit: &Semaphore,
    events: &dyn EventSink,
) -> Result<Vec<InteractionResult>> {
    let id = work.source.provider.as_str();
    let begun = Instant::now();
    events.emit(Event::Started {
        id: id.to_owned(),
        label: format!("{id}: compiling its harness"),
        after: Vec::new(),
    });
    let permit = permit(limit).await?;
    let built = harnesses.build(&work.source).await;
    drop(permit);
    let results = match built {
        Err(BuildFailure::GoIsMissing(error)) => {
            let message = "Go is missing".to_owned();
            events.emit(Event::Failed {
                id: id.to_owned(),
                message,
            });
            return Err(error);
        }
        Err(BuildFailure::Trouble(trouble)) => {
            let tasks = work.tasks.iter();
            tasks.map(|task| unknown(task, trouble.clone())).collect()
        }
        Ok(program) => {
            events.progress(id, format!("{} interactions", work.tasks.len()));
            let run = Run {
                work,
                harnesses,
                program: &program,
                limit,
                state: Mutex::new(State {
                    waiting: (0..work.tasks.len()).collect(),
                    results: vec![None; work.tasks.len()],
                    failures: 0,
                    last: None,
                }),
            };
            run.all().await?
        }
    };
    events.emit(told(id, &results, begun.elapsed()));
    Ok(results)
}

async fn permit(limit: &Semaphore) -> Result<SemaphorePermit<'_>> {
    let closed = |error| Error::failed("the verification was given up").because(error);
    limit.acquire().await.map_err(closed)
}

fn told(id: &str, results: &[InteractionResult], elapsed: Duration) -> Event {
    let hold = results
        .iter()
        .filter(|result| result.verdict == Verdict::Holds)
        .count();
    let id = id.to_owned();
    let message = format!("{hold} of {} interactions hold", results.len());
    match hold == results.len() {
        true => Event::Finished {
            id,
            message,
            elapsed,
        },
        false => Event::Failed { id, message },
    }
}

fn unknown(task: &Task<'_>, trouble: Trouble) -> InteractionResult {
    super::result(task.interaction, Verdict::Unknown(trouble), Duration::ZERO)
}

struct Run<'a> {
    work: &'a Work<'a>,
    harnesses: &'a dyn Harnesses,
    program: &'a HarnessProgram,
    limit: &'a Semaphore,
    state: Mutex<State>,
}

struct State {
    waiting: VecDeque<usize>,
    results: Vec<Option<InteractionResult>>,
    failures: usize,
    last: Option<String>,
}

impl Run<'_> {
    async fn all(self) -> Result<Vec<InteractionResult>> {
        let processes = self.work.tasks.len().div_ceil(SHARE).max(1);
        let processes = processes.min(self.limit.available_permits().max(1));
        for ended in join_all((0..processes).map(|_| self.process())).await {
            ended?;
        }
        let provider = &self.work.source.provider;
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let last = state.last.unwrap_or_default();
        let results = state.results.into_iter().zip(&self.work.tasks);
        Ok(results
            .map(|(result, task)| {
                result.unwrap_or_else(|| {
                    unknown(task, Trouble {
                        kind: TroubleKind::Exited,
                        message: format!("not asked: {MOST_FAILURES} harnesses of {provider} failed before, the last because {last}"),
                        details: Vec::new(),
                        next: None,
                    })
                })
            })
            .collect())
    }

    /// Works on what waits with one harness after the other: one that failed is replaced.
    async fn process(&self) -> Result<()> {
        let _permit = permit(self.limit).await?;
        let mut harness: Option<Box<dyn Harness>> = None;
        while let Some(index) = self.next() {
            let running = match harness.take() {
                Some(running) => Ok(running),
                None => self.harnesses.start(self.program).await,
            };
            let begun = Instant::now();
            let task = &self.work.tasks[index];
            let verdict = match running {
                Ok(mut running) => {
                    let (verdict, usable) =
                        verify_one(task.interaction, self.work.document, &mut *running).await;
                    if usable {
                        harness = Some(running);
                    } else {
                        // Dropped, it ends at once: it may never answer again.
                        self.failed(&verdict);
                    }
                    verdict
                }
                Err(trouble) => {
                    let verdict = Verdict::Unknown(trouble);
                    self.failed(&verdict);
                    verdict
                }
            };
            self.done(
                index,
                super::result(task.interaction, verdict, begun.elapsed()),
            );
        }
        if let Some(harness) = harness {
            harness.stop().await;
        }
        Ok(())
    }

    fn next(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.failures < MOST_FAILURES {
            true => state.waiting.pop_front(),
            false => None,
        }
    }

    fn done(&self, index: usize, result: InteractionResult) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.results[index] = Some(result);
    }

    fn failed(&self, verdict: &Verdict) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures += 1;
        if let Verdict::Unknown(trouble) = verdict {
            state.last = Some(trouble.message.clone());
        }
    }
}
