//! `gantline generate`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use super::conflicts;
use crate::actions::generate::{Generation, GenerationRequest, apply, show_to_git};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan};
use crate::report::file_plan::{self, PlanStage, shown_files, write_changes, write_differences};
use crate::report::{Answer, Style};

/// Write what the manifests imply.
///
/// Your edits stay: a file that you changed is merged with its new version, line by line. Where
/// both touched the same lines, the places are marked as git marks them, and the file is left
/// alone until the marks are gone. All files are written, or none.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Bring back a generated file that you deleted, or all of a folder
    #[arg(long, value_name = "PATH")]
    restore: Vec<PathBuf>,
    /// Write nothing; exit with 3 when something would change
    #[arg(long)]
    check: bool,
    /// Write nothing; show the differences
    #[arg(long)]
    diff: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Whether it shall write anything.
    pub(super) fn writes(&self) -> bool {
        self.stage() == PlanStage::Done
    }

    fn stage(&self) -> PlanStage {
        if self.check || self.diff || self.dry_run {
            PlanStage::Planned
        } else {
            PlanStage::Done
        }
    }
}

/// Generates.
///
/// # Errors
/// When conflicts are left, differences are found with `--check`, or the work fails.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let events = app.events();
    let request = GenerationRequest {
        services: args.services.clone(),
        restore: args.restore.clone(),
        outcomes_only: args.check && !args.diff && args.restore.is_empty(),
    };
    let generation = Generation::prepare(&app.settings().directory, &request)?;
    let (root, plan) = (&generation.project.root, &generation.plan);
    let mut in_git = Vec::new();
    if args.stage() == PlanStage::Done {
        apply(root, plan, Vec::new()).await?;
        in_git = show_to_git(root, plan, &*events).await;
    }
    app.answer(&Generated::new(&generation, &args))?;
    verdict(plan, &args, !in_git.is_empty())
}

fn verdict(plan: &FilePlan, args: &Args, in_git: bool) -> Result<()> {
    let conflicts: Vec<&FileChange> = plan.conflicts().collect();
    let mut hints = conflicts::hints(&conflicts, in_git);
    if args.check && !plan.is_clean() {
        hints = vec!["Run `gantline generate`, look at the result, and commit it".to_owned()];
    }
    let error = if args.check && !(plan.is_clean() && conflicts.is_empty()) {
        Error::differences("the generated files are not up to date")
    } else if args.check && plan.missing_records().next().is_some() {
        return Err(without_records(plan));
    } else if !conflicts.is_empty() && args.stage() == PlanStage::Done {
        conflicts::error(&conflicts)
    } else {
        return Ok(());
    };
    Err(error.with_hints(hints))
}

/// What is kept for the next merge has to be in git like the files themselves: without it, edits
/// and what is generated cannot be told apart.
fn without_records(plan: &FilePlan) -> Error {
    let missing: Vec<&TreePath> = plan.missing_records().collect();
    let first = missing.first().map(ToString::to_string).unwrap_or_default();
    let missing = match missing.len() {
        1 => first,
        count => format!("{first} and {} more", count - 1),
    };
    Error::differences("what gantline keeps beside the generated files is not there")
        .since(format!("missing: {missing}"))
        .hint("Run `gantline generate`, and commit what it writes in `.gantline`")
}

/// The answer of `generate`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Generated<'a> {
    /// Whether the plan was carried out.
    applied: bool,
    /// Whether it changes any file.
    changes: bool,
    /// How many files came to what.
    counts: BTreeMap<String, usize>,
    /// All but unchanged files.
    files: Vec<GeneratedFile<'a>>,
    /// Services that go on from what was generated in another folder, with that folder: they were
    /// renamed, moved or copied.
    former: &'a BTreeMap<String, TreePath>,
    /// Services that are gone, of which no record is kept any more.
    forgotten: &'a [String],
    #[serde(skip)]
    plan: &'a FilePlan,
    #[serde(skip)]
    stage: PlanStage,
    #[serde(skip)]
    diff: bool,
    #[serde(skip)]
    check: bool,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct GeneratedFile<'a> {
    #[serde(flatten)]
    change: &'a FileChange,
    /// The manifest that implies it.
    from: String,
    /// The difference, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

impl<'a> Generated<'a> {
    fn new(generation: &'a Generation, args: &Args) -> Self {
        let plan = &generation.plan;
        let files = shown_files(plan, args.diff).map(|(change, diff)| GeneratedFile {
            change,
            from: origin(generation, change),
            diff,
        });
        let stage = args.stage();
        Self {
            applied: stage == PlanStage::Done,
            changes: !plan.is_clean(),
            counts: file_plan::numbers(plan),
            files: files.collect(),
            former: &plan.former,
            forgotten: &plan.forgotten,
            plan,
            stage,
            diff: args.diff,
            check: args.check,
        }
    }

    /// What becomes of what is kept of services whose names changed.
    fn write_records(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for (service, folder) in self.former {
            let service = style.name(service);
            writeln!(out, "{service} goes on from what was generated in {folder}")?;
        }
        let forgets = match self.stage {
            PlanStage::Planned => "would go",
            PlanStage::Done => "went",
        };
        for service in self.forgotten {
            let service = style.name(service);
            writeln!(
                out,
                "{service} is gone, and its records in .gantline/base {forgets} with it"
            )?;
        }
        Ok(())
    }

    /// The files that would change, under the manifest that each comes from.
    fn write_origins(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let mut origins: BTreeMap<&str, usize> = BTreeMap::new();
        for file in self
            .files
            .iter()
            .filter(|file| file.change.outcome.writes())
        {
            *origins.entry(&file.from).or_default() += 1;
        }
        for (origin, count) in origins {
            let files = if count == 1 {
                "file comes"
            } else {
                "files come"
            };
            writeln!(out, "{count} {files} from {}", style.name(origin))?;
        }
        Ok(())
    }
}

/// The manifest that a file comes from, with the blueprint that makes it.
fn origin(generation: &Generation, change: &FileChange) -> String {
    let path = change.path.as_str();
    let services = generation.services.iter();
    let service = services
        .filter_map(|name| generation.project.services.get(name))
        .find(|service| path.starts_with(&format!("{}/", service.directory)));
    service.map_or_else(
        || "gantline.yaml".to_owned(),
        |service| format!("{}/service.yaml ({})", service.directory, service.blueprint),
    )
}

impl Answer for Generated<'_> {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.diff {
            return write_differences(self.plan, out, style);
        }
        write_changes(self.plan, self.stage, out, style)?;
        self.write_records(out, style)?;
        if self.check {
            self.write_origins(out, style)?;
        }
        Ok(())
    }
}
