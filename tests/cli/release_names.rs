//! Names that services and resources share in a cluster: each is a release of its name, with
//! Secrets beside it.

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

#[test]
fn a_resource_with_the_name_of_a_service_is_refused_where_it_is_written() {
    let workspace = Workspace::shop_with_orders().replace(
        "gantline.yaml",
        "resources:",
        "resources:\n  orders: {type: nats}",
    );
    assert_data_eq!(
        workspace.gantline(&["generate", "--dry-run"]).to_string(),
        str![[r#"
exit code 2
--- stderr
error: the name `orders` is taken
 --> gantline.yaml:6:3
  |
6 |   orders: {type: nats}
  |   ^^^^^^
  why: `services/orders/service.yaml` has it
 next: Rename one of the two: in a cluster each is a release of its name

"#]]
    );
}

#[test]
fn a_resource_is_not_added_under_the_name_of_a_service() {
    let workspace = Workspace::shop_with_orders();
    let before = workspace.read("gantline.yaml");
    assert_data_eq!(
        workspace
            .gantline(&["add", "resource", "orders", "--type", "nats"])
            .to_string(),
        str![[r#"
exit code 2
--- stderr
error: the name `orders` is taken
  why: a service has it, and in a cluster each is a release of its name
 next: Choose another name

"#]]
    );
    assert_eq!(workspace.read("gantline.yaml"), before);
}

#[test]
fn a_resource_is_not_added_under_the_name_of_a_secret_of_another() {
    let workspace = Workspace::shop_with_orders();
    assert_data_eq!(
        workspace
            .gantline(&["add", "resource", "orders-db-owner", "--type", "nats"])
            .to_string(),
        str![[r#"
exit code 2
--- stderr
error: the name `orders-db-owner` is taken
 --> gantline.yaml:8:3
  |
8 |   orders-db-owner: {type: nats, version: "2.12"}
  |   ^^^^^^^^^^^^^^^
  why: a Secret of `orders-db` is called so in a cluster
 next: Choose another name

"#]]
    );
}
