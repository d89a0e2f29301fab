//! git, called as a program.

mod unmerged;

pub use unmerged::{Unmerged, mark_unmerged, uncommitted};

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};

/// How long git may take to make a repository.
const PATIENCE: Duration = Duration::from_secs(30);

/// The repository that a folder belongs to: the nearest folder above it with a `.git`, which is
/// a file in a worktree.
pub fn repository_of(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_path_buf)
}

/// Whether git was told to leave files of the repository that a folder belongs to out of the
/// checkout (gitrepository-layout, `info/sparse-checkout`).
pub fn is_partly_checked_out(folder: &Path) -> bool {
    let Some(repository) = repository_of(folder) else {
        return false;
    };
    let place = repository.join(".git");
    // In a worktree it is a file that says where the folder is.
    let said = fs::read_to_string(&place).unwrap_or_default();
    let elsewhere = said.strip_prefix("gitdir:").map(str::trim);
    let git = elsewhere.map_or(place, |elsewhere| repository.join(elsewhere));
    git.join("info/sparse-checkout").exists()
}

/// Makes a repository in a folder.
///
/// # Errors
/// When git is absent or refuses.
pub async fn init(folder: &Path) -> Result<()> {
    let call = ProgramCall::new("git", PATIENCE)
        .arguments(["init", "--quiet"])
        .directory(folder);
    let finished = call.run(|_| ()).await.map_err(|cause| {
        let absent = matches!(cause, CallError::Absent(_));
        let error = Error::missing("git cannot make a repository").because(cause);
        match absent {
            true => error.hint("Install git, then run `git init` in the workspace"),
            false => error.hint("Run `git init` in the workspace"),
        }
    })?;
    match finished.code {
        0 => Ok(()),
        code => Err(Error::failed(format!("git init ended with {code}"))
            .since(finished.last_words(3))
            .hint("Run `git init` in the workspace")),
    }
}
