//! `gantline blueprint`: what services can be made from.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::actions::blueprints::check::{Checked, check, check_abstract};
use crate::app::App;
use crate::config::{catalog, project};
use crate::error::Result;
use crate::model::blueprint::{Blueprint, Count, OptionValues};
use crate::report::{Answer, Style};

/// See what services can be made from.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the blueprints
    List,
    /// Explain a blueprint's options
    Show {
        /// The blueprint, such as `go-service`
        blueprint: String,
    },
    /// Check that blueprints are sound: conditions, paths, slots, and every allowed set of options
    Check {
        /// The folder of a blueprint; those that the program brings when absent
        folder: Option<PathBuf>,
    },
}

/// Lists, explains or checks.
///
/// # Errors
/// When there is no such blueprint, or it is not sound.
pub fn run(args: Args, app: &App) -> Result<()> {
    let root = project::find(&app.settings().directory).ok();
    let root = root.as_deref();
    match args.verb {
        Verb::List => app.answer(&Listed {
            blueprints: catalog::blueprints(root)?.iter().map(Line::of).collect(),
        }),
        Verb::Show { blueprint } => {
            let reference = catalog::newest(root, &blueprint)?;
            let offered = catalog::offered_blueprint(root, &reference)?;
            app.answer(&Shown::of(&offered))
        }
        Verb::Check { folder } => {
            let checked = match folder {
                Some(folder) => vec![checked_folder(&folder)?],
                None => {
                    let own = catalog::blueprints(None)?;
                    let checked = own.iter().map(|blueprint| check(blueprint, None));
                    checked.collect::<Result<_>>()?
                }
            };
            app.answer(&Sound { checked })
        }
    }
}

/// Checks the blueprint in a folder: when it is only extended, through those beside it that
/// extend it; when a workspace pins an earlier version, against that one, too.
fn checked_folder(folder: &Path) -> Result<Checked> {
    let blueprint = catalog::load_folder(folder)?;
    if blueprint.is_abstract {
        return check_abstract(&blueprint, &catalog::extending(folder)?);
    }
    let before = match (project::find(folder).ok(), &blueprint.reference) {
        (Some(root), Some(reference)) => catalog::pinned_before(&root, reference)?,
        _ => None,
    };
    check(&blueprint, before.as_ref())
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Listed {
    /// Each blueprint.
    blueprints: Vec<Line>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Line {
    /// Its name.
    name: String,
    /// Its newest version.
    version: u32,
    /// What is made from it.
    summary: String,
}

impl Line {
    fn of(blueprint: &Blueprint) -> Self {
        let reference = blueprint.reference.as_ref();
        Self {
            name: reference.map_or_else(String::new, |reference| reference.name.to_string()),
            version: reference.map_or(0, |reference| reference.version),
            summary: blueprint.summary.clone(),
        }
    }
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let widths = self.blueprints.iter().map(|line| line.name.len());
        let width = widths.max().unwrap_or_default();
        for line in &self.blueprints {
            let name = format!("{:width$}", line.name);
            writeln!(out, "{}  {}", style.name(name), line.summary)?;
        }
        Ok(())
    }
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Shown {
    /// Its name.
    name: String,
    /// Its newest version.
    blueprint_version: u32,
    /// What is made from it.
    summary: String,
    /// What it offers a choice of.
    options: Vec<ShownOption>,
    /// How many of each relation, as `0..`, `0..1`.
    relations: BTreeMap<&'static str, String>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct ShownOption {
    /// Its name, for `--with NAME=VALUE`.
    name: String,
    /// What it decides.
    summary: String,
    /// What is taken when nothing is said; none when something must be.
    default: Option<String>,
    /// Its values; empty when any name will do.
    choices: Vec<ShownChoice>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct ShownChoice {
    /// The value.
    name: String,
    /// What it brings.
    summary: String,
}

impl Shown {
    fn of(blueprint: &Blueprint) -> Self {
        let relations = &blueprint.relations;
        let options = blueprint.options.iter().map(|option| ShownOption {
            name: option.name.clone(),
            summary: option.summary.clone(),
            default: option.default.clone(),
            choices: match &option.values {
                OptionValues::Name => Vec::new(),
                OptionValues::Choices(choices) => choices
                    .iter()
                    .map(|choice| ShownChoice {
                        name: choice.name.clone(),
                        summary: choice.summary.clone(),
                    })
                    .collect(),
            },
        });
        let line = Line::of(blueprint);
        Self {
            name: line.name,
            blueprint_version: line.version,
            summary: line.summary,
            options: options.collect(),
            relations: BTreeMap::from([
                ("--needs SERVICE", range(&relations.needs)),
                ("--publishes EVENT", range(&relations.publishes)),
                ("--consumes EVENT=SERVICE", range(&relations.consumes)),
            ]),
        }
    }
}

fn range(count: &Count) -> String {
    match (count.at_least, count.at_most) {
        (_, Some(0)) => "none".to_owned(),
        (0, None) => "any number".to_owned(),
        (least, None) => format!("at least {least}"),
        (0, Some(most)) => format!("at most {most}"),
        (least, Some(most)) => format!("{least} to {most}"),
    }
}

impl Answer for Shown {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        writeln!(
            out,
            "{}: {}",
            style.strong(format!("{}@{}", self.name, self.blueprint_version)),
            self.summary
        )?;
        for option in &self.options {
            let default = match &option.default {
                Some(default) => format!(" (default {default})"),
                None => " (required)".to_owned(),
            };
            let flag = style.name(format!("--with {}=", option.name));
            writeln!(out, "\n{flag}{}", style.dim(default))?;
            writeln!(out, "  {}", option.summary)?;
            for choice in &option.choices {
                let name = format!("{:<10}", choice.name);
                writeln!(out, "    {} {}", style.name(name), choice.summary)?;
            }
        }
        writeln!(out)?;
        for (flag, range) in &self.relations {
            writeln!(out, "{}  {range}", style.name(format!("{flag:<24}")))?;
        }
        Ok(())
    }
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Sound {
    /// Each blueprint that was checked.
    checked: Vec<Checked>,
}

impl Answer for Sound {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for checked in &self.checked {
            let name = style.name(&checked.blueprint);
            write!(out, "{name} is {}: ", style.good("sound"))?;
            if checked.rendered == 0 {
                writeln!(out, "its files alone, since nothing beside it extends it")?;
                continue;
            }
            let through = match checked.through.is_empty() {
                true => String::new(),
                false => format!(", through {}", checked.through.join(" and ")),
            };
            writeln!(
                out,
                "{} sets of options, {} services rendered, up to {} files each{through}",
                checked.combinations, checked.rendered, checked.files
            )?;
        }
        Ok(())
    }
}
