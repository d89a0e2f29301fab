//! The last lines that a container wrote.

use std::time::Duration;

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};
use tokio::time::timeout;

use super::finding::{LogSource, cut};
use crate::engine::runtime::clean_line;

/// How many lines are told.
const LINES: usize = 20;
/// How many bytes of a log are read at most.
const BYTES: u64 = 64 * 1024;
/// How long the node may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest line, in characters.
const LONGEST: usize = 500;

/// The last lines of a container's log; none when it has written nothing, or cannot be read: the
/// cause is told all the same.
pub async fn last_lines(client: &Client, namespace: &str, source: &LogSource) -> Vec<String> {
    let wanted = read(client, namespace, source, source.previous).await;
    match wanted {
        Some(bytes) if !bytes.is_empty() => lines(&bytes),
        _ => {
            let other = read(client, namespace, source, !source.previous).await;
            lines(&other.unwrap_or_default())
        }
    }
}

async fn read(
    client: &Client,
    namespace: &str,
    source: &LogSource,
    previous: bool,
) -> Option<Vec<u8>> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let parameters = LogParams {
        container: Some(source.container.clone()),
        previous,
        tail_lines: i64::try_from(LINES).ok(),
        limit_bytes: i64::try_from(BYTES).ok(),
        ..LogParams::default()
    };
    let reading = async {
        let stream = api.log_stream(&source.pod, &parameters).await.ok()?;
        let mut bytes = Vec::new();
        let mut limited = std::pin::pin!(stream.take(BYTES));
        limited.read_to_end(&mut bytes).await.ok()?;
        Some(bytes)
    };
    timeout(ANSWER, reading).await.ok().flatten()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = bytes
        .split(|byte| *byte == b'\n')
        .map(clean_line)
        .filter(|line| !line.trim().is_empty())
        .map(|line| cut(&line, LONGEST))
        .collect();
    lines.split_off(lines.len().saturating_sub(LINES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_last_ones_clean_and_bounded() {
        let mut log = b"\x1b[31mred\x1b[0m\r\n\n".to_vec();
        log.extend(vec![b'x'; 1_000]);
        assert_eq!(
            lines(&log),
            ["red".to_owned(), format!("{}…", "x".repeat(LONGEST))]
        );
        let many: String = (0..50).map(|number| format!("{number}\n")).collect();
        let last = lines(many.as_bytes());
        assert_eq!(last.len(), LINES);
        assert_eq!(last.last().map(String::as_str), Some("49"));
    }
}
