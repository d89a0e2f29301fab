//! Registries of images, through the OCI distribution protocol and without a daemon.
//!
//! HTTPS always, but for registries on this host, which are spoken to in plain HTTP as Docker
//! does. A registry that cannot be reached or refuses is [`crate::error::ErrorKind::Missing`].

pub mod credentials;
#[cfg(test)]
pub mod fake;
pub mod labels;
pub mod name;
mod refusal;

use std::net::IpAddr;
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use self::credentials::{Credentials, Login, credentials};
use self::refusal::{Refusal, is_absent};
use super::docker::connection::DockerEnvironment;
use crate::error::{Error, Result};
use crate::model::image::Digest;

/// How long a registry may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to answer one request; the largest holds 4 MiB of a layer.
const ANSWER: Duration = Duration::from_secs(120);
/// The media type of an index of images of several platforms.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the manifest of one image.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// What we can read: OCI's and Docker's.
const READABLE: [&str; 4] = [
    INDEX,
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// The digest that a tag of a repository such as `ghcr.io/acme/shop/orders` has; `None` when the
/// registry has no such tag.
///
/// # Errors
/// When the registry cannot be reached or refuses.
pub async fn find(repository: &str, tag: &str) -> Result<Option<Digest>> {
    let environment = DockerEnvironment::of_process();
    let repository = Repository::open(repository, Access::Read, &environment).await?;
    repository.find(tag).await
}

/// What a repository is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read.
    Read,
    /// To read and write.
    Write,
}

/// A manifest as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
}

/// A repository of a registry, whose credentials were found.
pub struct Repository {
    client: Client,
    /// Registry and repository, with no tag.
    reference: Reference,
    refusal: Refusal,
}

impl Repository {
    /// Opens a repository such as `ghcr.io/acme/shop/orders`.
    ///
    /// # Errors
    /// When it is no name of a repository, when its registry cannot be reached, or when that
    /// refuses the credentials.
    pub async fn open(name: &str, access: Access, environment: &DockerEnvironment) -> Result<Self> {
        let reference = name::reference(name)?;
        let found = credentials(reference.registry(), environment).await?;
        let authentication = authentication(&found)?;
        let refusal = Refusal {
            registry: reference.registry().to_owned(),
            repository: reference.repository().to_owned(),
            credentials: found,
        };
        let client = client_for(reference.resolve_registry())?;
        let operation = match access {
            Access::Read => RegistryOperation::Pull,
            Access::Write => RegistryOperation::Push,
        };
        client
            .auth(&reference, &authentication, operation)
            .await
            .map_err(|error| refusal.explain("cannot log in to", error))?;
        Ok(Self {
            client,
            reference,
            refusal,
        })
    }

    /// The tag or the digest that it was opened with; `latest` without one.
    pub fn name(&self) -> &str {
        let digest = self.reference.digest();
        digest.or(self.reference.tag()).unwrap_or("latest")
    }

    /// The digest that a tag has; `None` when there is no such tag.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses.
    pub async fn find(&self, tag: &str) -> Result<Option<Digest>> {
        // An answer without the header with the digest would be fetched a second time by the
        // client, and so a manifest costs no more than its digest: a few hundred bytes.
        Ok(self.manifest(tag).await?.map(|found| found.digest))
    }

    /// The manifest that a tag or a digest names; `None` when there is none.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses.
    pub async fn manifest(&self, name: &str) -> Result<Option<StoredManifest>> {
        let reference = self.named(name);
        let anonymous = RegistryAuth::Anonymous;
        let pulled = self
            .client
            .pull_manifest_raw(&reference, &anonymous, &READABLE)
            .await;
        match pulled {
            Ok((bytes, _)) => Ok(Some(StoredManifest {
                digest: Digest::of(&bytes),
                bytes: bytes.to_vec(),
            })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.refusal.explain("cannot look into", error)),
        }
    }

    /// Reads a blob, whose digest is checked.
    ///
    /// # Errors
    /// When the registry does not have it, cannot be reached or refuses.
    pub async fn blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.client
            .pull_blob(&self.reference, digest.as_str(), &mut bytes)
            .await
            .map_err(|error| self.refusal.explain("cannot read from", error))?;
        Ok(bytes)
    }

    /// Gives the registry a blob, unless it has it.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses.
    pub async fn push_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        let explain = |error| self.refusal.explain("cannot push to", error);
        let (client, reference) = (&self.client, &self.reference);
        let digest = digest.as_str();
        if client
            .blob_exists(reference, digest)
            .await
            .map_err(explain)?
        {
            return Ok(());
        }
        client
            .push_blob(reference, bytes.to_vec(), digest)
            .await
            .map(drop)
            .map_err(explain)
    }

    /// Gives the registry a manifest, under a tag or under its own digest. Everything that it
    /// names must be there before.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses.
    pub async fn push_manifest(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let media_type = media_type
            .parse()
            .map_err(|error| Error::failed("a media type cannot be sent").because(error))?;
        self.client
            .push_manifest_raw(&self.named(name), bytes.to_vec(), media_type)
            .await
            .map(drop)
            .map_err(|error| self.refusal.explain("cannot push to", error))
    }

    fn named(&self, name: &str) -> Reference {
        let registry = self.reference.registry().to_owned();
        let repository = self.reference.repository().to_owned();
        let name = name.to_owned();
        match name.contains(':') {
            true => Reference::with_digest(registry, repository, name),
            false => Reference::with_tag(registry, repository, name),
        }
    }
}

fn authentication(found: &Credentials) -> Result<RegistryAuth> {
    match &found.login {
        Some(Login::Password(user, password)) => {
            let password = password.reveal().to_owned();
            Ok(RegistryAuth::Basic(user.clone(), password))
        }
        Some(Login::Token(_)) => Err(Error::missing(format!(
            "{} has an identity token for the registry, which gantline cannot exchange",
            found.origin
        ))
        .hint(
            "Log in with a user and an access token instead: `docker login --username USER HOST`",
        )),
        None => Ok(RegistryAuth::Anonymous),
    }
}

fn client_for(host: &str) -> Result<Client> {
    let mut configuration = ClientConfig {
        connect_timeout: Some(CONNECT),
        read_timeout: Some(ANSWER),
        user_agent: concat!("gantline/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    if is_on_this_host(host) {
        configuration.protocol = ClientProtocol::Http;
        // No proxy can reach a server of this host. A client without proxies cannot be asked
        // for, but one whose only proxy is for nobody.
        configuration.http_proxy = Some("http://127.0.0.1:9".to_owned());
        configuration.no_proxy = Some("localhost,127.0.0.0/8,::1".to_owned());
    }
    Client::try_from(configuration)
        .map_err(|error| Error::failed("cannot make a client of registries").because(error))
}

/// Whether a registry such as `localhost:5000` is on this host.
fn is_on_this_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_host_alone() {
        for host in [
            "localhost:5000",
            "localhost",
            "127.0.0.1:80",
            "127.1.2.3",
            "[::1]:5000",
        ] {
            assert!(is_on_this_host(host), "{host}");
        }
        for host in [
            "ghcr.io",
            "localhost.example:5000",
            "10.0.0.1:5000",
            "index.docker.io",
        ] {
            assert!(!is_on_this_host(host), "{host}");
        }
    }
}
