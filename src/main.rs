//! The program: parse, build the app, run, render the error, exit.

use std::process::ExitCode;

use clap::Parser;
use gantline::app::App;
use gantline::cli::Cli;
use gantline::error::{EXIT_DONE, EXIT_INVALID, Error, Result};
use gantline::report::{Format, Style, print_error_text, render_error};

fn main() -> ExitCode {
    // Fails only when a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for, and are no failure.
            let code = if error.use_stderr() {
                EXIT_INVALID
            } else {
                EXIT_DONE
            };
            let _ = error.print();
            return code.into();
        }
    };
    let app = match cli.app() {
        Ok(app) => app,
        Err(error) => {
            print_error_text(&render_error(&error, Format::Human, &Style::default()));
            return error.kind().exit_code().into();
        }
    };
    match run(cli, &app) {
        Ok(()) => EXIT_DONE.into(),
        Err(error) => {
            app.report_error(&error);
            error.kind().exit_code().into()
        }
    }
}

fn run(cli: Cli, app: &App) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed("cannot start the program's threads").because(error))?;
    let outcome = runtime.block_on(cli.run(app));
    // What still runs in the background (a blocked read of stdin) must not hold the exit up.
    runtime.shutdown_background();
    outcome
}
