//! Images of a registry that knows its users: Docker pulls them, and builds on them, as whom
//! `docker login` made us.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use gantline::engine::docker::connection::DockerEnvironment;
use gantline::engine::docker::{DockerOptions, DockerRuntime};
use gantline::engine::image::{Image, compressed, pack, program_archive, push};
use gantline::engine::registry::{Access, Repository};
use gantline::engine::runtime::{Progress, Runtime, RuntimeContext};
use gantline::error::ErrorKind;
use gantline::model::container::{BuildSource, User};
use gantline::model::image::Platform;
use gantline::model::name::Name;
use gantline::model::stack::{ContainerImage, ContainerProgram, Instance, Program, Role};
use gantline::report::RecordingReporter;
use serde_json::json;

use super::Owned;
use super::server::Registry;

/// What `docker login` leaves: with the one password, or nothing.
fn logged_in(folder: &Path, registry: &Registry, password: Option<&str>) -> DockerEnvironment {
    let engine = base64::engine::general_purpose::STANDARD;
    let auths = match password {
        Some(password) => {
            json!({&registry.address: {"auth": engine.encode(format!("ci:{password}"))}})
        }
        None => json!({}),
    };
    let file = json!({"auths": auths}).to_string();
    std::fs::write(folder.join("config.json"), file).unwrap();
    DockerEnvironment {
        configuration: Some(folder.to_path_buf()),
        ..DockerEnvironment::of_process()
    }
}

async fn push_base(name: &str, environment: &DockerEnvironment) {
    let file = compressed(program_archive("/base".as_ref(), name.as_bytes()).unwrap()).unwrap();
    let platform = Platform::parse("linux/amd64").unwrap();
    let image = pack(Image::of(platform, &json!({}), vec![file])).unwrap();
    let repository = Repository::open(name, Access::Write, environment)
        .await
        .unwrap();
    push(&repository, "1", &[image], &BTreeMap::new())
        .await
        .unwrap();
}

fn instance(image: ContainerImage) -> Instance {
    let name = "private";
    Instance {
        name: name.to_owned(),
        role: Role::Service,
        program: Program::Container(ContainerProgram {
            service: Name::new(name).unwrap(),
            image,
            command: Vec::new(),
            arguments: Vec::new(),
            user: User { id: 1, group: 1 },
            writable: Vec::new(),
        }),
        environment: BTreeMap::new(),
        endpoints: Vec::new(),
        ready: None,
        after: Vec::new(),
        deadline_seconds: 60,
    }
}

/// Has the image of an instance prepared; the kind of the error.
async fn prepare(
    folder: &Path,
    image: &ContainerImage,
    environment: &DockerEnvironment,
) -> Result<(), ErrorKind> {
    let context = RuntimeContext {
        stack: "private-test".to_owned(),
        root: folder.to_path_buf(),
        run: folder.join("run"),
    };
    let options = DockerOptions {
        environment: environment.clone(),
        ..DockerOptions::default()
    };
    let runtime = DockerRuntime::new(context, options);
    let progress = Progress::new(Arc::new(RecordingReporter::default()), "prepare");
    let prepared = runtime.prepare(&instance(image.clone()), &progress).await;
    prepared.map(drop).map_err(|error| error.kind())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn a_private_image_is_pulled_and_built_on_by_who_may_and_by_nobody_else() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::guarded();
    let folder = tempfile::tempdir().unwrap();
    let right = logged_in(folder.path(), &registry, Some("correct"));
    let base = format!("{}/acme/base", registry.address);
    push_base(&base, &right).await;
    let pulled = ContainerImage::Named(format!("{base}:1"));
    let dockerfile = format!("ARG BASE=nowhere\nFROM $BASE:1\nLABEL of={base}\n");
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    let repository = format!("{}/acme/upon", registry.address);
    let built = ContainerImage::Built {
        repository: repository.clone(),
        source: BuildSource {
            context: folder.path().to_path_buf(),
            dockerfile: "Dockerfile".into(),
            target: None,
            args: BTreeMap::from([("BASE".to_owned(), base.clone())]),
        },
    };
    let _owned = Owned(format!("{base}:1"));
    for password in [None, Some("wrong")] {
        let environment = logged_in(folder.path(), &registry, password);
        for image in [&built, &pulled] {
            let refused = prepare(folder.path(), image, &environment).await;
            assert_eq!(refused, Err(ErrorKind::Missing), "{password:?} {image:?}");
        }
    }
    let right = logged_in(folder.path(), &registry, Some("correct"));
    for image in [&built, &pulled] {
        let prepared = prepare(folder.path(), image, &right).await;
        assert_eq!(prepared, Ok(()), "{image:?}");
    }
    let images = crate::docker::workspace::docker(&["images", "--quiet", &repository]);
    let _built: Vec<Owned> = images.lines().map(|id| Owned(id.to_owned())).collect();
}
