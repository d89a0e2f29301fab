//! The program of a service, built on this host where the one who runs it can reach it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::folders::Folders;
use crate::engine::go::{GoBuild, build as go_build};
use crate::engine::runtime::{Artifact, Progress};
use crate::error::{Error, Result};
use crate::model::name::Name;

/// Builds a service. Go's own cache decides what there is to do; a program with other content
/// goes into a file of its own, so that the one that runs is never written to.
///
/// # Errors
/// When Go is absent, the service does not build, or the program cannot be kept.
pub(super) async fn build(
    service: &Name,
    directory: &Path,
    folders: &Folders,
    progress: &Progress,
) -> Result<Artifact> {
    folders.make_programs()?;
    let programs = folders.programs();
    let begun = std::time::Instant::now();
    let request = GoBuild {
        directory: directory.to_path_buf(),
        package: format!("./cmd/{service}"),
        output: programs.join(format!("{service}.latest")),
        platform: None,
        strip: false,
    };
    let built = go_build(&request, progress).await?;
    let name = service.clone();
    let kept = tokio::task::spawn_blocking(move || keep(&name, &built, &programs))
        .await
        .map_err(std::io::Error::other)
        .and_then(|kept| kept);
    let (location, identity, unchanged) = kept.map_err(|error| {
        Error::failed(format!("the program of {service} cannot be kept")).because(error)
    })?;
    let outcome = if unchanged {
        "unchanged".to_owned()
    } else {
        format!("built in {:.1} s", begun.elapsed().as_secs_f64())
    };
    Ok(Artifact {
        location: location.to_string_lossy().into_owned(),
        identity,
        outcome,
    })
}

/// Keeps a program under the digest of its content, and removes the ones before it. A process
/// that runs one of those is not touched by that.
fn keep(service: &Name, built: &Path, programs: &Path) -> std::io::Result<(PathBuf, String, bool)> {
    let digest: String = Sha256::digest(std::fs::read(built)?)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let prefix = format!("{service}@");
    let place = programs.join(format!("{prefix}{}", &digest[..12]));
    let unchanged = place.exists();
    if !unchanged {
        let staging = tempfile::NamedTempFile::new_in(programs)?;
        std::fs::copy(built, staging.path())?;
        staging.persist(&place).map_err(|error| error.error)?;
    }
    for entry in std::fs::read_dir(programs)? {
        let entry = entry?;
        let earlier = entry.file_name().to_string_lossy().starts_with(&prefix);
        if earlier && entry.path() != place {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok((place, digest, unchanged))
}
