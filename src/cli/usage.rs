//! A command line that cannot be read, in the words of every other error.

use std::error::Error as _;

use clap::error::{ContextKind, ErrorKind};
use clap::{Command, Error as ParserError};

use crate::commands::meant;
use crate::error::Error;

/// How many values are listed that there are instead of a wrong one.
const MOST_LISTED: usize = 24;

/// What the parser says of the words of a command line, as an error of our own.
pub fn usage_error(error: &ParserError, program: &Command, words: &[String]) -> Error {
    let told = Error::invalid(message(error));
    let told = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(cause)) => told.since(cause.to_string()),
        _ => told,
    };
    let command = command_of(program, words);
    let step = next_step(error).or_else(|| option_of_a_blueprint(error, &command));
    told.hint(step.unwrap_or_else(|| format!("See `{command} --help`")))
}

fn message(error: &ParserError) -> String {
    let said = |kind| said(error, kind).join(", ");
    let argument = said(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("unknown command `{}`", said(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a command is missing".to_owned()
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("unknown flag `{argument}`")
        }
        ErrorKind::UnknownArgument => format!("unexpected argument `{argument}`"),
        ErrorKind::MissingRequiredArgument => missing(error),
        ErrorKind::InvalidValue if said(ContextKind::InvalidValue).is_empty() => {
            format!("`{argument}` has no value")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = said(ContextKind::InvalidValue);
            format!("`{value}` is no value of `{argument}`")
        }
        ErrorKind::TooManyValues => {
            let value = said(ContextKind::InvalidValue);
            format!("`{argument}` does not take the value `{value}`")
        }
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg) {
            prior if prior == argument => format!("`{argument}` stands there twice"),
            prior => format!("`{argument}` does not go with `{prior}`"),
        },
        // What is left is rare, and the parser's first paragraph tells it.
        _ => {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            first.trim_start_matches("error: ").trim().to_owned()
        }
    }
}

fn missing(error: &ParserError) -> String {
    let arguments = said(error, ContextKind::InvalidArg);
    let quoted: Vec<String> = arguments.iter().map(|it| format!("`{it}`")).collect();
    match quoted.as_slice() {
        [] => "an argument is missing".to_owned(),
        [one] => format!("{one} is missing"),
        [before @ .., last] => format!("{} and {last} are missing", before.join(", ")),
    }
}

/// What to write instead, where the parser knows it.
fn next_step(error: &ParserError) -> Option<String> {
    let suggested = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    // The likeliest stands last.
    if let Some(word) = suggested.iter().find_map(|kind| said(error, *kind).pop()) {
        return Some(format!("Did you mean `{word}`?"));
    }
    let value = said(error, ContextKind::InvalidValue).pop();
    if let (Some(cause), Some(value)) = (error.source(), value)
        && let Some(word) = meant::instead_of(&value, cause)
    {
        return Some(format!("Did you mean `{word}`?"));
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let usage = said(error, ContextKind::Usage).pop()?;
        let usage = usage.trim().strip_prefix("Usage: ")?.to_owned();
        // A shell would take brackets for the names of files.
        return Some(format!("Write `{}`", usage.replace(['<', '>'], "")));
    }
    let values = said(error, ContextKind::ValidValue);
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    (1..=MOST_LISTED)
        .contains(&quoted.len())
        .then(|| format!("Known here: {}", quoted.join(", ")))
}

/// How an option of a blueprint is given, which is no flag: the blueprint has it, not the program.
fn option_of_a_blueprint(error: &ParserError, command: &str) -> Option<String> {
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    if !is_unknown || !command.ends_with(" add service") {
        return None;
    }
    let flag = said(error, ContextKind::InvalidArg).pop()?;
    let name = flag.strip_prefix("--")?;
    Some(format!(
        "An option of a blueprint is given as `--with {name}=VALUE`"
    ))
}

/// The command that the words begin with, flags aside.
fn command_of(program: &Command, words: &[String]) -> String {
    let (mut path, mut command) = (program.get_name().to_owned(), program);
    for word in words {
        if let Some(below) = command.find_subcommand(word) {
            path = format!("{path} {}", below.get_name());
            command = below;
        }
    }
    path
}

/// What the parser says of one thing.
fn said(error: &ParserError, kind: ContextKind) -> Vec<String> {
    use clap::error::ContextValue::{Number, String, Strings, StyledStr, StyledStrs};
    match error.get(kind) {
        Some(String(text)) => vec![text.clone()],
        Some(Strings(texts)) => texts.clone(),
        Some(StyledStr(text)) => vec![text.to_string()],
        Some(StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
        Some(Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The message and the next steps of a command line that cannot be read.
    fn told(line: &str) -> (String, Vec<String>) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = Cli::command().try_get_matches_from(&words).unwrap_err();
        let error = usage_error(&error, &Cli::command(), &words[1..]);
        (error.message().to_owned(), error.hints().to_vec())
    }

    #[test]
    fn what_is_wrong_with_a_command_line_is_told_with_what_to_write() {
        for (line, message, hint) in [
            (
                "gantline deploly dev",
                "unknown command `deploly`",
                "Did you mean `deploy`?",
            ),
            (
                "gantline frobnicate",
                "unknown command `frobnicate`",
                "See `gantline --help`",
            ),
            (
                "gantline add environment dev",
                "`--context <CONTEXT>` and `--namespace <NAMESPACE>` are missing",
                "Write `gantline add environment --context CONTEXT --namespace NAMESPACE NAME`",
            ),
            (
                "gantline env",
                "`<SERVICE>` is missing",
                "Write `gantline env SERVICE`",
            ),
            (
                "gantline up --runtim docker",
                "unknown flag `--runtim`",
                "Did you mean `--runtime`?",
            ),
            (
                "gantline up --zzz",
                "unknown flag `--zzz`",
                "See `gantline up --help`",
            ),
            (
                "gantline doctor x",
                "unexpected argument `x`",
                "See `gantline doctor --help`",
            ),
            (
                "gantline up --runtime x",
                "`x` is no value of `--runtime <RUNTIME>`",
                "Known here: `docker`, `process`",
            ),
            (
                "gantline status --format",
                "`--format <FORMAT>` has no value",
                "Known here: `human`, `json`",
            ),
            (
                "gantline -q -v up",
                "`--quiet` does not go with `--verbose`",
                "See `gantline up --help`",
            ),
            (
                "gantline deploy dev --yes=1",
                "`--yes` does not take the value `1`",
                "See `gantline deploy --help`",
            ),
            (
                "gantline up ./services/orders/",
                "`./services/orders/` is no value of `[SERVICE]...`",
                "Did you mean `orders`?",
            ),
            (
                "gantline add resource OrdersDb --type postgres",
                "`OrdersDb` is no value of `<NAME>`",
                "Did you mean `orders-db`?",
            ),
            (
                "gantline --quiet add service orders --entity order",
                "unknown flag `--entity`",
                "An option of a blueprint is given as `--with entity=VALUE`",
            ),
            (
                "gantline contract",
                "a command is missing",
                "See `gantline contract --help`",
            ),
        ] {
            let expected = (message.to_owned(), vec![hint.to_owned()]);
            assert_eq!(told(line), expected, "{line}");
        }
    }

    #[test]
    fn a_value_that_breaks_a_rule_is_told_with_the_rule() {
        let words = [
            "gantline", "add", "resource", "Orders", "--type", "postgres",
        ];
        let words = words.map(str::to_owned);
        let error = Cli::command().try_get_matches_from(&words).unwrap_err();
        let error = usage_error(&error, &Cli::command(), &words[1..]);
        assert_eq!(error.message(), "`Orders` is no value of `<NAME>`");
        assert!(error.causes()[0].contains("a DNS label"), "{error:?}");
    }
}
