//! What sets one checkout of a workspace apart from every other: an id for names, and a key for
//! passwords. Both live in `.gantline/run/`, which git ignores.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::engine::files::{RUN_FOLDER, make_run_folder, run_folder, way_out};
use crate::engine::random;
use crate::error::{Error, Result};
use crate::model::secret::Secret;

/// The file with the random key.
const FILE: &str = "checkout.json";
/// Bytes of the id: 8 hexadecimal digits.
const ID_BYTES: usize = 4;
/// Bytes of the key: 256 bits.
const KEY_BYTES: usize = 32;

/// One checkout of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The id of its stack: the workspace's name when it was first used, and 8 hexadecimal
    /// digits.
    pub stack: String,
    /// What its passwords are derived from.
    pub key: Secret,
    /// `.gantline/run`, absolute.
    pub run: PathBuf,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct CheckoutFile {
    /// The stack's id.
    stack: String,
    /// The key, in hexadecimal.
    key: String,
    /// Where the workspace was when the key was made.
    root: PathBuf,
}

/// The checkout at `root` of the workspace `name`; made at the first use.
///
/// A workspace that was moved keeps its id, so that `down` finds what it started. One that was
/// copied has its own as soon as the original still stands.
///
/// # Errors
/// When `.gantline/run` cannot be written, or holds a link.
pub fn checkout(root: &Path, name: &str) -> Result<Checkout> {
    let run = run_folder(root)?;
    let found = read(&run.join(FILE))?;
    let file = match found {
        Some(file) if file.root == root => file,
        Some(file) if !is_alive(&file) => {
            let root = root.to_path_buf();
            let moved = CheckoutFile {
                root: root.clone(),
                ..file
            };
            write(root.as_path(), moved, Placing::Replace)?
        }
        Some(_) => write(root, new_file(root, name)?, Placing::Replace)?,
        None => write(root, new_file(root, name)?, Placing::First)?,
    };
    Ok(file.checkout(run))
}

/// The checkout at `root`, when it has been used; for what must work without manifests.
///
/// # Errors
/// When its file cannot be read, or `.gantline/run` holds a link.
pub fn existing(root: &Path) -> Result<Option<Checkout>> {
    let run = run_folder(root)?;
    let found = read(&run.join(FILE))?;
    let own = found.filter(|file| file.root == root || !is_alive(file));
    Ok(own.map(|file| file.checkout(run)))
}

impl CheckoutFile {
    fn checkout(self, run: PathBuf) -> Checkout {
        Checkout {
            run,
            stack: self.stack,
            key: Secret::new(self.key),
        }
    }
}

fn new_file(root: &Path, name: &str) -> Result<CheckoutFile> {
    let key = random::hexadecimal::<KEY_BYTES>()?;
    let digest = Sha256::digest(format!("id {key}"));
    let id = digest.iter().take(ID_BYTES);
    let id: String = id.map(|byte| format!("{byte:02x}")).collect();
    Ok(CheckoutFile {
        stack: format!("{name}-{id}"),
        key,
        root: root.to_path_buf(),
    })
}

/// Makes `.gantline/run` and a folder in it, for what a command leaves for its next run.
///
/// # Errors
/// When it cannot be written, or holds a link.
pub fn scratch_folder(root: &Path, name: &str) -> Result<PathBuf> {
    let run = run_folder(root)?;
    make_run_folder(&run, false).map_err(|error| unusable(&run, error))?;
    let folder = run.join(name);
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
    Ok(folder)
}

/// Whether the workspace at the place that a file names still has the same key.
fn is_alive(file: &CheckoutFile) -> bool {
    let original = file.root.join(RUN_FOLDER).join(FILE);
    matches!(read(&original), Ok(Some(found)) if found.key == file.key)
}

fn read(path: &Path) -> Result<Option<CheckoutFile>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, error)),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::failed(format!("cannot use {}", path.display()))
            .because(error)
            .hint("Delete the file: the next `up` makes a new one, and does not find the old data")
    })
}

/// How a checkout's file takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placing {
    /// Whatever was there.
    Replace,
    /// Unless another command made one meanwhile: its key counts.
    First,
}

fn write(root: &Path, file: CheckoutFile, placing: Placing) -> Result<CheckoutFile> {
    let run = &root.join(RUN_FOLDER);
    let path = run.join(FILE);
    let failed = |error: std::io::Error| unusable(&path, error);
    make_run_folder(run, false).map_err(|error| unusable(run, error))?;
    let text = serde_json::to_vec(&file).map_err(|error| failed(error.into()))?;
    let mut temporary = tempfile::NamedTempFile::new_in(run).map_err(failed)?;
    temporary.write_all(&text).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    let placed = match placing {
        Placing::Replace => temporary.persist(&path),
        Placing::First => temporary.persist_noclobber(&path),
    };
    match placed.map_err(|error| error.error) {
        Ok(_) => Ok(file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(&path)?.ok_or_else(|| failed(error))
        }
        Err(error) => Err(failed(error)),
    }
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    let way_out = way_out(&error);
    Error::failed(format!("cannot use {}", path.display()))
        .because(error)
        .hint(way_out)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_checkout_stays_itself_and_two_differ() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = checkout(one.path(), "shop").unwrap();
        assert_eq!(first, checkout(one.path(), "shop").unwrap());
        let second = checkout(other.path(), "shop").unwrap();
        assert_ne!(first.stack, second.stack);
        assert_ne!(first.key, second.key);
        assert!(first.stack.starts_with("shop-"));
        assert_eq!(existing(one.path()).unwrap(), Some(first));
    }

    #[test]
    fn first_commands_at_the_same_time_make_one_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<Checkout> = std::thread::scope(|scope| {
            let first = || checkout(folder.path(), "shop").unwrap();
            let commands: Vec<_> = (0..8).map(|_| scope.spawn(first)).collect();
            let ended = commands.into_iter().map(|command| command.join().unwrap());
            ended.collect()
        });
        let kept = checkout(folder.path(), "shop").unwrap();
        assert!(made.iter().all(|it| *it == kept), "{made:?}");
    }

    #[test]
    fn a_copy_is_a_checkout_of_its_own_and_a_moved_one_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let original = checkout(&old, "shop").unwrap();
        fs::create_dir_all(new.join(".gantline/run")).unwrap();
        let file = ".gantline/run/checkout.json";
        fs::copy(old.join(file), new.join(file)).unwrap();
        assert_ne!(checkout(&new, "shop").unwrap().stack, original.stack);
        let moved = folder.path().join("moved");
        fs::rename(&old, &moved).unwrap();
        assert_eq!(checkout(&moved, "renamed").unwrap().stack, original.stack);
    }

    #[test]
    fn the_key_is_private_and_git_does_not_see_it() {
        let folder = tempfile::tempdir().unwrap();
        let run = checkout(folder.path(), "shop").unwrap().run;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&run), 0o700);
        assert_eq!(mode(&run.join(FILE)), 0o600);
        assert_eq!(fs::read_to_string(run.join(".gitignore")).unwrap(), "*\n");
    }
}
