//! What deployments and rollbacks do to the schema, on a cluster and a registry in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::tests::{FIRST, cluster, site, spec, statuses};
use super::*;
use crate::contract::schema::{SchemaFile, read, write_label};
use crate::engine::kubernetes::fake::{BROKEN, FakeCluster};
use crate::engine::kubernetes::records::Status;
use crate::engine::registry::fake::FakeLabels;
use crate::engine::registry::labels::Labels;
use crate::error::{Error, ErrorKind};
use crate::model::event::{Event, EventSink};
use crate::model::image::Digest;
use crate::model::release::ReleaseSpec;
use crate::model::schema::LABEL;
use crate::report::RecordingReporter;

const CREATE: &str = "create table orders (id uuid primary key, note text);";
const DROP: &str = "alter table orders drop column note;";
const WITH_NOTE: &str = "-- name: Get :one\nselect id, note from orders;";
const WITHOUT_NOTE: &str = "-- name: Get :one\nselect id from orders;";

/// A version of the service.
#[derive(Clone, Copy)]
struct Version {
    name: &'static str,
    migrations: &'static [&'static str],
    queries: &'static str,
}

/// It uses what the third takes away.
const FIRST_VERSION: Version = Version {
    name: "first",
    migrations: &[CREATE],
    queries: WITH_NOTE,
};
/// It no longer does.
const SECOND_VERSION: Version = Version {
    name: "second",
    migrations: &[CREATE],
    queries: WITHOUT_NOTE,
};
/// It takes it away.
const THIRD_VERSION: Version = Version {
    name: "third",
    migrations: &[CREATE, DROP],
    queries: WITHOUT_NOTE,
};
const VERSIONS: [Version; 3] = [FIRST_VERSION, SECOND_VERSION, THIRD_VERSION];

impl Version {
    fn digest(&self) -> Digest {
        Digest::of(self.name.as_bytes())
    }

    fn labels(&self) -> Labels {
        let migrations = self.migrations.iter().enumerate();
        let migrations: Vec<SchemaFile> = migrations
            .map(|(index, sql)| SchemaFile {
                path: format!("{:05}_step.sql", index + 1),
                bytes: format!("-- +goose Up\n{sql}\n").into_bytes(),
            })
            .collect();
        let queries = SchemaFile {
            path: "orders.sql".to_owned(),
            bytes: self.queries.as_bytes().to_vec(),
        };
        let statement = read(&migrations, &[queries]).statement.unwrap();
        let text = write_label(&statement).unwrap();
        BTreeMap::from([(LABEL.to_owned(), text)])
    }

    fn spec(&self) -> ReleaseSpec {
        self.spec_with(self.name)
    }

    fn spec_with(&self, mark: &str) -> ReleaseSpec {
        let digest = self.digest();
        let image =
            json!({"repository": "localhost:5000/orders", "tag": "src-1", "digest": digest});
        ReleaseSpec {
            config: json!({"image": image}),
            ..spec(mark, FIRST)
        }
    }
}

/// A cluster, a registry, and what was told.
struct Shop {
    cluster: Arc<FakeCluster>,
    labels: Arc<FakeLabels>,
    events: Arc<RecordingReporter>,
    allow: bool,
    vendors: Vec<String>,
}

impl Shop {
    fn new() -> Self {
        Self::knowing(VERSIONS.map(|version| (version.digest(), version.labels())))
    }

    fn knowing(images: impl IntoIterator<Item = (Digest, Labels)>) -> Self {
        Self {
            cluster: cluster(),
            labels: Arc::new(FakeLabels::of(images)),
            events: Arc::default(),
            allow: false,
            vendors: Vec::new(),
        }
    }

    fn site(&self) -> Site {
        Site {
            schemas: Schemas::new(Arc::clone(&self.labels) as _, self.allow)
                .leaving_out(self.vendors.clone()),
            events: Arc::clone(&self.events) as Arc<dyn EventSink>,
            ..site(&self.cluster, "one")
        }
    }

    /// As `deploy` does: everything is judged before anything changes.
    async fn deploy(&self, spec: &ReleaseSpec) -> Result<Outcome, Error> {
        let site = self.site();
        let releases = Releases {
            resources: Vec::new(),
            services: vec![spec.clone()],
        };
        site.judge_schemas(&releases).await?;
        Ok(site.deploy(spec, AfterFailure::TakeBack).await)
    }

    async fn deployed(&self, version: Version) {
        let outcome = self.deploy(&version.spec()).await.unwrap();
        assert!(outcome.error.is_none(), "{}: {outcome:?}", version.name);
    }

    async fn rolled_back(&self, revision: u32) -> Outcome {
        self.site().rollback("orders", Some(revision)).await
    }

    fn warned(&self) -> Vec<String> {
        let events = self.events.events().into_iter();
        let warned = events.filter_map(|event| match event {
            Event::Warned { message } => Some(message),
            _ => None,
        });
        warned.collect()
    }
}

#[tokio::test]
async fn a_version_that_drops_what_runs_and_uses_it_is_refused_before_anything_changes() {
    let shop = Shop::new();
    shop.deployed(FIRST_VERSION).await;
    let before = shop.cluster.changes();
    let error = shop.deploy(&THIRD_VERSION.spec()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        error.causes(),
        ["00002_step.sql:2 drops orders.note, which the running revision 1 uses in Get"]
    );
    assert!(
        error.hints()[0].contains("first deploy a version"),
        "{error:?}"
    );
    assert!(
        error.hints()[1].contains("--allow-contraction"),
        "{error:?}"
    );
    assert_eq!(shop.cluster.changes(), before);
}

#[tokio::test]
async fn one_that_is_refused_only_once_its_lease_is_held_leaves_no_revision() {
    let shop = Shop::new();
    shop.deployed(FIRST_VERSION).await;
    let outcome = shop
        .site()
        .deploy(&THIRD_VERSION.spec(), AfterFailure::TakeBack)
        .await;
    assert_eq!(outcome.change, Change::Failed);
    assert_eq!(statuses(&shop.cluster).await, [(1, Status::Deployed)]);
}

#[tokio::test]
async fn what_is_no_longer_used_may_be_dropped() {
    let shop = Shop::new();
    for version in VERSIONS {
        shop.deployed(version).await;
    }
    assert_eq!(shop.warned(), [""; 0]);
}

#[tokio::test]
async fn a_rollback_past_a_drop_is_refused_and_one_before_it_is_not() {
    let shop = Shop::new();
    for version in VERSIONS {
        shop.deployed(version).await;
    }
    let refused = shop.rolled_back(1).await;
    let error = refused.error.unwrap();
    assert_eq!(
        error.message(),
        "orders is not rolled back to revision 1: the schema has gone past it"
    );
    assert_eq!(
        error.causes(),
        ["00002_step.sql:2 of revision 3 drops orders.note, which revision 1 uses in Get"]
    );
    assert_eq!(statuses(&shop.cluster).await.len(), 3);
    assert_eq!(shop.rolled_back(2).await.change, Change::RolledBack);
    // The schema stays where the third version brought it.
    assert!(shop.rolled_back(1).await.error.is_some());
    let error = shop.deploy(&FIRST_VERSION.spec()).await.unwrap_err();
    assert_eq!(
        error.causes(),
        ["00002_step.sql:2 of revision 3 drops orders.note, which this version uses in Get"]
    );
}

#[tokio::test]
async fn a_rollback_that_would_be_refused_is_planned_with_the_reason() {
    let shop = Shop::new();
    for version in VERSIONS {
        shop.deployed(version).await;
    }
    let plan = shop.site().plan_rollback("orders", Some(1)).await.unwrap();
    assert!(plan.schema.lost[0].contains("orders.note"), "{plan:?}");
    assert!(plan.schema.refusal.is_some());
}

#[tokio::test]
async fn what_is_allowed_is_told_and_can_still_be_taken_back_by_itself() {
    let mut shop = Shop::new();
    shop.deployed(FIRST_VERSION).await;
    shop.allow = true;
    let outcome = shop.deploy(&THIRD_VERSION.spec_with(BROKEN)).await.unwrap();
    assert_eq!(outcome.change, Change::TakenBack);
    let warned = shop.warned();
    assert!(warned[0].contains("going on all the same"), "{warned:?}");
}

#[tokio::test]
async fn what_a_failed_deployment_migrated_counts_for_the_next_one() {
    let mut shop = Shop::new();
    shop.deployed(SECOND_VERSION).await;
    let failed = shop.deploy(&THIRD_VERSION.spec_with(BROKEN)).await.unwrap();
    assert_eq!(failed.change, Change::TakenBack);
    let error = shop.deploy(&FIRST_VERSION.spec()).await.unwrap_err();
    assert!(
        error.causes()[0].contains("of revision 2 drops orders.note"),
        "{error}"
    );
    shop.allow = true;
    shop.deployed(FIRST_VERSION).await;
}

#[tokio::test]
async fn an_image_that_states_nothing_is_told_and_stops_nothing() {
    let plain = (FIRST_VERSION.digest(), Labels::new());
    let shop = Shop::knowing([plain, (THIRD_VERSION.digest(), THIRD_VERSION.labels())]);
    shop.deployed(FIRST_VERSION).await;
    shop.deployed(THIRD_VERSION).await;
    let warned = shop.warned();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].contains("the image of its revision 1 cannot be judged"),
        "{warned:?}"
    );
}

#[tokio::test]
async fn a_registry_that_is_away_is_told_and_stops_nothing() {
    let shop = Shop::knowing([]);
    shop.deployed(FIRST_VERSION).await;
    shop.deployed(THIRD_VERSION).await;
    let warned = shop.warned();
    assert!(warned[0].contains("cannot be reached"), "{warned:?}");
}

#[tokio::test]
async fn nothing_is_asked_for_a_first_install_or_for_the_image_that_runs() {
    let shop = Shop::new();
    shop.deployed(FIRST_VERSION).await;
    shop.deployed(FIRST_VERSION).await;
    assert!(shop.labels.asked().is_empty());
    shop.deployed(SECOND_VERSION).await;
    assert_eq!(shop.labels.asked().len(), 2, "each image once");
}

#[tokio::test]
async fn an_image_that_a_vendor_makes_is_not_asked_about_its_schema() {
    let mut shop = Shop::new();
    shop.vendors.push("orders".to_owned());
    shop.deployed(FIRST_VERSION).await;
    shop.deployed(SECOND_VERSION).await;
    assert!(shop.labels.asked().is_empty());
}

#[tokio::test]
async fn a_rollback_asks_for_no_image_of_a_vendors_unless_an_earlier_version_migrated() {
    for migrates in [false, true] {
        let mut shop = Shop::new();
        shop.vendors.push("orders".to_owned());
        for version in [SECOND_VERSION, FIRST_VERSION] {
            let mut spec = version.spec();
            if !migrates {
                spec.rendered.hooks.clear();
            }
            shop.deploy(&spec).await.unwrap();
        }
        assert_eq!(shop.rolled_back(1).await.change, Change::RolledBack);
        assert_eq!(!shop.labels.asked().is_empty(), migrates);
    }
}
