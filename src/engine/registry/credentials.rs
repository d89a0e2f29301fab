//! Who we are to a registry: what `docker login` left in the configuration of Docker, read from
//! its file or asked of the helper program that it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::engine::docker::connection::DockerEnvironment;
use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};
use crate::model::secret::Secret;

/// How long a helper may take: it may ask the user to unlock a keychain.
const HELPER: Duration = Duration::from_secs(60);
/// What helpers give as the user's name along with a token of OAuth 2.
const TOKEN_USER: &str = "<token>";
/// Under which name Docker keeps the credentials of Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Who we are to one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How we log in; `None` is anonymous.
    pub login: Option<Login>,
    /// Where they come from, for messages: `/home/me/.docker/config.json`.
    pub origin: String,
}

/// How a registry is told who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A user and a password.
    Password(String, Secret),
    /// An identity token of OAuth 2, which is exchanged for one of the registry.
    Token(Secret),
}

/// `config.json`, as far as it concerns registries. Docker takes `null` for what is not there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigurationFile {
    #[serde(deserialize_with = "or_nothing")]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(deserialize_with = "or_nothing")]
    creds_store: String,
    #[serde(deserialize_with = "or_nothing")]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "or_nothing")]
    auth: String,
    #[serde(deserialize_with = "or_nothing")]
    username: String,
    #[serde(deserialize_with = "or_nothing")]
    password: String,
    #[serde(deserialize_with = "or_nothing")]
    identitytoken: String,
}

impl Entry {
    /// Whether it names a registry and says nothing of it, as beside a store of credentials.
    fn is_empty(&self) -> bool {
        self.auth.is_empty() && self.username.is_empty() && self.identitytoken.is_empty()
    }
}

fn or_nothing<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Entry(***)")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    username: String,
    secret: String,
}

/// The credentials for a registry such as `ghcr.io` or `localhost:5000`.
///
/// # Errors
/// When the configuration cannot be read, or the helper that it names cannot be run.
pub async fn credentials(host: &str, environment: &DockerEnvironment) -> Result<Credentials> {
    let Some(folder) = environment.configuration.as_deref() else {
        return Ok(anonymous("no home folder is known".to_owned()));
    };
    let path = folder.join("config.json");
    let file = read(&path)?;
    let mut helpers = file.cred_helpers.iter();
    let helper = helpers.find(|(key, _)| is_of(key, host));
    // A registry's own helper wins, also where it is the empty one: the file itself.
    let helper = helper.map_or(&file.creds_store, |(_, helper)| helper);
    match Some(helper).filter(|helper| !helper.is_empty()) {
        Some(helper) => {
            let given = ask(helper, host, &path).await?;
            match (given.login.is_some(), stored(&file, host)) {
                // A program may have written an entry beside the store.
                (false, Some(entry)) => of_entry(entry, &path),
                _ => Ok(given),
            }
        }
        None => match stored(&file, host) {
            Some(entry) => of_entry(entry, &path),
            None => Ok(anonymous(path.display().to_string())),
        },
    }
}

fn read(path: &Path) -> Result<ConfigurationFile> {
    let cannot = || Error::invalid(format!("cannot read {}", path.display()));
    match std::fs::read(path) {
        // No word of the cause's excerpt: the file holds passwords.
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            cannot().since(format!("it is no JSON of the expected form at {place}"))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(ConfigurationFile::default())
        }
        Err(error) => Err(cannot().because(error)),
    }
}

fn stored<'a>(file: &'a ConfigurationFile, host: &str) -> Option<&'a Entry> {
    let of_host = file.auths.iter().filter(|(key, _)| is_of(key, host));
    let mut entries = of_host.filter_map(|(_, entry)| entry.as_ref());
    entries.find(|entry| !entry.is_empty())
}

/// Whether a key of the configuration is about this registry: keys may be addresses.
fn is_of(key: &str, host: &str) -> bool {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let bare = bare.split('/').next().unwrap_or(bare);
    let hub = |name: &str| matches!(name, "docker.io" | "index.docker.io");
    bare == host || (hub(bare) && hub(host))
}

fn of_entry(entry: &Entry, path: &Path) -> Result<Credentials> {
    let origin = path.display().to_string();
    if !entry.identitytoken.is_empty() {
        let token = Secret::new(entry.identitytoken.clone());
        return Ok(Credentials {
            login: Some(Login::Token(token)),
            origin,
        });
    }
    let login = match entry.auth.is_empty() {
        true => Some((entry.username.clone(), entry.password.clone())),
        false => decoded(&entry.auth),
    };
    let (user, password) = login.ok_or_else(|| {
        Error::invalid(format!(
            "{origin} holds an `auth` that is no user and password"
        ))
        .hint("Write it again with `docker login`")
    })?;
    Ok(Credentials {
        login: Some(Login::Password(user, Secret::new(password))),
        origin,
    })
}

/// `user:password` in Base64.
fn decoded(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

async fn ask(helper: &str, host: &str, path: &Path) -> Result<Credentials> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !helper.chars().all(is_plain) {
        let message = format!("{} names a helper that is no name", path.display());
        return Err(Error::invalid(message));
    }
    let program = format!("docker-credential-{helper}");
    let key = match host {
        "docker.io" | "index.docker.io" => DOCKER_HUB,
        other => other,
    };
    let finished = ProgramCall::new(PathBuf::from(&program), HELPER)
        .argument("get")
        .input(key)
        .run(|_line| {})
        .await
        .map_err(|error| unusable(&program, path, error))?;
    if finished.code != 0 {
        return Ok(anonymous(format!("{program}, which has none for {host}")));
    }
    of_answer(&finished.output, program)
}

/// What a helper answered; an answer without a user and a secret means that it has none.
fn of_answer(answer: &str, program: String) -> Result<Credentials> {
    let given: Given = serde_json::from_str(answer).map_err(|_| {
        Error::failed(format!(
            "{program} does not answer as credential helpers do"
        ))
    })?;
    let secret = Secret::new(given.secret);
    let login = match given.username.as_str() {
        "" if secret.reveal().is_empty() => None,
        TOKEN_USER => Some(Login::Token(secret)),
        _ => Some(Login::Password(given.username, secret)),
    };
    Ok(Credentials {
        login,
        origin: program,
    })
}

fn unusable(program: &str, path: &Path, error: CallError) -> Error {
    match error {
        CallError::Absent(_) => {
            let file = path.display();
            Error::missing(format!("{program} is not on PATH, and {file} names it"))
                .hint("Install it, or take `credsStore` and `credHelpers` out of that file and `docker login` again")
        }
        other => Error::missing(format!("{program} gives no credentials")).because(other),
    }
}

fn anonymous(origin: String) -> Credentials {
    Credentials {
        login: None,
        origin,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::error::ErrorKind;

    fn configured(text: &str) -> (tempfile::TempDir, DockerEnvironment) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        let environment = DockerEnvironment {
            configuration: Some(folder.path().to_path_buf()),
            ..DockerEnvironment::default()
        };
        (folder, environment)
    }

    fn login(user: &str, password: &str) -> Option<Login> {
        Some(Login::Password(user.to_owned(), Secret::new(password)))
    }

    #[tokio::test]
    async fn what_docker_login_wrote_is_found_by_host_and_by_address() {
        // user:pass:word
        let (_folder, environment) = configured(
            r#"{"auths": {"ghcr.io": {"auth": "dXNlcjpwYXNzOndvcmQ="},
                "https://index.docker.io/v1/": {"username": "hub", "password": "secret"}}}"#,
        );
        let found = credentials("ghcr.io", &environment).await.unwrap();
        assert_eq!(found.login, login("user", "pass:word"));
        let found = credentials("docker.io", &environment).await.unwrap();
        assert_eq!(found.login, login("hub", "secret"));
        let found = credentials("ghcr.io:5000", &environment).await.unwrap();
        assert_eq!(found.login, None);
    }

    #[tokio::test]
    async fn an_entry_that_says_nothing_hides_neither_a_helper_nor_another_entry() {
        let (_folder, environment) = configured(
            r#"{"auths": {"ghcr.io": {}, "docker.io": null}, "credsStore": "gantline-none"}"#,
        );
        for host in ["ghcr.io", "docker.io"] {
            let asked = credentials(host, &environment).await.unwrap_err();
            assert!(asked.message().contains("docker-credential-gantline-none"));
        }
        let (_folder, environment) = configured(
            r#"{"auths": {"ghcr.io": {}, "https://ghcr.io": {"username": "me", "password": "p"}},
                "credsStore": null, "credHelpers": null}"#,
        );
        let found = credentials("ghcr.io", &environment).await.unwrap();
        assert_eq!(found.login, login("me", "p"));
    }

    #[tokio::test]
    async fn an_empty_helper_of_a_registry_means_the_file() {
        let (_folder, environment) = configured(
            r#"{"auths": {"ghcr.io": {"username": "me", "password": "p"}},
                "credsStore": "gantline-none", "credHelpers": {"ghcr.io": ""}}"#,
        );
        let found = credentials("ghcr.io", &environment).await.unwrap();
        assert_eq!(found.login, login("me", "p"));
    }

    #[tokio::test]
    async fn a_token_is_found_beside_an_empty_user_and_in_a_helpers_answer() {
        let token = Some(Login::Token(Secret::new("t")));
        let (_folder, environment) =
            configured(r#"{"auths": {"a.example": {"identitytoken": "t"}}}"#);
        let found = credentials("a.example", &environment).await.unwrap();
        assert_eq!(found.login, token);
        let answer = r#"{"Username": "<token>", "Secret": "t"}"#;
        let given = of_answer(answer, "helper".to_owned()).unwrap();
        assert_eq!(given.login, token);
    }

    #[test]
    fn a_helper_that_answers_with_nothing_has_no_credentials() {
        let answer = r#"{"ServerURL": "a.example", "Username": "", "Secret": ""}"#;
        let given = of_answer(answer, "helper".to_owned()).unwrap();
        assert_eq!(given.login, None);
    }

    #[tokio::test]
    async fn without_a_configuration_everybody_is_anonymous() {
        let folder = tempfile::tempdir().unwrap();
        let environment = DockerEnvironment {
            configuration: Some(folder.path().join("none")),
            ..DockerEnvironment::default()
        };
        let found = credentials("ghcr.io", &environment).await.unwrap();
        assert_eq!(found.login, None);
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_named_with_the_way_out() {
        let text = r#"{"credHelpers": {"ghcr.io": "gantline-none"}}"#;
        let (_folder, environment) = configured(text);
        let error = credentials("ghcr.io", &environment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.message().contains("docker-credential-gantline-none"));
    }

    #[tokio::test]
    async fn a_helper_is_a_name_and_never_a_path() {
        let (_folder, environment) = configured(r#"{"credsStore": "/../../tmp/x"}"#);
        let error = credentials("ghcr.io", &environment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn a_broken_configuration_is_said_without_its_content() {
        let (_folder, environment) = configured(r#"{"auths": {"ghcr.io": "hunter2"}}"#);
        let error = credentials("ghcr.io", &environment).await.unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[tokio::test]
    async fn a_helper_is_asked_with_the_host_on_its_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helper");
        let script = "#!/bin/sh\nread host\necho \"{\\\"Username\\\": \\\"$1\\\", \\\"Secret\\\": \\\"$host\\\"}\"\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let finished = ProgramCall::new(program, HELPER)
            .argument("get")
            .input("ghcr.io\n")
            .run(|_| {})
            .await
            .unwrap();
        let given: Given = serde_json::from_str(&finished.output).unwrap();
        assert_eq!(
            (given.username.as_str(), given.secret.as_str()),
            ("get", "ghcr.io")
        );
    }
}

#[cfg(test)]
mod properties;
