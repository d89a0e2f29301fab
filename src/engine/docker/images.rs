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

/// An image that is wanted, and who wants it.
pub struct Wanted<'a> {
    /// The daemon that shall have it.
    pub client: &'a Docker,
    /// Its name.
    pub image: &'a str,
    /// Where it is found as whom `docker login` made us.
    pub environment: &'a DockerEnvironment,
    /// Where it is said how far the pull is.
    pub progress: &'a Progress,
}

impl Wanted<'_> {
    /// Finds the image, or pulls it.
    ///
    /// # Errors
    /// When the daemon cannot be asked, or cannot pull it.
    pub async fn obtain(&self) -> Result<Artifact> {
        let (client, image) = (self.client, self.image);
        if let Some(found) = at_hand(client, image).await? {
            return Ok(found);
        }
        let started = Instant::now();
        self.progress.say(format!("pulling {image}"));
        self.pull().await?;
        match identity(client, image).await? {
            Some(identity) => {
                let outcome = format!("pulled in {:.1} s", started.elapsed().as_secs_f64());
                Ok(artifact(image, identity, outcome))
            }
            None => Err(no_image(image)),
        }
    }

    pub(super) async fn pull(&self) -> Result<()> {
        let image = self.image;
        let logins = Logins::of([image], self.environment).await;
        let client = with_readable_credentials(self.client);
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
                        self.progress
                            .say(format!("pulling {image}: {layer} {status}"));
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
