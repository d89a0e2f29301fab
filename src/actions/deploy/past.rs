//! The revisions of a release: what is left of a dead client is settled before anything else.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::held::Held;
use super::site::Site;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::engine::kubernetes::records::{self, NewRecord, Record, Status};
use crate::error::{Error, Result};

/// How many revisions are kept, as Helm keeps them.
const HISTORY: usize = 10;
/// For how long an operation of Helm's that ended nowhere is taken for alive: Helm leaves no sign of
/// life, and its own time limit is 5 minutes.
const FOREIGN_MINUTES: i64 = 10;

/// One revision, as `history` shows it.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Revision {
    /// Its number.
    pub revision: u32,
    /// When it was deployed; RFC 3339.
    pub updated: String,
    /// Its state, in Helm's words.
    pub status: Status,
    /// `orders-0.1.0`.
    pub chart: String,
    /// The version of what it deploys.
    pub app_version: String,
    /// What came of it.
    pub description: String,
}

impl Site {
    /// The revisions of a release, oldest first.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn history(&self, release: &str) -> Result<Vec<Revision>> {
        let past = Past::load(self, release).await?;
        let revisions = past.records.iter().map(|record| Revision {
            revision: record.revision(),
            updated: record.last_deployed().to_owned(),
            status: record.status(),
            chart: record.chart(),
            app_version: record.app_version().to_owned(),
            description: record.description().to_owned(),
        });
        Ok(revisions.collect())
    }
}

/// The revisions of a release, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Past {
    records: Vec<Record>,
}

impl Past {
    /// Reads them.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn load(site: &Site, release: &str) -> Result<Self> {
        let records = records::load(site.objects.as_ref(), &site.namespace, release).await?;
        Ok(Self { records })
    }

    /// All revisions, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The newest revision.
    pub fn last(&self) -> Option<&Record> {
        self.records.last()
    }

    /// What runs: the newest revision that was deployed; where a client died between two writes,
    /// the newest that was deployed before. Nothing of what Helm removed and kept the history of.
    pub fn baseline(&self) -> Option<&Record> {
        let of = |status| {
            let newest_first = self.records.iter().rev();
            newest_first
                .take_while(|it| it.status() != Status::Uninstalled)
                .find(move |it| it.status() == status)
        };
        of(Status::Deployed).or_else(|| of(Status::Superseded))
    }

    /// Whether the newest revision was deployed and consists of the same: its number. Where no object
    /// differs either, there is nothing to deploy.
    pub fn already(&self, new: &Record) -> Option<u32> {
        let last = self.last().filter(|it| it.status() == Status::Deployed)?;
        last.deploys_the_same(new).then(|| last.revision())
    }

    /// The revision of this number.
    pub fn revision(&self, number: u32) -> Option<&Record> {
        self.records.iter().find(|it| it.revision() == number)
    }

    /// The revisions that came after a version was first deployed: where a revision brought an
    /// earlier one back, those after that one.
    pub fn since(&self, record: &Record) -> Vec<&Record> {
        let mut origin = record.revision();
        // Each step leads to an earlier revision.
        while let Some(earlier) = self.revision(origin).and_then(Record::rollback_revision)
            && let Ok(earlier) = u32::try_from(earlier)
            && earlier < origin
        {
            origin = earlier;
        }
        let after = self.records.iter();
        after
            .filter(|it| it.revision() > origin && it.revision() != record.revision())
            .collect()
    }

    /// The number that the next revision gets.
    pub fn next(&self) -> u32 {
        self.last()
            .map_or(1, |last| last.revision().saturating_add(1))
    }

    /// When the release was first deployed.
    pub fn first_deployed(&self) -> Option<String> {
        self.last().and_then(Record::first_deployed)
    }

    /// A fresh revision's particulars.
    pub fn new_record<'a>(
        &self,
        site: &'a Site,
        status: Status,
        description: &str,
    ) -> NewRecord<'a> {
        NewRecord {
            revision: self.next(),
            status,
            description: description.to_owned(),
            holder: &site.holder,
            workspace: &site.workspace,
            first_deployed: self.first_deployed(),
        }
    }

    /// Every object that may be there: those of what runs, and of all that was tried since.
    ///
    /// # Errors
    /// When a record holds no valid YAML, or the cluster refuses.
    pub async fn known_objects(&self, site: &Site) -> Result<Vec<ObjectKey>> {
        let from = self.baseline().map_or(0, Record::revision);
        let mut keys: Vec<ObjectKey> = Vec::new();
        for record in self.records.iter().filter(|it| it.revision() >= from) {
            for object in record.objects()? {
                let objects = &site.objects;
                let place = objects.find_earlier_place(&object.value, &site.namespace);
                // A kind that the cluster no longer has leaves no object behind.
                let Some(key) = place.await? else {
                    continue;
                };
                if !keys.iter().any(|known| known.is_same(&key)) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    /// Ends what a dead client left: its revision counts as failed, and one revision as deployed.
    /// The lease is held, so no client of ours is alive.
    ///
    /// # Errors
    /// When Helm may be at work, or the cluster refuses.
    pub async fn settle(&mut self, held: &Held<'_>) -> Result<()> {
        let site = &held.site;
        let deployed = self.baseline().map(Record::revision);
        for record in &mut self.records {
            let status = record.status();
            let number = record.revision();
            if status.is_pending() || status == Status::Uninstalling {
                if record.holder.is_none() {
                    refuse_the_living(record)?;
                }
                site.events.note(format!(
                    "revision {number} of {} was abandoned ({status}); going on from there",
                    held.release
                ));
                record.settle(Status::Failed, "Abandoned: its client ended before it did");
            } else if status == Status::Deployed && Some(number) != deployed {
                record.settle(Status::Superseded, record.description().to_owned());
            } else {
                continue;
            }
            records::update(site.objects.as_ref(), &site.namespace, record).await?;
        }
        Ok(())
    }

    /// Stores the next revision, and makes room for it.
    ///
    /// # Errors
    /// When someone else stored one meanwhile, or the cluster refuses.
    pub async fn begin(&mut self, held: &Held<'_>, mut record: Record) -> Result<Record> {
        let site = &held.site;
        while self.records.len() >= HISTORY {
            let kept = self.baseline().map(Record::revision);
            let oldest = self
                .records
                .iter()
                .position(|it| Some(it.revision()) != kept);
            let Some(oldest) = oldest else { break };
            let oldest = self.records.remove(oldest);
            records::remove(site.objects.as_ref(), &site.namespace, &oldest).await?;
        }
        let stored = records::create(site.objects.as_ref(), &site.namespace, &mut record).await?;
        match stored {
            true => Ok(record),
            false => Err(Error::failed(format!(
                "revision {} of {} was made by someone else meanwhile",
                record.revision(),
                held.release
            ))
            .hint("Try again: the next deployment starts from there")),
        }
    }

    /// Says that a revision runs, and that those before it do no longer. In this order, so that
    /// there is always one that runs.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn finish(&mut self, held: &Held<'_>, record: &mut Record, said: &str) -> Result<()> {
        let (objects, namespace) = (held.site.objects.as_ref(), &held.site.namespace);
        record.settle(Status::Deployed, said);
        records::update(objects, namespace, record).await?;
        for earlier in &mut self.records {
            if earlier.status() == Status::Deployed && earlier.revision() != record.revision() {
                earlier.settle(Status::Superseded, earlier.description().to_owned());
                records::update(objects, namespace, earlier).await?;
            }
        }
        self.records.push(record.clone());
        Ok(())
    }

    /// Says that a revision failed.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn fail(&mut self, held: &Held<'_>, record: &mut Record, said: &str) -> Result<()> {
        record.settle(Status::Failed, said);
        let site = &held.site;
        records::update(site.objects.as_ref(), &site.namespace, record).await?;
        self.records.push(record.clone());
        Ok(())
    }

    /// Removes all records, oldest first: while one is left, the release can be removed again.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn forget(&mut self, held: &Held<'_>) -> Result<()> {
        for record in &self.records {
            records::remove(held.site.objects.as_ref(), &held.site.namespace, record).await?;
        }
        self.records.clear();
        Ok(())
    }
}

/// An operation of Helm's that is young may still run. Helm's clock may be ahead of ours as well as
/// behind it.
fn refuse_the_living(record: &Record) -> Result<()> {
    let began = OffsetDateTime::parse(record.began(), &Rfc3339);
    let age = began.map(|began| (OffsetDateTime::now_utc() - began).whole_minutes());
    match age {
        Ok(minutes) if minutes.abs() < FOREIGN_MINUTES => Err(Error::failed(format!(
            "Helm may be at work on {}: its revision {} is {}",
            record.name(),
            record.revision(),
            record.status()
        ))
        .since(format!("it began at {}", record.began()))
        .hint(format!(
            "Wait until it ends; {FOREIGN_MINUTES} minutes after its start it is taken for dead"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::actions::deploy::Change;
    use crate::actions::deploy::tests::{FIRST, cluster, deploy, site, spec};
    use crate::engine::kubernetes::fake::FakeCluster;
    use crate::engine::kubernetes::objects::Objects;

    /// A revision of Helm's in a cluster.
    async fn store(cluster: &FakeCluster, revision: u32, info: serde_json::Value) {
        let release = json!({"name": "orders", "version": revision, "info": info}).to_string();
        let name = format!("sh.helm.release.v1.orders.v{revision}");
        let secret = json!({
            "metadata": {"name": name, "labels": {"owner": "helm", "name": "orders"}},
            "data": {"release": STANDARD.encode(STANDARD.encode(release))},
        });
        let key = ObjectKey::namespaced("v1", "Secret", "shop", &name);
        cluster.create(&key, &secret).await.unwrap();
    }

    #[tokio::test]
    async fn a_removal_by_helm_that_began_just_now_is_not_taken_for_dead() {
        let cluster = cluster();
        let info = json!({"status": "uninstalling", "deleted": records::now(),
            "last_deployed": "2020-01-01T00:00:00Z"});
        store(&cluster, 1, info).await;
        let outcome = deploy(&cluster, &spec("1", FIRST)).await;
        let error = outcome.error.unwrap();
        let expected = "Helm may be at work on orders: its revision 1 is uninstalling";
        assert_eq!(error.message(), expected);
    }

    /// Whether an upgrade of Helm's that began so many minutes from now lets a deployment begin.
    async fn gives_way(minutes: i64) -> bool {
        let cluster = cluster();
        let began = OffsetDateTime::now_utc() + time::Duration::minutes(minutes);
        let began = began.format(&Rfc3339).unwrap();
        let info = json!({"status": "pending-upgrade", "last_deployed": began});
        store(&cluster, 1, info).await;
        deploy(&cluster, &spec("1", FIRST)).await.error.is_none()
    }

    #[tokio::test]
    async fn an_operation_of_helm_is_taken_for_alive_by_a_clock_that_is_ahead_too() {
        assert!(!gives_way(5).await);
        assert!(!gives_way(-5).await);
        assert!(gives_way(15).await);
        assert!(gives_way(-15).await);
    }

    #[tokio::test]
    async fn a_release_that_helm_removed_with_its_history_kept_is_installed_anew() {
        let cluster = cluster();
        store(&cluster, 1, json!({"status": "superseded"})).await;
        store(&cluster, 2, json!({"status": "uninstalled"})).await;
        store(&cluster, 3, json!({"status": "failed"})).await;
        let site = site(&cluster, "one");
        assert!(
            Past::load(&site, "orders")
                .await
                .unwrap()
                .baseline()
                .is_none()
        );
        let outcome = deploy(&cluster, &spec("1", FIRST)).await;
        let installed = (outcome.change, outcome.revision);
        assert_eq!(installed, (Change::Installed, Some(4)));
        let past = Past::load(&site, "orders").await.unwrap();
        assert_eq!(past.baseline().map(Record::revision), Some(4));
    }
}
