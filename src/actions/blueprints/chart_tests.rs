//! What the generated charts make of values.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::samples::{Combination, SHAPES, combinations, render};
use crate::actions::release::read_chart;
use crate::config::catalog;
use crate::model::release::Chart;
use crate::render::chart::{self, ChartInput, RenderError};

/// The chart of a service with a database and a broker.
fn orders() -> Chart {
    made("go-service", |it| it.options["store"] == "postgres")
}

/// The chart that a blueprint makes of the first combination that is wanted.
fn made(blueprint: &str, wanted: fn(&Combination) -> bool) -> Chart {
    let blueprint = catalog::blueprints(None)
        .unwrap()
        .into_iter()
        .find(|it| it.reference.as_ref().unwrap().name.as_str() == blueprint)
        .unwrap();
    let combination = combinations(&blueprint).into_iter().find(wanted).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (path, file) in render(&blueprint, &combination, &SHAPES[0]).unwrap().files {
        let path = folder.path().join(path.as_str());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    read_chart(&folder.path().join("chart")).unwrap()
}

/// The environment of the service's container with these values.
fn environment(config: &Value) -> Result<BTreeMap<String, Value>, RenderError> {
    let container = container(&orders(), config)?;
    let variables = container["env"].as_array().unwrap().iter();
    Ok(variables
        .map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].clone()))
        .collect())
}

/// The container of a service with these values.
fn container(chart: &Chart, config: &Value) -> Result<Value, RenderError> {
    let rendered = chart::render(
        chart,
        &ChartInput {
            name: "ads",
            namespace: "shop",
            config,
            revision: 1,
            upgrade: false,
            kubernetes_version: "v1.34.0",
            api_versions: &[],
            folder: Path::new("chart"),
        },
    )?;
    let objects = rendered.objects.iter().map(|object| &object.value);
    let mut workloads = objects.filter(|object| object["kind"] == "Deployment");
    let pod = &workloads.next().unwrap()["spec"]["template"]["spec"];
    Ok(pod["containers"][0].clone())
}

#[test]
fn a_folder_may_have_any_name() {
    let path = "/srv/a: b #1";
    let config = json!({"writable": [{"path": path, "size": "8Mi"}]});
    let container = container(&made(catalog::CONTAINER, |_| true), &config).unwrap();
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert!(
        mounts.iter().any(|it| it["mountPath"] == path),
        "{mounts:?}"
    );
}

#[test]
fn what_the_manifest_says_wins_also_when_it_is_empty() {
    let found = environment(&json!({
        "telemetry": {"endpoint": "http://collector:4318"},
        "env": {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SERVICE_NAME": "mine", "COUNT": "1000000"},
    }));
    let found = found.unwrap();
    assert_eq!(found["OTEL_EXPORTER_OTLP_ENDPOINT"], "");
    assert_eq!(found["OTEL_SERVICE_NAME"], "mine");
    assert_eq!(found["COUNT"], "1000000");
}

#[test]
fn a_number_is_refused_where_a_text_is_expected_since_helm_would_write_1e6() {
    assert!(environment(&json!({"env": {"COUNT": 1_000_000}})).is_err());
}

#[test]
fn how_a_stop_goes_is_said_in_one_place_alone() {
    let found = environment(&json!({"shutdown": {"timeoutSeconds": 60}})).unwrap();
    assert_eq!(found["SHUTDOWN_TIMEOUT"], "60s");
    for section in ["env", "secrets"] {
        for variable in ["SHUTDOWN_TIMEOUT", "DRAIN_DELAY", "SHUTDOWN_TIMEOUT_FILE"] {
            let value = match section {
                "env" => json!("60s"),
                _ => json!({"secret": "stop", "key": "time"}),
            };
            let refused = environment(&json!({section: {variable: value}}));
            assert!(refused.is_err(), "{section}: {variable}");
        }
    }
}

#[test]
fn all_replicas_together_leave_connections_to_others() {
    let told = |config: Value| environment(&config).unwrap()["STORE_MAX_CONNECTIONS"].clone();
    for (most, expected) in [(2, "8"), (10, "8"), (11, "7"), (20, "4"), (44, "2")] {
        assert_eq!(told(json!({"scale": {"max": most}})), expected, "{most}");
    }
    assert_eq!(told(json!({"scale": {"min": 20, "max": 1}})), "4");
    assert_eq!(told(json!({"env": {"STORE_MAX_CONNECTIONS": "30"}})), "30");
}

#[test]
fn more_replicas_than_a_database_has_connections_for_are_refused_unless_it_is_said_to_have_more() {
    let refused = environment(&json!({"scale": {"max": 45}})).unwrap_err();
    assert!(format!("{refused:?}").contains("env.STORE_MAX_CONNECTIONS"));
    let said = json!({"scale": {"max": 45}, "env": {"STORE_MAX_CONNECTIONS": "5"}});
    assert_eq!(environment(&said).unwrap()["STORE_MAX_CONNECTIONS"], "5");
}
