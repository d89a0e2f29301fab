//! Services that were renamed, moved, copied or removed: what was generated goes with them.

use std::fs;

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const OWN: &str = "package flags\n\nimport _ \"github.com/acme/shop/services/orders/api\"\n";
const EDIT: &str = "// My own words.\n";
const INDEX: &str = ".gantline/base/index";

fn generated() -> Workspace {
    let workspace = Workspace::shop_with_orders();
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

/// As `git mv services/orders services/sales` and the new name in the manifest leave it.
fn renamed(workspace: Workspace) -> Workspace {
    let (from, to) = ("services/orders", "services/sales");
    fs::rename(workspace.path(from), workspace.path(to)).unwrap();
    workspace.replace("services/sales/service.yaml", "name: orders", "name: sales")
}

/// A line of the user's at the end of a file.
fn edited(workspace: Workspace, path: &str) -> Workspace {
    let text = workspace.read(path);
    workspace.file(path, format!("{text}\n{EDIT}"))
}

/// The files of a workspace that hold a text.
fn holding(workspace: &Workspace, text: &str) -> Vec<String> {
    let files = workspace.tree().into_iter();
    let found = files.filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text));
    found.map(|(path, _)| path).collect()
}

#[test]
fn a_renamed_service_keeps_its_edits_and_is_generated_under_its_new_name() {
    let workspace = renamed(generated()).file("services/sales/internal/flags/flags.go", OWN);
    let workspace = edited(workspace, "services/sales/internal/httpapi/handler.go");
    let workspace = edited(workspace, "services/sales/cmd/orders/settings.go");
    let run = workspace.gantline(&["generate"]).succeeds();
    assert!(
        run.stdout
            .contains("sales goes on from what was generated in services/orders"),
        "{run}"
    );
    assert_eq!(
        holding(&workspace, EDIT),
        [
            "services/sales/cmd/sales/settings.go",
            "services/sales/internal/httpapi/handler.go"
        ]
    );
    let old_module = holding(&workspace, "shop/services/orders");
    assert!(old_module.is_empty(), "{old_module:?}");
    let files = workspace.tree().into_keys();
    let old_paths: Vec<String> = files.filter(|path| path.contains("orders/")).collect();
    assert!(old_paths.is_empty(), "{old_paths:?}");
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_service_goes_on_in_another_folder_of_services() {
    let workspace = edited(generated(), "services/orders/internal/httpapi/handler.go");
    fs::create_dir(workspace.path("apps")).unwrap();
    fs::rename(
        workspace.path("services/orders"),
        workspace.path("apps/orders"),
    )
    .unwrap();
    let manifest = workspace.read("gantline.yaml");
    let workspace = workspace.file("gantline.yaml", format!("{manifest}services: apps/*\n"));
    workspace.gantline(&["generate"]).succeeds();
    assert_eq!(
        holding(&workspace, EDIT),
        ["apps/orders/internal/httpapi/handler.go"]
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn where_a_new_name_cannot_be_told_each_way_out_leads_on() {
    let unclear = || {
        let workspace = renamed(generated());
        for (path, _) in workspace.tree() {
            if path.starts_with("services/sales/internal") || path.contains("/chart/") {
                fs::write(workspace.path(&path), "mine\n").unwrap();
            }
        }
        workspace
    };
    let workspace = unclear();
    assert_data_eq!(
        workspace.gantline(&["generate"]).to_string(),
        str![[r#"
exit code 2
--- stderr
error: it cannot be told whether `sales` was `orders` before
  why: services/sales/.golangci.yml is in the way of what is generated
  why: most files of orders are not in its folder as they were
 next: When `sales` was called `orders`: `mv .gantline/base/index/orders .gantline/base/index/sales`, then `gantline generate`
 next: When it is new: `rm .gantline/base/index/orders`, then `gantline generate`

"#]]
    );
    let index = |name: &str| workspace.path(&format!("{INDEX}/{name}"));
    fs::rename(index("orders"), index("sales")).unwrap();
    let said = workspace.gantline(&["generate"]).stdout;
    assert!(said.contains("sales goes on from"), "{said}");
    let workspace = unclear();
    fs::remove_file(workspace.path(&format!("{INDEX}/orders"))).unwrap();
    let said = workspace.gantline(&["generate"]).fails(1).stderr;
    assert!(said.contains("files need you"), "{said}");
}

#[test]
fn nothing_is_kept_of_a_service_that_is_gone() {
    let workspace = generated();
    fs::remove_dir_all(workspace.path("services/orders")).unwrap();
    assert_data_eq!(
        workspace.gantline(&["generate", "--dry-run"]).stdout,
        str![[r#"
No file would change
orders is gone, and its records in .gantline/base would go with it

"#]]
    );
    workspace.gantline(&["generate"]).succeeds();
    let kept: Vec<String> = workspace
        .tree()
        .into_keys()
        .filter(|path| path.contains("/base/"))
        .collect();
    assert!(kept.is_empty(), "{kept:?}");
    // One that is written anew is a new one.
    let orders = Workspace::shop_with_orders().read("services/orders/service.yaml");
    let workspace = workspace.file("services/orders/service.yaml", orders);
    workspace.gantline(&["generate"]).succeeds();
    assert!(workspace.path("services/orders/go.mod").is_file());
}

#[test]
fn a_service_that_is_not_checked_out_is_not_gone() {
    let workspace = generated();
    fs::remove_dir_all(workspace.path("services/orders")).unwrap();
    let workspace = workspace.file(".git/info/sparse-checkout", "/*\n!/services/orders\n");
    workspace.gantline(&["generate"]).succeeds();
    assert!(workspace.path(&format!("{INDEX}/orders")).is_file());
}
