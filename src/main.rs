//! The program: parse, build the app, run, render the error, exit.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use gantline::app::App;
use gantline::cli::Cli;
use gantline::error::{EXIT_DONE, EXIT_INVALID, Error, Result};
use gantline::report::{Format, Style, print_error_text, render_error};

fn main() -> ExitCode {
    // Fails only when a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match parsed() {
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

/// The command line. What the parser itself prints, such as help, has colours as `--color` says.
fn parsed() -> Result<Cli, clap::Error> {
    let color = match said_of("--color").as_deref() {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    };
    let mut matches = Cli::command().color(color).try_get_matches()?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Cli::command()))
}

/// Whether a program reads what is printed; the command line could not be parsed.
fn asks_for_json() -> bool {
    said_of("--format").as_deref() == Some("json")
}

/// What the command line says of a flag, also when it cannot be parsed.
fn said_of(flag: &str) -> Option<String> {
    let words = std::env::args_os().take_while(|word| word != "--");
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let apart = words.windows(2).filter(|pair| pair[0] == flag);
    let apart = apart.map(|pair| pair[1].clone());
    let together = words.iter().filter_map(|word| {
        let value = word.strip_prefix(flag)?.strip_prefix('=')?;
        Some(value.to_owned())
    });
    apart.chain(together).next()
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
