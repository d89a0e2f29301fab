//! `gantline demo`: the whole path, with the commands that a user would type.

pub(super) mod answer;
mod deployed;
mod gate;
mod local;
mod newer;

use std::path::{Path, PathBuf};

use clap::Parser;

use self::answer::{Demonstration, Place};
use crate::actions::demo::{Order, new_folder, require_go};
use crate::app::App;
use crate::cli::Cli;
use crate::commands::interrupt;
use crate::error::{Error, ErrorKind, Result};
use crate::model::stack::RuntimeKind;

/// The shop, made with flags alone.
const SCAFFOLD: &[&[&str]] = &[
    &[
        "add",
        "service",
        "orders",
        "--blueprint",
        "go-service",
        "--with",
        "entity=order",
        "--with",
        "store=postgres",
        "--with",
        "messaging=nats",
        "--publishes",
        "order-placed",
    ],
    &[
        "add",
        "service",
        "storefront",
        "--blueprint",
        "go-service",
        "--with",
        "entity=checkout",
        "--needs",
        "orders",
    ],
    &[
        "add",
        "service",
        "billing",
        "--blueprint",
        "go-worker",
        "--with",
        "entity=invoice",
        "--consumes",
        "order-placed=orders",
    ],
];

/// Its services, front door first.
const SERVICES: &[&str] = &["storefront", "orders", "billing"];

/// What is ordered, and who tells of it in the end.
const ORDER: Order<'static> = Order {
    front_door: "storefront",
    path: "/checkouts",
    reference: "first-light",
    worker: "billing",
};

/// Make a shop of three services, run it, break a contract, and upgrade what was edited.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder in which the workspace `shop` is made [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where to run it [default: docker, else process]
    #[arg(long, value_enum, conflicts_with = "deploy")]
    runtime: Option<RuntimeKind>,
    /// Deploy it into the cluster of this context instead, then drop a column in use and roll out a
    /// bad version
    #[arg(long, value_name = "CONTEXT", requires = "registry")]
    deploy: Option<String>,
    /// Where images are pushed to, and where the cluster pulls them from
    #[arg(long, value_name = "REGISTRY", requires = "deploy")]
    registry: Option<String>,
    /// Leave everything running at the end, also without a terminal
    #[arg(long, conflicts_with = "stop")]
    keep: bool,
    /// Stop everything at the end, also at a terminal
    #[arg(long)]
    stop: bool,
}

/// Runs the demonstration.
///
/// # Errors
/// Whatever the commands that it runs say.
pub async fn run(args: Args, app: &App) -> Result<()> {
    if let Some(context) = &args.deploy {
        interrupt::listen()?.leave(deployed::check(context)).await?;
    }
    // The contract gate runs a provider's tests.
    require_go()?;
    let directory = match &args.directory {
        Some(directory) => app.settings().directory.join(directory),
        None => new_folder()?,
    };
    let keep = args.keep || (app.settings().interactive && !args.stop);
    let shop = make_shop(&directory, args.registry.as_deref(), app).await?;
    let directory = shop.settings().directory.clone();
    let (place, shown) = match &args.deploy {
        Some(context) => deployed::show(context, keep, &shop).await?,
        None => local::show(args.runtime, keep, &shop).await?,
    };
    let refused = gate::show(&directory, &shop).await?;
    let upgraded = newer::show(&directory, &shop).await?;
    app.answer(&Demonstration {
        directory,
        place,
        running: keep,
        refused: refused.code,
        refused_document: refused.document,
        upgraded,
        delivery: shown,
    })
}

/// Makes the workspace and its services; an app within it.
async fn make_shop(directory: &Path, registry: Option<&str>, app: &App) -> Result<App> {
    let mut new = vec!["new", "shop", "--module", "github.com/acme/shop"];
    if let Some(registry) = registry {
        new.extend(["--registry", registry]);
    }
    call(&app.within(directory.to_owned()), &new).await?;
    let shop = app.within(directory.join("shop"));
    for words in SCAFFOLD {
        call(&shop, words).await?;
    }
    Ok(shop)
}

/// Shows a command as a user would type it, and runs it.
async fn call(app: &App, words: &[&str]) -> Result<()> {
    app.events().note(format!("$ gantline {}", words.join(" ")));
    let cli = Cli::try_parse_from(std::iter::once("gantline").chain(words.iter().copied()))
        .map_err(|error| {
            Error::failed("the demonstration's command is not understood").because(error)
        })?;
    let interrupts = interrupt::listen()?;
    // The command runs within another one, so its future must not be part of itself.
    Box::pin(cli.run(app)).await?;
    interrupts.check()
}

/// Runs a command that has to say no, shows why, and returns that in a sentence.
async fn call_refused(app: &App, words: &[&str]) -> Result<String> {
    match call(app, words).await {
        Err(error) if error.kind() == ErrorKind::Failed => {
            app.report_error(&error);
            Ok(error.message().to_owned())
        }
        Err(other) => Err(other),
        Ok(()) => Err(Error::failed(format!(
            "`gantline {}` said yes where it has to say no",
            words.join(" ")
        ))),
    }
}
