//! Conflicts in git's index: a file whose three versions are there as stages 1 to 3 is "both
//! modified" to `git status`, and what `git mergetool` works on.
//!
//! Paths that go into the index are relative to the repository, which may lie above the
//! workspace; `--full-name` and `--show-prefix` say how they are called there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{PATIENCE, repository_of};
use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

/// A file that is in conflict, in its three versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerged<'a> {
    /// The file, relative to the workspace.
    pub path: &'a TreePath,
    /// The common ancestor: stage 1.
    pub base: &'a [u8],
    /// What the user had: stage 2.
    pub yours: &'a [u8],
    /// What was to come in: stage 3.
    pub generated: &'a [u8],
}

/// An entry of the index.
struct Entry {
    mode: String,
    object: String,
    /// Relative to the repository.
    path: String,
}

/// Puts conflicts into the index of the repository that a workspace lies in, and gives those
/// that are there now. Left out is what git does not track, and a file of which something else
/// is staged than is committed or on disk: that would be lost.
///
/// # Errors
/// When git is absent or refuses; the files themselves are as they were.
pub async fn mark_unmerged(root: &Path, files: &[Unmerged<'_>]) -> Result<Vec<TreePath>> {
    if files.is_empty() || repository_of(root).is_none() {
        return Ok(Vec::new());
    }
    let git = Git { root };
    let tracked = git.tracked(files).await?;
    let staged = git.staged(files).await?;
    let mut marked = Vec::new();
    let mut lines = Vec::new();
    for file in files {
        let Some(entry) = tracked.get(file.path.as_str()) else {
            continue;
        };
        let base = git.store(file.path, file.base).await?;
        let yours = git.store(file.path, file.yours).await?;
        let generated = git.store(file.path, file.generated).await?;
        if staged.contains(&entry.path) && entry.object != yours {
            continue;
        }
        let Entry { mode, path, .. } = entry;
        // A path with stages must not have an entry besides: mode 0 removes it.
        lines.push(format!("0 {}\t{path}\0", "0".repeat(base.len())));
        for (stage, object) in [(1, &base), (2, &yours), (3, &generated)] {
            lines.push(format!("{mode} {object} {stage}\t{path}\0"));
        }
        marked.push(file.path.clone());
    }
    if !lines.is_empty() {
        let update = git.call(["update-index", "-z", "--index-info"]);
        git.output(update.input(lines.concat())).await?;
    }
    Ok(marked)
}

/// Which of these files differ from what is committed, or are not committed at all; none outside
/// of a repository.
///
/// # Errors
/// When git is absent or refuses.
pub async fn uncommitted(root: &Path, paths: &[&TreePath]) -> Result<Vec<String>> {
    if paths.is_empty() || repository_of(root).is_none() {
        return Ok(Vec::new());
    }
    let git = Git { root };
    let status = git
        .call(["status", "--porcelain", "-z", "--no-renames", "--"])
        .arguments(paths.iter().map(|path| path.as_str()));
    let output = git.output(status).await?;
    let lines = output.split('\0').filter_map(|line| line.get(3..));
    Ok(lines.map(str::to_owned).collect())
}

struct Git<'a> {
    root: &'a Path,
}

impl Git<'_> {
    fn call<const COUNT: usize>(&self, arguments: [&str; COUNT]) -> ProgramCall {
        ProgramCall::new("git", PATIENCE)
            .argument("--literal-pathspecs")
            .arguments(arguments)
            .directory(self.root)
    }

    async fn output(&self, call: ProgramCall) -> Result<String> {
        let finished = call.run(|_| ()).await.map_err(|cause| {
            let absent = matches!(cause, CallError::Absent(_));
            let error = Error::failed("git could not be asked").because(cause);
            match absent {
                true => error.hint("Install git"),
                false => error,
            }
        })?;
        match finished.code {
            0 => Ok(finished.output),
            code => {
                Err(Error::failed(format!("git ended with {code}")).since(finished.last_words(3)))
            }
        }
    }

    /// The entries of these files in the index, by their path in the workspace. Links and
    /// submodules are none that could be merged.
    async fn tracked(&self, files: &[Unmerged<'_>]) -> Result<BTreeMap<String, Entry>> {
        let prefix = self
            .output(self.call(["rev-parse", "--show-prefix"]))
            .await?;
        let prefix = prefix.trim_end_matches('\n');
        let list = self.call(["ls-files", "--stage", "--full-name", "-z", "--"]);
        let output = self.output(list.arguments(paths(files))).await?;
        let entries = output.split('\0').filter_map(entry_of);
        Ok(entries
            .filter(|entry| entry.mode.starts_with("100"))
            .filter_map(|entry| Some((entry.path.strip_prefix(prefix)?.to_owned(), entry)))
            .collect())
    }

    /// The files of which something is staged, relative to the repository.
    async fn staged(&self, files: &[Unmerged<'_>]) -> Result<BTreeSet<String>> {
        let names = [
            "diff",
            "--cached",
            "--name-only",
            "--no-renames",
            "-z",
            "--",
        ];
        let output = self
            .output(self.call(names).arguments(paths(files)))
            .await?;
        Ok(output.split('\0').map(str::to_owned).collect())
    }

    /// Stores content as git would store this file, and gives its name there.
    async fn store(&self, path: &TreePath, bytes: &[u8]) -> Result<String> {
        let store = self
            .call(["hash-object", "-w", "--stdin"])
            .argument(format!("--path={path}"))
            .input(bytes);
        Ok(self.output(store).await?.trim_end().to_owned())
    }
}

fn paths<'a>(files: &'a [Unmerged<'a>]) -> impl Iterator<Item = &'a str> {
    files.iter().map(|file| file.path.as_str())
}

/// `MODE OBJECT STAGE<tab>PATH`.
fn entry_of(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut words = head.split(' ');
    Some(Entry {
        mode: words.next()?.to_owned(),
        object: words.next()?.to_owned(),
        path: path.to_owned(),
    })
}
