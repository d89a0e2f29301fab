//! What a chart does with its values.

use serde_json::{Value, json};

use super::rendered::Rendered;
use super::tool::Tool;

fn template(shop: &Rendered, service: &str, settings: &[&str]) -> Tool {
    let sets = settings.iter().flat_map(|setting| ["--set", setting]);
    Tool::new("helm")
        .arguments(["template", service, "--namespace", "shop"])
        .arguments(sets)
        .argument(shop.service(service).folder.join("chart"))
}

#[test]
#[ignore = "needs helm"]
fn wrong_values_are_refused_before_anything_is_installed() {
    let shop = Rendered::shop();
    let wrong = [
        ("image.tag=latest", "/image/tag"),
        ("image.digest=sha256:1", "/image/digest"),
        ("ports.admin=80", "/ports/admin"),
        ("scale.min=two", "/scale/min"),
        ("scle.min=2", "scle"),
        ("compute.memory=much", "/compute/memory"),
        ("networkPolicy.enabled=perhaps", "/networkPolicy/enabled"),
        ("env.1ST=text", "1ST"),
        ("env.MEMORY_LIMIT_BYTES=1000000", "MEMORY_LIMIT_BYTES"),
        ("env.COUNT=1000000", "/env/COUNT"),
        ("env.SHUTDOWN_TIMEOUT=60s", "SHUTDOWN_TIMEOUT"),
        ("env.DRAIN_DELAY=60s", "DRAIN_DELAY"),
        ("migrations.timeoutSeconds=0", "/migrations/timeoutSeconds"),
    ];
    for (setting, place) in wrong {
        let complaint = template(&shop, "orders", &[setting]).fails();
        assert!(complaint.contains(place), "{setting}: {complaint}");
    }
}

#[test]
#[ignore = "needs helm"]
fn a_plain_installation_has_no_policy_and_no_way_in_from_outside() {
    let shop = Rendered::shop();
    let text = template(&shop, "orders", &[]).passes();
    assert!(!text.contains("kind: NetworkPolicy"));
    assert!(!text.contains("kind: HTTPRoute"));
    assert!(text.contains("image: \"ghcr.io/acme/shop/orders:0.1.0\""));
}

#[test]
#[ignore = "needs helm"]
fn charts_hold_no_secret_and_name_those_that_they_mount() {
    let shop = Rendered::shop();
    for service in shop.services() {
        assert!(service.of_kind("Secret").is_empty());
        assert!(service.of_kind("ConfigMap").is_empty());
    }
    let orders = &shop.service("orders").of_kind("Deployment")[0];
    let pod = &orders["spec"]["template"]["spec"];
    let environment = pod["containers"][0]["env"].as_array().expect("variables");
    let value = |name: &str| {
        let found = environment.iter().find(|variable| variable["name"] == name);
        found.map(|variable| variable["value"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        value("STORE_URI_FILE").as_deref(),
        Some("/bindings/store/uri")
    );
    assert_eq!(
        value("PAYMENT_KEY_FILE").as_deref(),
        Some("/secrets/PAYMENT_KEY")
    );
    assert_eq!(value("PAYMENT_KEY"), None);
    let volumes = pod["volumes"].to_string();
    for secret in ["orders-db", "events", "payment", "mail"] {
        assert!(volumes.contains(&format!("\"{secret}\"")), "{secret}");
    }
    assert!(
        !volumes.contains("orders-db-owner"),
        "the service may not change the schema"
    );
}

#[test]
#[ignore = "needs helm"]
fn migrations_run_first_with_their_own_role_and_need_no_object_of_the_chart() {
    let shop = Rendered::shop();
    let mut seen = 0;
    for service in shop.services() {
        let jobs = service.of_kind("Job").into_iter();
        for job in jobs
            .filter(|job| job["metadata"]["labels"]["app.kubernetes.io/component"] == "migrations")
        {
            seen += 1;
            let hook = job.pointer("/metadata/annotations/helm.sh~1hook");
            assert_eq!(hook, Some(&json!("pre-install,pre-upgrade")));
            let pod = &job["spec"]["template"]["spec"];
            assert!(pod.get("serviceAccountName").is_none());
            assert_eq!(pod["containers"][0]["args"], json!(["migrate"]));
            let secret = pod.pointer("/volumes/1/secret/secretName");
            assert_eq!(secret, Some(&json!(format!("{}-db-owner", service.name))));
        }
    }
    let services = shop.project.services.values();
    let stores = services.filter(|service| service.uses.contains_key("store"));
    assert_eq!(seen, stores.count());
}

#[test]
#[ignore = "needs helm"]
fn replicas_are_at_least_two_and_set_in_one_place() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let deployment = &service.of_kind("Deployment")[0];
        let scalers = service.of_kind("HorizontalPodAutoscaler");
        let replicas = deployment["spec"].get("replicas");
        match (replicas, scalers.as_slice()) {
            (Some(replicas), []) => assert!(replicas.as_i64() >= Some(2)),
            (None, [scaler]) => assert!(scaler["spec"]["minReplicas"].as_i64() >= Some(2)),
            other => panic!("{}: {other:?}", service.name),
        }
        assert_eq!(service.of_kind("PodDisruptionBudget").len(), 1);
    }
}

#[test]
#[ignore = "needs helm"]
fn a_pod_has_time_to_pause_and_to_stop() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let pod = service.of_kind("Deployment")[0]["spec"]["template"]["spec"].clone();
        let pause = pod.pointer("/containers/0/lifecycle/preStop/sleep/seconds");
        let pause = pause.and_then(Value::as_i64).expect("a pause");
        let grace = pod["terminationGracePeriodSeconds"]
            .as_i64()
            .expect("a grace period");
        assert!(pod["containers"][0]["env"].to_string().contains("\"20s\""));
        assert!(pause + 20 < grace, "{pause} {grace}");
    }
}

#[test]
#[ignore = "needs helm"]
fn only_a_service_that_is_called_has_an_address_and_a_test() {
    let shop = Rendered::shop();
    for service in shop.services() {
        let http = shop.project.services[service.name.as_str()].ports.http;
        assert_eq!(
            service.of_kind("Service").len(),
            usize::from(http.is_some())
        );
        let jobs = service.of_kind("Job").into_iter();
        let tests = jobs.filter(|job| job["metadata"]["name"] == format!("{}-test", service.name));
        assert_eq!(tests.count(), usize::from(http.is_some()));
    }
}

#[test]
#[ignore = "needs helm"]
fn a_service_finds_what_it_needs_by_name() {
    let shop = Rendered::shop();
    let storefront = &shop.service("storefront").of_kind("Deployment")[0];
    let environment = storefront["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
    assert!(environment.contains("\"ORDERS_URL\""));
    assert!(environment.contains("\"http://orders:8080\""));
}
