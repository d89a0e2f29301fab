//! Services held against their own OpenAPI documents by Schemathesis, which makes requests from them
//! that nobody thought of: once as they are built, once with the race detector.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::load::running::RunningShop;
use super::stack::{eventually, free_port, http};

/// Of each operation and each phase.
const EXAMPLES: &str = "20";
/// So that a failure can be had again.
const SEED: &str = "1";
/// What is more than luck.
const FEWEST_CASES: u64 = 40;

const HOOKS: &str = include_str!("schemathesis/hooks.py");
/// What a service promises beside its document.
const SETTINGS: [(&str, &str); 2] = [
    ("orders", include_str!("schemathesis/orders.toml")),
    ("storefront", include_str!("schemathesis/storefront.toml")),
];

/// Holds what listens at a port against the document of a service.
fn hold_against_its_contract(shop: &RunningShop, service: &str, settings: &str, port: u16) {
    let document = shop.path(&format!("services/{service}/api/openapi.yaml"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hooks.py"), HOOKS).unwrap();
    std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
    let output = Command::new("timeout")
        .args([
            "300",
            "schemathesis",
            "--config-file",
            "settings.toml",
            "run",
        ])
        .arg(document)
        .args(["--url", &format!("http://127.0.0.1:{port}")])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", EXAMPLES, "--seed", SEED])
        .args(["--generation-database", "none", "--no-color"])
        .args(["--report", "json", "--report-json-path", "report.json"])
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{service}: {text}");
    // It exits with 0 also when it has tested nothing.
    let report = std::fs::read(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let (operations, cases) = (&report["operations"], &report["test_cases"]);
    println!("{service}: {cases}");
    assert_eq!(report["complete"], true, "{service}: {text}");
    assert_eq!(
        operations["tested"], operations["total"],
        "{service}: {text}"
    );
    assert!(
        cases["generated"].as_u64().unwrap() >= FEWEST_CASES,
        "{service}: {text}"
    );
    for nothing in ["with_failures", "unique_failures", "errored"] {
        assert_eq!(cases[nothing], 0, "{service}: {text}");
    }
    for phase in ["coverage", "fuzzing"] {
        assert_eq!(
            report["phases"][phase]["status"], "success",
            "{service}: {text}"
        );
    }
}

/// A service of the shop, built with the race detector, in the environment of the one that runs.
struct Racing {
    process: Child,
    port: u16,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Racing {
    async fn start(shop: &RunningShop, service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(service);
        let built = Command::new("go")
            .args(["build", "-race", "-o"])
            .arg(&program)
            .arg(format!("./cmd/{service}"))
            .current_dir(shop.path(&format!("services/{service}")))
            .env("GOWORK", "off")
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let (port, log) = (free_port(), folder.path().join("log"));
        let written = File::create(&log).unwrap();
        let process = Command::new(program)
            .envs(shop.environment(service))
            .env("HTTP_ADDR", format!("127.0.0.1:{port}"))
            .env("ADMIN_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(written.try_clone().unwrap())
            .stderr(written)
            .spawn()
            .unwrap();
        let racing = Self {
            process,
            port,
            log,
            _folder: folder,
        };
        eventually(async || http(racing.port, "/").await).await;
        racing
    }

    /// Ends it as Kubernetes would: it must have found no race, and say that all went well.
    fn stop(mut self) {
        kill(
            Pid::from_raw(self.process.id().cast_signed()),
            Signal::SIGTERM,
        )
        .unwrap();
        let status = self.process.wait().unwrap();
        let log = read(&self.log);
        assert!(!log.contains("DATA RACE"), "{log}");
        assert!(status.success(), "{status}: {log}");
    }
}

impl Drop for Racing {
    fn drop(&mut self) {
        // Also after a failed assertion.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go, Schemathesis, a C compiler, and PostgreSQL or npm"]
async fn schemathesis_finds_nothing_in_the_services_with_and_without_the_race_detector() {
    let shop = RunningShop::start();
    for (service, settings) in SETTINGS {
        hold_against_its_contract(&shop, service, settings, shop.port(service));
        let racing = Racing::start(&shop, service).await;
        hold_against_its_contract(&shop, service, settings, racing.port);
        racing.stop();
    }
    shop.stop();
}
