//! A second API server on the cluster's own etcd, which a test may kill and start again without
//! disturbing the others.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gantline::actions::deploy::{AfterFailure, Change};
use gantline::engine::kubernetes::Cluster;
use gantline::engine::kubernetes::records::Status;
use serde_json::json;

use super::deploy::{RELEASE, exists, mark, site, spec_of, statuses};
use super::namespace::{Namespace, config, kubeconfig};

/// How long the server may take to answer, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(120);

struct ApiServer {
    process: Child,
    port: u16,
}

impl ApiServer {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self {
            process: Self::spawn(port),
            port,
        }
    }

    /// The programs and keys are those of `tests/cluster/cluster`.
    fn spawn(port: u16) -> Child {
        let home: PathBuf = kubeconfig().parent().unwrap().to_path_buf();
        let key = |name: &str| home.join("state/pki").join(name).display().to_string();
        Command::new(home.join("bin/kube-apiserver"))
            .arg("--etcd-servers=http://127.0.0.1:22379")
            .arg(format!("--secure-port={port}"))
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            // Pods go on to find the first one alone.
            .arg("--endpoint-reconciler-type=none")
            .arg("--service-cluster-ip-range=10.96.0.0/16")
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .args(["--authorization-mode=Node,RBAC", "--allow-privileged=true"])
            .arg(format!("--client-ca-file={}", key("ca.crt")))
            .arg(format!("--tls-cert-file={}", key("apiserver.crt")))
            .arg(format!("--tls-private-key-file={}", key("apiserver.key")))
            .arg(format!(
                "--service-account-key-file={}",
                key("service-account.key")
            ))
            .arg(format!(
                "--service-account-signing-key-file={}",
                key("service-account.key")
            ))
            .arg(format!("--kubelet-client-certificate={}", key("admin.crt")))
            .arg(format!("--kubelet-client-key={}", key("admin.key")))
            .arg("--kubelet-preferred-address-types=InternalIP")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the cluster's programs are there: tests/setup cluster")
    }

    /// A client of this server.
    async fn cluster(&self) -> Cluster {
        let mut config = config().await;
        config.cluster_url = format!("https://127.0.0.1:{}", self.port).parse().unwrap();
        Cluster::with(config, "the second API server".to_owned()).unwrap()
    }

    async fn await_answer(&self) {
        let began = Instant::now();
        while self.cluster().await.version().await.is_err() {
            assert!(began.elapsed() < START, "the API server does not answer");
        }
    }

    /// Kills the server, and starts it again after a pause.
    async fn restart(&mut self) {
        self.end();
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.process = Self::spawn(self.port);
    }

    fn end(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.end();
    }
}

async fn until_there(namespace: &Namespace, object: &str) {
    let began = Instant::now();
    while !exists(namespace, object) {
        assert!(began.elapsed() < START, "{object} is not made");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_deployment_outlives_an_api_server_that_is_killed_and_started_again() {
    let namespace = Namespace::new();
    let mut server = ApiServer::start();
    server.await_answer().await;
    let site = site(&server.cluster().await, &namespace.name);
    let values = json!({"migration": "sleep 4", "extra": "made"});
    let spec = spec_of(RELEASE, &namespace.name, values);
    let (outcome, ()) = tokio::join!(site.deploy(&spec, AfterFailure::TakeBack), async {
        // While the migration runs.
        until_there(&namespace, "job/web-migrate").await;
        server.restart().await;
        // While the rollout is waited for.
        until_there(&namespace, "deployment/web").await;
        server.restart().await;
    });
    assert!(outcome.error.is_none(), "{outcome:?}");
    assert_eq!(
        (outcome.change, outcome.revision),
        (Change::Installed, Some(1))
    );
    assert_eq!(mark(&namespace, "mark"), "one");
    assert_eq!(statuses(&namespace.name).await, [(1, Status::Deployed)]);
}
