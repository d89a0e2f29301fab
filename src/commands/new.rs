//! `gantline new`.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dialoguer::{Confirm, Input};

use super::question;
use crate::actions::generate::complete_interrupted;
use crate::actions::workspace::{NewPlan, NewRequest, check_folder, make_new, plan_new};
use crate::app::App;
use crate::config::new_workspace::{default_module, default_registry};
use crate::config::yaml::shown_path;
use crate::error::{Error, Result};
use crate::model::name::{Name, NameError};
use crate::report::{Answer, Style};

/// Make a workspace: a repository of services.
///
/// It is made in a new folder of this name, or in the current one with `gantline new .`, which
/// must be empty or a fresh git repository.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, which is also its folder's; or `.`
    name: Option<String>,
    /// The prefix of every service's Go module, such as github.com/acme/shop
    #[arg(long)]
    module: Option<String>,
    /// The prefix of every image, such as ghcr.io/acme/shop
    #[arg(long)]
    registry: Option<String>,
    /// Write nothing; show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Makes the workspace.
///
/// # Errors
/// When the name is none, or the folder holds something already.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interactive = app.settings().interactive;
    let (root, name) = place(args.name, app)?;
    complete_interrupted(&root, &*app.events())?;
    check_folder(&root)?;
    let mut asked = false;
    let mut answered = |given: Option<String>, prompt: &str, default: String| match given {
        Some(given) => Ok(given),
        None if interactive => {
            asked = true;
            ask(prompt, default)
        }
        None => Ok(default),
    };
    let taken = args.module.is_none() && !interactive;
    let module = answered(args.module, "Go module", default_module(&name))?;
    let registry = default_registry(&name, &module);
    let registry = answered(args.registry, "Registry of images", registry)?;
    let plan = plan_new(&NewRequest {
        root,
        name: name.clone(),
        module,
        registry,
    })?;
    if taken {
        let module = default_module(&name);
        app.events().note(format!(
            "the Go module is {module}, by default; name yours with `--module github.com/acme/{name}`"
        ));
    }
    let mut made = Made::of(name, &plan);
    made.dry_run = args.dry_run;
    if args.dry_run {
        return app.answer(&made);
    }
    if asked {
        confirm(&made)?;
    }
    made.git_init = make_new(&plan, &*app.events()).await?;
    app.answer(&made)
}

/// The folder and the name of the new workspace.
fn place(given: Option<String>, app: &App) -> Result<(PathBuf, Name)> {
    let directory = app.settings().directory.clone();
    let text = match given {
        Some(text) => text,
        None if app.settings().interactive => ask("Name of the workspace", "shop".to_owned())?,
        None => {
            return Err(Error::invalid("the workspace's name is missing")
                .hint("Write `gantline new NAME`, or `gantline new .` for this folder"));
        }
    };
    if text != "." {
        let name = Name::new(&text).map_err(|cause| refused(&text, cause, otherwise(&text)))?;
        return Ok((directory.join(name.as_str()), name));
    }
    let root = std::fs::canonicalize(&directory).map_err(|cause| {
        Error::invalid(format!("{} cannot be read", directory.display())).because(cause)
    })?;
    let folder = root.file_name().unwrap_or_default().to_string_lossy();
    let name = Name::new(&*folder).map_err(|cause| {
        let name = nearest(&folder);
        let hint = format!("Rename the folder, or make one in it: `gantline new {name}`");
        refused(&folder, cause, hint).since("a workspace is named as its folder")
    })?;
    Ok((root, name))
}

fn refused(text: &str, cause: NameError, hint: String) -> Error {
    Error::invalid(format!("`{text}` is no name for a workspace"))
        .because(cause)
        .hint(hint)
}

/// What to write instead of a name that is none, or of a path.
fn otherwise(text: &str) -> String {
    let path = Path::new(text);
    match (path.parent(), path.file_name().and_then(OsStr::to_str)) {
        (Some(parent), Some(folder)) if text.contains('/') && parent != Path::new("") => {
            let name = nearest(folder);
            format!("Go to {}, and call it `{name}` there", parent.display())
        }
        _ => format!("Call it `{}`", nearest(text)),
    }
}

/// A name that comes near to a text, or else any.
fn nearest(text: &str) -> String {
    Name::nearest(text).map_or_else(|| "shop".to_owned(), |name| name.to_string())
}

fn ask(prompt: &str, default: String) -> Result<String> {
    let input = Input::new().with_prompt(prompt).default(default);
    question::answered(|| input.interact_text().map(Some))
}

fn confirm(made: &Made) -> Result<()> {
    let prompt = format!("Make {} with {}?", made.folder, made.files.join(", "));
    question::agreed(Confirm::new().with_prompt(prompt).default(true))
}

/// The answer of `new`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Made {
    /// The workspace's name.
    name: Name,
    /// Its folder.
    folder: String,
    /// Its files, relative to the folder.
    files: Vec<String>,
    /// Whether it became a git repository, or would.
    git_init: bool,
    /// Whether nothing was written.
    dry_run: bool,
    #[serde(skip)]
    in_place: bool,
}

impl Made {
    fn of(name: Name, plan: &NewPlan) -> Self {
        Self {
            in_place: plan.root.exists(),
            name,
            folder: shown_path(&plan.root).display().to_string(),
            files: plan
                .files
                .changes
                .iter()
                .map(|change| change.path.to_string())
                .collect(),
            git_init: plan.git_init,
            dry_run: false,
        }
    }
}

impl Answer for Made {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let (made, repository) = match self.dry_run {
            true => ("would be made", "would become a git repository"),
            false => ("was made", "is a git repository now"),
        };
        writeln!(
            out,
            "The workspace {} {made} in {}:",
            style.strong(&self.name),
            self.folder
        )?;
        for file in &self.files {
            writeln!(out, "  {}", style.good(file))?;
        }
        if self.git_init {
            writeln!(out, "It {repository}.")?;
        }
        if self.dry_run {
            return Ok(());
        }
        writeln!(out)?;
        writeln!(out, "Next:")?;
        let command = "gantline add service orders --blueprint go-service --with entity=order";
        if !self.in_place {
            writeln!(out, "  {}", style.name(format!("cd {}", self.folder)))?;
        }
        writeln!(out, "  {}", style.name(command))
    }
}
