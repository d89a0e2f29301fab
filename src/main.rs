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
            match error.use_stderr() && asks_for_json() {
                true => {
                    let usage = usage_error(&error.render().to_string());
                    print_error_text(&render_error(&usage, Format::Json, &Style::default()));
                }
                false => {
                    let _ = error.print();
                }
            }
            return code.into();
        }
    };
    let app = match cli.app() {
        Ok(app) => app,
        Err(error) => {
            print_error_text(&render_error(&error, cli.format(), &Style::default()));
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

/// Whether a program reads what is printed; the command line could not be parsed.
fn asks_for_json() -> bool {
    let arguments: Vec<_> = std::env::args_os()
        .take_while(|argument| argument != "--")
        .collect();
    let apart = |pair: &[std::ffi::OsString]| pair[0] == "--format" && pair[1] == "json";
    arguments.iter().any(|argument| argument == "--format=json") || arguments.windows(2).any(apart)
}

/// What the parser says about a command line, as an error of our own.
fn usage_error(text: &str) -> Error {
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let message = paragraphs.next().unwrap_or_default();
    let hints = paragraphs.filter_map(|paragraph| paragraph.strip_prefix("tip: "));
    Error::invalid(message.trim_start_matches("error: "))
        .with_hints(hints)
        .hint("See `gantline --help`")
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
