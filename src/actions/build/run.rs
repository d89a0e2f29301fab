//! Making one image, and bringing it where it is to be.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bollard::Docker;
use tokio::sync::OnceCell;

use super::plan::Builder;
use super::schema::stated;
use super::wanted::{Wanted, source_of};
use super::{BuildRequest, Chosen, Job};
use crate::engine::docker::build::ContextBuild;
use crate::engine::docker::connection::{DockerEnvironment, WAY_OUT, connect};
use crate::engine::docker::context::Context;
use crate::engine::docker::transfer;
use crate::engine::files::run_folder;
use crate::engine::image::base::{Bases, Preference};
use crate::engine::image::native::NativeBuild;
use crate::engine::image::{Packed, pack, push};
use crate::engine::registry::{Access, Repository};
use crate::engine::runtime::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::{Event, EventSink};
use crate::model::image::{BUILDER, Digest, Platform, REVISION};
use crate::model::name::Name;
use crate::model::schema;

/// What all images of one run are made with.
pub(super) struct Workshop<'a> {
    request: &'a BuildRequest<'a>,
    environment: DockerEnvironment,
    events: Arc<dyn EventSink>,
    bases: Bases,
    docker: OnceCell<Docker>,
    scratch: PathBuf,
    /// What images are built for.
    pub platforms: Vec<Platform>,
}

/// An image that is there.
pub(super) struct There {
    /// Its digest, where it is in a registry.
    pub digest: Option<Digest>,
}

impl<'a> Workshop<'a> {
    pub async fn open(
        request: &'a BuildRequest<'a>,
        environment: DockerEnvironment,
        events: Arc<dyn EventSink>,
    ) -> Result<Self> {
        let preference = match request.push {
            true => Preference::Registry,
            false => Preference::Local,
        };
        let names = &request.project.workspace.platforms;
        let platforms = names.iter().map(|name| {
            Platform::parse(name)
                .ok_or_else(|| Error::invalid(format!("`{name}` is no platform of images")))
        });
        let mut workshop = Self {
            bases: Bases::new(environment.clone(), preference),
            docker: OnceCell::new(),
            scratch: run_folder(&request.project.root)?.join("build"),
            platforms: platforms.collect::<Result<_>>()?,
            request,
            environment,
            events,
        };
        if !request.push && workshop.platforms.len() > 1 {
            workshop.platforms = vec![workshop.local_platform().await?];
        }
        Ok(workshop)
    }

    /// The one platform that the local Docker keeps: its own, where images are built for it.
    async fn local_platform(&self) -> Result<Platform> {
        let version = self.docker().await?.version().await;
        let own = version.ok().and_then(|version| version.arch);
        let is_own = |platform: &&Platform| Some(&platform.architecture) == own.as_ref();
        let chosen = self.platforms.iter().find(is_own);
        let chosen = chosen.or(self.platforms.first()).cloned();
        let chosen = chosen.ok_or_else(|| Error::invalid("the workspace has no platforms"))?;
        self.events.note(format!(
            "the local Docker keeps one platform of an image: {chosen}; `--push` builds all"
        ));
        Ok(chosen)
    }

    /// The image of a job's source, where it is to be.
    pub async fn look_for(&self, job: &Job) -> Result<Option<There>> {
        if self.request.push {
            let repository = self.repository(&job.wanted, Access::Read).await?;
            let found = repository.find(&job.wanted.tag).await?;
            return Ok(found.map(|digest| There {
                digest: Some(digest),
            }));
        }
        let has = transfer::has(self.docker().await?, &job.wanted.name()).await?;
        Ok(has.then_some(There { digest: None }))
    }

    /// Builds an image and brings it where it is to be; the digest that the registry knows.
    pub async fn make(&self, job: &Job) -> Result<Option<Digest>> {
        let service = &job.wanted.service;
        let id = format!("build {service}");
        let began = Instant::now();
        self.events.emit(Event::Started {
            id: id.clone(),
            label: id.clone(),
            after: Vec::new(),
        });
        if let Chosen::Docker {
            reason: Some(reason),
        } = &job.chosen
        {
            let reason = format!("BuildKit builds {service}: {reason}");
            self.events.warn(reason);
        }
        let progress = Progress::new(Arc::clone(&self.events), &id);
        let made = self.made(job, &progress).await;
        self.events.emit(match &made {
            Ok((_, message)) => Event::Finished {
                id,
                message: message.clone(),
                elapsed: began.elapsed(),
            },
            Err(error) => Event::Failed {
                id,
                message: error.message().to_owned(),
            },
        });
        made.map(|(digest, _)| digest)
    }

    async fn made(&self, job: &Job, progress: &Progress) -> Result<(Option<Digest>, String)> {
        let mut labels = BTreeMap::from([
            (REVISION.to_owned(), job.wanted.source.clone()),
            (BUILDER.to_owned(), job.chosen.builder().to_string()),
        ]);
        let service = &job.wanted.service;
        if self.is_made(service) {
            let schema = stated(&self.directory(&job.wanted), service, &*self.events).await;
            labels.extend(schema.map(|text| (schema::LABEL.to_owned(), text)));
        }
        let name = job.wanted.name();
        // Opened before the work, so that a refusal does not come after minutes of it.
        let repository = match self.request.push {
            true => Some(self.repository(&job.wanted, Access::Write).await?),
            false => None,
        };
        let began = Instant::now();
        let images = match &job.chosen {
            Chosen::Native(_) => self.natively(job, &labels, progress).await?,
            Chosen::Docker { .. } => self.by_docker(job, &labels, progress).await?,
        };
        let how = match job.chosen.builder() {
            Builder::Native => "Go of this host",
            Builder::Docker => "BuildKit",
        };
        let how = format!("built by {how} in {:.1} s", began.elapsed().as_secs_f64());
        let Some(repository) = repository else {
            if let (Builder::Native, [image]) = (job.chosen.builder(), images.as_slice()) {
                progress.say(format!("giving {name} to Docker"));
                transfer::load(self.docker().await?, image, &name).await?;
            }
            return Ok((None, format!("{how}: {name}")));
        };
        progress.say(format!("pushing {name}"));
        let began = Instant::now();
        let digest = push(&repository, &job.wanted.tag, &images, &labels).await?;
        let seconds = began.elapsed().as_secs_f64();
        let message = format!("{how}, pushed in {seconds:.1} s: {name}");
        Ok((Some(digest), message))
    }

    async fn natively(
        &self,
        job: &Job,
        labels: &BTreeMap<String, String>,
        progress: &Progress,
    ) -> Result<Vec<Packed>> {
        let Chosen::Native(stage) = &job.chosen else {
            return Ok(Vec::new());
        };
        let build = NativeBuild {
            service: job.wanted.service.as_str(),
            directory: &self.directory(&job.wanted),
            hash: &job.wanted.source,
            stage,
            platforms: &job.platforms,
            labels,
            for_registry: self.request.push,
            scratch: &self.scratch,
        };
        build.run(&self.bases, progress).await
    }

    /// Builds with BuildKit; what is pushed is then taken out of the daemon.
    async fn by_docker(
        &self,
        job: &Job,
        labels: &BTreeMap<String, String>,
        progress: &Progress,
    ) -> Result<Vec<Packed>> {
        let client = self.docker().await?;
        let source = source_of(self.request.project, &job.wanted.service)?;
        let service = job.wanted.service.as_str();
        let context = Context::of_source(service, &source, &job.wanted.source);
        let mut images = Vec::new();
        for platform in &job.platforms {
            // Docker keeps one platform under a name.
            let several = job.platforms.len() > 1;
            let tagged = match several {
                true => format!(
                    "{}-{}",
                    job.wanted.name(),
                    platform.to_string().replace('/', "-")
                ),
                false => job.wanted.name(),
            };
            progress.say(format!("building {tagged} with BuildKit"));
            let build = ContextBuild {
                service,
                source: &source,
                tagged: &tagged,
                context: context.clone(),
                platform: Some(platform),
                labels: labels.clone().into_iter().collect::<HashMap<_, _>>(),
                environment: &self.environment,
            };
            build.run(client, progress).await?;
            if !self.request.push {
                continue;
            }
            progress.say(format!("taking {tagged} out of Docker"));
            let found = transfer::export(client, &tagged).await?;
            let mut image = found.ok_or_else(|| {
                Error::failed(format!("Docker built {tagged}, but has no such image"))
            })?;
            image.platform = platform.clone();
            image.annotations.extend(labels.clone());
            let packed = tokio::task::spawn_blocking(move || pack(image))
                .await
                .map_err(|error| Error::failed("packing the image was cut off").because(error))?;
            images.push(packed?);
            if several {
                transfer::remove(client, &tagged).await?;
            }
        }
        Ok(images)
    }

    /// Whether a service is made from a blueprint: the chart of another one runs no migrations, so
    /// it takes nothing away from a schema before it is deployed.
    fn is_made(&self, service: &Name) -> bool {
        let found = self.request.project.services.get(service);
        found.is_some_and(|service| service.container.is_none())
    }

    fn directory(&self, wanted: &Wanted) -> PathBuf {
        let project = self.request.project;
        let found = project.services.get(&wanted.service);
        let folder = found.map(|service| service.directory.as_str());
        project.root.join(folder.unwrap_or_default())
    }

    async fn repository(&self, wanted: &Wanted, access: Access) -> Result<Repository> {
        Repository::open(&wanted.repository, access, &self.environment).await
    }

    async fn docker(&self) -> Result<&Docker> {
        let connect = || async {
            connect(&self.environment).await.map_err(|error| {
                if error.kind() != ErrorKind::Missing {
                    return error;
                }
                error
                    .without_hints(&[WAY_OUT])
                    .hint("Without Docker images can be built natively and pushed: `gantline build --push`")
            })
        };
        self.docker.get_or_try_init(connect).await
    }
}
