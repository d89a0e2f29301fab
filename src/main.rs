//! The program: parse, build the app, run, render the error, exit.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, ValueEnum};
use gantline::app::App;
use gantline::cli::{Cli, usage_error};
use gantline::error::{EXIT_DONE, EXIT_INVALID, Error, Result};
use gantline::report::{ColorChoice, Format, Style, print_error_text, render_error};

fn main() -> ExitCode {
    // Fails only when a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let app = match cli.app() {
        Ok(app) => app,
        Err(error) => return told(&error, cli.format()),
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

/// Tells what the parser has to say instead of a command line.
fn refused(error: &clap::Error) -> ExitCode {
    let format = match said_of("--format").as_deref() {
        Some("json") => Format::Json,
        _ => Format::Human,
    };
    // Help and version are asked for, and are no failure.
    let is_asked_for = !error.use_stderr();
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_asked_for || (is_help && format == Format::Human) {
        let _ = error.print();
        return if is_asked_for {
            EXIT_DONE
        } else {
            EXIT_INVALID
        }
        .into();
    }
    told(&usage_error(error, &Cli::command(), &words()), format)
}

/// Tells an error of before there is an app.
fn told(error: &Error, format: Format) -> ExitCode {
    let color = said_of("--color").and_then(|word| ColorChoice::from_str(&word, false).ok());
    let color = color
        .unwrap_or_default()
        .applies_to(std::io::stderr().is_terminal());
    print_error_text(&render_error(error, format, &Style::new(color)));
    error.kind().exit_code().into()
}

/// What stands after the program's name, as far as flags reach.
fn words() -> Vec<String> {
    let words = std::env::args_os().skip(1).take_while(|word| word != "--");
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// What the command line says of a flag, also when it cannot be parsed.
fn said_of(flag: &str) -> Option<String> {
    let words = words();
    let apart = words.windows(2).filter(|pair| pair[0] == flag);
    let apart = apart.map(|pair| pair[1].clone());
    let together = words.iter().filter_map(|word| {
        let value = word.strip_prefix(flag)?.strip_prefix('=')?;
        Some(value.to_owned())
    });
    apart.chain(together).next()
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
