//! Ends what a killed command left behind.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use super::journal::{Journal, Places, Step, clear_staging};
use super::lock::WorkspaceLock;
use super::storage::{DiskStorage, Storage};

/// Which way an unfinished transaction was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// All of its changes were made.
    Forward,
    /// None of its changes remain.
    Back,
}

/// What [`recover`] did, for people to know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovery {
    /// Which way.
    pub direction: Direction,
    /// How many files the interrupted command was changing.
    pub files: usize,
    /// Files edited since then, which were left as they are.
    pub left: Vec<String>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match self.files {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        let what = match self.direction {
            Direction::Forward => "its changes were completed",
            Direction::Back => "its changes were taken back",
        };
        write!(
            formatter,
            "an earlier command was killed while it changed {files}: {what}"
        )?;
        if self.left.is_empty() {
            return Ok(());
        }
        write!(
            formatter,
            "; edited since then and left alone: {}",
            self.left.join(", ")
        )
    }
}

/// Completes or takes back what a killed command left unfinished in the workspace at `root`, so
/// that its tree is the old one or the new one; `None` when there is nothing to do.
///
/// # Errors
/// When another gantline is writing, or the disk refuses.
pub fn recover(root: &Path) -> Result<Option<Recovery>> {
    recover_with(root, &DiskStorage)
}

/// [`recover`] on another storage, for tests.
///
/// # Errors
/// As [`recover`].
pub fn recover_with(root: &Path, storage: &dyn Storage) -> Result<Option<Recovery>> {
    if !Places::of(root).journal.exists() {
        return Ok(None);
    }
    let _lock = WorkspaceLock::acquire(root)?;
    recover_locked(root, storage)
}

/// The same, when the lock is held already.
pub(super) fn recover_locked(root: &Path, storage: &dyn Storage) -> Result<Option<Recovery>> {
    let places = Places::of(root);
    let Some(journal) = Journal::read(&places)? else {
        clear_staging(&places, storage).map_err(|error| stuck(&places, error))?;
        return Ok(None);
    };
    for folder in &journal.folders {
        places.inside(folder)?;
    }
    let mut steps = Vec::new();
    for (number, step) in journal.steps.iter().enumerate() {
        steps.push(Progress::of(&places, number, step)?);
    }
    let recovery = if goes_back(&steps) {
        roll_back(&places, &journal, storage)?
    } else {
        roll_forward(&places, &steps, storage).map_err(|error| stuck(&places, error))?
    };
    finish(&places, &journal, storage).map_err(|error| stuck(&places, error))?;
    Ok(Some(recovery))
}

fn stuck(places: &Places, error: io::Error) -> Error {
    Error::failed(format!(
        "an earlier command was killed, and what it left in `{}` cannot be completed",
        places.root.display()
    ))
    .because(error)
    .hint("Remove the cause, then run any gantline command again: it goes on from there")
}

/// How far a step came.
struct Progress<'a> {
    number: usize,
    step: &'a Step,
    target: PathBuf,
    is_staged: bool,
    state: StepState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    Done,
    Pending,
    /// Somebody changed the file since then.
    Edited,
}

impl<'a> Progress<'a> {
    fn of(places: &Places, number: usize, step: &'a Step) -> Result<Self> {
        let target = places.inside(&step.path)?;
        let is_staged = places.staged(number).exists();
        let state = match Places::current(&target) {
            // Content that stays (a change of permissions) tells nothing; staged content does.
            Ok(current) if step.before == step.after && current == step.after => {
                if is_staged {
                    StepState::Pending
                } else {
                    StepState::Done
                }
            }
            Ok(current) if current == step.after => StepState::Done,
            Ok(current) if current == step.before => StepState::Pending,
            Ok(_) | Err(_) => StepState::Edited,
        };
        Ok(Self {
            number,
            step,
            target,
            is_staged,
            state,
        })
    }

    /// Edited before its turn came, so that going forward would lose the edit.
    fn was_edited_before(&self) -> bool {
        self.state == StepState::Edited && (self.is_staged || self.step.after.is_none())
    }
}

/// Forward is the rule. Back when that began already, or when only it loses no edit.
fn goes_back(steps: &[Progress<'_>]) -> bool {
    let began_back = steps.iter().any(|progress| {
        progress.state == StepState::Pending && progress.step.after.is_some() && !progress.is_staged
    });
    let edited_before = steps.iter().any(Progress::was_edited_before);
    let edited_after = steps
        .iter()
        .any(|progress| progress.state == StepState::Edited && !progress.was_edited_before());
    began_back || (edited_before && !edited_after)
}

fn roll_forward(
    places: &Places,
    steps: &[Progress<'_>],
    storage: &dyn Storage,
) -> io::Result<Recovery> {
    let mut left = Vec::new();
    for progress in steps {
        match progress.state {
            StepState::Done => {}
            StepState::Edited => left.push(progress.step.path.clone()),
            StepState::Pending if progress.step.after.is_some() => {
                make_parents(&places.root, &progress.target, storage)?;
                storage.rename(&places.staged(progress.number), &progress.target)?;
            }
            StepState::Pending => storage.remove_file(&progress.target)?,
        }
    }
    Ok(Recovery {
        direction: Direction::Forward,
        files: steps.len(),
        left,
    })
}

/// Takes back every step that was done; used by a transaction that fails half-way, too.
pub(super) fn roll_back(
    places: &Places,
    journal: &Journal,
    storage: &dyn Storage,
) -> Result<Recovery> {
    let mut left = Vec::new();
    for (number, step) in journal.steps.iter().enumerate().rev() {
        let progress = Progress::of(places, number, step)?;
        match progress.state {
            StepState::Pending => {}
            StepState::Edited => left.push(step.path.clone()),
            StepState::Done => {
                take_back(places, &progress, storage).map_err(|error| stuck(places, error))?;
            }
        }
    }
    for folder in journal.folders.iter().rev() {
        storage
            .remove_empty_folder(&places.inside(folder)?)
            .map_err(|error| stuck(places, error))?;
    }
    left.sort();
    Ok(Recovery {
        direction: Direction::Back,
        files: journal.steps.len(),
        left,
    })
}

fn take_back(places: &Places, progress: &Progress<'_>, storage: &dyn Storage) -> io::Result<()> {
    let kept = places.kept(progress.number);
    if progress.step.before.is_none() {
        return storage.remove_file(&progress.target);
    }
    if !kept.exists() {
        // Restored by an earlier attempt, or its content never changed.
        return Ok(());
    }
    storage.rename(&kept, &progress.target)
}

/// Makes what was renamed durable, then forgets the transaction.
pub(super) fn finish(places: &Places, journal: &Journal, storage: &dyn Storage) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for step in &journal.steps {
        let parents = Path::new(&step.path).ancestors().skip(1);
        let existing = parents
            .map(|parent| places.root.join(parent))
            .find(|folder| folder.is_dir());
        folders.extend(existing);
    }
    // The name of a new folder is in the one above it.
    let above = journal.folders.iter().filter_map(|folder| {
        let above = places.root.join(folder).parent()?.to_path_buf();
        above.is_dir().then_some(above)
    });
    folders.extend(above);
    storage.sync(&folders.into_iter().collect::<Vec<_>>())?;
    Journal::remove(places, storage)?;
    clear_staging(places, storage)
}

/// Makes the folders above a file that are missing.
pub(super) fn make_parents(root: &Path, target: &Path, storage: &dyn Storage) -> io::Result<()> {
    let mut missing = Vec::new();
    for parent in target.ancestors().skip(1) {
        if parent == root || parent.is_dir() {
            break;
        }
        missing.push(parent);
    }
    missing
        .into_iter()
        .rev()
        .try_for_each(|folder| storage.make_folder(folder, false))
}
