//! Traps built into generated services on purpose. Each must turn the test red that guards against
//! it: a test that cannot fail guards nothing.
//!
//! A change is laid over the service's folder, so all of them share one build of the rest, and each
//! compiles the package that its test is in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use crate::process::stack::{PASSWORD, Stack, connect, eventually, free_port, server};
use crate::shop;

const LIST: &str = include_str!("mutations.yaml");

/// One trap, and the test that must notice it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    trap: String,
    service: String,
    file: String,
    edits: Vec<Edit>,
    test: String,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    needs: Vec<Need>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    from: String,
    to: String,
}

/// What a test needs beside Go.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Need {
    Postgres,
}

impl Mutation {
    fn folder(&self) -> PathBuf {
        shop::made().join("services").join(&self.service)
    }

    /// The package of the test, as Go names it in the service's folder.
    fn package(&self) -> String {
        let folder = Path::new(&self.file).parent().unwrap();
        let package = self.package.as_deref().map_or(folder, Path::new);
        format!("./{}", package.display())
    }

    /// The file with the trap in it.
    fn changed(&self) -> Result<String, String> {
        let mut text = std::fs::read_to_string(self.folder().join(&self.file))
            .map_err(|error| format!("{}: {error}", self.file))?;
        for Edit { from, to } in &self.edits {
            let count = text.matches(from.as_str()).count();
            if count != 1 {
                return Err(format!(
                    "{} holds {count} times, not once: {from}",
                    self.file
                ));
            }
            text = text.replace(from.as_str(), to);
        }
        Ok(text)
    }

    /// Runs the test over the changed file; an error when it stays green, or could not run.
    fn is_noticed(&self, server: &str) -> Result<(), String> {
        let scratch = tempfile::tempdir().unwrap();
        let changed = scratch.path().join("changed.go");
        std::fs::write(&changed, self.changed()?).unwrap();
        let overlay = scratch.path().join("overlay.json");
        let replaced = serde_json::json!({"Replace": {self.folder().join(&self.file).to_str().unwrap(): changed}});
        std::fs::write(&overlay, replaced.to_string()).unwrap();
        let (green, said) = test(&Run {
            folder: self.folder(),
            package: self.package(),
            tests: vec![&self.test],
            overlay: Some(&overlay),
            server,
        });
        // A program that does not compile, or a test that was not run, proves nothing.
        let ran = said.contains(&format!("=== RUN   {}\n", self.test));
        match (ran, green) {
            (true, false) => Ok(()),
            (true, true) => Err(format!("{} stays green", self.test)),
            (false, _) => Err(format!("{} did not run:\n{said}", self.test)),
        }
    }
}

struct Run<'a> {
    folder: PathBuf,
    package: String,
    tests: Vec<&'a str>,
    overlay: Option<&'a Path>,
    server: &'a str,
}

/// Whether the tests of a package pass, and what was printed.
fn test(run: &Run<'_>) -> (bool, String) {
    let mut command = Command::new("go");
    command
        .args(["test", "-v", "-count=1", "-vet=off", "-timeout=60s"])
        .arg(format!("-run=^({})$", run.tests.join("|")));
    if let Some(overlay) = run.overlay {
        command.arg("-overlay").arg(overlay);
    }
    let output = command
        .arg(&run.package)
        .current_dir(&run.folder)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .env("TEST_STORE_URI", run.server)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

/// Each test that is named must pass, and not be skipped, as long as nothing is changed.
fn all_pass_unchanged(mutations: &[Mutation], server: &str) -> Vec<String> {
    let mut packages: BTreeMap<(PathBuf, String), BTreeSet<&str>> = BTreeMap::new();
    for mutation in mutations {
        let package = (mutation.folder(), mutation.package());
        packages.entry(package).or_default().insert(&mutation.test);
    }
    let packages: Vec<_> = packages.into_iter().collect();
    two_at_a_time(&packages, |((folder, package), tests)| {
        let run = Run {
            folder: folder.clone(),
            package: package.clone(),
            tests: tests.iter().copied().collect(),
            overlay: None,
            server,
        };
        let (_, said) = test(&run);
        let missing = tests
            .iter()
            .find(|test| !said.contains(&format!("--- PASS: {test} (")));
        match missing {
            None => Ok(()),
            Some(test) => Err(format!(
                "{package}: {test} does not pass unchanged:\n{said}"
            )),
        }
    })
}

/// What went wrong with which of the items.
fn two_at_a_time<T: Sync>(
    items: &[T],
    look: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = look(item) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go, and PostgreSQL or npm"]
async fn every_trap_that_is_built_in_turns_its_test_red() {
    let mutations: Vec<Mutation> = serde_saphyr::from_str(LIST).unwrap();
    let stack = Stack::new();
    let port = free_port();
    stack.up(&server("postgres"), port).await;
    eventually(async || connect(port, PASSWORD).await.map(drop)).await;
    let address = format!(
        "postgres://postgres:{}@127.0.0.1:{port}/postgres?sslmode=disable",
        PASSWORD.replace(' ', "%20")
    );

    let unfit = all_pass_unchanged(&mutations, &address);
    assert!(unfit.is_empty(), "{}", unfit.join("\n\n"));
    let unnoticed = two_at_a_time(&mutations, |mutation| {
        let server = match mutation.needs.contains(&Need::Postgres) {
            true => address.as_str(),
            false => "",
        };
        let noticed = mutation.is_noticed(server);
        noticed.map_err(|reason| format!("{}, {}: {reason}", mutation.service, mutation.trap))
    });
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n\n"));
    println!("{} traps, each noticed", mutations.len());
    stack.clear_everything().await;
}
