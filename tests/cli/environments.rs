//! Environments: what is generated for them, and what would be deployed.

use super::workspace::Workspace;

const STAGING: &str = "\
namespace: shop
domain: staging.shop.example
gateway: {name: public, namespace: gateways}
registry: localhost:5000/shop
resources:
  orders-db: {secret: database}
  events: {}
";
const VALUES: &str = "services/orders/chart/values-staging.yaml";

/// A shop with an environment, and what differs there for its service.
fn generated() -> Workspace {
    let workspace = Workspace::shop_with_orders()
        .file("environments/staging.yaml", STAGING)
        .file(
            "services/orders/service.staging.yaml",
            "env: {LOG_LEVEL: debug}\nscale: {max: 3}\nexpose: [/]\n",
        );
    workspace.gantline(&["generate"]).succeeds();
    workspace
}

#[test]
fn an_environments_values_hold_what_differs_and_nothing_else() {
    let workspace = generated();
    assert_eq!(
        workspace.read(VALUES),
        "\
# Derived from environments/staging.yaml and service.staging.yaml: change it there.
# helm upgrade --install orders chart --namespace shop \\
#   --values chart/values-staging.yaml \\
#   --set image.tag=TAG
# TAG is that of the image which `gantline build --push` names.
---
scale:
  max: 3
env:
  LOG_LEVEL: debug
expose:
  routes:
    - path: /
  hosts:
    - staging.shop.example
  gateway:
    name: public
    namespace: gateways
image:
  repository: \"localhost:5000/shop/orders\"
uses:
  store:
    secret: database
migrations:
  secret: database-owner
"
    );
    workspace.gantline(&["generate", "--check"]).succeeds();
}

#[test]
fn the_command_of_a_vendors_image_sets_no_tag() {
    let digest = "a".repeat(64);
    let pages = format!(
        "name: pages\nimage: ghcr.io/acme/pages:1@sha256:{digest}\nports: {{http: 8080}}\nhealth: /\n"
    );
    let workspace = Workspace::shop()
        .file("services/pages/service.yaml", pages)
        .file("environments/staging.yaml", "namespace: shop\n");
    workspace.gantline(&["generate"]).succeeds();
    let values = workspace.read("services/pages/chart/values-staging.yaml");
    let expected = "# helm upgrade --install pages chart --namespace shop \\\n\
                    #   --values chart/values-staging.yaml\n---\n";
    assert!(values.contains(expected), "{values}");
}

#[test]
fn one_service_is_rendered_whatever_is_wrong_with_others() {
    let workspace = generated().file("services/web/service.yaml", "name: [\n");
    let rendered = workspace.gantline(&["render", "staging", "orders"]);
    assert!(rendered.succeeds().stdout.contains("kind: Deployment"));
    let run = workspace.gantline(&["render", "staging"]).fails(2);
    assert!(run.stderr.contains("services/web/service.yaml"));
}

#[test]
fn an_edit_of_an_environments_values_is_kept_and_a_removed_environment_takes_them_along() {
    let workspace = generated();
    let edited = workspace.read(VALUES) + "owner: nobody\n";
    let workspace = workspace.file(VALUES, &edited).replace(
        "services/orders/service.staging.yaml",
        "max: 3",
        "max: 4",
    );
    workspace.gantline(&["generate"]).succeeds();
    let merged = workspace.read(VALUES);
    assert!(
        merged.contains("max: 4") && merged.contains("owner: nobody"),
        "{merged}"
    );
    let workspace = generated();
    std::fs::remove_file(workspace.path("environments/staging.yaml")).unwrap();
    std::fs::remove_file(workspace.path("services/orders/service.staging.yaml")).unwrap();
    workspace.gantline(&["generate"]).succeeds();
    assert!(!workspace.path(VALUES).exists());
}

#[test]
fn rendering_needs_no_cluster_and_gives_the_same_twice() {
    let workspace = generated();
    let run = workspace.gantline(&["render", "staging"]).succeeds();
    assert!(
        run.stdout.starts_with("---\n# Source: resource/templates/"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("image: \"localhost:5000/shop/orders:src-"),
        "{run}"
    );
    assert!(
        run.stdout.contains("secretName: \"database-owner\""),
        "{run}"
    );
    assert!(run.stdout.contains("- staging.shop.example"), "{run}");
    assert!(!run.stdout.contains("kind: Secret"), "{run}");
    assert!(
        run.stderr.contains("the data of events goes with its pod"),
        "{run}"
    );
    assert_eq!(
        workspace.gantline(&["render", "staging"]).stdout,
        run.stdout
    );
    let json = workspace.gantline(&["render", "staging", "orders", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["releases"][0]["name"], "events");
    assert_eq!(document["releases"][1]["kind"], "service");
}

#[test]
fn files_are_written_where_only_rendered_ones_lie() {
    let workspace = generated().file("out/orders.yaml", "mine: true\n");
    workspace
        .gantline(&["render", "staging", "--output", "out"])
        .fails(2);
    assert_eq!(workspace.read("out/orders.yaml"), "mine: true\n");
    assert!(!workspace.path("out/events.yaml").exists());
    for _ in 0..2 {
        workspace
            .gantline(&["render", "staging", "--output", "new"])
            .succeeds();
    }
    assert!(
        workspace
            .read("new/orders.yaml")
            .contains("kind: Deployment")
    );
}

#[test]
fn a_file_of_a_release_that_is_gone_is_removed_unless_only_some_are_rendered() {
    let of_staging = "# Rendered by gantline. Workspace: shop. Environment: staging\n";
    let workspace = generated().file("out/gone.yaml", of_staging);
    let render = ["render", "staging", "--output", "out"];
    workspace
        .gantline(&[&render[..], &["orders"]].concat())
        .succeeds();
    assert!(workspace.path("out/gone.yaml").exists());
    let run = workspace.gantline(&render);
    assert!(run.stderr.contains("removed out/gone.yaml"), "{run}");
    assert!(!workspace.path("out/gone.yaml").exists());
    assert!(workspace.path("out/orders.yaml").exists());
}

#[test]
fn mistakes_are_shown_where_they_were_made() {
    let workspace = generated();
    let run = workspace.gantline(&["render", "stagin"]).fails(2);
    assert!(run.stderr.contains("staging"), "{run}");
    let workspace = workspace.file("services/orders/service.staging.yaml", "scale: {max: 0}\n");
    let run = workspace.gantline(&["render", "staging"]).fails(2);
    assert!(run.stderr.contains("service.staging.yaml:1:"), "{run}");
    let workspace = generated().replace(
        "services/orders/chart/templates/service.yaml",
        "type: ClusterIP",
        "type: {{ .Values.kind.of }}",
    );
    let run = workspace.gantline(&["render", "staging"]).fails(2);
    assert!(
        run.stderr.contains("chart/templates/service.yaml:16"),
        "{run}"
    );
    let workspace = generated().replace(
        "services/orders/chart/templates/service.yaml",
        "type: ClusterIP",
        "type: {{ randAlphaNum 3 }}",
    );
    let without_helm = [("PATH", "/usr/bin:/bin")];
    let run = workspace
        .gantline_with(&without_helm, &["render", "staging"])
        .fails(4);
    assert!(run.stderr.contains("randAlphaNum"), "{run}");
}

#[test]
fn an_environment_is_added_only_with_a_cluster_to_ask() {
    let workspace = Workspace::shop_with_orders();
    workspace
        .gantline(&[
            "add",
            "environment",
            "live",
            "--context",
            "nowhere",
            "--namespace",
            "shop",
        ])
        .fails(4);
    assert!(!workspace.path("environments/live.yaml").exists());
    let run = workspace
        .gantline(&["add", "environment", "live", "--namespace", "shop"])
        .fails(2);
    assert!(run.stderr.contains("--context"), "{run}");
}
