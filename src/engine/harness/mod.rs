//! The harness of a provider: its real handler and encoder over doubles of what it depends on,
//! compiled from its tests. It listens on an address of this host, and is told which states to
//! bring about.

mod client;
mod compiled;
#[cfg(test)]
pub mod fake;
mod output;
mod process;
mod stop;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

pub use self::compiled::ProcessHarnesses;
use crate::error::Error;
use crate::model::exchange::{HttpAnswer, HttpCall, MessageAnswer, ProviderState, StateValues};
use crate::model::verification::Trouble;

/// The variable that tells a harness to listen, and where.
pub const ADDRESS_VARIABLE: &str = "GANTLINE_CONTRACT_ADDR";
/// The folder of a harness in its service.
pub const FOLDER: &str = "internal/contracttest";
/// The test that is the harness.
pub const TEST: &str = "TestContracts";

/// Which harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarnessSource {
    /// The provider's name.
    pub provider: String,
    /// The provider's folder: a Go module.
    pub directory: PathBuf,
}

/// A harness that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarnessProgram {
    /// What it was compiled from.
    pub source: HarnessSource,
    /// The program.
    pub program: PathBuf,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From its start until a harness says where it listens.
    pub start: Duration,
    /// One answer.
    pub answer: Duration,
    /// Its end, after it was asked for.
    pub stop: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            answer: Duration::from_secs(10),
            stop: Duration::from_secs(3),
        }
    }
}

/// Why there is no harness.
#[derive(Debug, Clone)]
pub enum BuildFailure {
    /// Go is absent: no contract can be verified.
    GoIsMissing(Error),
    /// This provider's cannot be compiled.
    Trouble(Trouble),
}

/// What a harness can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// Requests.
    pub http: bool,
    /// Messages.
    pub messages: bool,
}

/// Compiles and starts harnesses.
#[async_trait]
pub trait Harnesses: Send + Sync {
    /// Compiles a provider's harness.
    ///
    /// # Errors
    /// When Go is absent, or this provider has no harness, or it does not compile.
    async fn build(&self, source: &HarnessSource) -> Result<HarnessProgram, BuildFailure>;

    /// Starts a harness, and waits until it says where it listens.
    ///
    /// # Errors
    /// When it does not start.
    async fn start(&self, program: &HarnessProgram) -> Result<Box<dyn Harness>, Trouble>;
}

/// One running harness. What it is asked goes one after the other: its doubles are one set.
/// Dropped, it ends with all that it started.
#[async_trait]
pub trait Harness: Send {
    /// What it can be asked for.
    fn offers(&self) -> Offers;

    /// Forgets everything, and brings about these states.
    ///
    /// # Errors
    /// When it does not know a state, cannot bring it about, or does not answer as it should.
    async fn set_up(&mut self, states: &[ProviderState]) -> Result<StateValues, Trouble>;

    /// Takes these states back.
    ///
    /// # Errors
    /// When it does not answer as it should.
    async fn tear_down(&mut self, states: &[ProviderState]) -> Result<(), Trouble>;

    /// Sends a request to the provider's handler.
    ///
    /// # Errors
    /// When nothing comes back; any status is an answer.
    async fn call(&mut self, call: &HttpCall) -> Result<HttpAnswer, Trouble>;

    /// Asks for the message of this description.
    ///
    /// # Errors
    /// When it does not know the message, or does not answer as it should.
    async fn message(
        &mut self,
        description: &str,
        states: &[ProviderState],
    ) -> Result<MessageAnswer, Trouble>;

    /// Ends it.
    async fn stop(self: Box<Self>);
}
