//! `logs`: what things wrote.

use std::io::{self, Write};

use futures::StreamExt;

use super::interrupt;
use super::stack::{RuntimeFlag, opening};
use crate::actions::stack::logs::{LogLine, LogRequest, logs};
use crate::app::App;
use crate::error::Result;
use crate::report::{Answer, Style};

/// Show logs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Services, servers or jobs; everything when none is named
    #[arg(value_name = "THING")]
    things: Vec<String>,
    /// Go on with new lines until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// At most this many of the last lines of each
    #[arg(long, value_name = "LINES")]
    tail: Option<usize>,
    #[command(flatten)]
    place: RuntimeFlag,
}

/// Runs the command.
///
/// # Errors
/// When a name is unknown, or a log cannot be read.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let opened = opening(app, args.place.runtime).as_it_is()?;
    let request = LogRequest {
        tail: args.tail,
        follow: args.follow,
        last_start_only: false,
    };
    let interrupts = interrupt::listen()?;
    let mut lines = interrupts
        .leave(logs(&opened.stack, &args.things, request))
        .await?;
    loop {
        tokio::select! {
            line = lines.next() => match line {
                Some(line) => app.answer_line(&line?)?,
                None => return Ok(()),
            },
            () = interrupts.signal() => return Ok(()),
        }
    }
}

impl Answer for LogLine {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        writeln!(
            out,
            "{} {}",
            style.name(format!("{} |", self.thing)),
            self.line
        )
    }
}
