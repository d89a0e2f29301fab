//! Files whose names are nearly those that are read: none of them is passed over in silence.

use std::fs;

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const STAGING: &str =
    "namespace: shop\nresources: {orders-db: {secret: db}, events: {secret: events}}\n";

fn shop() -> Workspace {
    Workspace::shop_with_orders().file("environments/staging.yaml", STAGING)
}

fn checked(workspace: &Workspace) -> String {
    workspace.gantline(&["generate", "--dry-run"]).to_string()
}

#[test]
fn an_overlay_for_no_environment_is_answered_with_the_nearest_one() {
    let workspace = shop().file(
        "services/orders/service.stagin.yaml",
        "# limits\nscale: {min: 9}\n",
    );
    assert_data_eq!(
        checked(&workspace),
        str![[r#"
exit code 2
--- stderr
error: nothing reads services/orders/service.stagin.yaml
 --> services/orders/service.stagin.yaml:1:1
  |
1 | # limits
  | ^^^^^^^^
  why: there is no environment `stagin`
 next: Did you mean `service.staging.yaml`?

"#]]
    );
    let rendered = workspace.gantline(&["render", "staging", "orders"]);
    assert!(rendered.fails(2).stderr.contains("service.staging.yaml"));
}

#[test]
fn files_that_nothing_reads_are_told_how_they_are_called() {
    let workspace = shop()
        .file("services/orders/service.staging.yml", "scale: {min: 9}\n")
        .file(
            "services/orders/service.production.yaml",
            "scale: {min: 9}\n",
        )
        .file("services/orders/service.yml", "name: orders\n")
        .file("services/gone/service.yml", "name: gone\n")
        .file("services/half/service.staging.yaml", "scale: {min: 9}\n");
    assert_data_eq!(
        checked(&workspace),
        str![[r#"
exit code 2
--- stderr
error: nothing reads services/gone/service.yml
 --> services/gone/service.yml:1:1
  |
1 | name: gone
  | ^^^^^^^^^^
 next: Rename it to `service.yaml`

error: nothing reads services/half/service.staging.yaml
 --> services/half/service.staging.yaml:1:1
  |
1 | scale: {min: 9}
  | ^^^^^^^^^^^^^^^
  why: there is no service.yaml beside it
 next: Write service.yaml, or remove the file

error: nothing reads services/orders/service.production.yaml
 --> services/orders/service.production.yaml:1:1
  |
1 | scale: {min: 9}
  | ^^^^^^^^^^^^^^^
  why: there is no environment `production`
 next: Remove it, or add the environment: `gantline add environment production --context CONTEXT --namespace NAMESPACE`

error: nothing reads services/orders/service.staging.yml
 --> services/orders/service.staging.yml:1:1
  |
1 | scale: {min: 9}
  | ^^^^^^^^^^^^^^^
 next: Rename it to `service.staging.yaml`

error: nothing reads services/orders/service.yml
 --> services/orders/service.yml:1:1
  |
1 | name: orders
  | ^^^^^^^^^^^^
 next: Move what it says to service.yaml, and remove it

error: the workspace has 5 problems

"#]]
    );
}

#[test]
fn an_environment_with_another_extension_is_told_how_it_is_called() {
    let workspace = shop().file("environments/prod.yml", STAGING);
    assert_data_eq!(
        checked(&workspace),
        str![[r#"
exit code 2
--- stderr
error: nothing reads environments/prod.yml
 --> environments/prod.yml:1:1
  |
1 | namespace: shop
  | ^^^^^^^^^^^^^^^
 next: Rename it to `prod.yaml`

"#]]
    );
}

#[test]
fn other_files_beside_a_manifest_are_nobodys_business() {
    let workspace = shop()
        .file("services/orders/services.yaml", "a: b\n")
        .file("services/orders/service.staging.yaml~", "a: b\n")
        .file("services/orders/myservice.yml", "a: b\n")
        .file("services/notes/README.md", "Notes\n")
        .file("services/README.md", "Services\n")
        .file("environments/README.md", "Environments\n");
    workspace.gantline(&["generate", "--dry-run"]).succeeds();
}

#[test]
fn a_generated_service_without_its_manifest_is_no_deleted_service() {
    let workspace = shop();
    workspace.gantline(&["generate"]).succeeds();
    fs::remove_file(workspace.path("services/orders/service.yaml")).unwrap();
    assert_data_eq!(
        checked(&workspace),
        str![[r#"
exit code 2
--- stderr
error: there is no services/orders/service.yaml
  why: services/orders holds files that were generated from it
 next: Restore it: `git checkout -- services/orders/service.yaml`
 next: When the service shall go: `git rm -r services/orders`
 next: When its files stay without gantline: `git rm .gantline/base/index/orders`

"#]]
    );
    let named = workspace.gantline(&["generate", "orders"]).fails(2);
    assert!(
        named
            .stderr
            .contains("there is no services/orders/service.yaml")
    );
    // Files of the user's own, such as what git ignores, are left of a service that was deleted.
    fs::remove_dir_all(workspace.path("services/orders")).unwrap();
    let workspace = workspace.file("services/orders/orders.test", "binary\n");
    workspace.gantline(&["generate"]).succeeds();
}

#[test]
fn a_folder_of_services_that_passes_over_services_is_refused() {
    let workspace = shop();
    workspace.gantline(&["generate"]).succeeds();
    let manifest = workspace.read("gantline.yaml");
    let workspace = workspace.file("gantline.yaml", format!("{manifest}services: nope/*\n"));
    assert_data_eq!(
        checked(&workspace),
        str![[r#"
exit code 2
--- stderr
error: the service in services/orders is passed over
 --> gantline.yaml:8:1
  |
8 | services: nope/*
  | ^^^^^^^^
  why: services are looked for in nope
 next: Write `services: services/*`

"#]]
    );
    let workspace = workspace.replace("gantline.yaml", "nope/*", "services/*");
    workspace.gantline(&["generate"]).succeeds();
}

#[test]
fn an_overlay_goes_with_its_environment() {
    let workspace = shop().file("services/orders/service.staging.yaml", "scale: {min: 3}\n");
    workspace.gantline(&["generate"]).succeeds();
    fs::remove_file(workspace.path("environments/staging.yaml")).unwrap();
    let said = workspace.gantline(&["generate"]).fails(2).stderr;
    assert!(said.contains("Remove it, or add the environment"), "{said}");
}
