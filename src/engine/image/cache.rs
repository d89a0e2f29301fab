//! Layers of bases that were fetched once, by digest, in the user's cache folder.

use std::io::Write;
use std::path::PathBuf;

use crate::engine::registry::Repository;
use crate::error::Result;
use crate::model::image::Digest;

/// A blob of a repository, from the cache where it is there and whole.
///
/// # Errors
/// When it is not, and the registry cannot be reached or refuses.
pub async fn blob(repository: &Repository, digest: &Digest) -> Result<Vec<u8>> {
    let place = folder().map(|folder| folder.join(digest.digits()));
    if let Some(bytes) = place.as_ref().and_then(|place| std::fs::read(place).ok())
        && Digest::of(&bytes) == *digest
    {
        return Ok(bytes);
    }
    let bytes = repository.blob(digest).await?;
    if let Some(place) = place {
        // A cache that cannot be written costs time, and nothing else.
        let _unkept = keep(&place, &bytes);
    }
    Ok(bytes)
}

fn keep(place: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let Some(folder) = place.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(place).map(drop).map_err(|error| error.error)
}

fn folder() -> Option<PathBuf> {
    let absolute = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    cache.map(|cache| cache.join("gantline/layers"))
}
