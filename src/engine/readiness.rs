//! Whether a server or a service serves: a real query or request, never an open port alone.

use async_trait::async_trait;

use crate::model::stack::{Addresses, Readiness, TenantProvision};

/// What is asked of running servers and services from the host.
#[async_trait]
pub trait Servers: Send + Sync {
    /// Asks once; the reason when it does not serve yet. Bounded by a time-out of its own.
    ///
    /// # Errors
    /// Why it does not serve yet, for people: `connection refused`.
    async fn probe(&self, query: &Query<'_>) -> Result<(), String>;

    /// Carries out the provisioning of one resource. Safe to repeat.
    ///
    /// # Errors
    /// What the server answered, without the statement, which may hold a password.
    async fn provision(&self, query: &Query<'_>, provision: &TenantProvision)
    -> Result<(), String>;
}

/// Whom to ask, and how.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The instance's name.
    pub instance: &'a str,
    /// The check and who asks.
    pub readiness: &'a Readiness,
    /// Addresses from the host's view.
    pub addresses: &'a Addresses,
}
