//! Rules of linters that cannot be installed everywhere (Trivy, kube-linter, Polaris), and the
//! Pod Security Standard `restricted`, as data.

use serde_json::{Value, json};

use super::rendered::Rendered;

/// What a place in an object must hold.
enum Expected {
    Is(Value),
    Absent,
    Present,
    MoreThan(i64),
    Below(i64),
}

use Expected::{Absent, Below, Is, MoreThan, Present};

/// Rules, a place (a JSON pointer), and what it must hold.
type Rule = (&'static str, &'static str, Expected);

fn pod_rules() -> Vec<Rule> {
    vec![
        (
            "KSV-0036",
            "/automountServiceAccountToken",
            Is(json!(false)),
        ),
        ("KSV-0009 PSS", "/hostNetwork", Absent),
        ("KSV-0010 PSS", "/hostPID", Absent),
        ("KSV-0008 PSS", "/hostIPC", Absent),
        (
            "KSV-0012 PSS",
            "/securityContext/runAsNonRoot",
            Is(json!(true)),
        ),
        ("KSV-0020", "/securityContext/runAsUser", MoreThan(10_000)),
        ("KSV-0021", "/securityContext/runAsGroup", MoreThan(10_000)),
        ("KSV-0116", "/securityContext/fsGroup", MoreThan(10_000)),
        (
            "KSV-0030 PSS",
            "/securityContext/seccompProfile/type",
            Is(json!("RuntimeDefault")),
        ),
        ("KSV-0023 PSS", "/volumes/0/hostPath", Absent),
    ]
}

fn container_rules() -> Vec<Rule> {
    vec![
        (
            "KSV-0001 PSS",
            "/securityContext/allowPrivilegeEscalation",
            Is(json!(false)),
        ),
        (
            "KSV-0017 PSS",
            "/securityContext/privileged",
            Is(json!(false)),
        ),
        (
            "KSV-0014",
            "/securityContext/readOnlyRootFilesystem",
            Is(json!(true)),
        ),
        (
            "KSV-0106 PSS",
            "/securityContext/capabilities/drop",
            Is(json!(["ALL"])),
        ),
        ("KSV-0022 PSS", "/securityContext/capabilities/add", Absent),
        ("KSV-0015", "/resources/requests/cpu", Present),
        ("KSV-0016", "/resources/requests/memory", Present),
        ("KSV-0018", "/resources/limits/memory", Present),
        ("CPU limits throttle Go", "/resources/limits/cpu", Absent),
        ("Polaris", "/resources/limits/ephemeral-storage", Present),
        ("pull policy", "/imagePullPolicy", Is(json!("IfNotPresent"))),
        ("KSV-0024", "/ports/0/hostPort", Absent),
        ("KSV-0109", "/envFrom", Absent),
    ]
}

fn service_rules() -> Vec<Rule> {
    vec![
        (
            "pod-probes",
            "/startupProbe/httpGet/path",
            Is(json!("/health/started")),
        ),
        (
            "pod-probes",
            "/livenessProbe/httpGet/path",
            Is(json!("/health/live")),
        ),
        (
            "pod-probes",
            "/readinessProbe/httpGet/path",
            Is(json!("/health/ready")),
        ),
        (
            "liveness-port",
            "/livenessProbe/httpGet/port",
            Is(json!("admin")),
        ),
        ("no host in probes", "/livenessProbe/httpGet/host", Absent),
        ("KSV-0117", "/ports/0/containerPort", MoreThan(1023)),
        ("drain", "/lifecycle/preStop/sleep/seconds", Below(30)),
    ]
}

fn check(object: &Value, rules: &[Rule], of: &str) -> Vec<String> {
    let holds = |place: &str, expected: &Expected| {
        let found = object.pointer(place);
        match expected {
            Is(value) => found == Some(value),
            Absent => found.is_none(),
            Present => found.is_some(),
            MoreThan(limit) => found.and_then(Value::as_i64).is_some_and(|n| n > *limit),
            Below(limit) => found.and_then(Value::as_i64).is_some_and(|n| n < *limit),
        }
    };
    let broken = rules
        .iter()
        .filter(|(_, place, expected)| !holds(place, expected));
    broken
        .map(|(rule, place, _)| format!("{of}: {rule}: {place} is {:?}", object.pointer(place)))
        .collect()
}

#[test]
#[ignore = "needs helm"]
fn every_pod_keeps_the_rules_of_linters_that_are_not_at_hand() {
    let shop = Rendered::shop();
    let mut broken = Vec::new();
    let mut pods = 0;
    for service in shop.services() {
        for object in service.objects() {
            let of = format!("{} {}", object["kind"], object["metadata"]["name"]);
            if object["metadata"]["namespace"] != "shop" {
                broken.push(format!("{of}: KSV-0110: no namespace"));
            }
            let Some(pod) = object.pointer("/spec/template/spec") else {
                continue;
            };
            pods += 1;
            broken.extend(check(pod, &pod_rules(), &of));
            for container in pod["containers"].as_array().expect("containers") {
                broken.extend(check(container, &container_rules(), &of));
                if object["kind"] == "Deployment" {
                    broken.extend(check(container, &service_rules(), &of));
                }
                let image = container["image"].as_str().expect("an image");
                if !image.contains("@sha256:") || image.contains(":latest") {
                    broken.push(format!("{of}: KSV-0013: {image}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(
        pods > shop.services().len(),
        "only {pods} pods were looked at"
    );
}

#[test]
#[ignore = "needs helm"]
fn volumes_are_of_kinds_that_the_restricted_standard_admits() {
    let shop = Rendered::shop();
    for object in shop.services().iter().flat_map(|service| service.objects()) {
        let volumes = object.pointer("/spec/template/spec/volumes");
        for volume in volumes.and_then(Value::as_array).into_iter().flatten() {
            let volume = volume.as_object().expect("a volume");
            let kind = volume.keys().find(|key| *key != "name").expect("a kind");
            assert!(
                ["emptyDir", "secret", "projected"].contains(&kind.as_str()),
                "{kind}"
            );
            if kind == "emptyDir" {
                assert!(volume[kind].get("sizeLimit").is_some(), "{volume:?}");
            }
        }
    }
}
