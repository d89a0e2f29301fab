//! Which cluster is meant, and a client for it: a context of the kubeconfig, or the service account
//! of the pod that the program runs in.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::{Client, Config};
use semver::Version;
use tokio::time::Instant;

use super::kubeconfig::{self, Contexts};
use super::lease::Lease;
use super::objects::Kinds;
use super::request::Access;
use crate::error::{Error, Result};
use crate::model::event::EventSink;

/// How long a connection to the API server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The oldest minor version of Kubernetes 1 that is supported.
const OLDEST_MINOR: u64 = 30;

/// A connection to a cluster.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    /// The DER of the first certificate that the server's is checked with.
    pub(super) certificate: Option<Vec<u8>>,
    /// Whether it answered once.
    pub(super) answered: Arc<AtomicBool>,
    /// What was discovered of its kinds.
    pub(super) kinds: Kinds,
    /// Where it is told that an answer is waited for.
    pub(super) events: Option<Arc<dyn EventSink>>,
    /// When that was told.
    pub(super) said: Arc<Mutex<Option<Instant>>>,
    /// Without which nothing may be changed.
    pub(super) guard: Option<Lease>,
    name: String,
    /// Where its API server is.
    address: String,
    /// Its context in the kubeconfig; `None` where it has none.
    context: Option<String>,
}

impl Cluster {
    /// Connects to the cluster of this context, of the current context when `None`; without a
    /// kubeconfig, to the cluster that the program runs in. Nothing is sent yet.
    ///
    /// # Errors
    /// When the context does not exist, or the kubeconfig cannot be used.
    pub async fn connect(context: Option<&str>) -> Result<Self> {
        let contexts = Contexts::read(kubeconfig::files())?;
        let (config, name, context) = match context {
            None if !contexts.are_there() => {
                let own = in_cluster(&contexts)?;
                (own, "this pod's own cluster".to_owned(), None)
            }
            _ => {
                let (config, context) = contexts.choose(context).await?;
                (config, format!("the context {context}"), Some(context))
            }
        };
        // A program that gets credentials may take its time, such as for a login in a browser; a
        // thread that waits for it would not hear Ctrl-C.
        let connecting = tokio::task::spawn_blocking(move || Self::with(config, name));
        let connected = connecting
            .await
            .map_err(|error| Error::failed("cannot connect to the cluster").because(error))??;
        Ok(Self {
            context,
            ..connected
        })
    }

    /// Tells there that an answer is waited for.
    #[must_use]
    pub fn telling(mut self, events: Arc<dyn EventSink>) -> Self {
        self.events = Some(events);
        self
    }

    /// The same, which changes nothing once this lease is lost.
    pub(super) fn changing_under(&self, lease: &Lease) -> Self {
        Self {
            guard: Some(lease.clone()),
            ..self.clone()
        }
    }

    /// Connects the way a configuration says; `name` is what people call the cluster.
    ///
    /// # Errors
    /// When its credentials cannot be used.
    pub fn with(mut config: Config, name: String) -> Result<Self> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Retries are ours: bounded by a deadline, and seen by the user.
        config.default_retry = false;
        let address = config.cluster_url.to_string();
        let certificate = config.root_cert.as_ref().and_then(|it| it.first().cloned());
        let client = Client::try_from(config).map_err(|error| {
            Error::missing(format!("cannot use the credentials of {name}")).because(error)
        })?;
        Ok(Self {
            client,
            certificate,
            answered: Arc::default(),
            kinds: Kinds::default(),
            events: None,
            guard: None,
            said: Arc::default(),
            name,
            address,
            context: None,
        })
    }

    /// What people call the cluster: `the context staging`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The error of a cluster that does not answer.
    pub(super) fn away(&self) -> Error {
        let error = Error::missing(format!(
            "the cluster does not answer: {}, at {}",
            self.name, self.address
        ));
        let context = match &self.context {
            Some(context) => format!("--context {context} "),
            None => String::new(),
        };
        error.hint(format!(
            "See whether it is reached: `kubectl {context}cluster-info`"
        ))
    }

    /// The client, for what watches.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The version of Kubernetes that it runs.
    ///
    /// # Errors
    /// When the cluster cannot be asked, or is older than what is supported.
    pub async fn version(&self) -> Result<Version> {
        let access = Access::discovery("the version");
        let info = self
            .send(&access, || self.client.apiserver_version())
            .await?;
        let text = info.git_version.trim_start_matches('v');
        let version = Version::parse(text).map_err(|error| {
            Error::failed(format!(
                "{} says a version that is none: {}",
                self.name, info.git_version
            ))
            .because(error)
        })?;
        match (version.major, version.minor) {
            (1, minor) if minor < OLDEST_MINOR => Err(Error::missing(format!(
                "{} runs Kubernetes {version}; 1.{OLDEST_MINOR} or newer is needed",
                self.name
            ))),
            _ => Ok(version),
        }
    }
}

fn in_cluster(contexts: &Contexts) -> Result<Config> {
    Config::incluster().map_err(|error| {
        contexts
            .absent(", and this is no pod of a cluster")
            .because(error)
    })
}
