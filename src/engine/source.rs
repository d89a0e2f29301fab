//! The source of an image: which files of a folder count, and their hash.
//!
//! What is hashed is exactly what is sent to the builder, so that equal hashes mean equal
//! images: no file that git ignores, and none that `.dockerignore` names.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{Walk, WalkBuilder};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::container::BuildSource;

/// The file that builds the image; part of the source even when `.dockerignore` names it.
const DOCKERFILE: &str = "Dockerfile";
/// The manifest of a service: a context that holds one holds what we keep beside it, too.
const MANIFEST: &str = "service.yaml";

/// What a path of the source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A file, and whether it is a program.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link and its target.
    Link {
        /// Where it points.
        target: PathBuf,
    },
}

/// A path of the source, relative to its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePath {
    /// The path.
    pub path: PathBuf,
    /// What it is.
    pub kind: SourceKind,
}

/// The source below a folder, in order of path.
///
/// # Errors
/// When the folder, or an ignore file in it, cannot be read.
pub fn source_paths(directory: &Path) -> Result<Vec<SourcePath>> {
    source_paths_with(directory, Path::new(DOCKERFILE))
}

/// The same with a Dockerfile of another name. What gantline reads or writes beside a manifest
/// (the manifest, its environments, the chart) is no source: deploying an image must not make
/// another one.
///
/// # Errors
/// As [`source_paths`].
pub fn source_paths_with(directory: &Path, dockerfile: &Path) -> Result<Vec<SourcePath>> {
    let ignored = docker_ignore(directory)?;
    let is_service = directory.join(MANIFEST).is_file();
    let mut found = Vec::new();
    for entry in walk(directory, true) {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        let Ok(relative) = entry.path().strip_prefix(directory) else {
            continue;
        };
        let wanted = relative == dockerfile
            || !(ignored
                .matched_path_or_any_parents(relative, false)
                .is_ignore()
                || is_service && is_ours(relative));
        let metadata = entry
            .metadata()
            .map_err(|error| unreadable(directory, error))?;
        if wanted && let Some(kind) = kind_of(entry.path(), &metadata)? {
            let path = relative.to_path_buf();
            found.push(SourcePath { path, kind });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The files below a folder that git ignores, in order of path.
///
/// # Errors
/// When the folder, or an ignore file in it, cannot be read.
pub fn ignored_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let found = |git_ignores: bool| -> Result<BTreeSet<PathBuf>> {
        let mut paths = BTreeSet::new();
        for entry in walk(directory, git_ignores) {
            let entry = entry.map_err(|error| unreadable(directory, error))?;
            if entry.file_type().is_some_and(|it| it.is_file())
                && let Ok(path) = entry.path().strip_prefix(directory)
            {
                paths.insert(path.to_path_buf());
            }
        }
        Ok(paths)
    };
    let wanted = found(true)?;
    let all = found(false)?;
    Ok(all.difference(&wanted).cloned().collect())
}

fn walk(directory: &Path, git_ignores: bool) -> Walk {
    WalkBuilder::new(directory)
        .standard_filters(false)
        .git_ignore(git_ignores)
        .parents(true)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
}

/// A hash of the source below a folder: 64 hexadecimal digits.
///
/// # Errors
/// When a file cannot be read.
pub fn source_hash(directory: &Path) -> Result<String> {
    hash_of(&plain_source(directory))
}

/// Copies the source below a folder to another one, and gives the hash of what arrived there: what
/// is built from the copy has no file that the hash leaves out, and no edit made meanwhile.
///
/// # Errors
/// When a file cannot be read or written.
pub async fn copy_source(from: &Path, to: &Path) -> Result<String> {
    let (from, to) = (from.to_path_buf(), to.to_path_buf());
    let copied = tokio::task::spawn_blocking(move || {
        let failed = || Error::failed(format!("cannot copy the source of {}", from.display()));
        let sources = source_paths(&from)?;
        for source in &sources {
            copy_one(source, &from, &to).map_err(|error| failed().because(error))?;
        }
        let mut hash = SourceHash::default();
        hash.add_all(&to, &sources)?;
        Ok(hash.of(&plain_source(&to)))
    });
    copied
        .await
        .map_err(|error| Error::failed("copying the source was cut off").because(error))?
}

fn copy_one(source: &SourcePath, from: &Path, to: &Path) -> std::io::Result<()> {
    let place = to.join(&source.path);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    match &source.kind {
        SourceKind::Link { target } => std::os::unix::fs::symlink(target, &place),
        SourceKind::File { .. } => fs::copy(from.join(&source.path), &place).map(drop),
    }
}

/// The error of a source that is not any more what its hash was taken of.
pub fn changed_meanwhile(service: &str) -> Error {
    Error::failed(format!(
        "the source of {service} changed while it was built"
    ))
    .hint("Build again once nobody edits it")
}

/// Whether a path below a service's folder is the manifest's, or made from it.
fn is_ours(relative: &Path) -> bool {
    let name = relative.to_string_lossy();
    let of_environment = name
        .strip_prefix("service.")
        .and_then(|rest| rest.strip_suffix(".yaml"))
        .is_some_and(|environment| !environment.contains('/'));
    name == MANIFEST || of_environment || relative.starts_with("chart")
}

/// The hash of a source, made of its paths in their order.
#[derive(Default)]
pub struct SourceHash(Sha256);

impl SourceHash {
    /// Adds a link.
    pub fn add_link(&mut self, path: &Path, target: &Path) {
        self.frame(path.as_os_str().as_bytes());
        self.0.update(b"link");
        self.frame(target.as_os_str().as_bytes());
    }

    /// Adds a file with this content, which may be a program.
    pub fn add_file(&mut self, path: &Path, executable: bool, content: &ContentHash) {
        self.frame(path.as_os_str().as_bytes());
        self.0.update(if executable { b"prog" } else { b"file" });
        self.frame(content);
    }

    /// The hash of a source that these paths are all of: 64 hexadecimal digits.
    pub fn of(mut self, source: &BuildSource) -> String {
        // Only what is said beyond the usual changes the hash.
        if *source != plain_source(&source.context) {
            self.frame(source.dockerfile.as_os_str().as_bytes());
            self.frame(source.target.as_deref().unwrap_or_default().as_bytes());
            for (name, value) in &source.args {
                self.frame(name.as_bytes());
                self.frame(value.as_bytes());
            }
        }
        let bytes = self.0.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn add_all(&mut self, directory: &Path, sources: &[SourcePath]) -> Result<()> {
        for SourcePath { path, kind } in sources {
            match kind {
                SourceKind::Link { target } => self.add_link(path, target),
                SourceKind::File { executable } => {
                    let (_, content) = content_hash(&directory.join(path))?;
                    self.add_file(path, *executable, &content);
                }
            }
        }
        Ok(())
    }

    /// Adds bytes with their length, so that two neighbours never look like one.
    fn frame(&mut self, bytes: &[u8]) {
        self.0.update(bytes.len().to_be_bytes());
        self.0.update(bytes);
    }
}

/// The source of the image of a folder that has a Dockerfile, and says no more.
pub fn plain_source(directory: &Path) -> BuildSource {
    BuildSource {
        context: directory.to_path_buf(),
        dockerfile: DOCKERFILE.into(),
        target: None,
        args: std::collections::BTreeMap::new(),
    }
}

/// The hash of the source of an image, whose context is absolute.
///
/// # Errors
/// When there is no Dockerfile, or a file cannot be read.
pub async fn image_source(source: &BuildSource) -> Result<String> {
    let file = source.context.join(&source.dockerfile);
    if !file.is_file() {
        let message = format!("there is no {}", file.display());
        return Err(Error::invalid(message)
            .since("an image is made from a Dockerfile")
            .hint("Write it, or name another one in service.yaml")
            .hint("That of a blueprint comes back with `gantline generate --restore PATH`"));
    }
    let source = source.clone();
    tokio::task::spawn_blocking(move || hash_of(&source))
        .await
        .map_err(|error| Error::failed("reading the source was cut off").because(error))?
}

fn hash_of(source: &BuildSource) -> Result<String> {
    let mut hash = SourceHash::default();
    let sources = source_paths_with(&source.context, &source.dockerfile)?;
    hash.add_all(&source.context, &sources)?;
    Ok(hash.of(source))
}

/// The hash of a file's content.
pub type ContentHash = [u8; 32];

/// The size of a file, and the hash of its content.
///
/// # Errors
/// When it cannot be read.
pub fn content_hash(path: &Path) -> Result<(u64, ContentHash)> {
    let mut size = 0;
    let mut hash = Sha256::new();
    let mut file = fs::File::open(path).map_err(|error| unreadable(path, error))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file
            .read(&mut buffer)
            .map_err(|error| unreadable(path, error))?
        {
            0 => return Ok((size, hash.finalize().into())),
            count => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

fn kind_of(path: &Path, metadata: &fs::Metadata) -> Result<Option<SourceKind>> {
    if metadata.is_symlink() {
        let target = fs::read_link(path).map_err(|error| unreadable(path, error))?;
        return Ok(Some(SourceKind::Link { target }));
    }
    let executable = metadata.permissions().mode() & 0o100 != 0;
    Ok(metadata
        .is_file()
        .then_some(SourceKind::File { executable }))
}

/// `.dockerignore` as a matcher. Its patterns are those of git but for this: each begins at the
/// folder's root, and a later `!pattern` brings files back from an ignored folder.
fn docker_ignore(directory: &Path) -> Result<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    let path = directory.join(".dockerignore");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unreadable(&path, error)),
    };
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (negation, pattern) = match line.strip_prefix('!') {
            Some(pattern) => ("!", pattern.trim_start()),
            None => ("", line),
        };
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let rooted = format!("{negation}/{}", pattern.trim_start_matches('/'));
        builder
            .add_line(None, &rooted)
            .map_err(|error| unreadable(&path, error))?;
    }
    builder.build().map_err(|error| unreadable(&path, error))
}

fn unreadable(path: &Path, error: impl std::error::Error) -> Error {
    Error::failed(format!("cannot read the source in {}", path.display())).because(error)
}

#[cfg(test)]
mod tests;
