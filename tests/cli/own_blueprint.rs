//! Blueprints of the workspace's own: what is added there touches no Rust.

use super::workspace::Workspace;

/// A blueprint that extends the program's by a choice that the program does not know. The catalogue
/// has no resource type of that name, which would be a file of its own, so another stands in.
fn with_mysql() -> Workspace {
    Workspace::shop()
        .file(
            "blueprints/shop-service/blueprint.yaml",
            "\
name: shop-service
version: 1
summary: A service as this shop makes them
extends: go-service
options:
  store:
    summary: Where it keeps what it owns
    choices:
      none: {summary: Nowhere}
      postgres: {summary: PostgreSQL, kind: sql, resource: {type: postgres, name: \"{service}-db\"}}
      mysql: {summary: MySQL, kind: sql, resource: {type: postgres, name: \"{service}-db\"}}
    default: none
order: [store=mysql]
",
        )
        .file(
            "blueprints/shop-service/store=mysql/internal/mysql/store.go.tera",
            "// Package mysql keeps <{ entity.plural.words }>.\npackage mysql\n",
        )
        .file(
            "blueprints/shop-service/store=mysql/parts/wire.go/construct.tera",
            "\t// <{ entity.plural.words }> are kept in MySQL\n",
        )
}

#[test]
fn a_choice_that_is_added_to_a_blueprint_is_offered_checked_and_scaffolded_by_its_folder_alone() {
    let workspace = with_mysql();
    let shown = workspace.gantline(&["blueprint", "show", "shop-service"]);
    assert!(shown.stdout.contains("mysql      MySQL"), "{shown}");
    workspace
        .gantline(&["blueprint", "check", "blueprints/shop-service"])
        .succeeds();
    workspace
        .gantline(&[
            "add",
            "service",
            "wares",
            "--blueprint",
            "shop-service",
            "--with",
            "entity=ware",
            "--with",
            "store=mysql",
        ])
        .succeeds();
    assert_eq!(
        workspace.read("services/wares/internal/mysql/store.go"),
        "// Package mysql keeps wares.\npackage mysql\n"
    );
    let wire = workspace.read("services/wares/cmd/wares/wire.go");
    assert!(wire.contains("// wares are kept in MySQL"), "{wire}");
    // What any SQL store brings comes along by the trait.
    let migrations = "services/wares/chart/templates/migrations.yaml";
    assert!(workspace.path(migrations).exists());
    let manifest = workspace.read("services/wares/service.yaml");
    assert!(
        manifest.contains("blueprint: shop-service@1\n"),
        "{manifest}"
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn a_blueprint_of_the_workspace_stands_before_the_programs_of_the_same_name() {
    let workspace = Workspace::shop()
        .file(
            "blueprints/go-worker/blueprint.yaml",
            "name: go-worker\nversion: 7\nsummary: Ours\n",
        )
        .file("blueprints/go-worker/base/ours.txt", "ours\n");
    let list = workspace.gantline(&["blueprint", "list"]);
    assert!(list.stdout.contains("go-worker   Ours"), "{list}");
    assert!(list.stdout.contains("go-service"), "{list}");
    workspace
        .gantline(&["add", "service", "billing", "--blueprint", "go-worker"])
        .succeeds();
    assert_eq!(workspace.read("services/billing/ours.txt"), "ours\n");
}

#[test]
fn a_link_in_a_blueprint_of_the_workspace_is_refused() {
    let workspace = with_mysql();
    let link = workspace.path("blueprints/shop-service/store=mysql/secret");
    std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
    let run = workspace
        .gantline(&["blueprint", "show", "shop-service"])
        .fails(2);
    assert!(run.stderr.contains("holds no links"), "{run}");
}

#[test]
fn a_template_that_would_never_end_is_refused_by_its_name() {
    let rounds = "<% set r = range(end=9999) %><% for a in r %><% for b in r %><% for c in r %>\
                  <% endfor %><% endfor %><% endfor %>";
    let doubled = "<% set_global x = \"xxxxxxxx\" %><% for i in range(end=99) %>\
                   <% set_global x = x ~ x %><% endfor %>";
    for (template, cause) in [
        (rounds, "it takes more than 5 seconds"),
        // Of memory, unless the machine is so slow that the time is over first.
        (doubled, "it takes more than "),
        (
            "<% for x in range(end=99999999999) %><% endfor %>",
            "more than 100000 numbers",
        ),
    ] {
        let workspace = with_mysql().file(
            "blueprints/shop-service/store=mysql/internal/mysql/bomb.go.tera",
            template,
        );
        let add =
            "add service wares --blueprint shop-service --with entity=ware --with store=mysql";
        let words: Vec<&str> = add.split(' ').collect();
        let run = workspace.gantline(&words).fails(2);
        assert!(run.stderr.contains(cause), "{run}");
        let name = "`shop-service/store=mysql/internal/mysql/bomb.go.tera` cannot be rendered";
        assert!(run.stderr.contains(name), "{run}");
    }
}
