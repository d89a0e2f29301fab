//! Whatever Docker gives as an image, to read it does not panic, nor to go on from there.

use proptest::prelude::*;

use super::*;
use crate::engine::image::pack;
use crate::model::damaged::{damaged_bytes, damaged_json, damaged_tar};
use crate::model::image::Digest;

/// The files of an archive, and what else means something in it.
const WORDS: &[&str] = &[
    LIST,
    "config.json",
    "a/layer.tar",
    "b/layer.tar",
    "../a/layer.tar",
    "/",
    "Config",
    "Layers",
    "architecture",
    "os",
    "config",
    "history",
    "empty_layer",
    "created",
    "Env",
    "",
];

fn list() -> Value {
    json!([{"Config": "config.json", "RepoTags": ["x"], "Layers": ["a/layer.tar", "b/layer.tar"]}])
}

fn configuration() -> Value {
    let layer = Digest::of(b"layer");
    json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"User": "65532", "Env": ["PATH=/bin"]},
        "history": [{"created": "x", "created_by": "y"}, {"empty_layer": true}, {"created": "z"}],
        "rootfs": {"type": "layers", "diff_ids": [layer, layer]}
    })
}

/// The archive of `docker save` with these documents, two layers that are one, and entries besides.
fn saved(list: &Value, configuration: &Value, besides: &[u8]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (path, content) in [
        ("a/layer.tar", "layer".to_owned()),
        ("config.json", configuration.to_string()),
        (LIST, list.to_string()),
    ] {
        append_bytes(&mut archive, Path::new(path), content.as_bytes(), false).unwrap();
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    archive
        .append_link(&mut link, "b/layer.tar", "../a/layer.tar")
        .unwrap();
    // Without the blocks that end it.
    let mut bytes = std::mem::take(archive.get_mut());
    bytes.extend_from_slice(besides);
    bytes
}

#[test]
fn the_archive_that_is_damaged_below_is_sound() {
    let image = read("x", &saved(&list(), &configuration(), &[])).unwrap();
    assert_eq!((image.layers.len(), image.history.len()), (2, 3));
}

proptest! {
    #[test]
    fn no_document_in_an_archive_makes_its_reader_panic(
        list in damaged_json(list(), WORDS), configuration in damaged_json(configuration(), WORDS),
    ) {
        if let Ok(image) = read("x", &saved(&list, &configuration, &[])) {
            pack(image).unwrap();
        }
    }

    #[test]
    fn no_entry_of_an_archive_makes_its_reader_panic(
        besides in damaged_tar(WORDS),
        archive in damaged_bytes(Just(saved(&list(), &configuration(), &[]))),
    ) {
        let _ = read("x", &besides);
        let _ = read("x", &[archive.as_slice(), besides.as_slice()].concat());
        let _ = read("x", &saved(&list(), &configuration(), &besides));
    }
}
