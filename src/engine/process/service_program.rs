//! The program of a service, built on this host where the one who runs it can reach it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::folders::Folders;
use crate::engine::go::{GoBuild, build as go_build, warning_of_ignored};
use crate::engine::runtime::{Artifact, Progress};
use crate::engine::source::source_hash;
use crate::error::{Error, Result};
use crate::model::name::Name;

/// Builds a service whose source is another one than last time. Each program goes into a file of
/// its own, so that the one that runs is never written to.
///
/// # Errors
/// When Go is absent, the service does not build, or the program cannot be kept.
pub(super) async fn build(
    service: &Name,
    directory: &Path,
    folders: &Folders,
    progress: &Progress,
) -> Result<Artifact> {
    let package = format!("./cmd/{service}");
    if let Some(warning) = warning_of_ignored(service.as_str(), directory, &package).await {
        progress.warn(warning);
    }
    let source = source_of(directory).await?;
    if let Some(artifact) = kept_of(service, source.as_deref(), folders) {
        return Ok(artifact);
    }
    folders.make_programs()?;
    let programs = folders.programs();
    let begun = std::time::Instant::now();
    let request = GoBuild {
        directory: directory.to_path_buf(),
        package,
        output: programs.join(format!("{service}.latest")),
        platform: None,
        strip: false,
    };
    let built = go_build(&request, progress).await?;
    // Of which source it is made is known only when nobody edited it meanwhile; else it is called by
    // its content, and the next run builds again.
    let source = match source_of(directory).await? == source {
        true => source,
        false => None,
    };
    let name = service.clone();
    let kept = tokio::task::spawn_blocking(move || keep(&name, &built, &programs, source))
        .await
        .map_err(std::io::Error::other)
        .and_then(|kept| kept);
    let (place, identity) = kept.map_err(|error| {
        Error::failed(format!("the program of {service} cannot be kept")).because(error)
    })?;
    let outcome = format!("built in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(artifact(&place, &identity, outcome))
}

/// The program that was built from this very source, when there is one.
///
/// # Errors
/// When the source cannot be read.
pub(super) async fn at_hand(
    service: &Name,
    directory: &Path,
    folders: &Folders,
) -> Result<Option<Artifact>> {
    let source = source_of(directory).await?;
    Ok(kept_of(service, source.as_deref(), folders))
}

fn kept_of(service: &Name, source: Option<&str>, folders: &Folders) -> Option<Artifact> {
    let source = source?;
    let place = folders.programs().join(file_name(service, source));
    let found = place.is_file();
    found.then(|| artifact(&place, source, "unchanged".to_owned()))
}

fn artifact(place: &Path, identity: &str, outcome: String) -> Artifact {
    Artifact {
        location: place.to_string_lossy().into_owned(),
        identity: identity.to_owned(),
        outcome,
    }
}

fn file_name(service: &Name, identity: &str) -> String {
    let short: String = identity.chars().take(16).collect();
    format!("{service}@{short}")
}

/// The hash of the source; `None` where a `go.work` brings in source from elsewhere.
async fn source_of(directory: &Path) -> Result<Option<String>> {
    if directory
        .ancestors()
        .any(|folder| folder.join("go.work").is_file())
    {
        return Ok(None);
    }
    let directory = directory.to_path_buf();
    tokio::task::spawn_blocking(move || source_hash(&directory).map(Some))
        .await
        .map_err(|error| Error::failed("the source cannot be read").because(error))?
}

/// Keeps a program under the hash of its source, or else of its content, and removes the ones
/// before it. A process that runs one of those is not touched by that.
fn keep(
    service: &Name,
    built: &Path,
    programs: &Path,
    source: Option<String>,
) -> std::io::Result<(PathBuf, String)> {
    let identity = match source {
        Some(source) => source,
        None => Sha256::digest(std::fs::read(built)?)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    };
    let place = programs.join(file_name(service, &identity));
    let staging = tempfile::NamedTempFile::new_in(programs)?;
    std::fs::copy(built, staging.path())?;
    staging.persist(&place).map_err(|error| error.error)?;
    let prefix = format!("{service}@");
    for entry in std::fs::read_dir(programs)? {
        let entry = entry?;
        let earlier = entry.file_name().to_string_lossy().starts_with(&prefix);
        if earlier && entry.path() != place {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok((place, identity))
}
