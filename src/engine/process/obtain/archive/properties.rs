//! Whatever an archive holds, nothing is made outside of its folder, and nobody panics.

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_tar};

/// Paths of entries, and of what they link to.
const PATHS: &[&str] = &[
    "package/native/bin/postgres",
    "package/native/bin",
    "package/README.md",
    "package",
    "package/",
    "package/./a/../b",
    "package/../../outside",
    "/outside",
    "../outside",
    "//",
    ".",
    "",
];
/// Little, so that archives exceed it now and then.
const FEW: Limits = Limits {
    entries: 6,
    bytes: 8 * 1024,
};

fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    io::Write::write_all(&mut encoder, tar).unwrap();
    encoder.finish().unwrap()
}

/// Compressed archives: sound ones of damaged entries, and damaged ones.
fn archives() -> impl Strategy<Value = Vec<u8>> {
    let sound = damaged_tar(PATHS).prop_map(|tar| compressed(&tar));
    let damaged = damaged_bytes(damaged_tar(PATHS).prop_map(|tar| compressed(&tar)));
    prop_oneof![3 => sound, 1 => damaged]
}

/// What lies in a folder, without what is in its folders.
fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

proptest! {
    #[test]
    fn no_archive_makes_who_unpacks_it_panic_or_leave_its_folder(archive in archives()) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("content");
        std::fs::create_dir(&folder).unwrap();
        let into = Unpacked {
            folder: &folder,
            strip: 1,
            executable: Path::new("native/bin"),
        };
        let unpacked = unpack(archive.as_slice(), &into, FEW);
        prop_assert_eq!(names(around.path()), ["content"]);
        prop_assert!(unpacked.is_err() || unpacked.is_ok_and(|files| files <= FEW.entries));
    }

    #[test]
    fn no_link_leads_out_of_a_package(source in "[ab./]{0,8}", target in "[ab./]{0,8}") {
        let around = tempfile::tempdir().unwrap();
        let root = around.path().join("package");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/b"), "").unwrap();
        std::fs::write(around.path().join("b"), "").unwrap();
        let made = make_link(&root, Path::new(&source), Path::new(&target));
        if made.is_ok() {
            let root = root.canonicalize().unwrap();
            let link = root.join(inside(Path::new(&target), 0).unwrap().unwrap());
            let led = link.canonicalize().unwrap();
            prop_assert!(led.starts_with(&root), "{source} {target}");
        }
        prop_assert_eq!(names(around.path()).len(), 2);
    }
}
