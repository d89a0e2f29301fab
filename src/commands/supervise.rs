//! `supervise`: the supervisor of a checkout's processes, which the program starts by itself.

use std::path::PathBuf;

use crate::actions::supervise::{SupervisorSettings, supervise};
use crate::error::Result;

/// Own the processes of a stack; started by `up --runtime process`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stack's id
    #[arg(long)]
    stack: String,
    /// The private folder of the lock and the state
    #[arg(long)]
    control: PathBuf,
    /// The socket
    #[arg(long)]
    socket: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the supervisor cannot begin.
pub async fn run(args: Args) -> Result<()> {
    // Standard error is the supervisor's log: whoever starts it sees to that.
    let _set_before = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .try_init();
    supervise(SupervisorSettings {
        stack: args.stack,
        control: args.control,
        socket: args.socket,
    })
    .await
}
