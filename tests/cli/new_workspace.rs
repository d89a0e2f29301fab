//! `new`, `add resource` and `schema`.

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

#[test]
fn a_new_workspace_is_a_git_repository_with_ten_lines() {
    let workspace = Workspace::empty();
    let run = workspace.gantline(&["new", "shop", "--module", "github.com/acme/shop"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 0
--- stdout
The workspace shop was made in shop:
  .gitattributes
  .gitignore
  gantline.yaml
It is a git repository now.

Next:
  cd shop
  gantline add service orders --blueprint go-service --with entity=order

"#]]
    );
    assert_data_eq!(
        workspace.read("shop/gantline.yaml"),
        str![[r##"
# yaml-language-server: $schema=https://raw.githubusercontent.com/gantline/gantline/main/docs/schemas/v1/workspace.json
version: 1
gantline: ">=0.1, <0.2"
name: shop
module: github.com/acme/shop  # a service's Go module is MODULE/services/NAME
registry: ghcr.io/acme/shop  # an image is REGISTRY/NAME
services: services/*
platforms: [linux/amd64]

resources: {}

"##]]
    );
    assert!(workspace.path("shop/.git").is_dir());
    workspace
        .gantline_in("shop", &["generate", "--check"])
        .succeeds();
}

#[test]
fn a_dry_run_makes_nothing() {
    let workspace = Workspace::empty();
    workspace.gantline(&["new", "shop", "--dry-run"]).succeeds();
    assert!(!workspace.path("shop").exists());
}

#[test]
fn a_module_that_is_taken_by_default_is_said() {
    let workspace = Workspace::empty();
    let run = workspace.gantline(&["new", "shop"]).succeeds();
    let said = "the Go module is example.com/shop, by default; name yours with `--module";
    assert!(run.stderr.contains(said), "{run}");
    let named = ["new", "mine", "--module", "github.com/acme/mine"];
    let run = workspace.gantline(&named);
    assert_eq!(run.stderr, "", "{run}");
}

#[test]
fn a_folder_that_holds_something_is_refused_and_left_alone() {
    let workspace = Workspace::empty().file("shop/notes.txt", "mine");
    let run = workspace.gantline(&["new", "shop"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
error: shop is not empty
  why: it holds `notes.txt`
 next: Choose another folder; nothing was touched

"#]]
    );
    assert_eq!(workspace.read("shop/notes.txt"), "mine");
    assert!(!workspace.path("shop/gantline.yaml").exists());
}

#[test]
fn a_fresh_repository_becomes_a_workspace_and_keeps_what_it_has() {
    let workspace = Workspace::empty()
        .file("shop/.git/HEAD", "ref: refs/heads/main\n")
        .file("shop/README.md", "# Shop\n")
        .file("shop/.gitignore", "bin");
    workspace.gantline_in("shop", &["new", "."]).succeeds();
    assert_eq!(
        workspace.read("shop/.gitignore"),
        "bin\n/.gantline/run/\n/.gantline/local.env\n"
    );
    assert_eq!(workspace.read("shop/README.md"), "# Shop\n");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let workspace = Workspace::shop();
    let mut said = String::new();
    for arguments in [
        &["new", "My_Shop"][..],
        &["new"],
        &["new", "inner"],
        &["add", "resource", "Orders", "--type", "postgres"],
        &["add", "resource", "kube-db", "--type", "postgres"],
        &["add", "resource", "events", "--type", "nats"],
        &["add", "resource", "cache", "--type", "redis"],
        &[
            "add",
            "resource",
            "db",
            "--type",
            "postgres",
            "--version",
            "9",
        ],
        &["add", "resource", "db"],
    ] {
        let run = workspace.gantline(arguments);
        said += &format!("== {}: {run}", arguments.join(" "));
    }
    assert_data_eq!(
        said,
        str![[r#"
== new My_Shop: exit code 2
--- stderr
error: `My_Shop` is no name for a workspace
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
 next: Call it `my-shop`
== new: exit code 2
--- stderr
error: the workspace's name is missing
 next: Write `gantline new NAME`, or `gantline new .` for this folder
== new inner: exit code 2
--- stderr
error: inner lies in the workspace [ROOT]
 next: Choose a folder outside, or add to that workspace with `gantline add`
== add resource Orders --type postgres: exit code 2
--- stderr
error: `Orders` is no value of `<NAME>`
  why: a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)
 next: Did you mean `orders`?
== add resource kube-db --type postgres: exit code 2
--- stderr
error: the name `kube-db` is reserved
  why: Kubernetes uses names that begin so
 next: Choose another name
== add resource events --type nats: exit code 2
--- stderr
error: there is a resource `events` already
 --> gantline.yaml:7:3
  |
7 |   events: {type: nats}
  |   ^^^^^^
 next: Choose another name, or change that entry
== add resource cache --type redis: exit code 2
--- stderr
error: there is no resource type `redis`
 next: Known here: `nats`, `postgres`
== add resource db --type postgres --version 9: exit code 2
--- stderr
error: version `9` of postgres is not known
 next: Known here: "17"
== add resource db: exit code 2
--- stderr
error: `--type` is missing
 next: Add `--type` with one of: nats, postgres

"#]]
    );
}

#[test]
fn a_wrong_module_is_refused_before_anything_is_made() {
    let workspace = Workspace::empty();
    let run = workspace.gantline(&["new", "shop", "--module", "https://github.com/acme"]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 2
--- stderr
error: `module`: expected a Go module path such as `github.com/acme/shop`, found the text `https://github.com/acme`
 next: Give `--module` another value

"#]]
    );
    assert!(!workspace.path("shop").exists());
}

#[test]
fn a_resource_is_added_and_comments_stay() {
    let workspace = Workspace::shop().replace(
        "gantline.yaml",
        "resources:",
        "# what we run on\nresources:",
    );
    let run = workspace.gantline(&[
        "add",
        "resource",
        "billing-db",
        "--type",
        "postgres",
        "--owner",
        "team: billing",
    ]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 0
--- stdout
gantline.yaml has, under `resources`:
  billing-db: {type: postgres, version: "17", owner: "team: billing"}

A service uses it by a line of its service.yaml:
  uses: {ROLE: billing-db}

"#]]
    );
    assert_data_eq!(
        workspace.read("gantline.yaml"),
        str![[r#"
version: 1
name: shop
module: github.com/acme/shop
registry: ghcr.io/acme/shop
# what we run on
resources:
  orders-db: {type: postgres, version: "17"}
  events: {type: nats}
  billing-db: {type: postgres, version: "17", owner: "team: billing"}

"#]]
    );
}

#[test]
fn schemas_are_listed_and_printed() {
    let workspace = Workspace::empty();
    let listed = workspace.gantline(&["schema"]).stdout;
    for (name, of) in [
        ("workspace", "gantline.yaml"),
        ("deploy-plan", "gantline deploy --plan"),
    ] {
        let address = format!("/gantline/main/docs/schemas/v1/{name}.json");
        let tells =
            |line: &str| line.starts_with(name) && line.contains(of) && line.ends_with(&address);
        assert!(listed.lines().any(tells), "{name}: {listed}");
    }
    let run = workspace.gantline(&["schema", "service"]);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(schema["title"], "service.yaml");
}
