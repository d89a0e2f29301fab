//! `gantline upgrade`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::agreement::still;
use super::conflicts;
use super::question::confirm;
use crate::actions::upgrade::{HeldBack, Step, Upgrade, UpgradeRequest};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan};
use crate::report::file_plan::{self, PlanStage, shown_files, write_changes, write_differences};
use crate::report::{Answer, Format, Style};

/// Bring newer versions of their blueprints to services
///
/// Your edits stay: each file is merged from what was generated last time, what the newer version
/// makes of it, and what you made of it. What happens to each file is shown first. All files are
/// written, or none. Conflicts are marked in the files and in git's index, so that `git status`
/// and `git mergetool` know them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// The version to go to; without it the newest that breaks nothing
    #[arg(long, value_name = "VERSION")]
    to: Option<u32>,
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
        !(self.diff || self.dry_run)
    }
}

/// Upgrades.
///
/// # Errors
/// When a service cannot go where it is asked to, it is not confirmed, conflicts are left, or the
/// work fails.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let events = app.events();
    let request = UpgradeRequest {
        services: args.services,
        to: args.to,
    };
    let upgrade = Upgrade::prepare(&app.settings().directory, &request)?;
    for note in &upgrade.notes {
        events.warn(note.clone());
    }
    if args.diff || args.dry_run || upgrade.is_empty() {
        return app.answer(&Shown::new(&upgrade, args.diff));
    }
    if app.settings().format == Format::Human {
        app.answer(&Shown::new(&upgrade, false))?;
    }
    warn_of_uncommitted(&upgrade, app).await;
    confirm(app, &question(&upgrade))?;
    let again = async || Ok(Upgrade::prepare(&app.settings().directory, &request)?.plan);
    let _alone = still(app, &upgrade.plan, again).await?;
    let in_git = upgrade.apply(&*events).await?;
    let conflicts: Vec<&FileChange> = upgrade.plan.conflicts().collect();
    app.answer(&Upgraded(Shown::new(&upgrade, false).applied()))?;
    if conflicts.is_empty() {
        return Ok(());
    }
    let hints = conflicts::hints(&conflicts, !in_git.is_empty());
    Err(conflicts::error(&conflicts).with_hints(hints))
}

/// git brings a workspace back to what is committed, and nothing else.
async fn warn_of_uncommitted(upgrade: &Upgrade, app: &App) {
    let files = match upgrade.uncommitted().await {
        Ok(files) => files,
        Err(error) => {
            let cause = error.causes().join(": ");
            let message = format!("what is not committed is not known: {error}: {cause}");
            return app.events().warn(message);
        }
    };
    let Some(first) = files.first() else {
        return;
    };
    let which = match files.len() {
        1 => first.clone(),
        count => format!("{first} and {} more", count - 1),
    };
    app.events().warn(format!(
        "what you changed in {which} is not committed: it is merged all the same, but git could \
         not take the upgrade back without it"
    ));
}

fn question(upgrade: &Upgrade) -> String {
    let names: Vec<&str> = upgrade
        .steps
        .iter()
        .map(|step| step.service.as_str())
        .collect();
    format!("upgrading {}", names.join(", "))
}

/// What an upgrade does or would do.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Shown<'a> {
    /// Whether it was carried out.
    applied: bool,
    /// The services that go on.
    services: &'a [Step],
    /// The services that must be asked for.
    held_back: &'a [HeldBack],
    /// What the services that stay are made from.
    up_to_date: BTreeMap<String, String>,
    /// How many files come to what.
    counts: BTreeMap<String, usize>,
    /// How many files need the user.
    conflicts: usize,
    /// All but unchanged files.
    files: Vec<ShownFile<'a>>,
    #[serde(skip)]
    plan: &'a FilePlan,
    #[serde(skip)]
    diff: bool,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct ShownFile<'a> {
    #[serde(flatten)]
    change: &'a FileChange,
    /// The difference, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(upgrade: &'a Upgrade, diff: bool) -> Self {
        let plan = &upgrade.plan;
        let files = shown_files(plan, diff).map(|(change, diff)| ShownFile { change, diff });
        let stay = upgrade.stay.iter();
        Self {
            applied: false,
            services: &upgrade.steps,
            held_back: &upgrade.held_back,
            up_to_date: stay
                .map(|(name, reference)| (name.to_string(), reference.to_string()))
                .collect(),
            counts: file_plan::numbers(plan),
            conflicts: plan.conflicts().count(),
            files: files.collect(),
            plan,
            diff,
        }
    }

    fn applied(self) -> Self {
        Self {
            applied: true,
            ..self
        }
    }

    fn write_services(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for step in self.services {
            let (service, to) = (style.name(&step.service), style.strong(&step.to));
            writeln!(out, "{service} goes from {} to {to}", step.from)?;
            for reason in &step.breaking {
                writeln!(out, "  {}", style.caution(reason))?;
            }
        }
        for held_back in self.held_back {
            let service = style.name(&held_back.service);
            let (from, to) = (&held_back.from, &held_back.to);
            writeln!(out, "{service} stays at {from}, though there is {to}")?;
            for reason in &held_back.reasons {
                writeln!(out, "  {}", style.caution(reason))?;
            }
            writeln!(out, "  when you are ready: {}", held_back.command())?;
        }
        if self.services.is_empty() {
            for (service, reference) in &self.up_to_date {
                writeln!(out, "{} is up to date: {reference}", style.name(service))?;
            }
        }
        Ok(())
    }
}

impl Answer for Shown<'_> {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.diff {
            return write_differences(self.plan, out, style);
        }
        self.write_services(out, style)?;
        if self.services.is_empty() {
            if self.held_back.is_empty() && self.up_to_date.is_empty() {
                writeln!(out, "There is no service yet")?;
            }
            return Ok(());
        }
        writeln!(out)?;
        write_changes(self.plan, PlanStage::Planned, out, style)
    }
}

/// What an upgrade did, after it was shown.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
struct Upgraded<'a>(Shown<'a>);

impl Answer for Upgraded<'_> {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let summary = file_plan::summary(self.0.plan, PlanStage::Done);
        writeln!(out, "\n{} {summary}", style.good("Upgraded."))
    }
}
