//! Whether a server or a service serves: a real query or request, never an open port alone.

use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_postgres::{Client, Config, NoTls};

use crate::model::resource_type::{Provision, ReadyCheck};
use crate::model::stack::{Address, Addresses, Readiness, TenantProvision};

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(5);
/// How long one statement of the provisioning may take; making a database copies a template.
const STATEMENT: Duration = Duration::from_secs(60);
/// How long a connection must be kept to count as one.
const KEPT: Duration = Duration::from_millis(200);
/// The endpoint of a server's own protocol.
const MAIN: &str = "main";

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

/// The real servers.
#[derive(Debug, Clone, Default)]
pub struct LiveServers {
    client: reqwest::Client,
}

impl LiveServers {
    /// Asks servers on this host: no proxy, since addresses are of the loopback interface.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(QUESTION)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client })
    }

    async fn http(&self, address: &Address, path: &str) -> Result<(), String> {
        let url = format!("http://{address}{path}");
        match self.client.get(&url).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("{url} answers {}", response.status())),
            Err(error) => Err(format!("{url}: {}", innermost(&error))),
        }
    }
}

#[async_trait]
impl Servers for LiveServers {
    async fn probe(&self, query: &Query<'_>) -> Result<(), String> {
        match &query.readiness.check {
            ReadyCheck::Http { port, path } => self.http(query.address(port)?, path).await,
            ReadyCheck::Tcp { port } => {
                let address = query.address(port)?;
                let connected = within(QUESTION, connect(address)).await;
                connected.map_err(|reason| format!("{address}: {reason}"))
            }
            ReadyCheck::Exec(_) => Err("its runtime alone can run a program in it".to_owned()),
            ReadyCheck::Sql(statement) => {
                // PostgreSQL's own database, which every server has.
                let question = async {
                    let session = Session::open(query, "postgres").await?;
                    session.has_row(statement).await
                };
                let address = query.address(MAIN)?;
                match within(QUESTION, question).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(format!("{address}: the query gives no row")),
                    Err(reason) => Err(format!("{address}: {reason}")),
                }
            }
        }
    }

    async fn provision(
        &self,
        query: &Query<'_>,
        provision: &TenantProvision,
    ) -> Result<(), String> {
        let mut open: Option<(&str, Session)> = None;
        for step in &provision.steps {
            let Provision::Sql {
                database,
                unless,
                statement,
            } = step;
            let session = match open.take() {
                Some((current, session)) if current == database => session,
                _ => within(QUESTION, Session::open(query, database)).await?,
            };
            within(STATEMENT, session.run_unless(unless.as_deref(), statement)).await?;
            open = Some((database, session));
        }
        Ok(())
    }
}

/// Connects, and sees whether the connection is kept: what publishes a container's port takes
/// connections before anybody listens inside, and drops them again.
async fn connect(address: &Address) -> Result<(), String> {
    let mut stream = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| error.to_string())?;
    match tokio::time::timeout(KEPT, stream.read(&mut [0])).await {
        Ok(Ok(0)) => Err("the connection is dropped at once".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

impl Query<'_> {
    fn address(&self, endpoint: &str) -> Result<&Address, String> {
        self.addresses
            .get(self.instance, Some(endpoint))
            .ok_or_else(|| format!("it has no address for `{endpoint}`"))
    }
}

/// A connection to one database.
struct Session {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
}

impl Session {
    async fn open(query: &Query<'_>, database: &str) -> Result<Self, String> {
        let address = query.address(MAIN)?;
        let connected = Config::new()
            .host(&address.host)
            .port(address.port)
            .user(&query.readiness.user)
            .password(query.readiness.password.reveal())
            .dbname(database)
            .application_name("gantline")
            .connect_timeout(QUESTION)
            .connect(NoTls)
            .await;
        let (client, connection) = connected.map_err(|error| database_reason(&error))?;
        let connection = tokio::spawn(async move {
            // What breaks the connection fails the query that waits on it, too.
            let _ = connection.await;
        });
        Ok(Self { client, connection })
    }

    async fn has_row(&self, statement: &str) -> Result<bool, String> {
        let rows = self.client.query(statement, &[]).await;
        rows.map(|rows| !rows.is_empty())
            .map_err(|error| database_reason(&error))
    }

    async fn run_unless(&self, unless: Option<&str>, statement: &str) -> Result<(), String> {
        if let Some(unless) = unless
            && self.has_row(unless).await?
        {
            return Ok(());
        }
        let run = self.client.batch_execute(statement).await;
        run.map_err(|error| database_reason(&error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs())))
}

/// What the server said; never the statement, which may hold a password.
fn database_reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} (SQLSTATE {})", answer.message(), answer.code().code()),
        None => innermost(error),
    }
}

/// The cause at the bottom, which is the one that says something: `connection refused`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::model::secret::Secret;

    async fn server_that_answers(response: &'static str) -> Addresses {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(response.as_bytes()).await;
            }
        });
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port,
        };
        let endpoints = BTreeMap::from([("admin".to_owned(), address)]);
        Addresses(BTreeMap::from([("orders".to_owned(), endpoints)]))
    }

    async fn probe(addresses: &Addresses, port: &str) -> Result<(), String> {
        let readiness = Readiness {
            check: ReadyCheck::Http {
                port: port.to_owned(),
                path: "/health/ready".to_owned(),
            },
            user: String::new(),
            password: Secret::default(),
        };
        let query = Query {
            instance: "orders",
            readiness: &readiness,
            addresses,
        };
        LiveServers::new().unwrap().probe(&query).await
    }

    #[tokio::test]
    async fn a_successful_answer_is_ready_and_no_other() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ready = server_that_answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(probe(&ready, "admin").await, Ok(()));
        let starting =
            server_that_answers("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
        let starting = starting.await;
        let address = starting.get("orders", None).unwrap();
        assert_eq!(
            probe(&starting, "admin").await.unwrap_err(),
            format!("http://{address}/health/ready answers 503 Service Unavailable")
        );
    }

    async fn connected(greeting: Option<&'static str>) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
        };
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if let Some(greeting) = greeting {
                let _ = stream.write_all(greeting.as_bytes()).await;
                tokio::time::sleep(QUESTION).await;
            }
        });
        connect(&address).await
    }

    #[tokio::test]
    async fn a_connection_counts_when_it_is_kept() {
        assert_eq!(connected(Some("")).await, Ok(()));
        assert_eq!(connected(Some("220 ready")).await, Ok(()));
        let dropped = connected(None).await.unwrap_err();
        assert_eq!(dropped, "the connection is dropped at once");
    }

    #[tokio::test]
    async fn who_does_not_listen_is_not_ready() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut addresses = server_that_answers("").await;
        for endpoints in addresses.0.values_mut() {
            for address in endpoints.values_mut() {
                address.port = 1;
            }
        }
        let reason = probe(&addresses, "admin").await.unwrap_err();
        assert!(reason.contains("refused"), "{reason}");
        assert_eq!(
            probe(&addresses, "http").await.unwrap_err(),
            "it has no address for `http`"
        );
    }
}
