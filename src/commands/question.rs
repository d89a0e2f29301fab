//! Questions at a terminal: each is answered, or ends the command in order.

use std::io;
use std::process::exit;
use std::time::Duration;

use console::Term;
use dialoguer::Confirm;

use super::interrupt;
use crate::app::App;
use crate::error::{EXIT_INTERRUPTED, Error, Result};

/// How long a question may take to notice a signal. It reads the terminal, and some signals do not
/// wake it.
const NOTICE: Duration = Duration::from_millis(500);

/// Asks a question.
///
/// # Errors
/// When the user broke it off by Escape, `q`, Ctrl-C or a signal, or the terminal cannot be read.
/// The cursor, which a question may hide, is there again.
pub fn answered<T>(question: impl FnOnce() -> dialoguer::Result<Option<T>>) -> Result<T> {
    let interrupted = interrupt::listen()?.signal();
    let watch = tokio::spawn(async move {
        interrupted.await;
        tokio::time::sleep(NOTICE).await;
        show_cursor();
        exit(i32::from(EXIT_INTERRUPTED));
    });
    let answer = question();
    watch.abort();
    answer_of(answer).inspect_err(|_| show_cursor())
}

/// Asks whether to go on.
///
/// # Errors
/// As [`answered`], and when the answer is no.
pub fn agreed(confirm: Confirm<'_>) -> Result<()> {
    match answered(|| confirm.interact_opt())? {
        true => Ok(()),
        false => Err(broken_off()),
    }
}

/// Asks before what cannot be undone; `--yes` answers, and without a terminal it must.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub fn confirm(app: &App, question: &str) -> Result<()> {
    if app.settings().yes {
        return Ok(());
    }
    if !app.settings().interactive {
        return Err(
            Error::invalid(format!("{question} needs a confirmation")).hint("Give it with `--yes`")
        );
    }
    let confirm = Confirm::new().with_prompt(format!("{question}?"));
    agreed(confirm.default(false))
}

fn answer_of<T>(answer: dialoguer::Result<Option<T>>) -> Result<T> {
    match answer {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(broken_off()),
        Err(dialoguer::Error::IO(error)) if error.kind() == io::ErrorKind::Interrupted => {
            Err(broken_off())
        }
        Err(error) => Err(Error::failed("the question could not be asked").because(error)),
    }
}

fn broken_off() -> Error {
    Error::interrupted().since("nothing was done")
}

/// Questions are asked on standard error. A terminal that is gone has no cursor to show.
fn show_cursor() {
    let _ = Term::stderr().show_cursor();
}
