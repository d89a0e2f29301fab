//! Why a registry does not do what it is asked, and what to do about it.

use oci_client::errors::{OciDistributionError, OciErrorCode};

use super::credentials::{Credentials, Login};
use crate::error::Error;

/// The registry of a new workspace for whose module none is known.
const UNCHOSEN: &str = "localhost";

/// What errors of one repository say.
pub(super) struct Refusal {
    pub registry: String,
    pub repository: String,
    pub credentials: Credentials,
}

/// What a failed request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Nobody answers.
    Unreachable,
    /// It does not know us.
    Unknown,
    /// It knows us, or does not care, and says no.
    Forbidden,
    /// Too many requests.
    Busy,
    /// Something else.
    Other,
}

impl Refusal {
    /// `doing` goes before the repository's name: `cannot push to`.
    pub fn explain(&self, doing: &str, error: OciDistributionError) -> Error {
        let Self {
            registry,
            repository,
            ..
        } = self;
        let what = format!("{doing} {registry}/{repository}");
        match meaning(&error) {
            Meaning::Unreachable => {
                Error::missing(format!("{what}: the registry {registry} cannot be reached"))
                    .because(error)
                    .hint(where_to(registry))
                    .hint(
                        "Plain HTTP is spoken only to a registry on this host, HTTPS to all others",
                    )
            }
            Meaning::Unknown => self.unknown(&what).since(answer_of(&error)),
            Meaning::Forbidden => Error::missing(format!("{what}: {registry} forbids it"))
                .since(answer_of(&error))
                .hint(self.as_whom()),
            Meaning::Busy => {
                Error::missing(format!("{what}: {registry} takes no more requests now"))
                    .since(answer_of(&error))
                    .hint("Wait, and try again")
            }
            Meaning::Other => Error::missing(what).since(answer_of(&error)),
        }
    }

    fn unknown(&self, what: &str) -> Error {
        let registry = &self.registry;
        let origin = &self.credentials.origin;
        let login = format!("Log in: `docker login {registry}`");
        match self.credentials.login {
            Some(_) => Error::missing(format!("{what}: {registry} refuses the credentials"))
                .hint(format!("They come from {origin}"))
                .hint(login),
            None => Error::missing(format!("{what}: {registry} asks for credentials"))
                .hint(format!("None were found in {origin}"))
                .hint(login),
        }
    }

    fn as_whom(&self) -> String {
        let origin = &self.credentials.origin;
        match &self.credentials.login {
            Some(Login::Password(user, _)) => format!(
                "Ask for the right, or log in as another than `{user}`, which comes from {origin}"
            ),
            Some(Login::Token(_)) => {
                format!("Ask for the right, or log in as another: the token comes from {origin}")
            }
            None => format!(
                "Log in with `docker login {}`: no credentials were found in {origin}",
                self.registry
            ),
        }
    }
}

/// What to do about a registry that nobody answers for.
fn where_to(registry: &str) -> &'static str {
    match registry {
        UNCHOSEN => {
            "No registry was chosen yet: write the one of your images as `registry` in gantline.yaml"
        }
        _ => {
            "See whether the name is right: `registry` in gantline.yaml, or in the environment's file, is the prefix of every image"
        }
    }
}

/// Whether the registry says that there is no such manifest, tag or repository.
pub(super) fn is_absent(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => true,
        OciDistributionError::ServerError { code, .. } => *code == 404,
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| {
                matches!(
                    error.code,
                    OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound
                )
            })
        }
        _ => false,
    }
}

fn meaning(error: &OciDistributionError) -> Meaning {
    use OciDistributionError as Oci;
    match error {
        Oci::AuthenticationFailure(_) | Oci::UnauthorizedError { .. } => Meaning::Unknown,
        Oci::ServerError { code, .. } => of_status(*code),
        Oci::RequestError(error) => match error.status() {
            Some(status) => of_status(status.as_u16()),
            None if error.is_decode() => Meaning::Other,
            None => Meaning::Unreachable,
        },
        Oci::RegistryError { envelope, .. } => {
            let codes = envelope.errors.iter().map(|error| &error.code);
            codes.fold(Meaning::Other, |meaning, code| match code {
                OciErrorCode::Unauthorized => Meaning::Unknown,
                OciErrorCode::Denied => Meaning::Forbidden,
                OciErrorCode::Toomanyrequests => Meaning::Busy,
                _ => meaning,
            })
        }
        _ => Meaning::Other,
    }
}

fn of_status(status: u16) -> Meaning {
    match status {
        401 => Meaning::Unknown,
        403 => Meaning::Forbidden,
        429 => Meaning::Busy,
        _ => Meaning::Other,
    }
}

/// What the registry said, in one line.
fn answer_of(error: &OciDistributionError) -> String {
    use OciDistributionError as Oci;
    let line = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    match error {
        Oci::UnauthorizedError { .. } => "it answers with 401".to_owned(),
        Oci::ServerError { code, message, .. } if line(message).is_empty() => {
            format!("it answers with {code}")
        }
        Oci::ServerError { code, message, .. } => {
            format!("it answers with {code}: {}", line(message))
        }
        Oci::RegistryError { envelope, .. } => {
            let messages = envelope.errors.iter().map(|error| line(&error.message));
            format!("it answers: {}", messages.collect::<Vec<_>>().join("; "))
        }
        Oci::AuthenticationFailure(text) => format!("its login says: {}", line(text)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_that_a_new_workspace_has_is_told_from_one_that_was_chosen() {
        assert!(where_to("localhost").contains("No registry was chosen yet"));
        assert!(where_to("localhost:5000").contains("See whether the name is right"));
    }
}
