//! Images of services: built when their source has none yet, and tagged by its hash.

mod refused;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use self::refused::{by_hand, refused};
use super::connection::DockerEnvironment;
use super::context::Context;
use super::dockerfile::named_images;
use super::images::{artifact, identity};
use super::logins::Logins;
use super::{Builder, DockerOptions, native};
use crate::engine::runtime::{Artifact, Progress, clean_line};
use crate::engine::source::image_source;
use crate::error::{Error, ErrorKind, Result};
use crate::model::container::BuildSource;
use crate::model::image::Platform;

/// How long a build may take.
const LONGEST_BUILD: Duration = Duration::from_secs(30 * 60);
/// How many of a build's last lines an error shows.
const LAST_LINES: usize = 20;
/// Digits of the source's hash in a tag: 48 bits.
const TAG_DIGITS: usize = 12;

/// What builds a Dockerfile, as the output calls it.
pub const BUILDKIT: &str = "BuildKit";

/// The build of one service's image.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// The service's name.
    pub service: &'a str,
    /// What the image is made from; the context is absolute.
    pub source: Cow<'a, BuildSource>,
    /// The image's repository.
    pub image: &'a str,
    /// What builds it.
    pub builder: Builder,
    /// The scratch folder and the workspace.
    pub options: &'a DockerOptions,
}

impl Build<'_> {
    /// The image of this very source, when there is one.
    pub async fn at_hand(&self, client: &Docker) -> Result<Option<Artifact>> {
        found(client, &self.tagged(&image_source(&self.source).await?)).await
    }

    /// What the image of a source with this hash is called.
    fn tagged(&self, hash: &str) -> String {
        let suffix = match self.builder {
            Builder::Docker => "",
            Builder::Native => "-native",
        };
        format!("{}:{}{suffix}", self.image, &hash[..TAG_DIGITS])
    }

    /// Builds the image, unless there is one of the same source.
    pub async fn run(&self, client: &Docker, progress: &Progress) -> Result<Artifact> {
        let hash = image_source(&self.source).await?;
        let tagged = self.tagged(&hash);
        if let Some(artifact) = found(client, &tagged).await? {
            return Ok(artifact);
        }
        let started = Instant::now();
        let (context, how) = match self.builder {
            Builder::Docker => (self.docker_context(&hash), BUILDKIT),
            Builder::Native => native::context(self, &hash, (client, progress)).await?,
        };
        progress.say(format!("building {tagged} with {how}"));
        let request = ContextBuild {
            service: self.service,
            source: &self.source,
            tagged: &tagged,
            context,
            platform: None,
            labels: HashMap::new(),
            environment: &self.options.environment,
        };
        request.run(client, progress).await?;
        match identity(client, &tagged).await? {
            Some(identity) => {
                let seconds = started.elapsed().as_secs_f64();
                let outcome = format!("built by {how} in {seconds:.1} s");
                Ok(artifact(&tagged, identity, outcome))
            }
            None => Err(Error::failed(format!(
                "Docker built {tagged}, but has no such image"
            ))),
        }
    }

    /// The archive that is sent to BuildKit: the source of this hash, Dockerfile included.
    pub fn docker_context(&self, hash: &str) -> Context {
        Context::of_source(self.service, &self.source, hash)
    }
}

async fn found(client: &Docker, tagged: &str) -> Result<Option<Artifact>> {
    let found = identity(client, tagged).await?;
    Ok(found.map(|identity| artifact(tagged, identity, "its source is unchanged")))
}

/// A build of a context whose Dockerfile BuildKit reads.
pub struct ContextBuild<'a> {
    /// The service, for messages.
    pub service: &'a str,
    /// What it is made from.
    pub source: &'a BuildSource,
    /// What the image is called.
    pub tagged: &'a str,
    /// The archive that is built.
    pub context: Context,
    /// What the image is to run on; the daemon's own platform without one.
    pub platform: Option<&'a Platform>,
    /// Labels besides those of the Dockerfile.
    pub labels: HashMap<String, String>,
    /// Where it stands who we are to the registries of the images it is built on.
    pub environment: &'a DockerEnvironment,
}

impl ContextBuild<'_> {
    /// Builds the image.
    ///
    /// # Errors
    /// When an image that it is made from cannot be had
    /// ([`crate::error::ErrorKind::Missing`]), the source is not any more what it was, or the build
    /// fails, with its last lines.
    pub async fn run(self, client: &Docker, progress: &Progress) -> Result<()> {
        let tagged = self.tagged;
        let session = Sha256::digest(format!("{tagged} {:?}", Instant::now()));
        let session: String = session.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut options = BuildImageOptionsBuilder::new()
            .dockerfile(&self.source.dockerfile.to_string_lossy())
            .t(tagged)
            .rm(true)
            .labels(&self.labels)
            .version(BuilderVersion::BuilderBuildKit)
            .session(&session);
        if let Some(target) = &self.source.target {
            options = options.target(target);
        }
        if !self.source.args.is_empty() {
            let arguments: HashMap<String, String> = self.source.args.clone().into_iter().collect();
            options = options.buildargs(&arguments);
        }
        if let Some(platform) = self.platform {
            options = options.platform(&platform.to_string());
        }
        let logins = self.logins().await;
        let (pieces, fault) = self.context.send();
        let body = bollard::body_try_stream(pieces.map_ok(Into::into));
        let options = options.build();
        // The daemon says nothing before it has the whole context.
        let client = client.clone().with_timeout(LONGEST_BUILD);
        let mut events = Box::pin(client.build_image(options, logins.for_build(), Some(body)));
        let mut output = BuildOutput::default();
        let deadline = tokio::time::Instant::now() + LONGEST_BUILD;
        loop {
            match tokio::time::timeout_at(deadline, events.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(event))) => output.take(event, progress),
                Ok(Some(Err(_))) if fault.get().is_some() => {
                    return Err(fault
                        .get()
                        .cloned()
                        .unwrap_or_else(|| self.failed(output, &logins)));
                }
                Ok(Some(Err(error))) => {
                    let failed = self.failed(output, &logins);
                    return Err(match failed.kind() {
                        // It says in its own words what the builder repeats in longer ones.
                        ErrorKind::Missing => failed,
                        _ => refused(failed, self.source, &error),
                    });
                }
                Err(_) => {
                    let time = format!("no end within {} minutes", LONGEST_BUILD.as_secs() / 60);
                    return Err(self.failed(output, &logins).since(time));
                }
            }
        }
    }

    /// Who we are to the registries of the images that the Dockerfile names. One that cannot be read
    /// is the daemon's to tell.
    async fn logins(&self) -> Logins {
        let path = self.source.context.join(&self.source.dockerfile);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let images = named_images(&text, &self.source.args);
        Logins::of(images.iter().map(String::as_str), self.environment).await
    }

    fn failed(&self, output: BuildOutput, logins: &Logins) -> Error {
        if let Some(absent) = output.absent {
            // Without the service: several may be built from it, and it is said once.
            let image = absent.image;
            let error = Error::missing(format!(
                "the image {image}, which is built on, cannot be had"
            ))
            .since(absent.reason)
            .hint(format!("See what Docker says: `docker pull {image}`"));
            return logins.explain(error);
        }
        let error = Error::failed(format!("the image of {} cannot be built", self.service));
        let error = match output.last_lines.is_empty() {
            true => error,
            false => error.since(output.text()),
        };
        error.hint(format!("Build it by hand: `{}`", by_hand(self.source)))
    }
}

/// What a build says.
#[derive(Default)]
struct BuildOutput {
    last_lines: VecDeque<String>,
    absent: Option<AbsentImage>,
}

/// An image that a Dockerfile names and nobody has.
#[derive(Debug, PartialEq, Eq)]
struct AbsentImage {
    image: String,
    reason: String,
}

/// The image that a step of BuildKit is there to load, by the name that BuildKit gives the step.
fn loaded_image(step: &str) -> Option<&str> {
    const LOADS: [&str; 2] = [
        "[internal] load metadata for ",
        "resolve image config for docker-image://",
    ];
    let resolved = LOADS.iter().find_map(|load| step.strip_prefix(load));
    // `[build 1/6] FROM golang:1.26@sha256:...`: its layers.
    let layers = || {
        let (stage, image) = step.strip_prefix('[')?.split_once("] FROM ")?;
        (!stage.contains(']')).then_some(image)
    };
    resolved.or_else(layers)
}

impl BuildOutput {
    fn take(&mut self, event: BuildInfo, progress: &Progress) {
        if let Some(text) = event.stream {
            self.lines(text.as_bytes());
        }
        let Some(BuildInfoAux::BuildKit(status)) = event.aux else {
            return;
        };
        for vertex in &status.vertexes {
            let runs = vertex.started.is_some() && vertex.completed.is_none();
            if runs && vertex.name.starts_with('[') && !vertex.name.starts_with("[internal]") {
                progress.say(clean_line(vertex.name.as_bytes()));
            }
            self.note_absence(&vertex.name, &vertex.error);
        }
        for log in &status.logs {
            self.lines(&log.msg);
        }
    }

    /// Keeps the first image that failed to load; the others are cancelled after it.
    fn note_absence(&mut self, step: &str, error: &str) {
        let is_cause = !error.is_empty() && !error.contains("context canceled");
        if let Some(image) = loaded_image(step).filter(|_| is_cause) {
            self.absent.get_or_insert_with(|| AbsentImage {
                image: clean_line(image.as_bytes()),
                reason: clean_line(error.as_bytes()),
            });
        }
    }

    fn lines(&mut self, bytes: &[u8]) {
        for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let line = clean_line(line);
            if !line.trim().is_empty() {
                self.last_lines.push_back(line);
            }
        }
        while self.last_lines.len() > LAST_LINES {
            self.last_lines.pop_front();
        }
    }

    fn text(&self) -> String {
        let lines: Vec<&str> = self.last_lines.iter().map(String::as_str).collect();
        format!("its last lines:\n{}", lines.join("\n"))
    }
}

/// Runs work that blocks, such as reading many files.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::failed("reading the source was cut off").because(error))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_that_cannot_be_loaded_is_the_one_that_is_named() {
        let mut output = BuildOutput::default();
        output.note_absence("[internal] load build context", "context canceled");
        output.note_absence("[build 2/6] RUN go build", "exit code: 1");
        assert_eq!(output.absent, None);
        let first = "[internal] load metadata for registry.example/golang:1.26";
        output.note_absence(first, "no such host");
        output.note_absence("[last 1/2] FROM registry.example/base:1", "not found");
        let absent = output.absent.unwrap();
        assert_eq!(absent.image, "registry.example/golang:1.26");
        assert_eq!(absent.reason, "no such host");
    }

    #[test]
    fn steps_that_load_an_image_are_told_from_others() {
        let layers = loaded_image("[build 1/6] FROM golang:1.26@sha256:ab");
        assert_eq!(layers, Some("golang:1.26@sha256:ab"));
        let frontend = loaded_image("resolve image config for docker-image://dockerfile:1");
        assert_eq!(frontend, Some("dockerfile:1"));
        assert_eq!(loaded_image("[build 2/6] RUN echo '] FROM x'"), None);
    }
}
