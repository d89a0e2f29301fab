//! The charts of resources in the cluster, written to disk as Helm would be given them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gantline::actions::release::{ClusterVersion, ResourceSpec, SpecRequest, resources};
use gantline::config::environment;
use gantline::model::name::Name;
use gantline::report::RecordingReporter;
use serde_json::json;
use tempfile::TempDir;

use super::rendered::{Rendered, RenderedService};
use super::tool::Tool;

/// What an environment adds: the digest of an image, enforced policies.
const ENVIRONMENT: &str = r#"{
  "image": {"digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
  "networkPolicy": {"enabled": true}
}"#;

/// The resources of the workspace `shop`, all in the cluster: two keep their data, one does not.
pub fn specs() -> Vec<ResourceSpec> {
    let shop = Rendered::root();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = Tool::copy(&shop, folder.path());
    let environments = copy.join("environments");
    fs::create_dir_all(&environments).expect("made");
    fs::write(
        environments.join("test.yaml"),
        "namespace: shop\nresources: {orders-db: {storage: 1Gi}, billing-db: {}, events: {storage: 1Gi}}\n",
    )
    .expect("written");
    let name = Name::new("test").expect("a name");
    let (environment, project) = environment::load(&copy, &name).expect("an environment");
    let services: Vec<Name> = project.services.keys().cloned().collect();
    let request = SpecRequest {
        project: &project,
        environment: &environment,
        services: &services,
        images: &BTreeMap::new(),
        tags: &BTreeMap::new(),
        cluster: &ClusterVersion::assumed(),
        installed: &BTreeMap::new(),
        events: &RecordingReporter::default(),
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(resources(&request))
        .expect("specs")
}

/// The charts on disk, and their manifests as Helm renders them in an environment.
pub fn rendered(folder: &TempDir) -> Vec<RenderedService> {
    specs()
        .iter()
        .map(|spec| render(spec, folder.path()))
        .collect()
}

fn render(resource: &ResourceSpec, folder: &Path) -> RenderedService {
    let spec = &resource.spec;
    let own = folder.join(&spec.name);
    let write = |path: &str, bytes: &[u8]| {
        let path = own.join("chart").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    };
    write("Chart.yaml", spec.chart.metadata.to_string().as_bytes());
    write("values.yaml", spec.chart.values.to_string().as_bytes());
    for file in &spec.chart.templates {
        write(&file.path, &file.bytes);
    }
    let config = own.join("config.json");
    fs::write(&config, spec.config.to_string()).expect("written");
    let environment = own.join("environment.json");
    fs::write(&environment, ENVIRONMENT).expect("written");
    let template = |values: &[&Path]| {
        let mut tool = Tool::new("helm")
            .arguments(["template", &spec.name, "--namespace", "shop"])
            .arguments(["--kube-version", &ClusterVersion::assumed().version]);
        for file in values {
            tool = tool.argument("--values").argument(file);
        }
        tool.argument(own.join("chart")).passes()
    };
    let plain = template(&[&config]);
    assert_eq!(
        super::differential::as_helm_prints(&spec.rendered),
        plain,
        "{} is rendered otherwise by helm",
        spec.name
    );
    let manifests = folder.join(format!("{}.yaml", spec.name));
    fs::write(&manifests, template(&[&config, &environment])).expect("written");
    RenderedService {
        name: spec.name.clone(),
        folder: own,
        manifests,
    }
}

#[test]
#[ignore = "needs helm"]
fn resources_are_rendered_as_helm_renders_them_and_hold_no_secret() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = rendered(&folder);
    assert_eq!(all.len(), 3);
    for resource in &all {
        assert!(resource.of_kind("Secret").is_empty());
        let set = &resource.of_kind("StatefulSet")[0];
        let pod = &set["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], json!(false));
        let claims = resource.of_kind("PersistentVolumeClaim");
        assert_eq!(claims.len(), usize::from(resource.name != "billing-db"));
    }
}
