//! Bases as registries have them: compressed with Zstandard, and such as cannot be built on.

use std::collections::BTreeMap;
use std::sync::Arc;

use gantline::engine::docker::connection::DockerEnvironment;
use gantline::engine::image::base::{Bases, Preference};
use gantline::engine::image::{
    Image, Layer, Packed, compressed, known, pack, program_archive, push,
};
use gantline::engine::registry::{Access, Repository};
use gantline::engine::runtime::Progress;
use gantline::error::{ErrorKind, Result};
use gantline::model::image::{Digest, Platform};
use gantline::report::RecordingReporter;
use serde_json::{Value, json};

use super::server::Registry;

fn platform() -> Platform {
    Platform::parse("linux/amd64").unwrap()
}

/// A frame of Zstandard with one block, which is not compressed (RFC 8878, 3.1.1).
fn zstandard(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(size.to_le_bytes());
    frame.extend(&((size << 3) | 1).to_le_bytes()[..3]);
    frame.extend(content);
    frame
}

fn packed(layers: Vec<Layer>) -> Packed {
    let settings = json!({"config": {"Cmd": ["/none"]}});
    pack(Image::of(platform(), &settings, layers)).unwrap()
}

async fn pushed(name: &str, image: Packed) {
    let environment = DockerEnvironment::default();
    let repository = Repository::open(name, Access::Write, &environment)
        .await
        .unwrap();
    push(&repository, "1", &[image], &BTreeMap::new())
        .await
        .unwrap();
}

async fn obtained(name: &str) -> Result<Arc<Image>> {
    let nowhere = DockerEnvironment {
        host: Some("unix:///nonexistent/docker.sock".to_owned()),
        ..DockerEnvironment::default()
    };
    let progress = Progress::new(Arc::new(RecordingReporter::default()), "base");
    let bases = Bases::new(nowhere, Preference::Registry);
    bases
        .obtain(&format!("{name}:1"), &platform(), &progress)
        .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn a_base_compressed_with_zstandard_is_built_on_as_it_is() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::open();
    let name = format!("{}/acme/base", registry.address);
    let archive = program_archive("/etc/base".as_ref(), name.as_bytes()).unwrap();
    let layer = known(zstandard(&archive), &Digest::of(&archive)).unwrap();
    pushed(&name, packed(vec![layer.clone()])).await;

    let mut image = (*obtained(&name).await.unwrap()).clone();
    assert_eq!(image.layers, [layer]);
    let program = program_archive("/app/orders".as_ref(), b"program").unwrap();
    image.add(compressed(program).unwrap(), "COPY");
    // Not every Docker reads such layers, so that it is not asked to.
    let packed = pack(image).unwrap();
    let configuration: Value = serde_json::from_slice(&packed.configuration).unwrap();
    let contents = &configuration["rootfs"]["diff_ids"];
    assert_eq!(contents[0], Digest::of(&archive).as_str());
    let own = format!("{}/acme/orders", registry.address);
    pushed(&own, packed).await;
    let kept = obtained(&own).await.unwrap();
    assert!(kept.layers[0].media_type.ends_with("+zstd"));
    assert!(kept.layers[1].media_type.ends_with("+gzip"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Docker"]
async fn what_cannot_be_built_on_is_refused_with_the_reason() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::open();
    let name = format!("{}/acme/broken", registry.address);
    let layer = compressed(program_archive("/a".as_ref(), b"a").unwrap()).unwrap();
    let mut image = packed(vec![layer.clone(), layer]);
    image.configuration = packed(Vec::new()).configuration;
    image.id = Digest::of(&image.configuration);
    let manifest = String::from_utf8(image.manifest).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["config"]["digest"] = json!(image.id);
    manifest["config"]["size"] = json!(image.configuration.len());
    image.manifest = manifest.to_string().into_bytes();
    pushed(&name, image).await;
    let error = obtained(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let said = error.to_string();
    assert!(
        said.contains("its manifest has 2 layers, and its configuration 0"),
        "{said}"
    );
}
