//! Edits of generated code, and the next version of the blueprints that it was generated from.

use std::fs;
use std::path::Path;

use crate::actions::upgrade::{Upgrade, UpgradeRequest};
use crate::config::catalog;
use crate::error::{Error, Result};
use crate::model::plan::{FileChange, Outcome};

/// The blueprint that the others extend, in which the next version differs.
const CHANGED: &str = "go-base";
/// The blueprints that the services are made from.
const USED: [&str; 2] = ["go-service", "go-worker"];
/// Where a blueprint says its version.
const MANIFEST: &str = "blueprint.yaml";
/// What every service has in common, in a service and in the blueprint.
const FILE: &str = "internal/platform/lifecycle/supervisor.go";
const TEMPLATE: &str = "go-base/base/internal/platform/lifecycle/supervisor.go.tera";
/// What an owner of a service changes in it.
const EDIT: Change = Change {
    from: "`env:\"SHUTDOWN_TIMEOUT\" envDefault:\"20s\"`",
    to: "`env:\"SHUTDOWN_TIMEOUT\" envDefault:\"30s\"`",
};
/// What the next version changes in the same file.
const NEWER: Change = Change {
    from: "const closeTimeout = 3 * time.Second",
    to: "const closeTimeout = 4 * time.Second",
};

/// A text, and what stands there instead.
struct Change {
    from: &'static str,
    to: &'static str,
}

/// What an upgrade brought to edited services.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Upgraded {
    /// What became of each file that changed.
    pub files: Vec<FileChange>,
    /// The line of these files that had been edited before, as it stands there.
    pub edited: String,
    /// The line of them that the next version brought.
    pub newer: String,
}

/// Changes a line in each service, as its owner would; what it did, for people.
///
/// # Errors
/// When a file is not as it was generated, or cannot be written.
pub fn edit(workspace: &Path, services: &[&str]) -> Result<String> {
    for service in services {
        let file = file_of(service);
        let text = read(workspace, &file)?;
        write(workspace, &file, &EDIT.made_in(&text, &file)?)?;
    }
    let told = EDIT.told();
    Ok(format!(
        "editing a line in each service, as you would: {told} in services/*/{FILE}"
    ))
}

/// Puts the next version of the blueprints into the workspace; what is new there, for people.
///
/// # Errors
/// When a blueprint of the program is not as expected, or a file cannot be written.
pub fn offer(workspace: &Path) -> Result<String> {
    let mut offered = Vec::new();
    for name in USED.into_iter().chain([CHANGED]) {
        for (path, bytes) in catalog::embedded_folder(name) {
            let file = format!("{}/{path}", catalog::FOLDER);
            if path == TEMPLATE {
                write(
                    workspace,
                    &file,
                    &NEWER.made_in(&text(bytes, &file)?, &file)?,
                )?;
            } else if USED.iter().any(|used| path == format!("{used}/{MANIFEST}")) {
                let (raised, version) = raise(&text(bytes, &file)?, &file)?;
                write(workspace, &file, &raised)?;
                offered.push(format!("{name}@{version}"));
            } else {
                write(workspace, &file, bytes)?;
            }
        }
    }
    Ok(format!(
        "the next version of the blueprints, {}, in {}/: {}",
        offered.join(" and "),
        catalog::FOLDER,
        NEWER.told()
    ))
}

/// The files that an upgrade would change now, those with edits first.
///
/// # Errors
/// When it cannot be planned.
pub fn planned(workspace: &Path) -> Result<Vec<FileChange>> {
    let upgrade = Upgrade::prepare(workspace, &UpgradeRequest::default())?;
    let changes = upgrade.plan.changes.into_iter();
    let mut written: Vec<FileChange> = changes.filter(|change| change.outcome.writes()).collect();
    written.sort_by_key(|change| change.outcome != Outcome::Merged);
    Ok(written)
}

/// Reads the services after an upgrade that was to change these files.
///
/// # Errors
/// When an edit is lost, or the next version did not reach a service.
pub fn upgraded(workspace: &Path, services: &[&str], files: Vec<FileChange>) -> Result<Upgraded> {
    let (mut edited, mut newer) = (String::new(), String::new());
    for service in services {
        let file = file_of(service);
        let text = read(workspace, &file)?;
        edited = line_with(&text, EDIT.to)
            .ok_or_else(|| Error::failed(format!("the edit of {file} is lost")))?;
        newer = line_with(&text, NEWER.to)
            .ok_or_else(|| Error::failed(format!("the next version did not reach {file}")))?;
    }
    Ok(Upgraded {
        files,
        edited,
        newer,
    })
}

impl Change {
    fn made_in(&self, text: &str, file: &str) -> Result<String> {
        if !text.contains(self.from) {
            return Err(Error::failed(format!("{file} has no {}", self.from)));
        }
        Ok(text.replace(self.from, self.to))
    }

    fn told(&self) -> String {
        format!("{} becomes {}", self.from, self.to)
    }
}

/// The text of a blueprint's manifest with the next version, and that.
fn raise(manifest: &str, file: &str) -> Result<(String, u32)> {
    let version = manifest.lines().find_map(|line| {
        let version = line.strip_prefix("version: ")?;
        version.trim().parse::<u32>().ok()
    });
    let version = version.ok_or_else(|| Error::failed(format!("{file} has no version")))?;
    let next = version + 1;
    let raised = manifest.replacen(
        &format!("version: {version}\n"),
        &format!("version: {next}\n"),
        1,
    );
    Ok((raised, next))
}

fn file_of(service: &str) -> String {
    format!("services/{service}/{FILE}")
}

fn line_with(text: &str, part: &str) -> Option<String> {
    let line = text.lines().find(|line| line.contains(part))?;
    Some(line.trim().to_owned())
}

fn text(bytes: Vec<u8>, file: &str) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|error| Error::failed(format!("{file} is no text")).because(error))
}

fn read(workspace: &Path, file: &str) -> Result<String> {
    fs::read_to_string(workspace.join(file))
        .map_err(|error| Error::failed(format!("cannot read {file}")).because(error))
}

fn write(workspace: &Path, file: &str, content: impl AsRef<[u8]>) -> Result<()> {
    let path = workspace.join(file);
    let cannot = |error| Error::failed(format!("cannot write {file}")).because(error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    fs::write(&path, content).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    const SERVICES: &[&str] = &["orders", "billing"];

    /// A workspace whose services hold this text.
    fn workspace(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for service in SERVICES {
            write(folder.path(), &file_of(service), text).unwrap();
        }
        folder
    }

    #[test]
    fn an_edit_changes_one_line_of_each_service_and_says_which() {
        let folder = workspace(&format!("a {} b\n", EDIT.from));
        let told = edit(folder.path(), SERVICES).unwrap();
        assert!(told.contains(EDIT.to), "{told}");
        for service in SERVICES {
            let text = read(folder.path(), &file_of(service)).unwrap();
            assert_eq!(text, format!("a {} b\n", EDIT.to));
        }
    }

    #[test]
    fn a_service_that_is_not_as_expected_is_left_alone() {
        let folder = workspace("mine\n");
        assert!(edit(folder.path(), SERVICES).is_err());
        let text = read(folder.path(), &file_of(SERVICES[0])).unwrap();
        assert_eq!(text, "mine\n");
    }

    #[test]
    fn the_next_version_is_offered_by_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let told = offer(folder.path()).unwrap();
        for name in USED {
            let before = catalog::newest(None, name).unwrap();
            let after = catalog::newest(Some(folder.path()), name).unwrap();
            assert_eq!(after.version, before.version + 1);
            assert_eq!(after.name, Name::new(name).unwrap());
            assert!(told.contains(&after.to_string()), "{told}");
            let blueprint = catalog::blueprint(Some(folder.path()), &after).unwrap();
            assert_ne!(blueprint, catalog::blueprint(None, &before).unwrap());
        }
    }

    #[test]
    fn what_an_upgrade_brought_is_read_back_from_the_files() {
        let folder = workspace(&format!("{}\n\tX {}\n", NEWER.to, EDIT.to));
        let found = upgraded(folder.path(), SERVICES, Vec::new()).unwrap();
        assert_eq!(found.newer, NEWER.to);
        assert_eq!(found.edited, format!("X {}", EDIT.to));
    }

    #[test]
    fn a_lost_edit_is_a_failure() {
        let folder = workspace(&format!("{}\n{}\n", NEWER.to, EDIT.from));
        let error = upgraded(folder.path(), SERVICES, Vec::new()).unwrap_err();
        assert_eq!(
            error.message(),
            format!("the edit of {} is lost", file_of(SERVICES[0]))
        );
    }

    #[test]
    fn a_service_without_the_next_version_is_a_failure() {
        let folder = workspace(&format!("{}\n{}\n", NEWER.from, EDIT.to));
        let error = upgraded(folder.path(), SERVICES, Vec::new()).unwrap_err();
        assert!(error.message().contains("did not reach"), "{error}");
    }
}
