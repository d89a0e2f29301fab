//! A server that is a Go program: `go install` of a pinned version into the cache.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache::{Cache, key_of};
use crate::engine::program::{CallError, ProgramCall};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};

/// How long a build from source may take, downloads included.
const BUILD: Duration = Duration::from_secs(1200);

/// The folder of the installed program.
///
/// # Errors
/// When Go is absent or the build fails.
pub(super) async fn obtain(
    package: &str,
    version: &str,
    cache: &Cache,
    progress: &Progress,
) -> Result<PathBuf> {
    let key = key_of(package, version);
    cache
        .folder_of(&key, progress, async |content: &Path| {
            progress.say(format!("go install {package}@{version}, once"));
            install(package, version, content, progress).await
        })
        .await
}

async fn install(package: &str, version: &str, content: &Path, progress: &Progress) -> Result<()> {
    let finished = ProgramCall::new("go", BUILD)
        .arguments(["install", "-trimpath"])
        .argument(format!("{package}@{version}"))
        .directory(content)
        .variable("GOBIN", content)
        .variable("CGO_ENABLED", "0")
        .variable("GOWORK", "off")
        .variable("GOFLAGS", "")
        .run(|line| progress.say(line))
        .await
        .map_err(|error| match error {
            CallError::Absent(_) => Error::missing("Go, which could build it, is not on PATH"),
            other => Error::failed(format!("go install {package}@{version} failed")).because(other),
        })?;
    if finished.code == 0 {
        return Ok(());
    }
    Err(
        Error::failed(format!("go install {package}@{version} failed"))
            .since(finished.last_words(8)),
    )
}
