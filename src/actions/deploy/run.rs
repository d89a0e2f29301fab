//! All releases of one command: side by side, with a cap.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use super::open::{Opened, Releases};
use super::outcome::{Change, Outcome};
use super::past::Past;
use super::plan::{ObjectChange, Wanted, compare};
use super::release::AfterFailure;
use super::schema::SchemaJudgement;
use super::site::Site;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::engine::kubernetes::records::{Record, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::model::release::ReleaseSpec;

/// How many releases are on their way at once.
const RELEASES: usize = 4;

/// What a deployment does when something fails.
#[derive(Debug, Clone, Copy)]
pub struct DeployRequest {
    /// With a release that fails.
    pub after: AfterFailure,
    /// Whether the others of this run are taken back, too.
    pub atomic: bool,
}

/// What would become of a release.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ReleasePlan {
    /// The release.
    pub release: String,
    /// The revision that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Whether it would be installed for the first time.
    pub install: bool,
    /// Whether only what belongs to no object differs: values, or hooks, or that the last revision failed.
    pub record_only: bool,
    /// The objects that would change.
    pub changes: Vec<ObjectChange>,
    /// What it would mean to the schema.
    #[serde(skip_serializing_if = "SchemaJudgement::is_empty")]
    pub schema: SchemaJudgement,
}

impl ReleasePlan {
    /// Whether a deployment would make a new revision.
    pub fn changes_something(&self) -> bool {
        self.install || self.record_only || !self.changes.is_empty()
    }
}

/// What a deployment would do.
#[derive(Debug, Clone)]
pub struct DeploymentPlan {
    /// What would be created before any release: CustomResourceDefinitions, the namespace, and Secrets
    /// of resources.
    pub creates: Vec<ObjectKey>,
    /// What would become of each release.
    pub releases: Vec<ReleasePlan>,
}

impl DeploymentPlan {
    /// Whether a deployment would change anything.
    pub fn changes_something(&self) -> bool {
        !self.creates.is_empty() || self.releases.iter().any(ReleasePlan::changes_something)
    }
}

/// What a deployment did.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// What was created before any release: CustomResourceDefinitions, the namespace, and Secrets of
    /// resources.
    pub created: Vec<ObjectKey>,
    /// What became of each release.
    pub outcomes: Vec<Outcome>,
}

impl Opened {
    /// What a deployment of these releases would change.
    ///
    /// # Errors
    /// When the cluster would refuse one, or cannot be asked.
    pub async fn plan(&self, releases: &Releases) -> Result<DeploymentPlan> {
        let creates = self.site.lacking(releases).await?;
        let resources = releases.resources.iter().map(|it| &it.spec);
        let specs = resources.chain(&releases.services);
        let planned = stream::iter(specs.map(|spec| plan_one(&self.site, spec)))
            .buffered(RELEASES)
            .collect::<Vec<_>>();
        let mut plans = Vec::new();
        let mut errors = Vec::new();
        for plan in planned.await {
            match plan {
                Ok(plan) => plans.push(plan),
                Err(error) => errors.push(error),
            }
        }
        let message = |count| format!("{count} releases cannot be planned");
        Error::none_of(message, errors)?;
        Ok(DeploymentPlan {
            creates,
            releases: plans,
        })
    }
}

impl Site {
    /// Judges the schemas of services, tells what may matter, and refuses what takes away what is
    /// in use: before anything changes.
    ///
    /// # Errors
    /// When one is refused, or the cluster cannot be asked.
    pub async fn judge_schemas(&self, releases: &Releases) -> Result<()> {
        let judging = releases.services.iter().map(|spec| async move {
            let past = Past::load(self, &spec.name).await?;
            let new = Record::of_spec(spec, &past.new_record(self, Status::PendingUpgrade, ""));
            Ok::<_, Error>(self.schemas.of_deployment(&spec.name, &past, &new).await)
        });
        let judging = stream::iter(judging.collect::<Vec<_>>())
            .buffered(RELEASES)
            .try_collect::<Vec<_>>();
        let judged = self.leave(judging).await?;
        for judgement in &judged {
            judgement.tell(self.events.as_ref());
        }
        refusal_of(judged.iter()).map_or(Ok(()), Err)
    }
}

/// The error of releases that are refused.
pub fn refusal_of<'a>(judged: impl Iterator<Item = &'a SchemaJudgement>) -> Option<Error> {
    let refused = judged.filter_map(|it| it.refusal.clone()).collect();
    let message =
        |count| format!("{count} services are not deployed: what is in use would be gone");
    Error::all_of(message, refused)
}

async fn plan_one(site: &Site, spec: &ReleaseSpec) -> Result<ReleasePlan> {
    let past = Past::load(site, &spec.name).await?;
    let known = past.known_objects(site).await?;
    let changes = compare(site, &Wanted::of(spec), &known).await?;
    let new = Record::of_spec(spec, &past.new_record(site, Status::PendingUpgrade, ""));
    Ok(ReleasePlan {
        release: spec.name.clone(),
        revision: past.baseline().map(Record::revision),
        install: past.baseline().is_none(),
        record_only: changes.is_empty() && past.already(&new).is_none(),
        changes: changes.changed,
        schema: site.schemas.of_deployment(&spec.name, &past, &new).await,
    })
}

impl Site {
    /// Deploys releases; each ends ready or taken back.
    ///
    /// # Errors
    /// When a definition, the namespace or a Secret is absent and cannot be made. What became of the releases is
    /// in the outcomes; see [`error_of`].
    pub async fn deploy_all(
        &self,
        releases: &Releases,
        request: DeployRequest,
    ) -> Result<Deployment> {
        let created = self.leave(self.prepare(releases)).await?;
        let resources: Vec<&ReleaseSpec> = releases.resources.iter().map(|it| &it.spec).collect();
        let services: Vec<&ReleaseSpec> = releases.services.iter().collect();
        let before = match request.atomic {
            true => {
                let all = resources.iter().chain(&services).copied();
                self.leave(self.what_runs(all)).await?
            }
            false => BTreeMap::new(),
        };
        let mut outcomes = self.deploy_together(&resources, request).await;
        if outcomes.iter().any(|it| it.error.is_some()) {
            self.events
                .warn("no service was touched, since a resource that they need failed");
        } else {
            outcomes.extend(self.deploy_together(&services, request).await);
        }
        let failed = outcomes.iter().any(|it| it.error.is_some());
        if request.atomic && failed {
            self.take_back_all(&mut outcomes, &before).await;
        }
        Ok(Deployment { created, outcomes })
    }

    /// The revisions that run before a deployment.
    async fn what_runs(
        &self,
        specs: impl Iterator<Item = &ReleaseSpec>,
    ) -> Result<BTreeMap<String, Option<u32>>> {
        let mut running = BTreeMap::new();
        for spec in specs {
            let past = Past::load(self, &spec.name).await?;
            running.insert(spec.name.clone(), past.baseline().map(Record::revision));
        }
        Ok(running)
    }

    async fn deploy_together(
        &self,
        specs: &[&ReleaseSpec],
        request: DeployRequest,
    ) -> Vec<Outcome> {
        let deploying = specs.iter().map(|spec| self.deploy(spec, request.after));
        let mut outcomes: Vec<Outcome> = stream::iter(deploying)
            .buffer_unordered(RELEASES)
            .collect()
            .await;
        outcomes.sort_by(|one, other| one.release.cmp(&other.release));
        outcomes
    }

    /// Takes back what this run deployed although others failed, in the opposite order: services need
    /// their resources to the end.
    async fn take_back_all(
        &self,
        outcomes: &mut [Outcome],
        before: &BTreeMap<String, Option<u32>>,
    ) {
        self.events.note("taking back all of this run (`--atomic`)");
        for outcome in outcomes.iter_mut().rev() {
            if !matches!(outcome.change, Change::Installed | Change::Upgraded) {
                continue;
            }
            let revision = before.get(&outcome.release).copied().flatten();
            *outcome = self.undo(&outcome.release, revision).await;
        }
    }
}

/// The error of a command, out of its outcomes.
pub fn error_of(outcomes: &[Outcome]) -> Option<Error> {
    let mut errors: Vec<Error> = outcomes.iter().filter_map(|it| it.error.clone()).collect();
    errors.sort_by_key(|error| error.kind() != ErrorKind::Interrupted);
    let all = outcomes.len();
    Error::all_of(
        |count| format!("{count} of {all} releases were not deployed"),
        errors,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::deploy::tests::{FIRST, cluster, site, spec};
    use crate::actions::release::tests::in_the_cluster;
    use crate::engine::kubernetes::fake::BROKEN;

    #[tokio::test]
    async fn services_are_taken_back_before_the_resources_that_they_need() {
        let cluster = cluster();
        let mut broken = spec(BROKEN, &[("Deployment", "billing")]);
        broken.name = "billing".to_owned();
        broken.rendered.hooks.clear();
        let releases = Releases {
            resources: in_the_cluster::specs("{orders-db: {}, events: {}}").await,
            services: vec![broken, spec("1", FIRST)],
        };
        let request = DeployRequest {
            after: AfterFailure::TakeBack,
            atomic: true,
        };
        let site = site(&cluster, "one");
        let deployment = site.deploy_all(&releases, request).await.unwrap();
        let is_gone = |it: &Outcome| it.change == Change::Removed;
        assert!(deployment.outcomes.iter().all(is_gone), "{deployment:?}");
        let changes = cluster.changes();
        let at = |text: &str| changes.iter().position(|it| it == text).unwrap();
        assert!(at("delete Deployment/orders") < at("delete StatefulSet/orders-db"));
    }

    #[tokio::test]
    async fn a_plan_foresees_the_revision_that_follows_one_which_failed() {
        let cluster = cluster();
        let first = spec("1", FIRST);
        let site = site(&cluster, "one");
        site.deploy(&first, AfterFailure::TakeBack).await;
        assert!(!plan_one(&site, &first).await.unwrap().changes_something());
        let held = site.hold("orders").await.unwrap();
        let mut past = Past::load(&site, "orders").await.unwrap();
        let record = Record::of_spec(&first, &past.new_record(&site, Status::PendingUpgrade, ""));
        let mut record = past.begin(&held, record).await.unwrap();
        past.fail(&held, &mut record, "").await.unwrap();
        held.lease.give_back().await;
        assert!(plan_one(&site, &first).await.unwrap().changes_something());
        let outcome = site.deploy(&first, AfterFailure::TakeBack).await;
        assert_eq!(
            (outcome.change, outcome.revision),
            (Change::Upgraded, Some(3))
        );
    }
}
