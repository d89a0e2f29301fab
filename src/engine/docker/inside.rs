//! A program run inside a container, to ask it something.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures::StreamExt;

use super::is_absent;
use crate::engine::runtime::clean_line;

/// How long it may take.
const QUESTION: Duration = Duration::from_secs(5);

/// The programs that were started in containers and have not ended, by container. Docker ends none
/// of them when nobody waits any more, so while one runs, no other is started.
#[derive(Debug, Default)]
pub struct Questions(Mutex<HashMap<String, String>>);

impl Questions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the program that was started last in a container runs still.
    async fn is_open(&self, client: &Docker, container: &str) -> bool {
        let Some(id) = self.lock().get(container).cloned() else {
            return false;
        };
        let found = client.inspect_exec(&id).await;
        found.is_ok_and(|it| it.running == Some(true))
    }
}

/// Runs a program in a container; the reason when it does not end well.
pub async fn ask(
    (client, questions): (&Docker, &Questions),
    container: &str,
    program: &[String],
) -> Result<(), String> {
    if questions.is_open(client, container).await {
        return Err(format!(
            "{} has not ended since it was asked before",
            shown(program)
        ));
    }
    let asked = run((client, questions), container, program);
    match tokio::time::timeout(QUESTION, asked).await {
        Ok(Ok((Some(0), _))) => Ok(()),
        Ok(Ok((code, last))) => Err(reason(&shown(program), code, &last)),
        Ok(Err(error)) if is_absent(&error) => Err("it does not run".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            let seconds = QUESTION.as_secs();
            Err(format!(
                "{} does not end within {seconds} s",
                shown(program)
            ))
        }
    }
}

/// Its exit code, and the last line that it wrote.
async fn run(
    (client, questions): (&Docker, &Questions),
    container: &str,
    program: &[String],
) -> Result<(Option<i64>, String), DockerError> {
    let options = CreateExecOptions {
        cmd: Some(program.to_vec()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let made = client.create_exec(container, options).await?;
    questions
        .lock()
        .insert(container.to_owned(), made.id.clone());
    let mut last = String::new();
    if let StartExecResults::Attached { mut output, .. } = client.start_exec(&made.id, None).await?
    {
        while let Some(written) = output.next().await {
            let bytes = written?.into_bytes();
            let mut lines = bytes.split(|byte| *byte == b'\n').map(clean_line);
            if let Some(line) = lines.rfind(|line| !line.trim().is_empty()) {
                last = line;
            }
        }
    }
    questions.lock().remove(container);
    let ended = client.inspect_exec(&made.id).await?;
    Ok((ended.exit_code, last))
}

fn shown(program: &[String]) -> String {
    format!("`{}`", program.first().map_or("", String::as_str))
}

fn reason(program: &str, code: Option<i64>, last: &str) -> String {
    let ended = match code {
        Some(code) => format!("{program} ends with exit code {code}"),
        None => format!("{program} did not end"),
    };
    match last {
        "" => ended,
        last => format!("{ended}: {last}"),
    }
}
