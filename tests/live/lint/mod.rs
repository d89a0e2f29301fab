//! What public linters say of the Dockerfiles and charts that are generated.
//!
//! The services of the workspace `shop` here are rendered as their users would: a complete one,
//! one that calls another, and a worker. Exceptions stand in [`EXCEPTIONS`], each with the page
//! that gives its reason.

mod chart;
mod differential;
mod pipelines;
mod policy;
pub mod rendered;
mod resources;
mod rules;
pub mod tool;

use std::path::Path;

use rendered::Rendered;
use tool::Tool;

/// Where a linter contradicts good practice: the flag that says so, and the page in
/// `docs/decisions` that says why. There are no others.
const EXCEPTIONS: [(&str, &[&str], &str); 3] = [
    (
        "kube-score",
        &["--ignore-container-cpu-limit"],
        "charts-set-no-cpu-limit.md",
    ),
    (
        "checkov",
        &["--skip-check", "CKV_K8S_11"],
        "charts-set-no-cpu-limit.md",
    ),
    (
        "kube-score",
        &["--ignore-test", "container-image-pull-policy"],
        "charts-pull-an-image-once.md",
    ),
];

/// What yamllint holds values to.
const YAML_RULES: &str = "{extends: default, rules: {document-start: disable, line-length: {max: 120}, braces: {max-spaces-inside: 0}}}";

/// The same for resources in the cluster alone.
const OF_RESOURCES: [(&str, &[&str], &str); 2] = [
    (
        "kube-score",
        &["--ignore-test", "container-security-context-user-group-id"],
        "resources-run-as-the-user-of-their-image.md",
    ),
    (
        "checkov",
        &["--skip-check", "CKV_K8S_40"],
        "resources-run-as-the-user-of-their-image.md",
    ),
];

/// The same for services without a blueprint alone.
const OF_CONTAINERS: [(&str, &[&str], &str); 2] = [
    (
        "kube-score",
        &["--ignore-test", "pod-probes-identical"],
        "services-without-a-blueprint.md",
    ),
    (
        "checkov",
        &["--skip-check", "CKV_K8S_35"],
        "services-without-a-blueprint.md",
    ),
];

fn exceptions(tool: &str) -> impl Iterator<Item = &'static str> {
    EXCEPTIONS
        .iter()
        .filter(move |(of, ..)| *of == tool)
        .flat_map(|(_, flags, _)| flags.iter().copied())
}

#[test]
fn every_exception_has_a_page_that_gives_its_reason() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/decisions");
    let others = OF_RESOURCES.iter().chain(&OF_CONTAINERS);
    for (tool, flags, page) in EXCEPTIONS.iter().chain(others) {
        assert!(pages.join(page).is_file(), "{tool} {flags:?}: no {page}");
    }
}

#[test]
#[ignore = "needs the linters"]
fn hadolint_finds_nothing_in_dockerfiles() {
    let shop = Rendered::shop();
    for service in shop.services() {
        Tool::new("hadolint")
            .argument(service.folder.join("Dockerfile"))
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn checkov_finds_nothing() {
    let shop = Rendered::shop();
    let mut tool = Tool::new("checkov")
        .arguments(["--framework", "kubernetes", "dockerfile"])
        .arguments(["--compact", "--quiet", "--skip-download"])
        .arguments(exceptions("checkov"));
    for service in shop.services() {
        tool = tool.argument("--file").argument(&service.manifests);
        tool = tool.argument(service.folder.join("Dockerfile"));
    }
    tool.passes();
}

fn exceptions_of_resources(tool: &str) -> impl Iterator<Item = &'static str> {
    OF_RESOURCES
        .iter()
        .filter(move |(of, ..)| *of == tool)
        .flat_map(|(_, flags, _)| flags.iter().copied())
}

#[test]
#[ignore = "needs the linters"]
fn linters_find_nothing_in_resources() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = tool::version("kubernetes_oldest");
    let schemas = tool::cache().join("schemas").join(&version);
    let location = format!(
        "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        schemas.display()
    );
    for resource in resources::rendered(&folder) {
        Tool::new("kubeconform")
            .arguments(["-strict", "-summary", "-schema-location", &location])
            .argument(&resource.manifests)
            .passes();
        Tool::new("kubernetes-validate")
            .arguments(["-k", &version, "--strict"])
            .argument(&resource.manifests)
            .passes();
        Tool::new("kube-score")
            .arguments(["score", "--output-format", "ci"])
            .arguments(["--enable-optional-test", "container-seccomp-profile"])
            .arguments(exceptions("kube-score"))
            .arguments(exceptions_of_resources("kube-score"))
            .argument(&resource.manifests)
            .passes();
        Tool::new("checkov")
            .arguments(["--framework", "kubernetes", "--compact", "--quiet"])
            .arguments(["--skip-download", "--skip-check", "CKV_K8S_11,CKV_K8S_40"])
            .argument("--file")
            .argument(&resource.manifests)
            .passes();
        Tool::new("helm")
            .arguments(["lint", "--strict", "--quiet", "--values"])
            .argument(resource.folder.join("config.json"))
            .argument(resource.folder.join("chart"))
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn linters_find_nothing_in_services_without_a_blueprint() {
    let containers = Rendered::containers();
    let version = tool::version("kubernetes_oldest");
    let schemas = tool::cache().join("schemas").join(&version);
    let location = format!(
        "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        schemas.display()
    );
    let flags = |tool: &'static str| {
        let own = OF_CONTAINERS.iter().filter(move |(of, ..)| *of == tool);
        own.flat_map(|(_, flags, _)| flags.iter().copied())
    };
    for service in containers.services() {
        Tool::new("kubeconform")
            .arguments(["-strict", "-summary", "-schema-location", &location])
            .argument(&service.manifests)
            .passes();
        Tool::new("kubernetes-validate")
            .arguments(["-k", &version, "--strict"])
            .argument(&service.manifests)
            .passes();
        Tool::new("kube-score")
            .arguments(["score", "--output-format", "ci"])
            .arguments(["--enable-optional-test", "container-seccomp-profile"])
            .arguments(["--enable-optional-test", "container-ports-check"])
            .arguments(exceptions("kube-score"))
            .arguments(flags("kube-score"))
            .argument(&service.manifests)
            .passes();
        Tool::new("checkov")
            .arguments(["--framework", "kubernetes", "--compact", "--quiet"])
            .arguments(["--skip-download", "--skip-check", "CKV_K8S_11,CKV_K8S_35"])
            .argument("--file")
            .argument(&service.manifests)
            .passes();
        Tool::new("helm")
            .arguments(["lint", "--strict", "--quiet"])
            .argument(service.folder.join("chart"))
            .passes();
        Tool::new("yamllint")
            .arguments(["--strict", "--config-data"])
            .argument(YAML_RULES)
            .argument(service.folder.join("chart/values.yaml"))
            .argument(service.folder.join("chart/Chart.yaml"))
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn kube_score_finds_nothing() {
    let shop = Rendered::shop();
    for service in shop.services() {
        Tool::new("kube-score")
            .arguments(["score", "--output-format", "ci"])
            .arguments(["--enable-optional-test", "container-seccomp-profile"])
            .arguments(["--enable-optional-test", "container-ports-check"])
            .arguments([
                "--enable-optional-test",
                "container-memory-requests-equal-limits",
            ])
            .arguments(exceptions("kube-score"))
            .argument(&service.manifests)
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn the_oldest_and_the_newest_kubernetes_know_every_key() {
    let shop = Rendered::shop();
    for version in ["kubernetes", "kubernetes_oldest"] {
        let version = tool::version(version);
        let schemas = tool::cache().join("schemas").join(&version);
        let location = format!(
            "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            schemas.display()
        );
        for service in shop.services() {
            Tool::new("kubeconform")
                .arguments(["-strict", "-summary", "-schema-location", &location])
                .argument(&service.manifests)
                .passes();
            Tool::new("kubernetes-validate")
                .arguments(["-k", &version, "--strict"])
                .argument(&service.manifests)
                .passes();
        }
    }
}

#[test]
#[ignore = "needs the linters"]
fn helm_finds_nothing_in_charts() {
    let shop = Rendered::shop();
    for service in shop.services() {
        Tool::new("helm")
            .arguments(["lint", "--strict", "--quiet"])
            .argument(service.folder.join("chart"))
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn yamllint_finds_nothing_in_values() {
    let shop = Rendered::shop();
    for service in shop.services() {
        Tool::new("yamllint")
            .arguments(["--strict", "--config-data"])
            .argument(YAML_RULES)
            .argument(service.folder.join("chart/values.yaml"))
            .argument(service.folder.join("chart/Chart.yaml"))
            .passes();
    }
}

/// A deployment that breaks a rule of every linter: what they say of good charts counts only
/// while they find this.
const CARELESS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: careless}
spec:
  replcas: 1
  selector: {matchLabels: {app: careless}}
  template:
    metadata: {labels: {app: careless}}
    spec:
      containers: [{name: careless, image: 'careless:latest', securityContext: {privileged: true}}]
";

#[test]
#[ignore = "needs the linters"]
fn every_linter_finds_what_is_careless() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifests = folder.path().join("careless.yaml");
    std::fs::write(&manifests, CARELESS).expect("written");
    let dockerfile = folder.path().join("Dockerfile");
    std::fs::write(
        &dockerfile,
        "FROM debian\nRUN cd /tmp && apt-get install curl\n",
    )
    .expect("written");
    let schemas = tool::cache()
        .join("schemas")
        .join(tool::version("kubernetes"));
    let location = format!(
        "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        schemas.display()
    );
    let conform = Tool::new("kubeconform").arguments(["-strict", "-schema-location", &location]);
    let validate = Tool::new("kubernetes-validate").arguments([
        "-k",
        &tool::version("kubernetes"),
        "--strict",
    ]);
    let score = Tool::new("kube-score")
        .arguments(["score"])
        .arguments(exceptions("kube-score"));
    let checkov = Tool::new("checkov").arguments(["--framework", "kubernetes", "--file"]);
    for linter in [conform, validate, score, checkov] {
        linter.argument(&manifests).fails();
    }
    Tool::new("hadolint").argument(&dockerfile).fails();
}
