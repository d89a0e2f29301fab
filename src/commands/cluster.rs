//! What the commands that go to a cluster share: flags, the opening, and how plans are
//! shown.

use std::io::{self, Write};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::actions::deploy::{Action, ObjectChange, ObjectKey, Opening, ReleasePlan, Scope};
use crate::app::App;
use crate::model::name::Name;
use crate::report::Style;

/// Which environment, and the way to it.
#[derive(Debug, clap::Args)]
pub struct ClusterFlags {
    /// The context of the kubeconfig; without it, the one that `add environment` kept, else the current one
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
}

/// Which services of which environment.
#[derive(Debug, clap::Args)]
pub struct Selected {
    /// The environment
    pub environment: Name,
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    #[command(flatten)]
    cluster: ClusterFlags,
}

impl Selected {
    /// An opening of these services.
    pub fn opening(self, app: &App, interrupted: BoxFuture<'static, ()>) -> Opening {
        Opening {
            services: self.services,
            ..self.cluster.opening(app, self.environment, interrupted)
        }
    }
}

/// Whether migrations may take away what is in use.
#[derive(Debug, clap::Args)]
pub struct ContractionFlag {
    /// Go on although a migration takes away what the version in question uses; it fails meanwhile
    #[arg(long)]
    pub allow_contraction: bool,
}

/// How long a release may take.
#[derive(Debug, clap::Args)]
pub struct TimeoutFlag {
    /// How long each service may take to become ready: 90s, 5m
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub timeout: Duration,
}

impl ClusterFlags {
    /// An opening of an environment of the workspace that the user is in.
    pub fn opening(
        self,
        app: &App,
        environment: Name,
        interrupted: BoxFuture<'static, ()>,
    ) -> Opening {
        Opening {
            directory: app.settings().directory.clone(),
            environment,
            services: Vec::new(),
            scope: Scope::Services,
            context: self.context,
            timeout: Duration::from_secs(300),
            allow_contraction: false,
            events: app.events(),
            interrupted,
        }
    }
}

/// Reads `90s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 90s, 5m or 1h");
    let (number, unit) = text
        .char_indices()
        .find(|(_, letter)| !letter.is_ascii_digit())
        .map_or((text, "s"), |(at, _)| text.split_at(at));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    };
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong()),
    }
}

/// Writes what would be created before any release; nothing when there is nothing.
///
/// # Errors
/// What the stream says.
pub fn write_creations(
    out: &mut dyn Write,
    style: &Style,
    creations: &[ObjectKey],
) -> io::Result<()> {
    if !creations.is_empty() {
        writeln!(out, "before any release:")?;
    }
    for key in creations {
        let (sign, object) = (style.good("+"), style.good(key.to_string()));
        writeln!(out, "  {sign} {object}")?;
    }
    Ok(())
}

/// Writes a plan: a line for each release, one for each object below it, and the differences
/// when they are asked for.
///
/// # Errors
/// What the stream says.
pub fn write_plans(
    out: &mut dyn Write,
    style: &Style,
    plans: &[ReleasePlan],
    with_diffs: bool,
) -> io::Result<()> {
    for plan in plans {
        let what = match (plan.install, plan.record_only, plan.changes.len()) {
            (true, _, _) => "would be installed".to_owned(),
            (_, true, _) => {
                "no object changes, but its values or hooks do, or its last revision failed"
                    .to_owned()
            }
            (_, _, 0) => "unchanged".to_owned(),
            (_, _, 1) => "1 object changes".to_owned(),
            (_, _, count) => format!("{count} objects change"),
        };
        writeln!(out, "{}: {what}", style.name(&plan.release))?;
        for lost in &plan.schema.lost {
            let (sign, lost) = (style.bad("!"), style.bad(lost));
            writeln!(out, "  {sign} {lost}")?;
        }
        for doubt in &plan.schema.doubts {
            writeln!(out, "  {} {}", style.caution("?"), doubt)?;
        }
        for change in &plan.changes {
            write_change(out, style, change, with_diffs)?;
        }
    }
    Ok(())
}

fn write_change(
    out: &mut dyn Write,
    style: &Style,
    change: &ObjectChange,
    with_diff: bool,
) -> io::Result<()> {
    let (sign, object) = match change.action {
        Action::Create => (style.good("+"), style.good(change.object.to_string())),
        Action::Update => (style.caution("~"), change.object.to_string()),
        Action::Delete => (style.bad("-"), style.bad(change.object.to_string())),
    };
    writeln!(out, "  {sign} {object}")?;
    if !with_diff {
        return Ok(());
    }
    for line in change.diff.lines() {
        let painted = match line.chars().next() {
            Some('+') => style.good(line),
            Some('-') => style.bad(line),
            Some('@') => style.dim(line),
            _ => line.to_owned(),
        };
        writeln!(out, "      {painted}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for wrong in ["", "0s", "5 m", "m", "-1s", "99999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
