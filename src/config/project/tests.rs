mod containers;

use super::*;
use crate::model::file_set::{RenderedFile, TreePath};

const WORKSPACE: &str = "\
version: 1
gantline: \">=0.1\"
name: shop
module: github.com/acme/shop
registry: ghcr.io/acme/shop
resources:
  orders-db: {type: postgres, version: \"17\", owner: team-orders}
  events: nats
";

const ORDERS: &str = "\
name: orders
blueprint: go-service@1
options: {entity: order, store: postgres, messaging: nats}
uses: {store: orders-db, messaging: events}
publishes: [order-placed]
";

const STOREFRONT: &str = "\
name: storefront
blueprint: go-service
options: {entity: checkout}
needs: [orders]
";

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let shop = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        shop.write("gantline.yaml", WORKSPACE)
            .write("services/orders/service.yaml", ORDERS)
            .write("services/storefront/service.yaml", STOREFRONT);
        shop
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.folder.path().join(path)).unwrap();
        assert!(text.contains(from), "{from}");
        self.write(path, &text.replace(from, to))
    }

    fn load(&self) -> Result<Project> {
        load(self.folder.path(), &Selection::All)
    }

    /// Each problem as `FILE:LINE:COLUMN MESSAGE`.
    fn problems(&self) -> Vec<String> {
        let root = fs::canonicalize(self.folder.path()).unwrap();
        let error = self.load().expect_err("the workspace should be refused");
        let all = match error.related() {
            [] => vec![error.clone()],
            related => related.to_vec(),
        };
        all.iter()
            .map(|problem| {
                let place = problem.place().map(ToString::to_string).unwrap_or_default();
                let place = place.replace(&format!("{}/", root.display()), "");
                format!("{place} {}", problem.message())
            })
            .collect()
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn a_workspace_is_found_from_any_folder_below_it_and_read_with_defaults() {
    let shop = Shop::new();
    let project = load(&shop.folder.path().join("services/orders"), &Selection::All).unwrap();
    let orders = &project.services["orders"];
    assert_eq!(orders.ports.http, Some(8080));
    assert_eq!(orders.compute.memory, "256Mi");
    assert_eq!((orders.scale.min, orders.scale.max), (2, 10));
    assert_eq!(orders.uses["store"], name("orders-db"));
    assert_eq!(project.workspace.resources["events"].version, "2.12");
    assert_eq!(project.services["storefront"].options["store"], "none");
    assert_eq!(
        orders.module(&project.workspace),
        "github.com/acme/shop/services/orders"
    );
}

#[test]
fn only_what_is_needed_is_read() {
    let shop = Shop::new();
    shop.write("services/broken/service.yaml", "name: [");
    let selection = Selection::Services(vec![name("storefront")]);
    let project = load(shop.folder.path(), &selection).unwrap();
    let names: Vec<&str> = project.services.keys().map(Name::as_str).collect();
    assert_eq!(names, ["orders", "storefront"]);
    assert!(load(shop.folder.path(), &Selection::Workspace).is_ok());
    assert!(shop.load().is_err());
}

#[test]
fn a_folder_outside_any_workspace_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path(), &Selection::All).unwrap_err();
    assert!(error.message().contains("is in no workspace"));
}

#[test]
fn a_plan_is_checked_before_it_is_written() {
    let shop = Shop::new();
    let root = find(shop.folder.path()).unwrap();
    let mut changes = FileSet::default();
    let mut put = |path: &str, text: &str| {
        let file = RenderedFile {
            bytes: text.as_bytes().to_vec(),
            ..RenderedFile::default()
        };
        changes.files.insert(TreePath::new(path).unwrap(), file);
    };
    put(
        "services/returns/service.yaml",
        "name: returns\nblueprint: go-service\noptions: {entity: return-slip}\n",
    );
    let project = load_with(&root, &changes, &Selection::All).unwrap();
    assert!(project.services.contains_key("returns"));
    assert!(!root.join("services/returns").exists());
}

#[test]
fn problems_of_all_files_are_found_in_one_run() {
    let shop = Shop::new();
    shop.replace("services/orders/service.yaml", "orders-db", "order-db")
        .replace(
            "services/storefront/service.yaml",
            "[orders]",
            "[order, storefront]",
        );
    assert_eq!(
        shop.problems(),
        [
            "services/orders/service.yaml:4:15 there is no resource `order-db`",
            "services/storefront/service.yaml:4:9 there is no service `order`",
            "services/storefront/service.yaml:4:16 `storefront` needs itself",
        ]
    );
}

#[test]
fn every_schema_problem_of_a_file_is_found_in_one_run() {
    let shop = Shop::new();
    shop.write(
        "services/orders/service.yaml",
        "naem: orders\nblueprint: go-service\noptions: {entity: Order Line}\nports: {http: eighty, admin: 80}\nuses: [store]\nscale: {min: 0}\n",
    );
    assert_eq!(
        shop.problems(),
        [
            "services/orders/service.yaml:1:1 unknown key `naem`",
            "services/orders/service.yaml:1:1 the key `name` is missing",
            "services/orders/service.yaml:3:19 `options.entity`: expected a name of at most 40 lower-case letters, digits and single hyphens, beginning with a letter, found the text `Order Line`",
            "services/orders/service.yaml:4:15 `ports.http`: expected a number without a fraction, found the text `eighty`",
            "services/orders/service.yaml:4:30 `ports.admin`: expected a number from 1024 to 65535, found the number 80",
            "services/orders/service.yaml:5:7 `uses`: expected a map, found a list",
            "services/orders/service.yaml:6:14 `scale.min`: expected a number from 1 to 1000, found the number 0",
        ]
    );
}

#[test]
fn a_faulty_workspace_hides_no_fault_of_its_services() {
    let shop = Shop::new();
    shop.replace("gantline.yaml", "registry:", "registyr:")
        .replace(
            "gantline.yaml",
            "name: shop",
            "name: shop\nservices: services/*\nname: store",
        )
        .replace("gantline.yaml", "\">=0.1\"", "newest")
        .replace("services/orders/service.yaml", "uses:", "usse:")
        .replace(
            "services/storefront/service.yaml",
            "[orders]",
            "[order]\nenv: 2\nenv: {LOG_LEVEL: info}",
        );
    assert_eq!(
        shop.problems(),
        [
            "gantline.yaml:1:1 the key `registry` is missing",
            "gantline.yaml:2:11 `newest` is no version requirement",
            "gantline.yaml:5:1 the key `name` is written twice",
            "gantline.yaml:7:1 unknown key `registyr`",
            "services/orders/service.yaml:4:1 unknown key `usse`",
            "services/storefront/service.yaml:5:6 `env`: expected a map, found the number 2",
            "services/storefront/service.yaml:6:1 the key `env` is written twice",
        ]
    );
}

#[test]
fn services_are_looked_for_where_a_faulty_workspace_has_them() {
    let shop = Shop::new();
    shop.write("gantline.yaml", "name: [shop\n").replace(
        "services/orders/service.yaml",
        "uses:",
        "usse:",
    );
    assert_eq!(shop.problems().len(), 2);
    shop.write("gantline.yaml", "services: apps/*\nnmae: shop\n")
        .write("apps/billing/service.yaml", "nmae: billing\n");
    let problems = shop.problems();
    let of = |file: &str| problems.iter().filter(|it| it.starts_with(file)).count();
    assert_eq!(of("apps/billing/service.yaml"), 2, "{problems:?}");
    assert_eq!(of("services"), 0, "{problems:?}");
}

#[test]
fn a_service_named_otherwise_than_its_folder_is_refused() {
    let shop = Shop::new();
    shop.replace(
        "services/orders/service.yaml",
        "name: orders",
        "name: order",
    );
    assert_eq!(
        shop.problems(),
        [
            "services/orders/service.yaml:1:7 the service in the folder `orders` calls itself `order`"
        ]
    );
}

#[test]
fn a_reserved_name_is_refused() {
    let shop = Shop::new();
    shop.write(
        "services/postgres-17/service.yaml",
        "name: postgres-17\nblueprint: go-service\noptions: {entity: line}\n",
    );
    assert_eq!(
        shop.problems(),
        ["services/postgres-17/service.yaml:1:7 the name `postgres-17` is reserved"]
    );
}

#[test]
fn options_are_held_against_the_blueprint() {
    let shop = Shop::new();
    shop.replace("services/orders/service.yaml", "store: postgres, ", "")
        .replace(
            "services/storefront/service.yaml",
            "checkout",
            "checkout, stroe: postgres",
        );
    assert_eq!(
        shop.problems(),
        [
            "services/orders/service.yaml:3:26 messaging.kind=broker and store=none do not go together",
            "services/orders/service.yaml:4:8 no chosen option uses a resource as `store`",
            "services/storefront/service.yaml:3:29 there is no option `stroe`",
        ]
    );
}

#[test]
fn a_role_needs_a_resource_of_its_type() {
    let shop = Shop::new();
    shop.replace(
        "services/orders/service.yaml",
        "store: orders-db, messaging: events",
        "store: events",
    );
    assert_eq!(
        shop.problems(),
        [
            "services/orders/service.yaml:4:1 `messaging: nats` needs a resource, and `uses` names none",
            "services/orders/service.yaml:4:15 `events` is a nats resource, and `store` needs a postgres one",
        ]
    );
}

#[test]
fn an_event_must_be_published_by_the_service_it_comes_from() {
    let shop = Shop::new();
    shop.replace(
        "services/storefront/service.yaml",
        "needs: [orders]",
        "consumes: {order-place: orders}",
    );
    let problems = shop.problems();
    assert!(
        problems.iter().any(|problem| problem
            == "services/storefront/service.yaml:4:12 `orders` publishes no event `order-place`"),
        "{problems:?}"
    );
}

#[test]
fn a_variable_that_gantline_sets_is_refused() {
    let shop = Shop::new();
    shop.write(
        "services/storefront/service.yaml",
        &format!(
            "{STOREFRONT}env: {{HTTP_ADDR: x, LOG_LEVEL: debug, ORDERS_URL: x, PORT: 8080}}\n"
        ),
    );
    assert_eq!(
        shop.problems(),
        [
            "services/storefront/service.yaml:5:60 `env.PORT`: expected a text, found the number 8080"
        ]
    );
    shop.replace("services/storefront/service.yaml", "8080", "\"8080\"");
    assert_eq!(shop.problems().len(), 2);
    shop.replace(
        "services/storefront/service.yaml",
        "PORT",
        "MEMORY_LIMIT_BYTES",
    );
    assert_eq!(shop.problems().len(), 3);
}

#[test]
fn how_a_stop_goes_is_no_variable_of_a_manifest() {
    let shop = Shop::new();
    shop.write(
        "services/storefront/service.yaml",
        &format!("{STOREFRONT}env: {{SHUTDOWN_TIMEOUT: 60s, DRAIN_DELAY: 5s}}\n"),
    );
    assert_eq!(
        shop.problems(),
        [
            "services/storefront/service.yaml:5:7 `SHUTDOWN_TIMEOUT` is set by gantline",
            "services/storefront/service.yaml:5:30 `DRAIN_DELAY` is set by gantline",
        ]
    );
}

#[test]
fn a_workspace_of_another_program_is_left_alone() {
    let shop = Shop::new();
    shop.write(
        "gantline.yaml",
        "version: 7\ngantline: \">=7\"\nsomething: new\n",
    );
    let error = shop.load().unwrap_err();
    assert!(
        error
            .message()
            .starts_with("this workspace asks for gantline >=7")
    );
    assert_eq!(error.kind(), crate::error::ErrorKind::Missing);
}

#[test]
fn a_wrong_resource_is_refused_with_what_is_known() {
    let shop = Shop::new();
    shop.replace("gantline.yaml", "nats", "natz")
        .replace("gantline.yaml", "\"17\"", "\"9\"");
    let error = shop.load().unwrap_err();
    let hints: Vec<&str> = error
        .related()
        .iter()
        .flat_map(|problem| problem.hints())
        .map(String::as_str)
        .collect();
    assert_eq!(hints, ["Known here: \"17\"", "Did you mean `nats`?"]);
}

#[test]
fn a_key_without_a_value_counts_as_absent_unless_it_must_be_there() {
    let shop = Shop::new();
    shop.write(
        "services/storefront/service.yaml",
        &format!("{STOREFRONT}env:\nexpose:\n"),
    );
    assert!(shop.load().is_ok());
    shop.replace(
        "services/storefront/service.yaml",
        "name: storefront",
        "name:",
    );
    assert_eq!(
        shop.problems(),
        ["services/storefront/service.yaml:1:1 `name` has no value"]
    );
}
