//! Harnesses without processes, for tests of those who use them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{BuildFailure, Harness, HarnessProgram, HarnessSource, Harnesses, Offers};
use crate::model::exchange::{HttpAnswer, HttpCall, MessageAnswer, ProviderState, StateValues};
use crate::model::verification::Trouble;

type Respond = dyn Fn(&HttpCall) -> Result<HttpAnswer, Trouble> + Send + Sync;

/// What a fake provider does.
#[derive(Clone)]
pub struct FakeProvider {
    /// Why it cannot be compiled.
    pub build: Option<BuildFailure>,
    /// Why it cannot be started.
    pub start: Option<Trouble>,
    /// The states that it knows, and what each gives.
    pub states: BTreeMap<String, Result<StateValues, Trouble>>,
    /// How it answers requests.
    pub respond: Arc<Respond>,
    /// The messages that it knows.
    pub messages: BTreeMap<String, Result<MessageAnswer, Trouble>>,
}

/// Starts fake harnesses, and writes down what they are asked.
#[derive(Default)]
pub struct FakeHarnesses {
    /// The providers by name.
    pub providers: BTreeMap<String, FakeProvider>,
    journal: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl FakeHarnesses {
    /// What was asked, in order: `orders 1: GET /orders/1`.
    pub fn journal(&self) -> Vec<String> {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.clone()
    }

    /// How many ran at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Harnesses for FakeHarnesses {
    async fn build(&self, source: &HarnessSource) -> Result<HarnessProgram, BuildFailure> {
        let provider = self.providers.get(&source.provider);
        match provider.and_then(|provider| provider.build.clone()) {
            Some(failure) => Err(failure),
            None => Ok(HarnessProgram {
                source: source.clone(),
                program: source.directory.join("harness"),
            }),
        }
    }

    async fn start(&self, program: &HarnessProgram) -> Result<Box<dyn Harness>, Trouble> {
        let provider = self.providers[&program.source.provider].clone();
        let name = program.source.provider.clone();
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.push(format!("{name}: start"));
        if let Some(trouble) = provider.start.clone() {
            return Err(trouble);
        }
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Ok(Box::new(FakeHarness {
            name,
            provider,
            journal: Arc::clone(&self.journal),
            running: Arc::clone(&self.running),
        }))
    }
}

struct FakeHarness {
    name: String,
    provider: FakeProvider,
    journal: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
}

impl FakeHarness {
    async fn write(&self, what: &str) {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{}: {what}", self.name));
        tokio::task::yield_now().await;
    }
}

impl Drop for FakeHarness {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Harness for FakeHarness {
    fn offers(&self) -> Offers {
        Offers {
            http: true,
            messages: !self.provider.messages.is_empty(),
        }
    }

    async fn set_up(&mut self, states: &[ProviderState]) -> Result<StateValues, Trouble> {
        let names: Vec<&str> = states.iter().map(|state| state.name.as_str()).collect();
        self.write(&format!("set up {names:?}")).await;
        let mut values = StateValues::new();
        for name in names {
            values.extend(self.provider.states[name].clone()?);
        }
        Ok(values)
    }

    async fn tear_down(&mut self, _states: &[ProviderState]) -> Result<(), Trouble> {
        self.write("tear down").await;
        Ok(())
    }

    async fn call(&mut self, call: &HttpCall) -> Result<HttpAnswer, Trouble> {
        self.write(&format!("{} {}", call.method, call.path)).await;
        (self.provider.respond)(call)
    }

    async fn message(
        &mut self,
        description: &str,
        _states: &[ProviderState],
    ) -> Result<MessageAnswer, Trouble> {
        self.write(description).await;
        self.provider.messages[description].clone()
    }

    async fn stop(self: Box<Self>) {
        self.write("stop").await;
    }
}
