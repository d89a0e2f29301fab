//! What a harness writes: its first line of interest, and its last words.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many lines are kept.
const LINES: usize = 15;
/// The longest line that is read at once, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;
/// How many characters of a line are shown.
const SHOWN: usize = 300;

/// The last lines that a harness wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    fn add(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(shortened(line));
    }

    /// Leaves out a line that is for us alone.
    pub(super) fn forget(&self, line: &str) {
        let line = shortened(line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|known| *known != line);
    }

    /// The lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }
}

fn shortened(line: &str) -> String {
    let clean = line
        .chars()
        .filter(|letter| !letter.is_control() || *letter == '\t');
    let mut text: String = clean.clone().take(SHOWN).collect();
    if clean.count() > SHOWN {
        text.push('…');
    }
    text
}

/// Those who read a harness's output, until this value is dropped.
pub(super) struct Readers(pub(super) [JoinHandle<()>; 2]);

impl Drop for Readers {
    fn drop(&mut self) {
        for reader in &self.0 {
            reader.abort();
        }
    }
}

/// Reads a stream to its end, so that the harness never waits for us. Each line is handed on
/// for as long as somebody listens.
pub(super) fn follow(
    stream: impl AsyncRead + Unpin + Send + 'static,
    words: LastWords,
    lines: Option<mpsc::Sender<String>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut bounded = (&mut reader).take(LONGEST_LINE);
            match bounded.read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                continue;
            }
            words.add(text);
            if let Some(lines) = &lines
                && !lines.is_closed()
            {
                // Nobody listening is no reason to stop reading.
                let _closed = lines.send(text.to_owned()).await;
            }
        }
    })
}
