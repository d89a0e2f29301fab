//! What the file system says of a file without reading it, to tell whether it was touched.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// File systems keep times as coarsely as this; what was written since may bear the time before.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// What is at a path, as far as it can be told without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Nothing.
    Absent,
    /// A file or a folder.
    Here(Stamp),
    /// Something that changes without its stamp, such as a link, or that cannot be looked at.
    Unclear,
}

/// Size, times and identity of a file or folder. Two equal stamps of one path mean that it was not
/// written, replaced, nor moved in between, as in git's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Kind and permissions, as in `stat(2)`.
    mode: u32,
    /// Its number in the file system.
    inode: u64,
    /// Bytes.
    size: u64,
    /// When its content changed, as seconds and nanoseconds since 1970.
    modified: (i64, i64),
    /// When its content, permissions or name changed, likewise.
    changed: (i64, i64),
}

impl Sight {
    /// What is at a place on disk.
    pub fn of(place: &Path) -> Self {
        match fs::symlink_metadata(place) {
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => Self::Here(Stamp {
                mode: metadata.mode(),
                inode: metadata.ino(),
                size: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::Absent,
            Ok(_) | Err(_) => Self::Unclear,
        }
    }

    /// Whether it surely was so at this time: who read it then has read what is there.
    pub fn was_so_at(&self, time: SystemTime) -> bool {
        match self {
            Self::Absent => true,
            Self::Here(stamp) => stamp.is_older_than(time),
            Self::Unclear => false,
        }
    }
}

impl Stamp {
    fn is_older_than(&self, time: SystemTime) -> bool {
        let Some(time) = time.checked_sub(COARSEST_CLOCK) else {
            return false;
        };
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        let latest = self.modified.0.max(self.changed.0);
        u64::try_from(latest).is_ok_and(|latest| latest < seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_looks_the_same_until_it_is_written_though_its_time_is_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        fs::write(&place, "one").unwrap();
        let modified = fs::metadata(&place).unwrap().modified().unwrap();
        let first = Sight::of(&place);
        assert_eq!(Sight::of(&place), first);
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&place, "two").unwrap();
        let file = fs::File::options().write(true).open(&place).unwrap();
        file.set_modified(modified).unwrap();
        assert_ne!(Sight::of(&place), first);
    }

    #[test]
    fn a_file_that_takes_the_place_of_another_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let (place, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&place, "one").unwrap();
        fs::write(&other, "two").unwrap();
        let first = Sight::of(&place);
        fs::rename(&other, &place).unwrap();
        assert_ne!(Sight::of(&place), first);
    }

    #[test]
    fn a_link_is_unclear_since_what_it_leads_to_changes_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert_eq!(Sight::of(&link), Sight::Unclear);
        assert!(!Sight::Unclear.was_so_at(SystemTime::now()));
        assert_eq!(Sight::of(&folder.path().join("absent")), Sight::Absent);
    }

    #[test]
    fn what_was_just_written_may_have_been_written_after_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        fs::write(&place, "one").unwrap();
        let now = SystemTime::now();
        let hour = Duration::from_secs(3600);
        assert!(!Sight::of(&place).was_so_at(now));
        assert!(!Sight::of(&place).was_so_at(now - hour));
        assert!(Sight::of(&place).was_so_at(now + hour));
    }
}
