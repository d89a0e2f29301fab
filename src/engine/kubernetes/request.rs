//! One request to the API server: a time limit, retries while the server is away, and an error that
//! says which verb on which resource.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::Error as KubeError;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Cluster;
use crate::error::Error;

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server that went away is waited for: a restart takes seconds, a lost network is an
/// error that the user should hear of.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server is waited for that has not answered this program yet: it is probably the
/// wrong address.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the first retry; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// After how long the user is told what is waited for.
const SLOW: Duration = Duration::from_secs(2);
/// How long after one line about waiting another may follow.
const REMINDER: Duration = Duration::from_secs(10);

/// The verb of discovery, which is none of RBAC's.
const DISCOVER: &str = "discover";

/// What a request does, for its errors: verb and resource as RBAC names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    verb: &'static str,
    resource: String,
    name: Option<String>,
    namespace: Option<String>,
}

impl Access {
    /// A verb on a resource: `get`, `deployments.apps`.
    pub fn new(verb: &'static str, resource: impl Into<String>) -> Self {
        Self {
            verb,
            resource: resource.into(),
            name: None,
            namespace: None,
        }
    }

    /// On the one of this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// In this namespace.
    #[must_use]
    pub fn within(mut self, namespace: Option<&str>) -> Self {
        self.namespace = namespace.map(str::to_owned);
        self
    }

    /// What every client asks first, and RBAC knows as paths instead of resources.
    pub fn discovery(what: &str) -> Self {
        Self::new(DISCOVER, what)
    }

    fn is_discovery(&self) -> bool {
        self.verb == DISCOVER
    }

    /// The question whether the user may do this, as a SelfSubjectAccessReview.
    pub(super) fn review(&self) -> serde_json::Value {
        let (resource, group) = self
            .resource
            .split_once('.')
            .unwrap_or((self.resource.as_str(), ""));
        serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": self.verb, "resource": resource, "group": group,
                "name": self.name, "namespace": self.namespace,
            }},
        })
    }

    /// The error of a request that failed.
    pub fn failure(&self, error: KubeError) -> Error {
        match &error {
            KubeError::Api(status) if status.code == 401 => {
                Error::missing("the cluster does not know these credentials")
                    .since(status.message.clone())
                    .hint("They may have expired: log in to the cluster again")
            }
            KubeError::Api(status) if status.is_forbidden() && self.is_discovery() => {
                Error::missing(format!("API discovery is refused: not allowed to {self}"))
                    .since(status.message.clone())
                    .hint("Ask for the ClusterRole `system:discovery`, which the group `system:authenticated` normally has")
            }
            KubeError::Api(status) if status.is_forbidden() => {
                Error::missing(format!("not allowed to {self}"))
                    .since(status.message.clone())
                    .hint(format!(
                        "Ask for a Role that allows `{}` on `{}`",
                        self.verb, self.resource
                    ))
            }
            KubeError::Api(status) => {
                Error::failed(format!("cannot {self}")).since(status.message.clone())
            }
            KubeError::Auth(_) => {
                Error::missing("cannot get credentials for the cluster").because(error)
            }
            error if is_away(error) => Error::missing("the cluster does not answer")
                .since(format!("tried to {self}"))
                .because(error)
                .hint("See whether it is reached: `kubectl cluster-info`"),
            _ => Error::failed(format!("cannot {self}")).because(error),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.verb, self.resource)?;
        if let Some(name) = &self.name {
            write!(formatter, " `{name}`")?;
        }
        match &self.namespace {
            Some(namespace) => write!(formatter, " in the namespace `{namespace}`"),
            None => Ok(()),
        }
    }
}

impl Cluster {
    /// Sends a request, again while the server is away.
    pub(super) async fn send<T, F>(
        &self,
        access: &Access,
        request: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, KubeError>>,
    {
        self.send_raw(access, request)
            .await
            .map_err(|error| self.failure(access, error))
    }

    /// The error of a request that failed; a cluster that does not answer is named.
    pub(super) fn failure(&self, access: &Access, error: KubeError) -> Error {
        match error {
            KubeError::Service(cause) if cause.is::<Error>() => match cause.downcast() {
                Ok(refusal) => *refusal,
                Err(cause) => access.failure(KubeError::Service(cause)),
            },
            KubeError::Api(_) => access.failure(error),
            error if is_away(&error) => self
                .away()
                .since(format!("tried to {access}"))
                .because(error),
            error => access.failure(error),
        }
    }

    /// As [`Cluster::send`], with the client's own error.
    pub(super) async fn send_raw<T, F>(
        &self,
        access: &Access,
        request: impl Fn() -> F,
    ) -> Result<T, KubeError>
    where
        F: Future<Output = Result<T, KubeError>>,
    {
        let mut answer = std::pin::pin!(self.repeat(request));
        let began = Instant::now();
        let mut pause = SLOW;
        loop {
            if let Ok(answer) = timeout(pause, &mut answer).await {
                return answer;
            }
            self.say_waiting(access, began.elapsed());
            pause = REMINDER;
        }
    }

    /// Says what is waited for, once for all requests that wait.
    fn say_waiting(&self, access: &Access, waited: Duration) {
        let Some(events) = &self.events else { return };
        let mut last = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < REMINDER - SLOW) {
            return;
        }
        *last = Some(Instant::now());
        let seconds = waited.as_secs();
        let name = self.name();
        events.note(format!(
            "waiting for {name}, which has not answered for {seconds} s: {access}"
        ));
    }

    /// Repeats a request while the server is away.
    async fn repeat<T, F>(&self, request: impl Fn() -> F) -> Result<T, KubeError>
    where
        F: Future<Output = Result<T, KubeError>>,
    {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = match timeout(ANSWER_TIMEOUT, request()).await {
                Ok(outcome) => outcome,
                Err(elapsed) => Err(KubeError::Service(Box::new(elapsed))),
            };
            let error = match outcome {
                Ok(answer) => {
                    self.answered.store(true, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let patience = match self.answered.load(Ordering::Relaxed) {
                true => PATIENCE,
                false => FIRST_PATIENCE,
            };
            if !is_away(&error) || began.elapsed() + pause > patience {
                return Err(error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether the server could not be reached or is not ready to work: the same request may succeed
/// later.
pub fn is_away(error: &KubeError) -> bool {
    match error {
        // One of ours says why nothing was sent.
        KubeError::Service(cause) => !cause.is::<Error>(),
        KubeError::HyperError(_) | KubeError::ReadEvents(_) => true,
        KubeError::Api(status) => matches!(status.code, 429 | 500 | 502 | 503 | 504),
        _ => false,
    }
}

/// Whether the server says that this may not be done.
pub fn is_forbidden(error: &KubeError) -> bool {
    matches!(error, KubeError::Api(status) if status.is_forbidden())
}
