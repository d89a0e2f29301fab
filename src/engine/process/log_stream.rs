//! The log of an instance as a stream of lines.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::client::saved_state;
use super::folders::Folders;
use super::log_file::{LogFollower, last_lines, lines_from_end};
use crate::engine::runtime::{LogRequest, LogStream, clean_line};
use crate::error::{Error, Result};

/// How often a followed log is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Opens a log.
///
/// # Errors
/// When it cannot be read.
pub(super) fn open(folders: Folders, instance: &str, request: LogRequest) -> Result<LogStream> {
    let path = folders.log(instance);
    let unreadable = |error: std::io::Error| {
        Error::failed(format!("the log {} cannot be read", path.display())).because(error)
    };
    // Opened first: a line that comes in between is then rather seen twice than lost.
    let follower = LogFollower::at_end(&path).map_err(unreadable)?;
    let tail = request.tail.unwrap_or(usize::MAX);
    let lines = match request.last_start_only {
        true => lines_from_end(&path, tail),
        false => last_lines(&path, tail),
    };
    let lines: VecDeque<String> = lines.map_err(unreadable)?.into();
    if !request.follow {
        let lines = lines
            .into_iter()
            .map(|line| Ok(clean_line(line.as_bytes())));
        return Ok(stream::iter(lines).boxed());
    }
    let following = Following {
        folders,
        instance: instance.to_owned(),
        follower,
        lines,
        ended: false,
    };
    Ok(stream::unfold(following, Following::next).boxed())
}

struct Following {
    folders: Folders,
    instance: String,
    follower: LogFollower,
    lines: VecDeque<String>,
    ended: bool,
}

impl Following {
    async fn next(mut self) -> Option<(Result<String>, Self)> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some((Ok(clean_line(line.as_bytes())), self));
            }
            if self.ended {
                let rest = self.follower.rest()?;
                return Some((Ok(clean_line(rest.as_bytes())), self));
            }
            // Asked before the last look, so that what was written until its end is seen.
            let runs = self.runs();
            match self.follower.new_lines() {
                Ok(lines) => self.lines.extend(lines),
                Err(error) => {
                    self.ended = true;
                    let error = Error::failed("the log cannot be read").because(error);
                    return Some((Err(error), self));
                }
            }
            if self.lines.is_empty() {
                self.ended = !runs;
                tokio::time::sleep(POLL).await;
            }
        }
    }

    fn runs(&self) -> bool {
        saved_state(&self.folders).is_some_and(|state| {
            state.supervisor.lives()
                && state
                    .instances
                    .iter()
                    .any(|record| record.observed.name == self.instance && record.observed.running)
        })
    }
}
