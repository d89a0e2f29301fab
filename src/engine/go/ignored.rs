//! Go files that git ignores: Go compiles them where they lie, and no image holds them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{QUESTION, absent_or};
use crate::engine::program::ProgramCall;
use crate::engine::source::ignored_files;
use crate::error::{Error, Result};

/// How many files a warning names.
const NAMED: usize = 3;
/// What `go list` says of a package: the files that are compiled.
const FILES: &str = "{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}\
                     {{range .CgoFiles}}{{$.Dir}}/{{.}}\n{{end}}";

/// Says which files go into the program of a package, or of all packages below `./...`, on this host
/// and into no image; `None` where there are none, or Go cannot tell.
pub async fn warning_of_ignored(service: &str, directory: &Path, package: &str) -> Option<String> {
    let ignored = ignored_go_files(directory).await.ok()?;
    if ignored.is_empty() {
        return None;
    }
    let compiled = compiled_files(directory, package).await.ok()?;
    let found: Vec<&PathBuf> = ignored
        .iter()
        .filter(|path| compiled.contains(&directory.join(path)))
        .collect();
    let named = found.iter().take(NAMED).map(|path| path.display());
    let named: Vec<String> = named.map(|path| path.to_string()).collect();
    let more = match found.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!found.is_empty()).then(|| {
        format!(
            "{service}: git ignores {}{more}, compiled here and into no image",
            named.join(", ")
        )
    })
}

/// Paths below a folder of what git ignores and Go may compile; without tests, which are in no
/// program.
async fn ignored_go_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let directory = directory.to_path_buf();
    let found = tokio::task::spawn_blocking(move || ignored_files(&directory)).await;
    let found = found
        .map_err(|error| Error::failed("reading the source was cut off").because(error))
        .and_then(|found| found)?;
    let is_go = |path: &PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".go") && !name.ends_with("_test.go")
    };
    Ok(found.into_iter().filter(is_go).collect())
}

async fn compiled_files(directory: &Path, package: &str) -> Result<BTreeSet<PathBuf>> {
    let finished = ProgramCall::new("go", QUESTION)
        .arguments(["list", "-e", "-deps", "-f", FILES, package])
        .directory(directory)
        .run(|_line| {})
        .await
        .map_err(absent_or("go does not list its files"))?;
    Ok(finished.output.lines().map(PathBuf::from).collect())
}
