//! Having a server's programs: from PATH, else from a pinned package in the user's cache.

mod archive;
mod cache;
mod go_install;
mod npm;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::cache::Cache;
use self::cache::key_of;
use super::identity::{Identity, can_run};
use crate::engine::program::{ProgramCall, on_path};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};
use crate::model::resource_type::{Obtain, ProcessRecipe};
use crate::model::stack::ServerProgram;

/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(10);
/// Where programs are from that this host has anyway.
const ON_PATH: &str = "on PATH";

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

/// A server whose programs are wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The server.
    pub server: &'a ServerProgram,
    /// How it runs without Docker.
    pub recipe: &'a ProcessRecipe,
    /// The version that made its data, which only the same major version can read.
    pub data_version: Option<String>,
}

/// Finds or fetches the programs of a server: the first source that has them, and in a version
/// that can read its data.
///
/// # Errors
/// When no source has them, with what each one lacked and the ways out.
pub async fn obtain(wanted: &Wanted<'_>, cache: &Cache, progress: &Progress) -> Result<Obtained> {
    let mut refusals = Vec::new();
    for source in &wanted.recipe.obtain {
        let found = async {
            let (folders, source) = from(source, wanted.server, cache, progress).await?;
            let obtained = describe(wanted.recipe, &folders, source, cache).await?;
            wanted.accept(obtained)
        };
        match found.await {
            Ok(obtained) => {
                say_version(wanted.server, &obtained, progress);
                return Ok(obtained);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    Err(wanted.absent(&refusals))
}

/// The programs that [`obtain`] would give without fetching or building any.
///
/// # Errors
/// When a program that is there does not tell its version.
pub async fn obtained_before(wanted: &Wanted<'_>, cache: &Cache) -> Result<Option<Obtained>> {
    for source in &wanted.recipe.obtain {
        let Some((folders, name)) = there_already(source, cache) else {
            if matches!(source, Obtain::Path { .. }) {
                continue;
            }
            // This source would be asked before the next one.
            return Ok(None);
        };
        let obtained = describe(wanted.recipe, &folders, name, cache).await?;
        if let Ok(obtained) = wanted.accept(obtained) {
            return Ok(Some(obtained));
        }
    }
    Ok(None)
}

impl Wanted<'_> {
    /// Refuses programs that cannot read the data that is there.
    fn accept(&self, obtained: Obtained) -> Result<Obtained> {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        match &self.data_version {
            Some(made_by) if major(made_by) != major(&obtained.version) => {
                Err(Error::missing(format!(
                    "version {}, {}, cannot read the data that version {made_by} made",
                    obtained.version, obtained.source
                )))
            }
            _ => Ok(obtained),
        }
    }

    fn absent(&self, refusals: &[Error]) -> Error {
        let server = self.server;
        let error = Error::missing(format!(
            "{} {} cannot be run without Docker on this machine",
            server.kind, server.version
        ));
        let error = error.with_causes(refusals.iter().map(Error::to_string));
        let error = match &self.data_version {
            Some(made_by) => error
                .hint(format!("Put {} {made_by} back on PATH", server.kind))
                .hint("Or remove the local data: `gantline down --volumes`"),
            None => error.hint(format!(
                "Install {} so that `{}` is on PATH",
                server.kind, self.recipe.program
            )),
        };
        error.hint("Or start Docker and leave `--runtime process` out")
    }
}

/// The folders of programs that need not be fetched, and where they are from.
fn there_already(source: &Obtain, cache: &Cache) -> Option<(Vec<PathBuf>, String)> {
    match source {
        Obtain::Path { programs } => {
            let folders = from_path(programs, cache.identity.as_ref()).ok()?;
            Some((folders, ON_PATH.to_owned()))
        }
        Obtain::Npm {
            package,
            version,
            programs,
            ..
        } => {
            let package = npm::for_platform(package);
            let folder = cache.existing(&key_of(&package, version))?.join(programs);
            Some((vec![folder], format!("from npm, {package}@{version}")))
        }
        Obtain::GoInstall { package, version } => {
            let folder = cache.existing(&key_of(package, version))?;
            Some((vec![folder], format!("by go install, {package}@{version}")))
        }
    }
}

async fn from(
    source: &Obtain,
    server: &ServerProgram,
    cache: &Cache,
    progress: &Progress,
) -> Result<(Vec<PathBuf>, String)> {
    match source {
        Obtain::Path { programs } => from_path(programs, cache.identity.as_ref())
            .map(|folders| (folders, ON_PATH.to_owned())),
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

/// Whether a server could be had, without having it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Its programs are on PATH, the first one in this folder.
    OnPath(PathBuf),
    /// They were fetched before, into this folder.
    Kept(PathBuf),
    /// A package will be fetched or built, and how.
    AtFirstUse(String),
    /// It cannot be had, and why.
    Missing(String),
}

/// Looks where the programs of a server would come from; fetches nothing.
pub fn availability(recipe: &ProcessRecipe) -> Availability {
    let mut reasons = Vec::new();
    let cache = Cache::new(None).ok();
    for source in &recipe.obtain {
        let kept = cache
            .as_ref()
            .and_then(|cache| there_already(source, cache));
        if let (Some((folders, _)), false) = (kept, matches!(source, Obtain::Path { .. })) {
            return Availability::Kept(folders.into_iter().next().unwrap_or_default());
        }
        let (tool, way) = match source {
            Obtain::Path { programs } => match from_path(programs, None) {
                Ok(folders) => {
                    return Availability::OnPath(folders.into_iter().next().unwrap_or_default());
                }
                Err(error) => {
                    reasons.push(error.to_string());
                    continue;
                }
            },
            Obtain::Npm { .. } => ("npm", "npm fetches it"),
            Obtain::GoInstall { .. } => ("go", "`go install` builds it"),
        };
        if !on_path(tool).is_empty() {
            return Availability::AtFirstUse(way.to_owned());
        }
        reasons.push(format!("no `{tool}`, which could fetch it"));
    }
    Availability::Missing(reasons.join(", "))
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
                .hint("Run the command again: it is looked for anew")
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
    fn data_is_read_by_programs_of_the_same_major_version_alone() {
        let server = server();
        let wanted = |made_by: Option<&str>| Wanted {
            server: &server,
            recipe: server.process.as_ref().unwrap(),
            data_version: made_by.map(str::to_owned),
        };
        let obtained = Obtained {
            location: "/usr/bin".to_owned(),
            version: "15.18".to_owned(),
            source: ON_PATH.to_owned(),
        };
        assert!(wanted(None).accept(obtained.clone()).is_ok());
        assert!(wanted(Some("15.2")).accept(obtained.clone()).is_ok());
        let wanted = wanted(Some("17.10"));
        let refusal = wanted.accept(obtained).unwrap_err();
        let error = wanted.absent(&[refusal]);
        assert_eq!(
            error.causes(),
            ["version 15.18, on PATH, cannot read the data that version 17.10 made"]
        );
        assert_eq!(error.hints()[0], "Put postgres 17.10 back on PATH");
    }

    fn server() -> ServerProgram {
        let words = |text: &str| vec![text.to_owned()];
        ServerProgram {
            kind: crate::model::name::Name::new("postgres").unwrap(),
            version: "17".to_owned(),
            image: String::new(),
            arguments: Vec::new(),
            files: std::collections::BTreeMap::new(),
            data: None,
            process: Some(ProcessRecipe {
                program: "postgres".to_owned(),
                obtain: vec![Obtain::Path {
                    programs: words("postgres"),
                }],
                prepare: Vec::new(),
                run: words("postgres"),
                stop: crate::model::resource_type::StopSignal::Interrupt,
            }),
            administrator: String::new(),
            administrator_password: crate::model::secret::Secret::default(),
        }
    }

    #[test]
    fn a_major_version_covers_its_minor_ones() {
        assert!(is_version("17.10", "17"));
        assert!(is_version("2.12.0", "2.12"));
        assert!(!is_version("15.18", "17"));
        assert!(!is_version("17.10", "1"));
    }
}
