//! `gantline schema`.

use std::io::{self, Write};

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::answers::{ALL, Published};
use crate::app::App;
use crate::config::schema::Kind;
use crate::error::{Error, Result};
use crate::report::{Answer, Style, write_table};

/// Print the JSON Schema of a file or of what a command prints with `--format json`, or list them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one; all are listed when none is named
    #[arg(value_parser = names(), hide_possible_values = true)]
    name: Option<String>,
}

/// Prints the schema.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &Args, app: &App) -> Result<()> {
    let Some(name) = &args.name else {
        let files = Kind::ALL.iter().map(Listed::file);
        let answers = ALL.iter().map(Listed::answer);
        return app.answer(&Schemas {
            schemas: files.chain(answers).collect(),
        });
    };
    let file = Kind::ALL.iter().find(|kind| kind.name() == name);
    let file = file.map(|kind| (kind.name(), kind.schema()));
    let answer = || Published::named(name).map(|it| (it.name, it.schema()));
    match file.or_else(answer) {
        Some((name, schema)) => app.answer(&Schema { name, schema }),
        None => Err(Error::invalid(format!("there is no schema `{name}`"))
            .hint("See which there are: `gantline schema`")),
    }
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Schema {
    /// Its name.
    name: &'static str,
    /// The schema itself.
    schema: serde_json::Value,
}

impl Answer for Schema {
    fn human(&self, out: &mut dyn Write, _: &Style) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.schema)?;
        writeln!(out)
    }
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Schemas {
    /// Those of files, then those of what commands print.
    schemas: Vec<Listed>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Listed {
    /// Its name, for `gantline schema NAME`.
    name: &'static str,
    /// The file that it describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'static str>,
    /// The command that prints what it describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
    /// Where it is published.
    address: String,
}

impl Listed {
    fn file(kind: &Kind) -> Self {
        Self {
            name: kind.name(),
            file: Some(kind.file()),
            answer: None,
            address: kind.address(),
        }
    }

    fn answer(published: &Published) -> Self {
        Self {
            name: published.name,
            file: None,
            answer: Some(published.of),
            address: published.address(),
        }
    }
}

/// The names of all schemas, with what each describes.
fn names() -> PossibleValuesParser {
    let files = Kind::ALL
        .iter()
        .map(|kind| PossibleValue::new(kind.name()).help(kind.file()));
    let answers = ALL.iter().map(|it| PossibleValue::new(it.name).help(it.of));
    PossibleValuesParser::new(files.chain(answers))
}

impl Answer for Schemas {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let rows: Vec<[String; 3]> = self
            .schemas
            .iter()
            .map(|listed| {
                let of = listed.file.or(listed.answer).unwrap_or_default();
                [listed.name, of, &listed.address].map(str::to_owned)
            })
            .collect();
        write_table((out, style), &rows, |column, cell| match column {
            0 => style.name(cell),
            2 => style.dim(cell),
            _ => cell.to_owned(),
        })?;
        writeln!(out)?;
        writeln!(out, "Print one with {}", style.name("gantline schema NAME"))
    }
}
