//! The services of the workspace `shop`, rendered.

use std::fs;
use std::path::{Path, PathBuf};

use gantline::config::{catalog, project};
use gantline::model::project::Project;
use gantline::render::code::{CodeInput, service_files};
use serde_json::Value;
use tempfile::TempDir;

use super::tool::Tool;

/// What an environment adds: an image by digest, a gateway, a collector, enforced policies.
const ENVIRONMENT: &str = r#"
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
expose: {hosts: [shop.example], gateway: {name: public, namespace: gateways}}
telemetry: {endpoint: "http://collector.monitoring:4318"}
networkPolicy:
  enabled: true
  egress:
    - to:
        - ipBlock: {cidr: 10.1.0.0/16}
      ports:
        - {protocol: TCP, port: 5432}
"#;

/// The whole workspace in a folder that goes with this value.
pub struct Rendered {
    pub project: Project,
    services: Vec<RenderedService>,
    folder: TempDir,
}

/// One service's folder, and the manifests of its chart in an environment.
pub struct RenderedService {
    pub name: String,
    pub folder: PathBuf,
    pub manifests: PathBuf,
}

impl Rendered {
    pub fn shop() -> Self {
        Self::of(&Self::root())
    }

    /// Services without a blueprint.
    pub fn containers() -> Self {
        Self::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/lint/containers"))
    }

    fn of(root: &Path) -> Self {
        let project = project::load(root, &project::Selection::named(&[]))
            .unwrap_or_else(|error| panic!("the workspace is invalid: {error:?}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("environment.yaml"), ENVIRONMENT).expect("written");
        let mut rendered = Self {
            project,
            services: Vec::new(),
            folder,
        };
        rendered.services = rendered
            .project
            .services
            .values()
            .map(|service| rendered.render(service.name.as_str()))
            .collect();
        rendered
    }

    /// The workspace's folder.
    pub fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/lint/shop")
    }

    pub fn services(&self) -> &[RenderedService] {
        &self.services
    }

    pub fn service(&self, name: &str) -> &RenderedService {
        let found = self.services.iter().find(|service| service.name == name);
        found.expect("the service is in the workspace")
    }

    /// The values of the environment.
    pub fn environment(&self) -> PathBuf {
        self.folder.path().join("environment.yaml")
    }

    fn render(&self, name: &str) -> RenderedService {
        let service = &self.project.services[name];
        let blueprint = catalog::blueprint(None, &service.blueprint).expect("the blueprint");
        let input = CodeInput::of(&blueprint, &self.project, service).expect("the input");
        let files = service_files(&input).expect("the files");
        let folder = self.folder.path().join(name);
        for (path, file) in &files.files {
            let path = folder.join(path.as_str());
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, &file.bytes).expect("written");
        }
        let manifests = self.folder.path().join(format!("{name}.yaml"));
        let text = Tool::new("helm")
            .arguments(["template", name, "--namespace", "shop", "--values"])
            .argument(self.environment())
            .argument(folder.join("chart"))
            .passes();
        fs::write(&manifests, text).expect("written");
        RenderedService {
            name: name.to_owned(),
            folder,
            manifests,
        }
    }
}

impl RenderedService {
    /// The objects of the chart.
    pub fn objects(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.manifests).expect("readable");
        text.split("\n---")
            .map(|document| serde_yaml::from_str::<Value>(document).expect("YAML"))
            .filter(|object| object.get("kind").is_some())
            .collect()
    }

    /// The objects of one kind.
    pub fn of_kind(&self, kind: &str) -> Vec<Value> {
        let objects = self.objects().into_iter();
        objects.filter(|object| object["kind"] == kind).collect()
    }
}
