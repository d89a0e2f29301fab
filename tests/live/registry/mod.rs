//! `build` with a real registry and a real Docker daemon.

mod bases;
mod private;
pub mod server;

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::Arc;

use base64::Engine as _;
use gantline::engine::docker::connection::DockerEnvironment;
use gantline::engine::docker::dockerfile::LastStage;
use gantline::engine::image::base::{Bases, Preference};
use gantline::engine::image::native::NativeBuild;
use gantline::engine::image::{Image, compressed, pack, program_archive, push};
use gantline::engine::registry::labels::{ImageLabels, RegistryLabels};
use gantline::engine::registry::{Access, Repository};
use gantline::engine::runtime::Progress;
use gantline::engine::source::source_hash;
use gantline::error::ErrorKind;
use gantline::model::image::{Digest, Platform};
use gantline::model::schema;
use gantline::report::RecordingReporter;
use serde_json::{Value, json};

use self::server::Registry;
use crate::docker::workspace::{Workspace, docker, text};

/// Removes an image of a test from the local Docker, even after a panic.
struct Owned(String);

impl Drop for Owned {
    fn drop(&mut self) {
        docker(&["rmi", "--force", &self.0]);
    }
}

fn images(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["images"].as_array().unwrap().clone()
}

const PUSH: [&str; 4] = ["build", "--push", "--format", "json"];

#[test]
#[ignore = "needs Docker"]
fn an_image_built_natively_is_pulled_run_and_found_again_by_another_checkout() {
    let registry = Registry::open();
    let workspace = Workspace::generated("quotes");
    workspace.push_to(&registry.prefix());
    let pushed = images(&workspace.run(&PUSH));
    assert_eq!(pushed[0]["outcome"], "pushed");
    assert_eq!(pushed[0]["builder"], "native");
    let digest = pushed[0]["digest"].as_str().unwrap();
    let image = format!("{}@{digest}", pushed[0]["image"].as_str().unwrap());

    let _owned = Owned(image.clone());
    docker(&["pull", "--quiet", &image]);
    let said = docker(&["run", "--rm", "--read-only", &image, "version"]);
    assert!(said.starts_with("quotes "), "{said}");
    let format = "{{.Config.User}} {{json .Config.Healthcheck.Test}} {{json .Config.Cmd}}";
    let found = docker(&["inspect", "--format", format, &image]);
    assert_eq!(
        found,
        "65532:65532 [\"CMD\",\"/app/quotes\",\"healthcheck\"] null"
    );

    let clone = workspace.cloned();
    let again = images(&clone.run(&PUSH));
    assert_eq!(again[0]["outcome"], "unchanged");
    assert_eq!(again[0]["digest"].as_str(), Some(digest));
    // Built anew from another folder, it is the same to the last bit.
    registry.forget();
    let anew = images(&clone.run(&PUSH));
    assert_eq!(anew[0]["outcome"], "pushed");
    assert_eq!(anew[0]["digest"].as_str(), Some(digest));
}

#[test]
#[ignore = "needs Docker"]
fn an_edited_dockerfile_is_built_by_buildkit_and_refused_to_the_native_builder() {
    let registry = Registry::open();
    let workspace = Workspace::generated("quotes");
    workspace.push_to(&registry.prefix());
    workspace.append("services/quotes/Dockerfile", "LABEL mine=1\n");
    let refused = workspace.run(&["build", "--builder", "native"]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("its Dockerfile is not as generated"),
        "{said}"
    );

    let output = workspace.run(&PUSH);
    let pushed = images(&output);
    assert_eq!(pushed[0]["builder"], "docker");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("BuildKit builds quotes"), "{errors}");
    let image = format!(
        "{}:{}",
        pushed[0]["image"].as_str().unwrap(),
        pushed[0]["tag"].as_str().unwrap()
    );
    let _owned = Owned(image.clone());
    docker(&["rmi", "--force", &image]);
    docker(&["pull", "--quiet", &image]);
    let label = docker(&["inspect", "--format", "{{.Config.Labels.mine}}", &image]);
    assert_eq!(label, "1");
    let said = docker(&["run", "--rm", &image, "version"]);
    assert!(said.starts_with("quotes "), "{said}");
}

#[test]
#[ignore = "needs Docker"]
fn an_image_that_is_not_pushed_goes_to_the_local_docker() {
    let workspace = Workspace::generated("quotes");
    workspace.append(
        "services/quotes/cmd/quotes/main.go",
        &workspace.unique_comment(),
    );
    let planned = images(&workspace.run(&["build", "--dry-run", "--format", "json"]));
    assert_eq!(planned[0]["outcome"], "would-build");
    let built = images(&workspace.run(&["build", "--format", "json"]));
    assert_eq!(built[0]["outcome"], "built");
    let image = format!(
        "{}:{}",
        built[0]["image"].as_str().unwrap(),
        built[0]["tag"].as_str().unwrap()
    );
    let _owned = Owned(image.clone());
    let said = docker(&["run", "--rm", &image, "version"]);
    assert!(said.starts_with("quotes "), "{said}");
    let again = images(&workspace.run(&["build", "--format", "json"]));
    assert_eq!(again[0]["outcome"], "unchanged");
}

#[test]
#[ignore = "needs Docker"]
fn a_registry_that_is_down_is_said_before_anything_is_built() {
    let workspace = Workspace::generated("quotes");
    let address = Registry::open().address.clone();
    workspace.push_to(&format!("{address}/acme/live"));
    let run = workspace.run(&["build", "--push"]);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(4), "{said}");
    assert!(
        said.contains(&format!("the registry {address} cannot be reached")),
        "{said}"
    );
    assert!(!said.contains("go build"), "{said}");
}

#[test]
#[ignore = "needs Docker"]
fn credentials_are_those_of_docker_login_and_wrong_ones_are_said_with_their_origin() {
    let registry = Registry::guarded();
    let workspace = Workspace::generated("quotes");
    workspace.push_to(&registry.prefix());
    let folder = tempfile::tempdir().unwrap();
    let login = |password: &str| {
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("ci:{password}"));
        let file = json!({"auths": {&registry.address: {"auth": auth}}});
        std::fs::write(folder.path().join("config.json"), file.to_string()).unwrap();
    };
    let path = folder.path().display().to_string();
    let dry = ["build", "--push", "--dry-run"];
    let run = || workspace.run_with(&[("DOCKER_CONFIG", &path)], &dry);

    let without = run();
    let said = text(&without);
    assert_eq!(without.status.code(), Some(4), "{said}");
    assert!(said.contains("asks for credentials"), "{said}");
    assert!(said.contains("docker login"), "{said}");

    login("wrong");
    let wrong = run();
    let said = text(&wrong);
    assert_eq!(wrong.status.code(), Some(4), "{said}");
    assert!(said.contains("refuses the credentials"), "{said}");
    assert!(said.contains(&path), "{said}");
    assert!(!said.contains("wrong"), "no password is shown: {said}");

    login("correct");
    let right = run();
    assert!(right.status.success(), "{}", text(&right));
}

#[test]
#[ignore = "needs Docker"]
fn a_base_that_cannot_be_had_ends_with_its_name() {
    let registry = Registry::open();
    let workspace = Workspace::generated("quotes");
    workspace.push_to(&registry.prefix());
    let nowhere = [
        ("DOCKER_HOST", "unix:///nonexistent/docker.sock"),
        // Nothing listens there, so that no registry of the world can be reached.
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ];
    let run = workspace.run_with(&nowhere, &["build", "--push"]);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(4), "{said}");
    assert!(
        said.contains("the base gcr.io/distroless/static-debian12:nonroot"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn images_of_several_platforms_need_no_daemon_and_become_one_index() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::open();
    let nowhere = DockerEnvironment {
        host: Some("unix:///nonexistent/docker.sock".to_owned()),
        ..DockerEnvironment::default()
    };
    let platforms = ["linux/amd64", "linux/arm64"].map(|text| Platform::parse(text).unwrap());
    let name = format!("{}/acme/base", registry.address);
    let base = platforms.clone().map(|platform| {
        let file = compressed(
            program_archive("/etc/base".as_ref(), platform.architecture.as_bytes()).unwrap(),
        )
        .unwrap();
        let settings = json!({"config": {"Env": ["PATH=/bin"]}, "history": []});
        pack(Image::of(platform, &settings, vec![file])).unwrap()
    });
    let repository = Repository::open(&name, Access::Write, &nowhere)
        .await
        .unwrap();
    push(&repository, "nonroot", &base, &BTreeMap::new())
        .await
        .unwrap();

    let workspace = Workspace::generated("quotes");
    let dockerfile = std::fs::read_to_string(workspace.path("services/quotes/Dockerfile")).unwrap();
    let local = format!("{name}:nonroot");
    let dockerfile = dockerfile.replace("gcr.io/distroless/static-debian12:nonroot", &local);
    let stage = LastStage::of(&dockerfile).unwrap();
    let directory = workspace.path("services/quotes");
    let build = NativeBuild {
        for_registry: true,
        service: "quotes",
        directory: &directory,
        hash: &source_hash(&directory).unwrap(),
        stage: &stage,
        platforms: &platforms,
        labels: &BTreeMap::new(),
        scratch: &workspace.path(".gantline/run/build"),
    };
    let bases = Bases::new(nowhere.clone(), Preference::Registry);
    let progress = Progress::new(Arc::new(RecordingReporter::default()), "build quotes");
    let images = build.run(&bases, &progress).await.unwrap();
    let own = format!("{}/acme/live/quotes", registry.address);
    let repository = Repository::open(&own, Access::Write, &nowhere)
        .await
        .unwrap();
    let digest = push(&repository, "src-1", &images, &BTreeMap::new())
        .await
        .unwrap();
    let found = repository.manifest("src-1").await.unwrap().unwrap();
    assert_eq!(found.digest, digest);
    let index: Value = serde_json::from_slice(&found.bytes).unwrap();
    let architectures: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["platform"]["architecture"].as_str().unwrap())
        .collect();
    assert_eq!(architectures, ["amd64", "arm64"]);

    let absent = Bases::new(nowhere, Preference::Registry);
    let error = absent
        .obtain(&format!("{name}:none"), &platforms[0], &progress)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
}

/// What the image that a build pushed states about its schema.
async fn stated(pushed: &Value) -> String {
    let repository = pushed["image"].as_str().unwrap();
    let digest = Digest::parse(pushed["digest"].as_str().unwrap()).unwrap();
    let labels = RegistryLabels::default().labels(repository, &digest).await;
    labels.unwrap().unwrap()[schema::LABEL].clone()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn an_image_states_its_schema_whoever_builds_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::open();
    let workspace = Workspace::with_a_store("quotes");
    workspace.push_to(&registry.prefix());
    let native = images(&workspace.run(&PUSH))[0].clone();
    assert_eq!(native["builder"], "native");
    let text = stated(&native).await;
    assert!(
        text.starts_with(r#"{"version":1,"schema":1,"queries":["Create","#),
        "{text}"
    );
    assert!(text.contains(r#""uses":{"quotes":{"#), "{text}");

    workspace.append("services/quotes/Dockerfile", "LABEL mine=1\n");
    let by_docker = images(&workspace.run(&PUSH))[0].clone();
    assert_eq!(by_docker["builder"], "docker");
    assert_eq!(stated(&by_docker).await, text);
    let image = format!(
        "{}:{}",
        by_docker["image"].as_str().unwrap(),
        by_docker["tag"].as_str().unwrap()
    );
    let _owned = Owned(image.clone());
    let format = format!("{{{{index .Config.Labels {:?}}}}}", schema::LABEL);
    assert_eq!(docker(&["inspect", "--format", &format, &image]), text);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn labels_are_read_from_images_that_another_program_pushed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::open();
    let name = format!("{}/acme/foreign", registry.address);
    let access = DockerEnvironment::default();
    let repository = Repository::open(&name, Access::Write, &access)
        .await
        .unwrap();
    let platforms = ["linux/amd64", "linux/arm64"].map(|text| Platform::parse(text).unwrap());
    let foreign = platforms.map(|platform| {
        let file =
            compressed(program_archive("/a".as_ref(), platform.architecture.as_bytes()).unwrap())
                .unwrap();
        let settings = json!({"config": {"Labels": {"mine": "1"}}, "history": []});
        pack(Image::of(platform, &settings, vec![file])).unwrap()
    });
    let none = BTreeMap::new();
    let one = push(&repository, "one", &foreign[..1], &none)
        .await
        .unwrap();
    let several = push(&repository, "several", &foreign, &none).await.unwrap();
    for digest in [one, several] {
        let labels = RegistryLabels::default().labels(&name, &digest).await;
        assert_eq!(labels.unwrap().unwrap()["mine"], "1");
    }
    let absent = Digest::of(b"absent");
    let labels = RegistryLabels::default().labels(&name, &absent).await;
    assert_eq!(labels.unwrap(), None);
}
