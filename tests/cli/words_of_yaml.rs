//! Names that YAML 1.1 takes for something else than a text.

use gantline::render::chart::read_yaml;
use serde_json::Value;

use super::workspace::Workspace;

/// A name that every reader takes for a text.
const PLAIN: &str = "plain";

/// A shop that has this name wherever it is free. Where a name begins with a letter, it is left
/// plain for those that do not.
fn shop(word: &str) -> Workspace {
    let lower = match word.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => word,
        false => PLAIN,
    };
    let upper = lower.to_uppercase();
    let digest = "a".repeat(64);
    let variables =
        format!("env: {{\"{upper}\": x}}\nsecrets: {{SECRET_{upper}: \"{word}/{word}\"}}\n");
    let pages = format!(
        "name: pages\nimage: {{reference: \"ghcr.io/acme/pages:1@sha256:{digest}\", pull_secrets: [\"{word}\"]}}\n\
         ports: {{http: 8080, \"{lower}\": 8081}}\nhealth: /\nuses: {{store: orders-db}}\n\
         compute: {{cpu: \"010\"}}\nexpose: [{{path: /}}]\n{variables}"
    );
    let environment = format!(
        "namespace: \"{word}\"\ngateway: {{name: \"{word}\", namespace: \"{word}\"}}\n\
         domain: shop.example\nresources:\n  orders-db: {{secret: \"{word}\", owner_secret: \"{word}\"}}\n  events: {{}}\n"
    );
    let shop = Workspace::shop_with_orders();
    let orders = shop.read("services/orders/service.yaml") + &variables;
    let shop = shop
        .file("services/orders/service.yaml", orders)
        .file("services/pages/service.yaml", pages)
        .file("environments/staging.yaml", environment);
    shop.gantline(&["generate"]).succeeds();
    ["orders", "pages"].iter().fold(shop, |shop, service| {
        let values = format!("services/{service}/chart/values.yaml");
        shop.replace(&values, "enabled: false", "enabled: true")
            .replace(&values, "endpoint: \"\"", "endpoint: http://collector:4318")
            .replace(
                &values,
                "monitoringNamespace: monitoring",
                &format!("monitoringNamespace: \"{lower}\""),
            )
    })
}

/// Each value of what would be applied, with the keys that lead to it and `word` made plain.
fn values(shop: &Workspace, word: &str) -> Vec<String> {
    let run = shop.gantline(&["render", "staging"]).succeeds();
    let mut found = Vec::new();
    for document in run.stdout.split("\n---\n") {
        let value = read_yaml(document).unwrap();
        leaves(&value, &value["kind"].to_string(), &mut found);
    }
    let upper = word.to_uppercase();
    for line in &mut found {
        *line = line
            .replace(&format!("\"{word}\""), "\"plain\"")
            .replace(&format!("\"{upper}\""), "\"PLAIN\"")
            .replace(&format!("SECRET_{upper}"), "SECRET_PLAIN");
    }
    found.sort();
    found
}

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(key, below)| leaves(below, &format!("{path}.{key}"), found)),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        leaf => found.push(format!("{path} = {leaf}")),
    }
}

#[test]
fn a_name_that_yaml_takes_for_something_else_is_a_text_in_every_chart() {
    let plain = shop(PLAIN);
    let cpu = r#""Deployment".spec.template.spec.containers.resources.requests.cpu = "010""#;
    assert!(values(&plain, PLAIN).iter().any(|line| line == cpu));
    for word in [
        "no", "y", "on", "true", "null", "0755", "1234", "1e3", "0x1f",
    ] {
        let expected = values(&plain, word);
        let found = values(&shop(word), word);
        assert_eq!(found, expected, "{word}");
    }
}

#[test]
fn a_service_a_resource_or_a_workspace_of_such_a_name_is_refused() {
    let said = "Kubernetes and Helm read YAML 1.1, where it is no text";
    for word in ["no", "on", "y", "null"] {
        let service = format!("name: \"{word}\"\nblueprint: go-worker\n");
        let path = format!("services/{word}/service.yaml");
        let resource = format!("  \"{word}\": nats\n");
        let shop = Workspace::shop().read("gantline.yaml");
        for workspace in [
            Workspace::shop().file(&path, service),
            Workspace::shop().file("gantline.yaml", shop.clone() + &resource),
            Workspace::shop().replace("gantline.yaml", "name: shop", &format!("name: \"{word}\"")),
        ] {
            let run = workspace.gantline(&["generate"]).fails(2);
            assert!(run.stderr.contains(said), "{run}");
            assert!(run.stderr.contains("is reserved"), "{run}");
        }
        let new = Workspace::empty().gantline(&["new", word]).fails(2);
        assert!(new.stderr.contains(said), "{new}");
    }
}
