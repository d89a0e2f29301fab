//! What is kept of services that were found unchanged, and what makes it void.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;
use crate::actions::generate::{Generation, GenerationRequest, apply};
use crate::engine::files::RUN_FOLDER;

const ORDERS: &str = "
name: orders
blueprint: go-service
options: {entity: order, store: postgres, messaging: nats}
uses: {store: orders-db, messaging: events}
publishes: [order-placed]
";
const BILLING: &str = "
name: billing
blueprint: go-worker
options: {entity: invoice}
uses: {store: billing-db, messaging: events}
consumes: {order-placed: orders}
";
const WORKSPACE: &str = "
version: 1
name: shop
module: example.com/shop
registry: registry.example/shop
resources:
  events: {type: nats}
  orders-db: {type: postgres}
  billing-db: {type: postgres}
";

/// A workspace of two services that were generated, one of which consumes from the other.
struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    async fn generated() -> Self {
        let shop = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        shop.write("gantline.yaml", WORKSPACE);
        shop.write("services/orders/service.yaml", ORDERS);
        shop.write("services/billing/service.yaml", BILLING);
        shop.write("environments/staging.yaml", "namespace: shop\n");
        let generation = shop.generation();
        apply(shop.root(), &generation.plan, Vec::new())
            .await
            .unwrap();
        shop
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: &str) {
        let place = self.root().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    fn generation(&self) -> Generation {
        Generation::prepare(self.root(), &GenerationRequest::default()).unwrap()
    }

    /// Keeps what a plan that is begun at this time finds out about billing.
    fn keep(&self, generation: &Generation, began: SystemTime) {
        let tree = DiskTree::new(self.root());
        let records = Unchanged::new(self.root(), &tree).unwrap();
        let billing = &generation.project.services[&Name::new("billing").unwrap()];
        records.keep(&generation.project, billing, (&generation.plan, began));
    }

    /// What is known of billing.
    fn known(&self) -> Option<Vec<FileChange>> {
        let tree = DiskTree::new(self.root());
        let records = Unchanged::new(self.root(), &tree).unwrap();
        records.files(&Name::new("billing").unwrap())
    }
}

/// A time at which everything that is on disk now was there.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn what_is_known_is_what_the_plan_said() {
    let shop = Shop::generated().await;
    shop.write("services/billing/README.md", "Ours.\n");
    fs::remove_file(shop.root().join("services/billing/.dockerignore")).unwrap();
    // Now it is said once that the file stays deleted.
    apply(shop.root(), &shop.generation().plan, Vec::new())
        .await
        .unwrap();
    let generation = shop.generation();
    shop.keep(&generation, later());
    let planned = generation.plan.changes.iter();
    let planned = planned.filter(|change| change.path.as_str().starts_with("services/billing/"));
    let outcome = |change: &FileChange| (change.path.clone(), change.outcome.clone());
    let planned: Vec<_> = planned.map(outcome).collect();
    let mut known: Vec<_> = shop.known().unwrap().iter().map(outcome).collect();
    known.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(known, planned);
    assert!(known.iter().any(|(_, outcome)| *outcome == Outcome::Kept));
}

#[tokio::test]
async fn nothing_is_known_once_anything_that_it_is_generated_from_or_to_was_touched() {
    let shop = Shop::generated().await;
    let generation = shop.generation();
    let at = |path: &str| shop.root().join(path);
    let touches: [(&str, &dyn Fn()); 13] = [
        ("the workspace", &|| shop.write("gantline.yaml", WORKSPACE)),
        ("its manifest", &|| {
            shop.write("services/billing/service.yaml", BILLING);
        }),
        ("the manifest of a service it refers to", &|| {
            shop.write("services/orders/service.yaml", ORDERS);
        }),
        ("what differs in an environment", &|| {
            shop.write("services/billing/service.staging.yaml", "env: {A: b}\n");
        }),
        ("what differs there for the other", &|| {
            shop.write("services/orders/service.staging.yaml", "env: {A: b}\n");
        }),
        ("an environment", &|| {
            shop.write("environments/staging.yaml", "namespace: till\n");
        }),
        ("another environment", &|| {
            shop.write("environments/live.yaml", "namespace: live\n");
        }),
        ("the lock file", &|| {
            let text = fs::read_to_string(at(lock_file::PATH)).unwrap();
            shop.write(lock_file::PATH, &text);
        }),
        ("the base", &|| {
            fs::remove_file(at(".gantline/base/index/billing")).unwrap();
        }),
        ("a file", &|| {
            shop.write("services/billing/Dockerfile", "FROM scratch\n")
        }),
        ("permissions", &|| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(at("services/billing/go.mod"), mode).unwrap();
        }),
        ("a record that is none", &|| {
            shop.write(".gantline/run/unchanged/billing", "{");
        }),
        // Nothing can be kept of what these leave.
        ("a link in the place of a file", &|| {
            fs::rename(at("services/billing/go.mod"), at("go.mod")).unwrap();
            symlink("../../go.mod", at("services/billing/go.mod")).unwrap();
        }),
    ];
    for (what, touch) in touches {
        shop.keep(&generation, later());
        assert!(shop.known().is_some(), "before {what}");
        touch();
        assert_eq!(shop.known(), None, "{what}");
    }
}

#[tokio::test]
async fn nothing_is_known_once_a_file_is_gone() {
    let shop = Shop::generated().await;
    shop.keep(&shop.generation(), later());
    assert!(shop.known().is_some());
    fs::remove_file(shop.root().join("services/billing/Dockerfile")).unwrap();
    assert_eq!(shop.known(), None);
}

#[tokio::test]
async fn nothing_is_kept_while_a_blueprint_of_a_service_it_refers_to_is_not_pinned() {
    let shop = Shop::generated().await;
    let generation = shop.generation();
    let lock = fs::read_to_string(shop.root().join(lock_file::PATH)).unwrap();
    let pinned = lock.lines().filter(|line| !line.contains("go-service@"));
    shop.write(lock_file::PATH, &pinned.collect::<Vec<_>>().join("\n"));
    shop.keep(&generation, later());
    assert_eq!(shop.known(), None);
}

#[tokio::test]
async fn a_file_that_may_have_been_written_while_it_was_looked_at_makes_nothing_known() {
    let shop = Shop::generated().await;
    shop.keep(&shop.generation(), SystemTime::now());
    assert_eq!(shop.known(), None);
}

#[tokio::test]
async fn a_service_that_waits_for_generation_or_for_its_user_is_not_known() {
    let shop = Shop::generated().await;
    shop.write(
        "services/billing/service.yaml",
        &format!("{BILLING}ports: {{admin: 9099}}\n"),
    );
    shop.keep(&shop.generation(), later());
    assert_eq!(shop.known(), None);
}

#[tokio::test]
async fn a_clone_in_which_no_command_wrote_keeps_nothing() {
    let shop = Shop::generated().await;
    fs::remove_dir_all(shop.root().join(RUN_FOLDER)).unwrap();
    let tree = DiskTree::new(shop.root());
    assert!(Unchanged::new(shop.root(), &tree).is_none());
}
