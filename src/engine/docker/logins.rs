//! What Docker is told of us, so that it may pull what `docker pull` and `docker build` may: the
//! daemon itself knows nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use futures::future::join_all;
use http::HeaderValue;

use super::connection::DockerEnvironment;
use crate::engine::registry::credentials::{Login, credentials};
use crate::engine::registry::name::reference;
use crate::error::Error;

/// The registry of images that name none.
const DOCKER_HUB: &str = "docker.io";
/// The host under which BuildKit asks for it.
const HOST_OF_DOCKER_HUB: &str = "registry-1.docker.io";
/// The header with the credentials of a pull.
const HEADER: &str = "x-registry-auth";

/// Who we are to the registries that images come from.
#[derive(Debug, Default)]
pub struct Logins {
    known: BTreeMap<String, Login>,
    /// Why it is not known for the others. Most images are for everybody, and so it matters only
    /// when one cannot be had.
    faults: Vec<Error>,
}

impl Logins {
    /// Who we are to the registries of these images.
    pub async fn of(
        images: impl IntoIterator<Item = &str>,
        environment: &DockerEnvironment,
    ) -> Self {
        let hosts: BTreeSet<String> = images.into_iter().filter_map(host_of).collect();
        let asked = hosts.into_iter().map(async |host| {
            let found = credentials(&host, environment).await;
            (host, found)
        });
        let mut logins = Self::default();
        for (host, found) in join_all(asked).await {
            match found {
                Ok(found) => logins.known.extend(found.login.map(|login| (host, login))),
                Err(error) => logins.faults.push(error),
            }
        }
        logins
    }

    /// For the pull of one image.
    pub fn for_pull(&self, image: &str) -> Option<DockerCredentials> {
        let host = host_of(image)?;
        self.known.get(&host).map(|login| written(login, &host))
    }

    /// For a build by BuildKit, which asks host by host.
    pub fn for_build(&self) -> Option<HashMap<String, DockerCredentials>> {
        let known = self.known.iter().map(|(host, login)| {
            let asked = match host.as_str() {
                DOCKER_HUB => HOST_OF_DOCKER_HUB,
                other => other,
            };
            (asked.to_owned(), written(login, asked))
        });
        (!self.known.is_empty()).then(|| known.collect())
    }

    /// An image that cannot be had, with what kept us from saying who we are.
    pub fn explain(&self, error: Error) -> Error {
        self.faults.iter().fold(error, |error, fault| {
            error.since(fault.message()).with_hints(fault.hints())
        })
    }
}

fn host_of(image: &str) -> Option<String> {
    let named = reference(image).ok()?;
    Some(named.registry().to_owned())
}

fn written(login: &Login, host: &str) -> DockerCredentials {
    let mut written = DockerCredentials {
        serveraddress: Some(host.to_owned()),
        ..DockerCredentials::default()
    };
    match login {
        Login::Password(user, password) => {
            written.username = Some(user.clone());
            written.password = Some(password.reveal().to_owned());
        }
        Login::Token(token) => written.identitytoken = Some(token.reveal().to_owned()),
    }
    written
}

/// A client whose credentials the daemon can read: it wants the Base64 of URLs (Docker Engine API,
/// "Authentication"), and passes over what is written in the other alphabet.
pub fn with_readable_credentials(client: &Docker) -> Docker {
    client.clone().with_request_modifier(|mut request| {
        let given = request.headers().get(HEADER);
        let given = given.and_then(|value| value.to_str().ok());
        let readable = given.map(|text| text.replace('+', "-").replace('/', "_"));
        if let Some(Ok(value)) = readable.map(|text| HeaderValue::from_str(&text)) {
            request.headers_mut().insert(HEADER, value);
        }
        request
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;
    use bollard::API_DEFAULT_VERSION;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::engine::docker::images::Wanted;
    use crate::engine::runtime::Progress;
    use crate::error::ErrorKind;
    use crate::model::event::{Event, EventSink};

    struct Silent;

    impl EventSink for Silent {
        fn emit(&self, _event: Event) {}
    }

    const AUTHS: &str = r#"{"auths": {
        "registry.example:5000": {"username": "ci", "password": "1?2?3?"},
        "https://index.docker.io/v1/": {"username": "hub", "password": "hunter2"},
        "tokens.example": {"identitytoken": "refresh"}
    }}"#;

    fn environment(folder: &Path, text: &str) -> DockerEnvironment {
        std::fs::write(folder.join("config.json"), text).unwrap();
        DockerEnvironment {
            configuration: Some(folder.to_path_buf()),
            ..DockerEnvironment::default()
        }
    }

    #[tokio::test]
    async fn buildkit_is_told_of_the_registries_of_the_images_alone() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), AUTHS);
        let images = ["golang:1.26", "tokens.example/base:1", "other.example/x:1"];
        let logins = Logins::of(images, &environment).await;
        let told = logins.for_build().unwrap();
        let mut hosts: Vec<&String> = told.keys().collect();
        hosts.sort();
        assert_eq!(hosts, [HOST_OF_DOCKER_HUB, "tokens.example"]);
        let hub = &told[HOST_OF_DOCKER_HUB];
        assert_eq!(hub.username.as_deref(), Some("hub"));
        let token = told["tokens.example"].identitytoken.as_deref();
        assert_eq!(token, Some("refresh"));
        assert!(!format!("{logins:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_matters_when_the_image_cannot_be_had() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), r#"{"credsStore": "gantline-none"}"#);
        let logins = Logins::of(["nginx:1"], &environment).await;
        assert!(logins.for_pull("nginx:1").is_none());
        let error = logins.explain(Error::missing("the image nginx:1 cannot be pulled"));
        let causes = error.causes().concat();
        assert!(
            causes.contains("docker-credential-gantline-none"),
            "{causes}"
        );
        assert_eq!(error.kind(), ErrorKind::Missing);
    }

    /// The head of the one request that a pull makes.
    async fn head_of(listener: TcpListener) -> String {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        connection.write_all(answer).await.unwrap();
        String::from_utf8(head).unwrap()
    }

    #[tokio::test]
    async fn a_daemon_is_told_who_pulls_in_the_alphabet_that_it_reads() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), AUTHS);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let client = Docker::connect_with_http(&address, 20, API_DEFAULT_VERSION).unwrap();
        let progress = Progress::new(std::sync::Arc::new(Silent), "pull");
        let wanted = Wanted {
            client: &client,
            image: "registry.example:5000/acme/orders:1",
            environment: &environment,
            progress: &progress,
        };
        let (pulled, head) = tokio::join!(wanted.pull(), head_of(listener));
        pulled.unwrap();
        let mut lines = head.lines();
        let given = lines.find_map(|line| line.strip_prefix("x-registry-auth: "));
        let given: DockerCredentials =
            serde_json::from_slice(&URL_SAFE.decode(given.unwrap()).unwrap()).unwrap();
        assert_eq!(given.username.as_deref(), Some("ci"));
        assert_eq!(given.password.as_deref(), Some("1?2?3?"));
    }
}
