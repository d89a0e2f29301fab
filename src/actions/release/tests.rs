use std::path::Path;

use serde_json::json;

use super::read_chart;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn a_chart_is_read_as_helm_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("Chart.yaml", "name: orders\nversion: 0.1.0\n"),
            ("values.yaml", "mode: 0440\non: yes\n"),
            ("values.schema.json", "{}"),
            ("templates/a.yaml", "a"),
            ("templates/tests/b.yaml", "b"),
            ("templates/.hidden", "x"),
            (".helmignore", "*.bak\n"),
            ("config/c.txt", "c"),
            ("config/c.bak", "old"),
        ],
    );
    let chart = read_chart(folder.path()).unwrap();
    assert_eq!(chart.text("name"), "orders");
    assert_eq!(chart.values, json!({"mode": 288, "true": true}));
    let paths = |files: &[crate::model::release::ChartFile]| -> Vec<String> {
        files.iter().map(|file| file.path.clone()).collect()
    };
    assert_eq!(
        paths(&chart.templates),
        ["templates/a.yaml", "templates/tests/b.yaml"]
    );
    assert_eq!(paths(&chart.files), [".helmignore", "config/c.txt"]);
}

#[test]
fn a_chart_that_is_none_or_leads_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_chart(folder.path()).unwrap_err();
    assert_eq!(error.kind().exit_code(), 4);
    write(
        folder.path(),
        &[("Chart.yaml", "name: orders\n"), ("values.yaml", "a: [\n")],
    );
    let error = read_chart(folder.path()).unwrap_err();
    assert!(error.place().is_some(), "{error:?}");
    write(folder.path(), &[("values.yaml", "")]);
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
    let error = read_chart(folder.path()).unwrap_err();
    assert!(error.message().contains("neither"), "{error}");
}

pub mod in_the_cluster {
    use std::collections::BTreeMap;

    use super::super::{ClusterVersion, ResourceSpec, SpecRequest, resources};
    use crate::config::environment;
    use crate::model::name::Name;
    use crate::report::RecordingReporter;

    const WORKSPACE: &str = "version: 1\nname: shop\nmodule: example.com/shop\n\
        registry: localhost/shop\nresources:\n  orders-db: postgres\n  events: nats\n";
    const SERVICE: &str = "name: orders\nblueprint: go-service\n\
        options: {entity: order, store: postgres, messaging: nats}\n\
        uses: {store: orders-db, messaging: events}\npublishes: [order-placed]\n";

    /// The resources of a shop whose one service uses a database, `orders-db`, and `events`, when
    /// an environment says this of them.
    pub async fn specs(resources_of: &str) -> Vec<ResourceSpec> {
        let folder = tempfile::tempdir().unwrap();
        super::write(
            folder.path(),
            &[
                ("gantline.yaml", WORKSPACE),
                ("services/orders/service.yaml", SERVICE),
                (
                    "environments/test.yaml",
                    &format!("namespace: shop\nresources: {resources_of}\n"),
                ),
            ],
        );
        let name = Name::new("test").unwrap();
        let (environment, project) = environment::load(folder.path(), &name).unwrap();
        let (images, installed) = (BTreeMap::new(), BTreeMap::new());
        resources(&SpecRequest {
            project: &project,
            environment: &environment,
            services: &[Name::new("orders").unwrap()],
            images: &images,
            tags: &BTreeMap::new(),
            cluster: &ClusterVersion::assumed(),
            installed: &installed,
            events: &RecordingReporter::default(),
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn a_resource_is_a_release_that_holds_no_secret() {
        let specs = specs("{orders-db: {storage: 2Gi}, events: {}}").await;
        let names: Vec<&str> = specs.iter().map(|spec| spec.spec.name.as_str()).collect();
        assert_eq!(names, ["events", "orders-db"]);
        assert_eq!(
            specs.iter().map(|spec| spec.keeps_data).collect::<Vec<_>>(),
            [false, true]
        );
        for spec in &specs {
            let titles: Vec<String> = spec
                .spec
                .rendered
                .objects
                .iter()
                .map(|it| it.title())
                .collect();
            let name = &spec.spec.name;
            let expected = [
                "PodDisruptionBudget",
                "ServiceAccount",
                "Service",
                "StatefulSet",
            ];
            let mut expected = expected.map(|kind| format!("{kind}/{name}")).to_vec();
            if spec.keeps_data {
                expected.insert(2, format!("PersistentVolumeClaim/{name}-data"));
            }
            assert_eq!(titles, expected);
            let secret = spec.new_server_secret().unwrap();
            let manifest = spec.spec.rendered.manifest();
            for value in secret.data.values() {
                assert!(!manifest.contains(value.reveal()));
            }
        }
        let database = specs[1].spec.rendered.manifest();
        assert!(
            database.contains("claimName: orders-db-data") && database.contains("storage: 2Gi")
        );
        // It can be added to a StatefulSet that runs, and its claim can grow: neither is possible
        // with a claim template.
        assert!(!database.contains("volumeClaimTemplates"));
    }

    #[tokio::test]
    async fn the_secrets_of_a_resource_follow_from_that_of_its_server() {
        let specs = specs("{orders-db: {}, events: {}}").await;
        let server = specs[1].new_server_secret().unwrap();
        assert_eq!(server.name, "orders-db-server");
        assert_ne!(server, specs[1].new_server_secret().unwrap());
        let script = server.data["docker-entrypoint-initdb.d.provision.sql"].reveal();
        assert!(script.contains("create database \"orders_db\" owner \"orders_db_owner\";"));
        assert!(script.contains("\\connect \"orders_db\""), "{script}");
        let bindings = specs[1].binding_secrets(&server.data).unwrap();
        assert_eq!(bindings, specs[1].binding_secrets(&server.data).unwrap());
        let [user, owner] = bindings.as_slice() else {
            panic!("{bindings:?}")
        };
        assert_eq!(
            (user.name.as_str(), owner.name.as_str()),
            ("orders-db", "orders-db-owner")
        );
        assert_eq!(user.kind, "servicebinding.io/postgres");
        let keys: Vec<&str> = user.data.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "database", "host", "password", "port", "provider", "type", "uri", "username"
            ]
        );
        let password = server.data["user-password"].reveal();
        assert_eq!(
            user.data["uri"].reveal(),
            format!(
                "postgres://orders_db:{password}@orders-db.shop.svc:5432/orders_db?sslmode=disable"
            )
        );
        assert_eq!(owner.data["username"].reveal(), "orders_db_owner");
        let events = specs[0].new_server_secret().unwrap();
        let config = events.data["etc.nats.nats.conf"].reveal();
        assert!(config.contains("user: \"events\""), "{config}");
        let foreign = BTreeMap::new();
        assert!(specs[0].binding_secrets(&foreign).is_err());
    }
}
