//! Harnesses that are compiled, and run as processes of this host.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::process::Command;

use super::process::ProcessHarness;
use super::{
    ADDRESS_VARIABLE, BuildFailure, Deadlines, FOLDER, Harness, HarnessProgram, HarnessSource,
    Harnesses, TEST,
};
use crate::engine::checkout::scratch_folder;
use crate::engine::go;
use crate::error::ErrorKind;
use crate::model::verification::{Trouble, TroubleKind};

/// The folder of compiled harnesses in `.gantline/run`.
const PROGRAMS: &str = "contracts";

/// Compiles harnesses with the host's Go, and runs them.
#[derive(Debug)]
pub struct ProcessHarnesses {
    root: PathBuf,
    deadlines: Deadlines,
}

impl ProcessHarnesses {
    /// Harnesses of the workspace in `root`. Their programs are kept for the next time, since one
    /// whose source has not changed is not linked again.
    pub fn new(root: PathBuf, deadlines: Deadlines) -> Self {
        Self { root, deadlines }
    }
}

#[async_trait]
impl Harnesses for ProcessHarnesses {
    async fn build(&self, source: &HarnessSource) -> Result<HarnessProgram, BuildFailure> {
        let provider = &source.provider;
        let none = |message: String| {
            BuildFailure::Trouble(Trouble {
                kind: TroubleKind::NoHarness,
                message,
                details: Vec::new(),
                next: Some(format!(
                    "Give {provider} a harness: {FOLDER}/provider_test.go with {TEST}; for a service of a blueprint, `gantline generate {provider}` writes it, unless it was deleted"
                )),
            })
        };
        if !source.directory.join(FOLDER).is_dir() {
            return Err(none(format!(
                "{provider} has no harness: there is no {FOLDER}"
            )));
        }
        let folder = scratch_folder(&self.root, PROGRAMS).map_err(|error| {
            BuildFailure::Trouble(Trouble::new(TroubleKind::DoesNotCompile, error.to_string()))
        })?;
        let program = folder.join(provider);
        let built = go::build_test(&source.directory, &format!("./{FOLDER}"), &program).await;
        match built {
            // Without a test, Go says so and writes no program.
            Ok(()) if !program.is_file() => Err(none(format!(
                "{provider} has no harness: {FOLDER} holds no test"
            ))),
            Ok(()) => Ok(HarnessProgram {
                source: source.clone(),
                program,
            }),
            Err(error) if error.kind() == ErrorKind::Missing => {
                Err(BuildFailure::GoIsMissing(error))
            }
            Err(error) => Err(BuildFailure::Trouble(Trouble {
                kind: TroubleKind::DoesNotCompile,
                message: format!("the harness of {provider} does not compile"),
                details: error
                    .causes()
                    .iter()
                    .flat_map(|cause| cause.lines())
                    .map(str::to_owned)
                    .collect(),
                next: Some(format!(
                    "Build it by hand: go test -c -o /dev/null ./{FOLDER}"
                )),
            })),
        }
    }

    async fn start(&self, program: &HarnessProgram) -> Result<Box<dyn Harness>, Trouble> {
        let mut command = Command::new(&program.program);
        command
            .args(["-test.run", &format!("^{TEST}$"), "-test.timeout", "10m"])
            .env(ADDRESS_VARIABLE, "127.0.0.1:0")
            .current_dir(folder(program));
        let harness = ProcessHarness::start(&program.source.provider, command, self.deadlines);
        harness
            .await
            .map(|harness| Box::new(harness) as Box<dyn Harness>)
    }
}

fn folder(program: &HarnessProgram) -> PathBuf {
    program.source.directory.join(FOLDER)
}
