//! Where fetched servers are kept: each package as a whole, in a folder of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use crate::engine::process::folders::SHARED_CACHE;
use crate::engine::process::identity::{Identity, nearest_existing};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};

/// How long another gantline may take to obtain the same package.
const OTHER: Duration = Duration::from_secs(900);

/// Where packages are kept, and who must be able to run what is in them.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// The user that servers run as.
    pub(super) identity: Option<Identity>,
}

impl Cache {
    /// The user's cache; as root the one of the host, unless root's own can be reached by the
    /// user that servers run as.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn new(identity: Option<Identity>) -> Result<Self> {
        let own = own_cache();
        let reached = |folder: &PathBuf| {
            let nearest = nearest_existing(folder);
            identity.as_ref().is_none_or(|user| user.reaches(&nearest))
        };
        let folder = match own {
            Some(folder) if reached(&folder) => folder,
            _ if identity.is_some() => PathBuf::from(SHARED_CACHE),
            _ => {
                return Err(Error::missing("no folder to keep servers in is known")
                    .hint("Set HOME or XDG_CACHE_HOME"));
            }
        };
        Ok(Self {
            folder: folder.join("servers"),
            identity,
        })
    }

    /// A cache in this folder.
    #[cfg(test)]
    fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            identity: None,
        }
    }
}

fn own_cache() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("gantline"))
}

impl Cache {
    /// The folder of a package that is there already.
    pub(super) fn existing(&self, key: &str) -> Option<PathBuf> {
        let place = self.folder.join(key);
        place.is_dir().then_some(place)
    }

    /// The folder of a package: there already, or made by `fetch` in a folder beside it and then
    /// moved into its place as a whole. One at a time fetches.
    pub(super) async fn folder_of<F>(
        &self,
        key: &str,
        progress: &Progress,
        fetch: F,
    ) -> Result<PathBuf>
    where
        F: AsyncFnOnce(&Path) -> Result<()>,
    {
        let cannot = |error: std::io::Error| {
            Error::failed(format!("cannot keep servers in {}", self.folder.display()))
                .because(error)
        };
        if let Some(place) = self.existing(key) {
            return Ok(place);
        }
        let place = self.folder.join(key);
        make_readable(&self.folder).map_err(cannot)?;
        let _lock = self.lock(key, progress).await?;
        if place.is_dir() {
            return Ok(place);
        }
        let staging = tempfile::Builder::new()
            .prefix(".fetching-")
            .tempdir_in(&self.folder)
            .map_err(cannot)?;
        let content = staging.path().join("content");
        make_readable(&content).map_err(cannot)?;
        fetch(&content).await?;
        std::fs::rename(&content, &place).map_err(cannot)?;
        Ok(place)
    }

    async fn lock(&self, key: &str, progress: &Progress) -> Result<Flock<std::fs::File>> {
        let path = self.folder.join(format!(".{key}.lock"));
        let cannot = |error: std::io::Error| {
            Error::failed(format!("cannot lock {}", path.display())).because(error)
        };
        let mut file = std::fs::File::create(&path).map_err(cannot)?;
        let deadline = tokio::time::Instant::now() + OTHER;
        let mut told = false;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(lock),
                Err((unlocked, nix::errno::Errno::EWOULDBLOCK)) => file = unlocked,
                Err((_, error)) => return Err(cannot(error.into())),
            }
            if tokio::time::Instant::now() > deadline {
                return Err(Error::failed(
                    "another gantline obtains the same server, and does not end",
                )
                .since(format!("it holds {}", path.display())));
            }
            if !told {
                progress.say("waiting for another gantline that obtains the same server");
                told = true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Makes a folder, and what leads to it, that every user may read.
fn make_readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_readable(parent)?;
    }
    std::fs::create_dir(folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(error),
    })?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

/// A folder's name for a package: readable, and different for every package.
pub(super) fn key_of(name: &str, version: &str) -> String {
    let digest = Sha256::digest(format!("{name}@{version}"));
    let readable: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let short: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}-{version}-{short}", readable.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_never_share_a_folder() {
        assert_ne!(key_of("@a/b", "1.0.0"), key_of("@a-b", "1.0.0"));
        assert!(key_of("@a/b", "1.0.0").starts_with("a-b-1.0.0-"));
    }

    fn silent() -> Progress {
        struct Silent;
        impl crate::model::event::EventSink for Silent {
            fn emit(&self, _event: crate::model::event::Event) {}
        }
        Progress::new(std::sync::Arc::new(Silent), "test")
    }

    #[tokio::test]
    async fn a_package_is_kept_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("servers"));
        let failed = cache
            .folder_of("postgres-17", &silent(), async |content: &Path| {
                std::fs::write(content.join("half"), "").unwrap();
                Err(Error::failed("the network is gone"))
            })
            .await;
        assert!(failed.is_err());
        assert!(!folder.path().join("servers/postgres-17").exists());
        let fetched = std::sync::atomic::AtomicUsize::new(0);
        let fetch = async |content: &Path| {
            fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::fs::write(content.join("whole"), "").unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(())
        };
        let progress = silent();
        let (one, other) = tokio::join!(
            cache.folder_of("postgres-17", &progress, fetch),
            cache.folder_of("postgres-17", &progress, fetch),
        );
        assert_eq!(one.unwrap(), other.unwrap());
        assert_eq!(fetched.into_inner(), 1);
        assert!(folder.path().join("servers/postgres-17/whole").exists());
    }
}
