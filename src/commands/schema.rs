//! `gantline schema`.

use std::io::{self, Write};

use crate::app::App;
use crate::config::schema::Kind;
use crate::error::Result;
use crate::report::{Answer, Style};

/// Print the JSON Schema of a file, or list the files that have one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which file's; all are listed when none is named
    #[arg(value_enum)]
    name: Option<Kind>,
}

/// Prints the schema.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &Args, app: &App) -> Result<()> {
    match args.name {
        Some(kind) => app.answer(&Schema {
            name: kind.name(),
            schema: kind.schema(),
        }),
        None => app.answer(&Schemas {
            schemas: Kind::ALL.iter().map(|kind| Listed::of(*kind)).collect(),
        }),
    }
}

#[derive(serde::Serialize)]
struct Schema {
    name: &'static str,
    schema: serde_json::Value,
}

impl Answer for Schema {
    fn human(&self, out: &mut dyn Write, _: &Style) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.schema)?;
        writeln!(out)
    }
}

#[derive(serde::Serialize)]
struct Schemas {
    schemas: Vec<Listed>,
}

#[derive(serde::Serialize)]
struct Listed {
    name: &'static str,
    file: &'static str,
    address: String,
}

impl Listed {
    fn of(kind: Kind) -> Self {
        Self {
            name: kind.name(),
            file: kind.file(),
            address: kind.address(),
        }
    }
}

impl Answer for Schemas {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for listed in &self.schemas {
            let name = style.name(format!("{:<14}", listed.name));
            writeln!(out, "{name} {:<28} {}", listed.file, listed.address)?;
        }
        writeln!(out)?;
        writeln!(out, "Print one with {}", style.name("gantline schema NAME"))
    }
}
