use std::path::Path;

use super::*;
use crate::model::name::Name;

const WORKSPACE: &str = "version: 1\nname: shop\nmodule: example.com/shop\nregistry: localhost/shop\n\
    resources:\n  orders-db: {type: postgres, version: \"17\"}\n  events: nats\n";
const SERVICE: &str = "name: orders\nblueprint: go-service\n\
    options: {entity: order, store: postgres}\nuses: {store: orders-db}\n\
    env: {LOG_LEVEL: info, A: one}\nscale: {min: 2, max: 4}\n";

fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = [
        ("gantline.yaml", WORKSPACE),
        ("services/orders/service.yaml", SERVICE),
    ];
    for (path, text) in all.iter().chain(files) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn staging(files: &[(&str, &str)]) -> Result<(Environment, Project)> {
    let folder = workspace(files);
    load(folder.path(), &Name::new("staging").unwrap())
}

#[test]
fn an_environment_says_where_and_what_differs() {
    let text = "namespace: shop\ncluster: {uid: 8f1c6f0e-0000-4000-8000-000000000001}\n\
        domain: staging.shop.example\ngateway: {name: public, namespace: gateways}\n\
        registry: localhost:5000/shop\nresources:\n  orders-db: {secret: db}\n  events: {storage: 1Gi}\n";
    let over = "env: {LOG_LEVEL: debug, A: ~}\nscale: {max: 3}\n";
    let (environment, project) = staging(&[
        ("environments/staging.yaml", text),
        ("services/orders/service.staging.yaml", over),
    ])
    .unwrap();
    assert_eq!(
        environment.gateway.unwrap().namespace.as_deref(),
        Some("gateways")
    );
    assert_eq!(
        environment.resources["orders-db"],
        EnvironmentResource::External {
            secret: "db".to_owned(),
            owner_secret: "db-owner".to_owned()
        }
    );
    assert_eq!(
        environment.resources["events"],
        EnvironmentResource::InCluster {
            storage: Some("1Gi".to_owned())
        }
    );
    let service = &project.services["orders"];
    assert_eq!(service.env.len(), 1);
    assert_eq!(service.env["LOG_LEVEL"], "debug");
    assert_eq!((service.scale.min, service.scale.max), (2, 3));
}

#[test]
fn unknown_keys_and_resources_are_errors_with_a_place() {
    let text = "namespace: Shop\nregistri: x\nresources:\n  order-db: {}\n";
    let error = staging(&[("environments/staging.yaml", text)]).unwrap_err();
    let lines: Vec<usize> = error
        .related()
        .iter()
        .map(|error| error.place().unwrap().line)
        .collect();
    assert_eq!(lines, [1, 2], "{error:?}");
    let text = "namespace: shop\nresources:\n  order-db: {}\n";
    let error = staging(&[("environments/staging.yaml", text)]).unwrap_err();
    assert_eq!(error.place().unwrap().line, 3);
    assert!(error.hints()[0].contains("orders-db"), "{error:?}");
}

#[test]
fn a_problem_of_an_overlay_is_shown_in_the_overlay() {
    let environment = ("environments/staging.yaml", "namespace: shop\n");
    let path = "services/orders/service.staging.yaml";
    for (text, line) in [
        ("# more\nscale: {max: 0}\n", 2),
        ("env:\n  a-b: 1\n", 2),
        ("scales: {max: 3}\n", 1),
        ("compute: {cpu: much}\n", 1),
        ("\nblueprint: go-worker\n", 2),
        ("scale: {max: 1}\n", 1),
    ] {
        let error = staging(&[environment, (path, text)]).unwrap_err();
        let first = error.related().first().unwrap_or(&error).clone();
        let place = first.place().unwrap_or_else(|| panic!("{text}: {first:?}"));
        let named = Path::new("service.staging.yaml");
        let is_overlay = place.file.ends_with(named);
        let blames_both = text.contains("max: 1}");
        assert!(is_overlay || blames_both, "{text}: {place}");
        if is_overlay {
            assert_eq!(place.line, line, "{text}: {place}");
        }
    }
}

#[test]
fn an_environment_that_is_not_there_is_said_with_the_nearest() {
    let error = staging(&[("environments/stagin.yaml", "namespace: shop\n")]).unwrap_err();
    assert!(error.message().contains("staging"));
    assert!(error.hints()[0].contains("stagin"));
}
