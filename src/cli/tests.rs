//! The command line against its documentation.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::Cli;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// What a command says of itself stands at its arguments. A comment on its variant would hide it.
#[test]
fn every_command_tells_what_it_does() {
    let mut commands = vec![Cli::command()];
    while let Some(command) = commands.pop() {
        let about = command.get_about().map(ToString::to_string);
        let about = about.unwrap_or_default();
        assert!(about.contains(' '), "{}: {about}", command.get_name());
        commands.extend(command.get_subcommands().cloned());
    }
    let mut cli = Cli::command();
    let deploy = cli.find_subcommand_mut("deploy").unwrap();
    let help = deploy.render_long_help().to_string();
    assert!(help.contains("rolled back by itself"), "{help}");
}

#[test]
fn the_command_reference_in_the_docs_is_what_the_program_says() {
    let path = repository().join("docs/reference/commands.md");
    let options = clap_markdown::MarkdownOptions::new()
        .title("Command reference".to_owned())
        .show_footer(false);
    let expected = clap_markdown::help_markdown_custom::<Cli>(&options);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == expected,
        "run `UPDATE=1 cargo test --lib` and commit docs/reference/commands.md"
    );
}

#[test]
fn every_command_in_the_docs_is_one_that_the_program_understands() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in pages() {
        for line in commands(&std::fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let words = shlex::split(&line).unwrap_or_default();
            if let Err(error) = Cli::try_parse_from(words)
                && error.use_stderr()
            {
                wrong.push(format!("{}: {line}\n{error}", path.display()));
            }
        }
    }
    assert!(seen > 0, "no page shows a command");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and what lies in `docs/`, without the reference and the decisions.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![repository().join("README.md")];
    for entry in std::fs::read_dir(repository().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}

/// The calls of gantline in the `sh` and `yaml` blocks of a page, continued lines joined.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in page.replace("\\\n", " ").lines() {
        if line.starts_with("```") {
            in_block = matches!(line, "```sh" | "```yaml");
        } else if in_block {
            let line = line.trim_start();
            let script = ["- ", "run: "]
                .iter()
                .find_map(|mark| line.strip_prefix(mark))
                .unwrap_or(line);
            let calls = script.split("&&").flat_map(|part| part.split("||"));
            let plain = calls.map(|call| call.split(" #").next().unwrap_or_default().trim());
            found.extend(
                plain
                    .filter(|call| call.starts_with("gantline "))
                    .map(str::to_owned),
            );
        }
    }
    found
}
