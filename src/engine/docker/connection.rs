//! Which daemon is meant, the way the `docker` program decides it: DOCKER_HOST, then
//! DOCKER_CONTEXT, then the current context of its configuration, then the usual socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use sha2::{Digest, Sha256};

use super::root_cause;
use crate::error::{Error, Result};

/// Where the daemon listens when nothing says otherwise.
const USUAL_SOCKET: &str = "unix:///var/run/docker.sock";
/// How long one request may take to be answered, in seconds.
const REQUEST_TIMEOUT_SECONDS: u64 = 120;
/// How long the first answer may take.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// The oldest version of its API that works: that of Docker Engine 20.10.
const OLDEST_API: (usize, usize) = (1, 41);
/// The way out when there is no Docker.
pub const WAY_OUT: &str = "Or run everything as host processes: `--runtime process`";

/// The variables that choose a daemon, read once by the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerEnvironment {
    /// DOCKER_HOST.
    pub host: Option<String>,
    /// DOCKER_CONTEXT.
    pub context: Option<String>,
    /// DOCKER_CONFIG, or `.docker` in the home folder.
    pub configuration: Option<PathBuf>,
    /// DOCKER_CERT_PATH, when DOCKER_TLS_VERIFY is set.
    pub certificates: Option<PathBuf>,
}

impl DockerEnvironment {
    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = variable("HOME").map(|home| Path::new(&home).join(".docker"));
        let configuration = variable("DOCKER_CONFIG").map(PathBuf::from).or(home);
        let certificates = variable("DOCKER_TLS_VERIFY").and(
            variable("DOCKER_CERT_PATH")
                .map(PathBuf::from)
                .or_else(|| configuration.clone()),
        );
        Self {
            host: variable("DOCKER_HOST"),
            context: variable("DOCKER_CONTEXT"),
            configuration,
            certificates,
        }
    }
}

/// A daemon's address, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// `unix:///var/run/docker.sock`.
    pub host: String,
    /// A folder with `ca.pem`, `cert.pem` and `key.pem`.
    pub certificates: Option<PathBuf>,
    /// Who said so, for messages: `the context colima`.
    pub origin: String,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigurationFile {
    current_context: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextFile {
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEndpoint {
    #[serde(default)]
    host: String,
}

/// Finds the daemon.
///
/// # Errors
/// When the chosen context does not exist or its file cannot be read.
pub fn find_daemon(environment: &DockerEnvironment) -> Result<Daemon> {
    if let Some(host) = &environment.host {
        return Ok(Daemon {
            host: host.clone(),
            certificates: environment.certificates.clone(),
            origin: "DOCKER_HOST".to_owned(),
        });
    }
    let configuration = environment.configuration.as_deref();
    let current = match (&environment.context, configuration) {
        (Some(context), _) => context.clone(),
        (None, Some(folder)) => current_context(folder)?,
        (None, None) => String::new(),
    };
    match (current.as_str(), configuration) {
        ("" | "default", _) | (_, None) => Ok(Daemon {
            host: USUAL_SOCKET.to_owned(),
            certificates: None,
            origin: "the usual socket".to_owned(),
        }),
        (context, Some(folder)) => daemon_of_context(folder, context),
    }
}

fn current_context(configuration: &Path) -> Result<String> {
    let path = configuration.join("config.json");
    let Ok(bytes) = std::fs::read(&path) else {
        return Ok(String::new());
    };
    let file: ConfigurationFile =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
    Ok(file.current_context)
}

fn daemon_of_context(configuration: &Path, context: &str) -> Result<Daemon> {
    // The docker program files contexts under the hash of their names.
    let digest = Sha256::digest(context.as_bytes());
    let folder: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let contexts = configuration.join("contexts");
    let path = contexts.join("meta").join(&folder).join("meta.json");
    let bytes = std::fs::read(&path).map_err(|error| {
        Error::missing(format!("the Docker context `{context}` does not exist"))
            .because(error)
            .hint("`docker context ls` lists the contexts")
            .hint(WAY_OUT)
    })?;
    let file: ContextFile =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
    let host = match file.endpoints.get("docker") {
        Some(endpoint) if !endpoint.host.is_empty() => endpoint.host.clone(),
        _ => USUAL_SOCKET.to_owned(),
    };
    let certificates = contexts.join("tls").join(&folder).join("docker");
    Ok(Daemon {
        host,
        certificates: certificates
            .join("cert.pem")
            .exists()
            .then_some(certificates),
        origin: format!("the context {context}"),
    })
}

/// Connects to the daemon and agrees on a version of its API.
///
/// # Errors
/// [`crate::error::ErrorKind::Missing`] when it cannot be reached, is not allowed, or is too old.
pub async fn connect(environment: &DockerEnvironment) -> Result<Docker> {
    let daemon = find_daemon(environment)?;
    if let Some(address) = daemon.host.strip_prefix("ssh://") {
        return Err(behind_ssh(&daemon, address));
    }
    let client = client(&daemon).map_err(|error| unreachable(&daemon).since(root_cause(&error)))?;
    match tokio::time::timeout(FIRST_ANSWER, client.negotiate_version()).await {
        Ok(Ok(client)) => new_enough(client, &daemon),
        Ok(Err(error)) if is_forbidden(&error) => Err(forbidden(&daemon).since(root_cause(&error))),
        Ok(Err(error)) => Err(unreachable(&daemon).since(root_cause(&error))),
        Err(_) => {
            Err(unreachable(&daemon)
                .since(format!("no answer within {} s", FIRST_ANSWER.as_secs())))
        }
    }
}

fn new_enough(client: Docker, daemon: &Daemon) -> Result<Docker> {
    let found = client.client_version();
    if (found.major_version, found.minor_version) >= OLDEST_API {
        return Ok(client);
    }
    let (major, minor) = OLDEST_API;
    Err(Error::missing(format!(
        "Docker at {} ({}) is too old",
        daemon.host, daemon.origin
    ))
    .since(format!(
        "it speaks version {}.{} of its API, and gantline needs {major}.{minor}",
        found.major_version, found.minor_version
    ))
    .hint("Update it to Docker Engine 20.10 or newer")
    .hint(WAY_OUT))
}

/// Whether the system refused to open the daemon's socket.
fn is_forbidden(error: &bollard::errors::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        let refused = current
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied);
        if refused {
            return true;
        }
        cause = current.source();
    }
    false
}

fn forbidden(daemon: &Daemon) -> Error {
    Error::missing(format!(
        "you may not use Docker at {} ({})",
        daemon.host, daemon.origin
    ))
    .hint("Let an administrator add you to the group that owns the socket, often `docker`, and log in again")
    .hint(WAY_OUT)
}

/// A daemon that only a session of SSH leads to: `address` is `USER@HOST:PORT`.
fn behind_ssh(daemon: &Daemon, address: &str) -> Error {
    let address = address.split('/').next().unwrap_or(address);
    let target = match address.rsplit_once(':') {
        Some((target, port)) => format!("-p {port} {target}"),
        None => address.to_owned(),
    };
    Error::missing(format!(
        "Docker at {} ({}) is reached through SSH, which gantline does not speak",
        daemon.host, daemon.origin
    ))
    .hint(format!(
        "Forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {target}`, and set DOCKER_HOST=unix:///tmp/docker.sock"
    ))
    .hint("Or choose a Docker at unix:// or tcp:// with DOCKER_HOST or `docker context use`")
    .hint(WAY_OUT)
}

fn client(daemon: &Daemon) -> Result<Docker, bollard::errors::Error> {
    let host = daemon.host.as_str();
    if let Some(certificates) = &daemon.certificates
        && !host.starts_with("unix://")
    {
        return Docker::connect_with_ssl(
            host,
            &certificates.join("key.pem"),
            &certificates.join("cert.pem"),
            &certificates.join("ca.pem"),
            REQUEST_TIMEOUT_SECONDS,
            API_DEFAULT_VERSION,
        );
    }
    match host.split_once("://") {
        Some(("unix", _)) => {
            Docker::connect_with_unix(host, REQUEST_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        }
        Some(("tcp" | "http", _)) => {
            Docker::connect_with_http(host, REQUEST_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        }
        _ => Docker::connect_with_host(host),
    }
}

fn unreachable(daemon: &Daemon) -> Error {
    Error::missing(format!(
        "Docker cannot be reached at {} ({})",
        daemon.host, daemon.origin
    ))
    .hint("Start Docker, or choose another one with DOCKER_HOST or `docker context use`")
    .hint(WAY_OUT)
}

fn unreadable(path: &Path, error: impl std::error::Error) -> Error {
    Error::invalid(format!("cannot read {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(context: &str, host: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let digest = Sha256::digest(context.as_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = folder.path().join("contexts/meta").join(name);
        std::fs::create_dir_all(&meta).unwrap();
        let text =
            format!(r#"{{"Name":"{context}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        std::fs::write(meta.join("meta.json"), text).unwrap();
        let current = format!(r#"{{"auths":{{}},"currentContext":"{context}"}}"#);
        std::fs::write(folder.path().join("config.json"), current).unwrap();
        folder
    }

    fn environment(folder: &tempfile::TempDir) -> DockerEnvironment {
        DockerEnvironment {
            configuration: Some(folder.path().to_path_buf()),
            ..DockerEnvironment::default()
        }
    }

    #[test]
    fn the_current_context_chooses_the_daemon() {
        let folder = configuration("colima", "unix:///home/me/docker.sock");
        let daemon = find_daemon(&environment(&folder)).unwrap();
        assert_eq!(daemon.host, "unix:///home/me/docker.sock");
        assert_eq!(daemon.origin, "the context colima");
    }

    #[test]
    fn variables_win_over_the_current_context() {
        let folder = configuration("colima", "unix:///colima.sock");
        let mut variables = environment(&folder);
        variables.context = Some("default".to_owned());
        assert_eq!(find_daemon(&variables).unwrap().host, USUAL_SOCKET);
        variables.host = Some("tcp://10.0.0.1:2375".to_owned());
        assert_eq!(find_daemon(&variables).unwrap().host, "tcp://10.0.0.1:2375");
    }

    #[test]
    fn without_configuration_it_is_the_usual_socket() {
        let daemon = find_daemon(&DockerEnvironment::default()).unwrap();
        assert_eq!(daemon.host, USUAL_SOCKET);
    }

    #[test]
    fn a_context_that_does_not_exist_is_an_error_with_the_way_out() {
        let folder = configuration("colima", "unix:///colima.sock");
        let mut variables = environment(&folder);
        variables.context = Some("gone".to_owned());
        let error = find_daemon(&variables).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Missing);
        assert!(error.hints().iter().any(|hint| hint == WAY_OUT));
    }

    #[tokio::test]
    async fn a_docker_behind_ssh_is_refused_with_the_way_to_it() {
        let variables = DockerEnvironment {
            host: Some("ssh://me@build.example:2222/run/docker.sock".to_owned()),
            ..DockerEnvironment::default()
        };
        let error = connect(&variables).await.unwrap_err();
        assert!(error.message().contains("does not speak"), "{error}");
        let forward = &error.hints()[0];
        assert!(forward.contains("-p 2222 me@build.example`"), "{forward}");
    }

    #[tokio::test]
    async fn absent_docker_is_missing_and_says_how_to_do_without() {
        let variables = DockerEnvironment {
            host: Some("unix:///nonexistent/docker.sock".to_owned()),
            ..DockerEnvironment::default()
        };
        let error = connect(&variables).await.unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Missing);
        assert!(error.hints().iter().any(|hint| hint == WAY_OUT));
    }
}

#[cfg(test)]
mod properties;
