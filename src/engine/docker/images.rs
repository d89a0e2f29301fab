//! Images that others make: pulled when absent.

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::StreamExt;

use super::connection::DockerEnvironment;
use super::logins::{Logins, with_readable_credentials};
use super::{failure, is_absent};
use crate::engine::runtime::{Artifact, Progress};
use crate::error::{Error, Result};

/// How long a pull may go without a word from the daemon.
const SILENCE: Duration = Duration::from_secs(120);

/// Finds an image, or pulls it as whom `docker login` made us.
pub async fn obtain(
    client: &Docker,
    image: &str,
    (environment, progress): (&DockerEnvironment, &Progress),
) -> Result<Artifact> {
    if let Some(found) = at_hand(client, image).await? {
        return Ok(found);
    }
    let started = Instant::now();
    progress.say(format!("pulling {image}"));
    pull(client, image, (environment, progress)).await?;
    match identity(client, image).await? {
        Some(identity) => {
            let outcome = format!("pulled in {:.1} s", started.elapsed().as_secs_f64());
            Ok(artifact(image, identity, outcome))
        }
        None => Err(no_image(image)),
    }
}

/// An image that need not be pulled.
pub async fn at_hand(client: &Docker, image: &str) -> Result<Option<Artifact>> {
    let found = identity(client, image).await?;
    Ok(found.map(|identity| artifact(image, identity, "image is at hand")))
}

/// An image as what an instance runs.
pub fn artifact(image: &str, identity: String, outcome: impl Into<String>) -> Artifact {
    Artifact {
        location: image.to_owned(),
        identity,
        outcome: outcome.into(),
    }
}

fn no_image(image: &str) -> Error {
    Error::missing(format!("the image {image} cannot be pulled"))
        .hint(format!("See what Docker says: `docker pull {image}`"))
}

/// The id of an image; `None` when the daemon has none of that name.
pub async fn identity(client: &Docker, image: &str) -> Result<Option<String>> {
    match client.inspect_image(image).await {
        Ok(found) => Ok(found.id),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(format!("cannot look for the image {image}"), error)),
    }
}

pub(super) async fn pull(
    client: &Docker,
    image: &str,
    (environment, progress): (&DockerEnvironment, &Progress),
) -> Result<()> {
    let logins = Logins::of([image], environment).await;
    let client = with_readable_credentials(client);
    let mut options = CreateImageOptionsBuilder::new().from_image(image);
    let last_part = image.rsplit('/').next().unwrap_or(image);
    if !last_part.contains([':', '@']) {
        // Without a tag the API would pull every one.
        options = options.tag("latest");
    }
    let mut events = client.create_image(Some(options.build()), None, logins.for_pull(image));
    loop {
        match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(event))) => {
                if let (Some(status), Some(layer)) = (event.status, event.id) {
                    progress.say(format!("pulling {image}: {layer} {status}"));
                }
            }
            Ok(Some(Err(error))) => return Err(logins.explain(no_image(image).because(error))),
            Err(_) => {
                let silence = format!("Docker said nothing for {} s", SILENCE.as_secs());
                return Err(logins.explain(no_image(image).since(silence)));
            }
        }
    }
}
