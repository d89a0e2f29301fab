//! `gantline demo`: the whole path, with the commands that a user would type.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;

use crate::actions::demo::{Delivery, Order, deliver, new_folder};
use crate::app::App;
use crate::cli::Cli;
use crate::commands::stack::opening;
use crate::error::{Error, ErrorKind, Result};
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Style};

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

/// Make a shop of three services, start it, and place an order.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder in which the workspace `shop` is made [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where to run it [default: docker, else process]
    #[arg(long, value_enum)]
    runtime: Option<RuntimeKind>,
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
    let directory = match &args.directory {
        Some(directory) => app.settings().directory.join(directory),
        None => new_folder()?,
    };
    let keep = args.keep || (app.settings().interactive && !args.stop);
    let new = ["new", "shop", "--module", "github.com/acme/shop"];
    call(&app.within(directory.clone()), &new).await?;
    let directory = directory.join("shop");
    let shop = app.within(directory.clone());
    for words in SCAFFOLD {
        call(&shop, words).await?;
    }
    let shown = show(&args, &shop).await;
    if !keep {
        call(&shop, &["down", "--volumes"]).await?;
    }
    let (runtime, delivery) = shown?;
    app.answer(&Demonstration {
        directory,
        runtime,
        running: keep,
        delivery,
    })
}

async fn show(args: &Args, app: &App) -> Result<(RuntimeKind, Delivery)> {
    let runtime = start(args.runtime, app).await?;
    let order = Order {
        front_door: "storefront",
        path: "/checkouts",
        reference: "first-light",
        worker: "billing",
    };
    let opened = opening(app, Some(runtime)).as_it_is()?;
    Ok((runtime, deliver(&opened.stack, order).await?))
}

/// Starts the shop in Docker when there is one, else as host processes, and says so.
async fn start(asked: Option<RuntimeKind>, app: &App) -> Result<RuntimeKind> {
    let first = asked.unwrap_or(RuntimeKind::Docker);
    match up(first, app).await {
        Err(error) if asked.is_none() && error.kind() == ErrorKind::Missing => {
            app.events()
                .warn(format!("{error}; going on with host processes"));
            up(RuntimeKind::Process, app).await?;
            Ok(RuntimeKind::Process)
        }
        other => other.map(|()| first),
    }
}

async fn up(runtime: RuntimeKind, app: &App) -> Result<()> {
    call(app, &["up", "--detach", "--runtime", &runtime.to_string()]).await
}

/// Shows a command as a user would type it, and runs it.
async fn call(app: &App, words: &[&str]) -> Result<()> {
    app.events().note(format!("$ gantline {}", words.join(" ")));
    let cli = Cli::try_parse_from(std::iter::once("gantline").chain(words.iter().copied()))
        .map_err(|error| {
            Error::failed("the demonstration's command is not understood").because(error)
        })?;
    // The command runs within another one, so its future must not be part of itself.
    Box::pin(cli.run(app)).await
}

#[derive(serde::Serialize)]
struct Demonstration {
    directory: PathBuf,
    runtime: RuntimeKind,
    running: bool,
    #[serde(flatten)]
    delivery: Delivery,
}

impl Answer for Demonstration {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let directory = self.directory.display();
        writeln!(out, "\n{}", style.strong("An order went through the shop"))?;
        writeln!(
            out,
            "  POST {}  {}",
            self.delivery.url, self.delivery.request
        )?;
        writeln!(out, "  {} {}", self.delivery.status, self.delivery.response)?;
        for line in &self.delivery.trail {
            writeln!(
                out,
                "  {} {}",
                style.name(format!("{} |", line.thing)),
                line.line
            )?;
        }
        writeln!(out, "\n{}", style.strong("The workspace"))?;
        writeln!(out, "  {directory}")?;
        writeln!(out, "\n{}", style.strong("What to try next"))?;
        let next: &[(&str, &str)] = if self.running {
            &[
                ("gantline status", "what runs, and where"),
                ("gantline logs --follow", "what it says"),
                (
                    "gantline down --volumes",
                    "stop everything and leave nothing behind",
                ),
            ]
        } else {
            &[
                ("gantline up", "start it again"),
                (
                    "(cd services/orders && go test ./...)",
                    "run a service's tests",
                ),
                ("gantline generate --check", "see that nothing drifted"),
            ]
        };
        writeln!(out, "  {}", style.name(format!("cd {directory}")))?;
        for (command, what) in next {
            writeln!(
                out,
                "  {}  {}",
                style.name(format!("{command:<40}")),
                style.dim(what)
            )?;
        }
        if !self.running {
            writeln!(
                out,
                "\nEverything was stopped; the folder is yours to keep or remove."
            )?;
        }
        Ok(())
    }
}
