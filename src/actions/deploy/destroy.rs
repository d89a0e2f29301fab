//! Removes releases with their objects and their history.

use futures::future::{join_all, try_join_all};

use super::held::Held;
use super::open::Opened;
use super::outcome::{Stop, with_reasons};
use super::past::Past;
use super::site::Site;
use crate::actions::release::check_hooks;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::engine::kubernetes::records::{self, Record, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::model::environment::EnvironmentResource;
use crate::model::name::Name;

/// What hooks are run by before a release is removed.
const BEFORE: &str = "pre-delete";
/// What hooks are run by once it is.
const AFTER: &str = "post-delete";

/// What was removed of a release.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Destroyed {
    /// The release.
    pub release: String,
    /// Whether it was there.
    pub existed: bool,
    /// Objects that stay, since they are marked to be kept.
    pub kept: Vec<String>,
}

/// What was removed, and what stays although its release is gone.
#[derive(Debug, Clone)]
pub struct Destruction {
    /// Each release.
    pub releases: Vec<Destroyed>,
    /// Secrets and volume claims of resources: they hold data.
    pub kept: Vec<ObjectKey>,
}

/// How far a removal got.
#[derive(Debug, Default)]
enum Removal {
    /// Nothing was changed.
    #[default]
    Untouched,
    /// The newest record says that it is being removed; this is what it said before.
    Marked(Box<Record>),
    /// Objects are being deleted; the newest record.
    Deleting(Box<Record>),
}

impl Site {
    /// Removes a release; one that is absent is no error.
    ///
    /// # Errors
    /// When a deployment of it is under way, a hook fails, the cluster refuses, or the user
    /// interrupts: then nothing is taken back, and no record says that it is still under way.
    pub async fn destroy(&self, release: &str) -> Result<Destroyed> {
        let held = self.hold(release).await?;
        let mut removal = Removal::default();
        let taken_down = held.unless_interrupted(held.take_down(&mut removal)).await;
        let destroyed = match taken_down.unwrap_or_else(|| Err(Error::interrupted())) {
            Ok((mut past, destroyed)) => past.forget(&held).await.map(|()| destroyed),
            Err(error) => Err(held.leave_removal(removal, error).await),
        };
        held.lease.give_back().await;
        destroyed
    }
}

impl Opened {
    /// What [`Opened::destroy_all`] would remove.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub async fn would_destroy(&self) -> Result<Destruction> {
        let resources = self.resources_meant();
        let names = self.services_meant().into_iter();
        let names = names.chain(resources.iter().copied());
        let looking = names.map(async |service| {
            let past = Past::load(&self.site, service.as_str()).await?;
            Ok::<_, Error>(Destroyed {
                release: service.to_string(),
                existed: past.last().is_some(),
                kept: Vec::new(),
            })
        });
        Ok(Destruction {
            releases: try_join_all(looking).await?,
            kept: self.kept(&resources).await,
        })
    }

    /// The resources in the cluster that are named, or all when all of the environment is meant.
    fn resources_meant(&self) -> Vec<&Name> {
        self.resources_within()
            .filter(|name| self.whole || self.services.contains(name))
            .collect()
    }

    /// What is meant and no resource.
    fn services_meant(&self) -> Vec<&Name> {
        let resources = self.resources_meant();
        let mut services: Vec<&Name> = self.services.iter().collect();
        services.retain(|name| !resources.contains(name));
        services
    }

    /// The resources that are meant whose data goes with them, since no storage keeps it.
    pub fn data_that_goes(&self) -> Vec<&Name> {
        let is_kept = |name: &&Name| {
            let how = self.environment.resources.get(*name);
            matches!(
                how,
                Some(EnvironmentResource::InCluster { storage: Some(_) })
            )
        };
        let mut resources = self.resources_meant();
        resources.retain(|name| !is_kept(name));
        resources
    }

    /// What outlives these resources. Who may not see it is told so: it is there all the same.
    async fn kept(&self, resources: &[&Name]) -> Vec<ObjectKey> {
        match self.site.kept(resources).await {
            Ok(kept) => kept,
            Err(error) => {
                let unknown = "cannot tell which Secrets and volume claims stay";
                self.site.events.warn(format!("{unknown}: {error}"));
                Vec::new()
            }
        }
    }

    /// Removes the releases of the services, then those of the resources in the cluster when all
    /// of the environment is meant. Secrets and volumes of resources stay: they hold data.
    ///
    /// # Errors
    /// When one cannot be removed; the others are, all the same.
    pub async fn destroy_all(&self) -> Result<Destruction> {
        let mut removed = Vec::new();
        let mut errors = Vec::new();
        let services = self.services_meant();
        let resources = self.resources_meant();
        for names in [&services, &resources] {
            let removing = names.iter().map(|name| self.site.destroy(name.as_str()));
            for outcome in join_all(removing).await {
                match outcome {
                    Ok(destroyed) => removed.push(destroyed),
                    Err(error) => errors.push(error),
                }
            }
            if !errors.is_empty() {
                break;
            }
        }
        errors.sort_by_key(|error| error.kind() != ErrorKind::Interrupted);
        let message = |count| format!("{count} services were not removed");
        Error::none_of(message, errors)?;
        let kept = async { Ok(self.kept(&resources).await) };
        Ok(Destruction {
            releases: removed,
            kept: self.site.leave(kept).await?,
        })
    }
}

impl Held<'_> {
    /// Removes the release and its history.
    pub(super) async fn uninstall(&self) -> Result<()> {
        let (mut past, _) = self.take_down(&mut Removal::default()).await?;
        past.forget(self).await
    }

    /// Removes what the release owns, and says in `removal` how far that got.
    async fn take_down(&self, removal: &mut Removal) -> Result<(Past, Destroyed)> {
        let site = &self.site;
        let mut past = Past::load(site, self.release).await?;
        past.settle(self).await?;
        let keys = past.known_objects(site).await?;
        let hooks = past.last().map(Record::hooks).transpose()?;
        let mut destroyed = Destroyed {
            release: self.release.to_owned(),
            existed: past.last().is_some(),
            kept: Vec::new(),
        };
        let Some(mut last) = past.last().cloned() else {
            return Ok((past, destroyed));
        };
        let hooks = hooks.unwrap_or_default();
        check_hooks(&hooks, [BEFORE, AFTER], "uninstall")?;
        *removal = Removal::Marked(Box::new(last.clone()));
        last.settle(Status::Uninstalling, "Deletion in progress");
        records::update(site.objects.as_ref(), &site.namespace, &mut last).await?;
        self.hooks_of_removal(&mut last, &hooks, BEFORE).await?;
        *removal = Removal::Deleting(Box::new(last.clone()));
        // What stays is told in the end.
        self.delete(&keys).await?;
        let own = self.await_own_gone(&keys).await?;
        for key in &own {
            if site.objects.get(key).await?.is_some() {
                destroyed.kept.push(key.to_string());
            }
        }
        self.hooks_of_removal(&mut last, &hooks, AFTER).await?;
        Ok((past, destroyed))
    }

    /// Writes down how far a removal got that failed or was interrupted; the error to end with.
    async fn leave_removal(&self, removal: Removal, error: Error) -> Error {
        let (how, is_interrupted) = match error.kind() {
            ErrorKind::Interrupted => ("interrupted", true),
            _ => ("failed", false),
        };
        let (mut record, now) = match removal {
            Removal::Untouched if is_interrupted => {
                return error.since(format!("{} was not removed", self.release));
            }
            Removal::Untouched => return error,
            // A hook may have run, but every object is there.
            Removal::Marked(before) => (before, "was not removed"),
            Removal::Deleting(mut last) => {
                last.settle(Status::Failed, format!("Deletion {how}"));
                (last, "was removed in part")
            }
        };
        let error = error
            .since(format!("{} {now}", self.release))
            .hint("`gantline destroy` removes it, `gantline deploy` brings it back");
        let site = &self.site;
        let written = records::update(site.objects.as_ref(), &site.namespace, &mut record);
        match written.await {
            Ok(()) => error,
            Err(left) => error.with_related(vec![left]),
        }
    }

    async fn hooks_of_removal(
        &self,
        record: &mut Record,
        hooks: &[crate::model::release::Hook],
        event: &str,
    ) -> Result<()> {
        let run = async {
            let deleted = self.run_hooks(record, hooks, event).await?;
            self.hooks_gone(&deleted).await
        };
        run.await.map_err(|stop: Stop| {
            let message = format!("a hook of {} failed: {event}", self.release);
            with_reasons(Error::failed(message), &stop)
        })
    }
}
