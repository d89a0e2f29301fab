//! The log of one instance: bounded on disk, however fast it is written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::engine::files::own_file;

/// A log is turned over at this size; with the one before it, an instance keeps twice as much.
pub const LOG_LIMIT: u64 = 8 * 1024 * 1024;

/// A line this long is cut by the turn-over rather than waited for.
const LONGEST_LINE: u64 = 1024 * 1024;

/// Writes a log and turns it over: `NAME.log` becomes `NAME.log.1`, whose old content goes.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    file: File,
    written: u64,
    limit: u64,
}

impl LogWriter {
    /// Begins a log for a process that starts; that of the start before is turned over, so that
    /// nobody takes its lines for those of this one.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn begin(path: &Path, limit: u64) -> io::Result<Self> {
        let mut writer = Self {
            path: path.to_path_buf(),
            file: create(path)?,
            written: 0,
            limit,
        };
        if writer.file.metadata()?.len() > 0 {
            writer.turn_over()?;
        }
        Ok(writer)
    }

    /// Appends what a process wrote, turning the log over between two lines when it is full.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.written < self.limit {
                let room = usize::try_from(self.limit - self.written).unwrap_or(usize::MAX);
                let (now, later) = rest.split_at(room.min(rest.len()));
                self.write(now)?;
                rest = later;
                continue;
            }
            let line_end = rest.iter().position(|byte| *byte == b'\n');
            let (now, later) = rest.split_at(line_end.map_or(rest.len(), |at| at + 1));
            self.write(now)?;
            rest = later;
            if line_end.is_some() || self.written >= self.limit + LONGEST_LINE {
                self.turn_over()?;
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn turn_over(&mut self) -> io::Result<()> {
        match std::fs::rename(&self.path, previous(&self.path)) {
            // An earlier one came as far as this, and could not make the new log then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        self.file = create(&self.path)?;
        self.written = 0;
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    own_file().append(true).open(path)
}

/// Where the log before the last turn-over lies.
pub fn previous(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// The last `count` lines of a log, turned-over part included; none when there is no log.
///
/// # Errors
/// Any error of the file system but the absence of the log.
pub fn last_lines(path: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut lines = lines_from_end(path, count)?;
    if lines.len() < count {
        let mut earlier = lines_from_end(&previous(path), count - lines.len())?;
        earlier.append(&mut lines);
        lines = earlier;
    }
    Ok(lines)
}

/// The last `count` lines of a log since its last turn-over: those of the last start, as far as
/// they fit.
///
/// # Errors
/// As [`last_lines`].
pub fn lines_from_end(path: &Path, count: usize) -> io::Result<Vec<String>> {
    const BLOCK: u64 = 64 * 1024;
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut start = file.metadata()?.len();
    let mut tail = Vec::new();
    // One line break more than lines: the one that ends the line before them.
    while start > 0 && tail.iter().filter(|byte| **byte == b'\n').count() <= count {
        let size = start.min(BLOCK);
        start -= size;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        (&mut file).take(size).read_to_end(&mut block)?;
        block.append(&mut tail);
        tail = block;
    }
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    Ok(lines[from..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect())
}

/// Reads what is added to a log, across turn-overs.
#[derive(Debug)]
pub struct LogFollower {
    path: PathBuf,
    file: Option<File>,
    partial: Vec<u8>,
}

impl LogFollower {
    /// Follows from the log's end as it is now.
    ///
    /// # Errors
    /// Any error of the file system but the absence of the log.
    pub fn at_end(path: &Path) -> io::Result<Self> {
        let mut follower = Self {
            path: path.to_path_buf(),
            file: None,
            partial: Vec::new(),
        };
        follower.open()?;
        if let Some(file) = &mut follower.file {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(follower)
    }

    fn open(&mut self) -> io::Result<()> {
        self.file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        Ok(())
    }

    /// The lines that were completed since the last call, at most a mebibyte of them.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn new_lines(&mut self) -> io::Result<Vec<String>> {
        if self.file.is_none() {
            self.open()?;
        }
        let mut bytes = std::mem::take(&mut self.partial);
        if self.read(&mut bytes)? == 0 && self.turned_over()? {
            // What was added between the two: nobody writes to the old file any more.
            while self.read(&mut bytes)? > 0 {}
            self.open()?;
            self.read(&mut bytes)?;
        }
        let complete = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if bytes.len() as u64 >= LONGEST_LINE => bytes.len(),
            None => 0,
        };
        self.partial = bytes.split_off(complete);
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The last words of a process that ended in the middle of a line.
    pub fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }

    fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.take(LONGEST_LINE).read_to_end(bytes),
            None => Ok(0),
        }
    }

    fn turned_over(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let now = match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other?,
        };
        Ok(now.ino() != file.metadata()?.ino())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn numbered(range: std::ops::Range<u32>) -> String {
        range.map(|number| format!("line {number:06}\n")).collect()
    }

    #[test]
    fn a_log_is_turned_over_between_two_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut writer = LogWriter::begin(&path, 100).unwrap();
        writer.append(numbered(0..30).as_bytes()).unwrap();
        let now = std::fs::read_to_string(&path).unwrap();
        let before = std::fs::read_to_string(previous(&path)).unwrap();
        assert!(
            before.starts_with("line ") && before.ends_with('\n'),
            "{before}"
        );
        assert!(now.is_empty() || now.starts_with("line "), "{now}");
        assert_eq!(
            last_lines(&path, 2).unwrap(),
            ["line 000028", "line 000029"]
        );
    }

    #[test]
    fn a_turn_over_that_ended_half_way_is_completed_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut writer = LogWriter::begin(&path, 20).unwrap();
        std::fs::rename(&path, previous(&path)).unwrap();
        writer.append(numbered(0..2).as_bytes()).unwrap();
        writer.append(b"afterwards\n").unwrap();
        assert_eq!(last_lines(&path, 2).unwrap(), ["line 000001", "afterwards"]);
        assert_eq!(lines_from_end(&path, 2).unwrap(), ["afterwards"]);
    }

    #[test]
    fn a_flood_fills_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut writer = LogWriter::begin(&path, 64 * 1024).unwrap();
        for block in 0..100 {
            writer
                .append(numbered(block * 1000..block * 1000 + 1000).as_bytes())
                .unwrap();
        }
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        assert!(size(&path) + size(&previous(&path)) < 140 * 1024);
    }

    #[test]
    fn the_last_lines_reach_into_the_log_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        std::fs::write(previous(&path), "one\ntwo\n").unwrap();
        std::fs::write(&path, "three\nfour").unwrap();
        assert_eq!(last_lines(&path, 3).unwrap(), ["two", "three", "four"]);
        assert_eq!(last_lines(&path, 9).unwrap().len(), 4);
        assert!(
            last_lines(&folder.path().join("absent"), 3)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn lines_of_an_earlier_start_are_not_those_of_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut first = LogWriter::begin(&path, LOG_LIMIT).unwrap();
        first.append(b"no can do\n").unwrap();
        let mut second = LogWriter::begin(&path, LOG_LIMIT).unwrap();
        assert!(lines_from_end(&path, 5).unwrap().is_empty());
        second.append(b"listening\n").unwrap();
        assert_eq!(lines_from_end(&path, 5).unwrap(), ["listening"]);
        assert_eq!(last_lines(&path, 5).unwrap(), ["no can do", "listening"]);
    }

    #[test]
    fn a_follower_reads_across_a_turn_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut follower = LogFollower::at_end(&path).unwrap();
        let mut writer = LogWriter::begin(&path, 50).unwrap();
        let mut seen = Vec::new();
        for number in 0..10 {
            writer
                .append(format!("line {number}\nhalf").as_bytes())
                .unwrap();
            writer.append(b" more\n").unwrap();
            seen.extend(follower.new_lines().unwrap());
            seen.extend(follower.new_lines().unwrap());
        }
        seen.extend(follower.new_lines().unwrap());
        assert_eq!(seen.len(), 20, "{seen:?}");
        assert!(seen.contains(&"half more".to_owned()));
    }

    #[test]
    fn a_follower_misses_nothing_that_came_just_before_and_after_a_turn_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.log");
        let mut follower = LogFollower::at_end(&path).unwrap();
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(follower.new_lines().unwrap(), ["one"]);
        std::fs::write(previous(&path), "").unwrap();
        let mut old = OpenOptions::new().append(true).open(&path).unwrap();
        std::fs::rename(&path, previous(&path)).unwrap();
        old.write_all(b"two\n").unwrap();
        std::fs::write(&path, "three\nthe last words").unwrap();
        let mut seen = follower.new_lines().unwrap();
        seen.extend(follower.new_lines().unwrap());
        assert_eq!(seen, ["two", "three"]);
        assert_eq!(follower.rest(), Some("the last words".to_owned()));
        assert_eq!(follower.rest(), None);
    }
}
