//! The shop as processes, and what is in its databases.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use crate::shop;

/// How long `up` may take on a slow machine with no caches, in seconds.
const LONGEST: &str = "900";

/// The shop, up; taken down even after a panic.
pub struct RunningShop {
    folder: tempfile::TempDir,
    ports: BTreeMap<String, u16>,
}

impl RunningShop {
    pub fn start() -> Self {
        let mut shop = Self {
            folder: shop::copy(),
            ports: BTreeMap::new(),
        };
        let up = shop.gantline(&["up", "--detach", "--runtime", "process"]);
        assert!(up.status.success(), "{}", text(&up));
        let status = shop.gantline(&["status", "--runtime", "process", "--format", "json"]);
        for thing in answer(status)["things"].as_array().unwrap() {
            if let Some(address) = thing["endpoints"]["http"].as_str() {
                let port = address.rsplit(':').next().unwrap().trim_end_matches('/');
                let name = thing["name"].as_str().unwrap().to_owned();
                shop.ports.insert(name, port.parse().unwrap());
            }
        }
        shop
    }

    /// Where a service listens; the same after a restart.
    pub fn port(&self, service: &str) -> u16 {
        self.ports[service]
    }

    /// Ends a service with SIGTERM and starts it again.
    pub async fn restart(&self, service: &str) {
        let arguments = ["restart", service, "--runtime", "process"];
        let done = tokio::task::block_in_place(|| self.gantline(&arguments));
        assert!(done.status.success(), "{}", text(&done));
    }

    /// Ends a server with SIGKILL in the midst of its work, and starts it again.
    pub async fn kill_and_start_again(&self, kind: &str) {
        kill(self.server(kind), Signal::SIGKILL).unwrap();
        // What it does to those who use it is to be seen.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let arguments = ["up", "--detach", "--runtime", "process"];
        let done = tokio::task::block_in_place(|| self.gantline(&arguments));
        assert!(done.status.success(), "{}", text(&done));
    }

    fn server(&self, kind: &str) -> Pid {
        let state = self.path(".gantline/run/supervisor/state.json");
        let state: Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        let instances = state["instances"].as_array().unwrap();
        let found = instances.iter().find(|instance| {
            let name = instance["observed"]["name"].as_str().unwrap();
            name.starts_with(kind)
        });
        let id = found.unwrap()["process"]["id"].as_i64().unwrap();
        Pid::from_raw(i32::try_from(id).unwrap())
    }

    /// What orders keeps: the id of each reference.
    pub async fn orders(&self) -> BTreeMap<String, String> {
        let rows = self
            .store("orders")
            .await
            .query("select reference, id::text from orders", &[])
            .await
            .unwrap();
        let kept: BTreeMap<_, _> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(kept.len(), rows.len(), "an order was kept twice");
        kept
    }

    /// How often each reference was billed.
    pub async fn invoices(&self) -> BTreeMap<String, i64> {
        let query = "select reference, count(*) from invoices group by reference";
        let store = self.store("billing").await;
        let rows = store.query(query, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// How many messages orders has not sent yet.
    pub async fn unsent(&self) -> i64 {
        let query = "select count(*) from outbox where sent_at is null";
        let store = self.store("orders").await;
        store.query_one(query, &[]).await.unwrap().get(0)
    }

    /// What a service finds in its environment.
    pub fn environment(&self, service: &str) -> BTreeMap<String, String> {
        let arguments = ["env", service, "--runtime", "process", "--format", "json"];
        let found = answer(self.gantline(&arguments));
        serde_json::from_value(found["environment"].clone()).unwrap()
    }

    async fn store(&self, service: &str) -> Client {
        let address = &self.environment(service)["STORE_URI"];
        let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub fn stop(&self) {
        let done = self.gantline(&["down", "--volumes", "--runtime", "process"]);
        assert!(done.status.success(), "{}", text(&done));
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("shop").join(path)
    }

    fn gantline(&self, arguments: &[&str]) -> Output {
        std::process::Command::new("timeout")
            .args([LONGEST, env!("CARGO_BIN_EXE_gantline")])
            .args(arguments)
            .current_dir(self.path("."))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for RunningShop {
    fn drop(&mut self) {
        let _down = self.gantline(&["down", "--volumes", "--runtime", "process"]);
    }
}

fn answer(output: Output) -> Value {
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|it| String::from_utf8_lossy(it))
        .concat()
}
