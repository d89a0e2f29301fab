//! The shop in a cluster.

use std::path::Path;

use super::{ORDER, Place, SERVICES, call, call_refused};
use crate::actions::demo::contraction::Contraction;
use crate::actions::demo::{Delivery, DeployedShop, deliver};
use crate::app::App;
use crate::commands::interrupt;
use crate::error::{Error, Result};

/// The namespace that the shop is deployed into.
const NAMESPACE: &str = "shop-demo";
/// What the environment is called.
const ENVIRONMENT: &str = "demo";
/// A version that cannot start: what differs for orders in this environment.
const BAD_VERSION: (&str, &str) = (
    "services/orders/service.demo.yaml",
    "# A level that is none: the service says so and exits.\nenv: {LOG_LEVEL: loud}\n",
);

/// Refuses a context that is none, or whose cluster does not answer, before anything is made.
///
/// # Errors
/// When the context cannot be used, or its cluster cannot be asked.
pub async fn check(context: &str) -> Result<()> {
    let shop = DeployedShop::connect(context, NAMESPACE, SERVICES).await?;
    shop.check().await
}

/// Deploys the shop, places an order, is refused a migration that drops what is in use, rolls out a
/// bad version, and destroys all of it unless it is kept.
///
/// # Errors
/// Whatever the commands that it runs say; what was deployed is destroyed all the same.
pub async fn show(context: &str, keep: bool, app: &App) -> Result<(Place, Delivery)> {
    let add = ["add", "environment", ENVIRONMENT, "--context", context];
    let details = ["--namespace", NAMESPACE, "--in-cluster", "all"];
    call(app, &[&add[..], &details].concat()).await?;
    call(app, &["build", "--push"]).await?;
    let shown = deploy(context, app).await;
    if !keep {
        call(app, &["destroy", ENVIRONMENT, "--context", context]).await?;
    }
    shown
}

async fn deploy(context: &str, app: &App) -> Result<(Place, Delivery)> {
    call(app, &["deploy", ENVIRONMENT, "--context", context]).await?;
    let shop = DeployedShop::connect(context, NAMESPACE, SERVICES).await?;
    let events = app.events();
    let delivering = deliver(&shop, ORDER, &*events);
    let delivery = interrupt::listen()?.leave(delivering).await?;
    let kept = contraction(context, app).await?;
    let rolled_back = bad_version(context, app).await?;
    let place = Place::Cluster {
        context: context.to_owned(),
        namespace: NAMESPACE.to_owned(),
        kept,
        rolled_back,
    };
    Ok((place, delivery))
}

/// Writes a migration that takes away what the running version uses; why it is not deployed.
async fn contraction(context: &str, app: &App) -> Result<String> {
    app.events().note(Contraction::told());
    let _until_here = Contraction::make(&app.settings().directory)?;
    let deploy = [
        "deploy",
        ENVIRONMENT,
        "orders",
        "--build",
        "--context",
        context,
    ];
    call_refused(app, &deploy).await
}

/// Rolls out a version that cannot start; why it was rolled back.
async fn bad_version(context: &str, app: &App) -> Result<String> {
    let (path, content) = BAD_VERSION;
    app.events()
        .note(format!("a bad version of orders: {path} says {content}"));
    write(&app.settings().directory.join(path), content)?;
    call(app, &["generate"]).await?;
    let deploy = ["deploy", ENVIRONMENT, "orders", "--context", context];
    let refused = call_refused(app, &deploy).await?;
    call(
        app,
        &["history", ENVIRONMENT, "orders", "--context", context],
    )
    .await?;
    Ok(refused)
}

fn write(path: &Path, content: &str) -> Result<()> {
    std::fs::write(path, content)
        .map_err(|error| Error::failed(format!("cannot write {}", path.display())).because(error))
}
