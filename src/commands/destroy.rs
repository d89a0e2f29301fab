//! `destroy`: remove services from an environment.

use std::io::{self, Write};

use super::cluster::Selected;
use super::interrupt;
use super::question::confirm;
use crate::actions::deploy::{Destroyed, Destruction, ObjectKey, Opening, Scope};
use crate::app::App;
use crate::error::Result;
use crate::model::name::Name;
use crate::model::shell::quoted;
use crate::report::{Answer, Style, write_table};

/// Remove services from an environment, with all that their releases own
///
/// Without a name, those that the workspace has. What else was deployed from it, such as a service
/// that was renamed since or is on another branch, is told and stays until it is named.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selected: Selected,
    /// Remove nothing; say what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// What was removed.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Removed {
    /// The environment.
    environment: Name,
    /// Whether nothing was done, and all of this would be.
    dry_run: bool,
    /// Each release.
    releases: Vec<Destroyed>,
    /// Secrets and volume claims of resources, which stay: they hold data.
    kept: Vec<ObjectKey>,
    /// The command that removes them for good, when there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_by: Option<String>,
    /// Releases of the environment that the workspace has no more, when none was named: they stay
    /// until they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leftovers: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When it is not confirmed, or the cluster refuses.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let environment = args.selected.environment.clone();
    let opening = Opening {
        scope: Scope::Releases,
        ..args.selected.opening(app, interrupts.signal())
    };
    let opened = interrupts.leave(opening.open()).await?;
    let destruction = match args.dry_run {
        true => interrupts.leave(opened.would_destroy()).await?,
        false => {
            let there = interrupts.leave(opened.would_destroy()).await?;
            confirm(
                app,
                &question(&there, &opened.data_that_goes(), &environment),
            )?;
            opened.destroy_all().await?
        }
    };
    app.answer(&Removed {
        environment,
        dry_run: args.dry_run,
        removed_by: removal(
            opened.context.as_deref(),
            &opened.site.namespace,
            &destruction.kept,
        ),
        releases: destruction.releases,
        kept: destruction.kept,
        leftovers: opened.leftovers,
    })
}

/// What is asked before: all that goes, and whose data.
fn question(there: &Destruction, data_goes: &[&Name], environment: &Name) -> String {
    let goes = there.releases.iter().filter(|it| it.existed);
    let goes: Vec<&str> = goes.map(|it| it.release.as_str()).collect();
    let what = match goes.as_slice() {
        [] => "nothing, since none is there,".to_owned(),
        names => names.join(", "),
    };
    let mut lost: Vec<&str> = data_goes.iter().map(|name| name.as_str()).collect();
    lost.retain(|name| goes.contains(name));
    match lost.as_slice() {
        [] => format!("removing {what} from {environment}"),
        names => format!(
            "removing {what} from {environment}, with the data of {},",
            names.join(", ")
        ),
    }
}

/// The command that removes what stays.
fn removal(context: Option<&str>, namespace: &str, kept: &[ObjectKey]) -> Option<String> {
    if kept.is_empty() {
        return None;
    }
    let mut words = vec!["kubectl delete".to_owned()];
    if let Some(context) = context {
        words.push(format!("--context={}", quoted(context)));
    }
    words.push(format!("--namespace={namespace}"));
    let object = |key: &ObjectKey| format!("{}/{}", key.kind.to_lowercase(), key.name);
    words.extend(kept.iter().map(object));
    Some(words.join(" "))
}

impl Answer for Removed {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let rows: Vec<[String; 2]> = self
            .releases
            .iter()
            .map(|it| [it.release.clone(), self.told(it)])
            .collect();
        write_table((out, style), &rows, |column, cell| match column {
            0 => style.name(cell),
            _ => cell.to_owned(),
        })?;
        let Some(command) = &self.removed_by else {
            return Ok(());
        };
        let stays = match self.dry_run {
            true => "would stay",
            false => "stays",
        };
        let command = style.name(command);
        writeln!(
            out,
            "\nWhat holds data {stays}. Remove it for good with\n  {command}"
        )
    }
}

impl Removed {
    /// What became of a release. What the command that removes it for good names is not told twice.
    fn told(&self, destroyed: &Destroyed) -> String {
        let listed: Vec<String> = self.kept.iter().map(ToString::to_string).collect();
        let kept = destroyed.kept.iter().filter(|key| !listed.contains(*key));
        let kept: Vec<&str> = kept.map(String::as_str).collect();
        match (destroyed.existed, self.dry_run, kept.as_slice()) {
            (false, _, _) => "was not there".to_owned(),
            (true, true, _) => "would be removed".to_owned(),
            (true, false, []) => "removed".to_owned(),
            (true, false, kept) => format!("removed; kept: {}", kept.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_all_that_goes_and_whose_data() {
        let release = |release: &str, existed| Destroyed {
            release: release.to_owned(),
            existed,
            kept: Vec::new(),
        };
        let there = Destruction {
            releases: vec![
                release("orders", true),
                release("billing", false),
                release("orders-db", true),
            ],
            kept: Vec::new(),
        };
        let name = |name| Name::new(name).unwrap();
        let (staging, data) = (name("staging"), name("orders-db"));
        assert_eq!(
            question(&there, &[&data], &staging),
            "removing orders, orders-db from staging, with the data of orders-db,"
        );
        assert_eq!(
            question(&there, &[], &staging),
            "removing orders, orders-db from staging"
        );
    }

    #[test]
    fn what_stays_is_told_once_by_the_command_that_removes_it() {
        let key = |kind: &str, name: &str| ObjectKey::namespaced("v1", kind, "shop", name);
        let kept = vec![
            key("Secret", "orders-db"),
            key("PersistentVolumeClaim", "orders-db-data"),
        ];
        let command = removal(Some("my staging"), "shop", &kept);
        let removed = Removed {
            environment: Name::new("staging").unwrap(),
            dry_run: false,
            releases: vec![Destroyed {
                release: "orders-db".to_owned(),
                existed: true,
                kept: vec![kept[1].to_string(), "ConfigMap/mine".to_owned()],
            }],
            kept,
            removed_by: command,
            leftovers: Vec::new(),
        };
        let mut out = Vec::new();
        removed.human(&mut out, &Style::default()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "orders-db  removed; kept: ConfigMap/mine\n\n\
             What holds data stays. Remove it for good with\n  kubectl delete \
             --context='my staging' --namespace=shop secret/orders-db \
             persistentvolumeclaim/orders-db-data\n"
        );
        assert_eq!(removal(None, "shop", &[]), None);
    }
}
