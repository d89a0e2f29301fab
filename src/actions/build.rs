//! `build`: images of services, found by the hash of their source and built when there are none.

mod plan;
mod run;
mod schema;
mod wanted;

use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use tokio::sync::Semaphore;

pub use self::plan::{Builder, Chosen};
use self::run::Workshop;
pub use self::wanted::{Images, Wanted, images, wanted};
use crate::engine::docker::connection::DockerEnvironment;
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::image::{Digest, Platform};
use crate::model::name::Name;
use crate::model::project::Project;

/// What `build` is asked to do.
#[derive(Debug, Clone)]
pub struct BuildRequest<'a> {
    /// The workspace, with at least these services.
    pub project: &'a Project,
    /// The services.
    pub services: &'a [Name],
    /// The prefix of images, where it is not the workspace's.
    pub registry: Option<&'a str>,
    /// Whether images go to the registry; otherwise they go to the local Docker.
    pub push: bool,
    /// The builder that the user named.
    pub builder: Option<Builder>,
    /// Whether only what would be done is found out.
    pub dry_run: bool,
}

/// What became of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There was one of the same source.
    Unchanged,
    /// It is in the local Docker now.
    Built,
    /// It was built, and is in the registry now.
    Pushed,
    /// It would have been built.
    WouldBuild,
    /// It would have been built and pushed.
    WouldPush,
}

/// The image of one service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Built {
    /// The service.
    pub service: Name,
    /// The image's repository.
    pub image: String,
    /// Its tag.
    pub tag: String,
    /// Its digest in the registry; none where it is in the local Docker alone.
    pub digest: Option<Digest>,
    /// What was done.
    pub outcome: Outcome,
    /// What built it, or would; none where nothing was to be built.
    pub builder: Option<Builder>,
    /// What it runs on.
    #[schemars(with = "Vec<String>")]
    pub platforms: Vec<Platform>,
}

/// One image on its way.
#[derive(Debug, Clone)]
struct Job {
    wanted: Wanted,
    chosen: Chosen,
    platforms: Vec<Platform>,
}

/// Builds the images of services, two at a time, unless there is one of the same source: in the
/// registry when they are pushed, in the local Docker otherwise.
///
/// # Errors
/// When the builder that was asked for cannot build one of them, when something needed is
/// missing, or when a build fails; the others are built all the same.
pub async fn build(request: &BuildRequest<'_>, events: Arc<dyn EventSink>) -> Result<Vec<Built>> {
    let environment = DockerEnvironment::of_process();
    let workshop = Workshop::open(request, environment, Arc::clone(&events)).await?;
    let jobs = jobs(request, &workshop).await?;
    let digests = jobs.iter().map(|job| workshop.look_for(job));
    let found = try_join_all(digests).await?;
    let places = Semaphore::new(2);
    let built = jobs.iter().zip(found).map(async |(job, found)| {
        let done = |outcome, digest, builder| Built {
            service: job.wanted.service.clone(),
            image: job.wanted.repository.clone(),
            tag: job.wanted.tag.clone(),
            digest,
            outcome,
            builder,
            platforms: job.platforms.clone(),
        };
        let builder = Some(job.chosen.builder());
        match (found, request.dry_run, request.push) {
            (Some(found), _, _) => {
                let service = &job.wanted.service;
                events.note(format!("{service} is unchanged: {}", job.wanted.name()));
                Ok(done(Outcome::Unchanged, found.digest, None))
            }
            (None, true, true) => Ok(done(Outcome::WouldPush, None, builder)),
            (None, true, false) => Ok(done(Outcome::WouldBuild, None, builder)),
            (None, false, push) => {
                let _place = places.acquire().await;
                let digest = workshop.make(job).await?;
                let outcome = match push {
                    true => Outcome::Pushed,
                    false => Outcome::Built,
                };
                Ok(done(outcome, digest, builder))
            }
        }
    });
    let mut all = Vec::new();
    let mut failed = Vec::new();
    for outcome in join_all(built).await {
        match outcome {
            Ok(built) => all.push(built),
            Err(error) => failed.push(error),
        }
    }
    Error::none_of(|count| format!("{count} images could not be built"), failed)?;
    Ok(all)
}

async fn jobs(request: &BuildRequest<'_>, workshop: &Workshop<'_>) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut problems = Vec::new();
    for service in request.services {
        let wanted = wanted(request.project, service, request.registry).await?;
        match plan::choose(request, service) {
            Ok(chosen) => jobs.push(Job {
                wanted,
                chosen,
                platforms: workshop.platforms.clone(),
            }),
            Err(error) => problems.push(error),
        }
    }
    let message = |count| format!("{count} services cannot be built that way");
    Error::none_of(message, problems)?;
    Ok(jobs)
}
