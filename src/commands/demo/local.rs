//! The shop on this machine.

use super::{ORDER, Place, call};
use crate::actions::demo::{Delivery, LocalShop, deliver};
use crate::actions::stack::up::GOES_ON;
use crate::app::App;
use crate::commands::interrupt;
use crate::commands::stack::opening;
use crate::error::{ErrorKind, Result};
use crate::model::stack::RuntimeKind;

/// Starts the shop, places an order, and stops it unless it is kept.
///
/// # Errors
/// Whatever the commands that it runs say; what was started is stopped all the same.
pub async fn show(asked: Option<RuntimeKind>, keep: bool, app: &App) -> Result<(Place, Delivery)> {
    let shown = order(asked, app).await;
    if keep {
        return shown;
    }
    call(app, &["down", "--volumes"]).await?;
    shown.map_err(|error| {
        let way =
            "Everything was stopped again; `gantline demo --keep` leaves it, to be looked into";
        error.without_hints(&GOES_ON).hint(way)
    })
}

async fn order(asked: Option<RuntimeKind>, app: &App) -> Result<(Place, Delivery)> {
    let runtime = start(asked, app).await?;
    let opened = opening(app, Some(runtime)).as_it_is()?;
    let shop = LocalShop(&opened.stack);
    let events = app.events();
    let delivering = deliver(&shop, ORDER, &*events);
    let delivery = interrupt::listen()?.leave(delivering).await?;
    Ok((Place::Local { runtime }, delivery))
}

/// Starts the shop in Docker when there is one, else as host processes, and says so.
async fn start(asked: Option<RuntimeKind>, app: &App) -> Result<RuntimeKind> {
    let first = asked.unwrap_or(RuntimeKind::Docker);
    match up(first, app).await {
        Err(error) if asked.is_none() && error.has(ErrorKind::Missing) => {
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
