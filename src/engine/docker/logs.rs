//! Logs of containers as lines.

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::{Stream, StreamExt, stream};

use super::{failure, is_absent};
use crate::engine::runtime::{LogRequest, clean_line};
use crate::error::Result;

/// The longest line that is collected, in bytes, before it is passed on in part.
const LONGEST_COLLECTED: usize = 64 * 1024;

/// The lines of a container's log; none when there is no such container.
pub fn stream(
    client: Docker,
    container: String,
    request: LogRequest,
) -> impl Stream<Item = Result<String>> + Send {
    let tail = request
        .tail
        .map_or("all".to_owned(), |count| count.to_string());
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .follow(request.follow)
        .tail(&tail)
        .build();
    let doing = format!("cannot read the log of {container}");
    let output = client.logs(&container, Some(options));
    let lines = Lines::default();
    output
        .map(Some)
        .chain(stream::once(async { None }))
        .scan(lines, move |lines, output| {
            let taken = match output {
                Some(Ok(output)) => lines.take(output).into_iter().map(Ok).collect(),
                Some(Err(error)) if is_absent(&error) => Vec::new(),
                Some(Err(error)) => vec![Err(failure(&doing, error))],
                None => lines.rest().into_iter().map(Ok).collect(),
            };
            futures::future::ready(Some(stream::iter(taken)))
        })
        .flatten()
}

/// Puts lines together out of pieces, apart for each of the two streams.
#[derive(Default)]
struct Lines {
    output: Vec<u8>,
    errors: Vec<u8>,
}

impl Lines {
    fn take(&mut self, piece: LogOutput) -> Vec<String> {
        let buffer = match &piece {
            LogOutput::StdErr { .. } => &mut self.errors,
            _ => &mut self.output,
        };
        buffer.extend_from_slice(&piece.into_bytes());
        let mut lines = Vec::new();
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            lines.push(clean_line(&line));
        }
        if buffer.len() > LONGEST_COLLECTED {
            lines.push(clean_line(&std::mem::take(buffer)));
        }
        lines
    }

    fn rest(&mut self) -> Vec<String> {
        [&mut self.output, &mut self.errors]
            .into_iter()
            .filter(|buffer| !buffer.is_empty())
            .map(|buffer| clean_line(&std::mem::take(buffer)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: text.to_owned().into(),
        }
    }

    #[test]
    fn lines_are_put_together_out_of_pieces() {
        let mut lines = Lines::default();
        assert!(lines.take(output("one li")).is_empty());
        let errors = LogOutput::StdErr {
            message: "between\n".into(),
        };
        assert_eq!(lines.take(errors), ["between"]);
        assert_eq!(lines.take(output("ne\ntwo\nthr")), ["one line", "two"]);
        assert_eq!(lines.rest(), ["thr"]);
    }
}
