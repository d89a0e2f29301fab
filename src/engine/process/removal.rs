//! Removes what an instance left on disk.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};

/// How long a compiler that outlived the command which was killed may go on writing.
const OUTLIVES: Duration = Duration::from_secs(10);
/// How soon is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Removes a file or a folder with all that is in it; one that is absent is fine.
///
/// # Errors
/// When it cannot be removed, or somebody goes on writing there.
pub(super) async fn remove(path: &Path) -> Result<()> {
    let deadline = Instant::now() + OUTLIVES;
    loop {
        match remove_now(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                if Instant::now() > deadline {
                    return Err(stays(path, error));
                }
                sleep(LOOK_AGAIN).await;
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(stays(path, error)),
            _ => return Ok(()),
        }
    }
}

fn remove_now(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path)?.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

fn stays(path: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("cannot remove {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_somebody_still_writes_to_goes_once_that_one_is_done() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("bin");
        std::fs::create_dir(&folder).unwrap();
        let written = folder.clone();
        let compiler = std::thread::spawn(move || {
            for number in 0..3000 {
                let _gone = std::fs::write(written.join(number.to_string()), "");
            }
        });
        remove(&folder).await.unwrap();
        compiler.join().unwrap();
        assert!(!folder.exists());
        remove(&folder).await.unwrap();
    }
}
