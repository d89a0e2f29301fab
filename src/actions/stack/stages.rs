//! How far what one run of `up` starts has come.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// How far an instance has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The runtime was asked for it: it may exist.
    Begun,
    /// It was started.
    Running,
    /// It has served.
    Ready,
}

/// The stages of what a run starts, by instance; what it found as wanted is not among them.
#[derive(Debug)]
pub struct Stages {
    reached: watch::Sender<BTreeMap<String, Stage>>,
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            reached: watch::Sender::new(BTreeMap::new()),
        }
    }
}

impl Stages {
    /// Notes how far an instance has come.
    pub fn note(&self, instance: &str, stage: Stage) {
        self.reached.send_modify(|reached| {
            reached.insert(instance.to_owned(), stage);
        });
    }

    /// Forgets an instance that exists no more.
    pub fn forget(&self, instance: &str) {
        self.reached.send_modify(|reached| {
            reached.remove(instance);
        });
    }

    /// How far an instance has come; `None` when this run did not ask for it.
    pub fn of(&self, instance: &str) -> Option<Stage> {
        self.reached.borrow().get(instance).copied()
    }

    /// Whether this run asked for nothing, or nothing that still exists.
    pub fn is_empty(&self) -> bool {
        self.reached.borrow().is_empty()
    }

    /// Done once an instance was started.
    pub async fn until_running(&self, instance: &str) {
        let is_running = |reached: &BTreeMap<String, Stage>| {
            let stage = reached.get(instance);
            stage.is_some_and(|stage| *stage >= Stage::Running)
        };
        let mut reached = self.reached.subscribe();
        // No error: the sender lives as long as `self`.
        let _there = reached.wait_for(is_running).await;
    }
}
