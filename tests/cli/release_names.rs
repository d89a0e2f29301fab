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
        str![[r#""#]]
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
        str![[r#""#]]
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
        str![[r#""#]]
    );
}
