//! One command at a time changes a stack.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::files::{holder, lock_within, note_holder, open_lock};
use crate::error::{Error, Result};
use crate::model::event::EventSink;

/// The file that is locked while the stack changes.
const LOCK: &str = "stack.lock";
/// `status` holds it for an instant, to see whether somebody does.
const INSTANT: Duration = Duration::from_millis(50);
/// How long another command is waited for where the stack must be cleared after it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// The lock of a stack, until it is dropped or the process ends.
#[derive(Debug)]
pub struct StackLock {
    file: File,
    is_marked: bool,
}

impl StackLock {
    /// Gives the lock back as one whose holder was killed: what that one left is not cleared yet.
    pub(super) fn leave_marked(mut self) {
        self.is_marked = true;
    }
}

impl Drop for StackLock {
    /// Takes the holder's name back: one that is still there was killed.
    fn drop(&mut self) {
        if !self.is_marked {
            let _ = self.file.set_len(0);
        }
    }
}

/// Whether a command was killed while it changed the stack, and none has cleared it since.
pub(super) fn was_left(run: &Path) -> bool {
    let named = fs::metadata(run.join(LOCK)).is_ok_and(|metadata| metadata.len() > 0);
    named && !is_held(run)
}

/// Whether a command is changing the stack now.
pub(super) fn is_held(run: &Path) -> bool {
    let file = File::open(run.join(LOCK));
    file.is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Takes the lock of the stack whose files are in this folder.
///
/// # Errors
/// When another command holds it, which is named.
pub(in crate::actions) fn lock(run: &Path) -> Result<StackLock> {
    let mut file = open(run)?;
    match lock_within(&file, INSTANT).map_err(|error| cannot_open(run, error))? {
        true => taken(file, run),
        false => Err(held_by(&holder(&mut file))),
    }
}

/// The same, which waits for another command and says so.
///
/// # Errors
/// When that one takes long.
pub(super) async fn lock_when_free(run: &Path, events: &dyn EventSink) -> Result<StackLock> {
    let mut file = open(run)?;
    let deadline = Instant::now() + PATIENCE;
    let mut is_said = false;
    while file.try_lock().is_err() {
        let holder = holder(&mut file);
        if Instant::now() > deadline {
            return Err(held_by(&holder));
        }
        if !is_said {
            events.note(format!(
                "waiting for {holder}, which is changing this stack"
            ));
            is_said = true;
        }
        sleep(LOOK).await;
    }
    taken(file, run)
}

fn open(run: &Path) -> Result<File> {
    open_lock(&run.join(LOCK)).map_err(|error| cannot_open(run, error))
}

fn taken(mut file: File, run: &Path) -> Result<StackLock> {
    note_holder(&mut file).map_err(|error| cannot_open(run, error))?;
    Ok(StackLock {
        file,
        is_marked: false,
    })
}

fn cannot_open(run: &Path, error: std::io::Error) -> Error {
    let path = run.join(LOCK);
    Error::failed(format!("cannot open {}", path.display())).because(error)
}

fn held_by(holder: &str) -> Error {
    Error::failed(format!("{holder} is changing this stack"))
        .hint("Wait until it is done, or stop it with Ctrl-C where it runs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RecordingReporter;

    #[tokio::test]
    async fn who_must_clear_a_stack_waits_for_the_one_who_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let events = RecordingReporter::default();
        let first = lock(folder.path()).unwrap();
        assert!(lock(folder.path()).is_err());
        let (second, ()) = tokio::join!(lock_when_free(folder.path(), &events), async {
            sleep(LOOK * 3).await;
            drop(first);
        });
        assert!(is_held(folder.path()));
        drop(second.unwrap());
        assert!(!is_held(folder.path()));
    }

    #[test]
    fn what_a_killed_command_left_stays_known_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!was_left(folder.path()));
        let held = lock(folder.path()).unwrap();
        assert!(!was_left(folder.path()), "it is held");
        drop(held);
        assert!(!was_left(folder.path()), "it was given back");
        // The kernel releases the lock of whoever is killed; its name stays.
        fs::write(folder.path().join(LOCK), "4711").unwrap();
        assert!(was_left(folder.path()));
        lock(folder.path()).unwrap().leave_marked();
        assert!(was_left(folder.path()));
        drop(lock(folder.path()).unwrap());
        assert!(!was_left(folder.path()));
    }
}
