//! The trees of the blueprints, byte for byte: what users get does not change unseen.
//!
//! `UPDATE=1 cargo test --test golden` renews them. Short, long and late-sorting names each stand
//! for a way in which gofmt aligns and sorts; every allowed set of options is there once, with
//! the names in turn, and the largest with all of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gantline::actions::blueprints::samples::{SHAPES, Shape, combinations, render};
use gantline::config::catalog;
use gantline::model::file_set::FileSet;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// One line for each file: the beginning of its SHA-256, its size and its path.
fn listing(set: &FileSet) -> String {
    set.files
        .iter()
        .fold(String::new(), |mut text, (path, file)| {
            let digest = Sha256::digest(&file.bytes);
            let hash: String = digest
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            writeln!(text, "{hash} {:>7} {path}", file.bytes.len()).unwrap();
            text
        })
}

/// What each blueprint makes, by the name of its golden file.
fn rendered() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for blueprint in catalog::blueprints(None).unwrap() {
        let name = blueprint.reference.as_ref().unwrap().name.to_string();
        let mut text = String::new();
        let combinations = combinations(&blueprint);
        for (at, combination) in combinations.iter().enumerate() {
            let is_largest = at + 1 == combinations.len();
            let turn = |(number, _): &(usize, &Shape)| is_largest || at % SHAPES.len() == *number;
            for (_, shape) in SHAPES.iter().enumerate().filter(turn) {
                let set = render(&blueprint, combination, shape).unwrap();
                let label = combination.label();
                writeln!(text, "== {label}, {} names", shape.label).unwrap();
                text.push_str(&listing(&set));
            }
        }
        texts.insert(format!("{name}.txt"), text);
    }
    texts
}

#[test]
fn every_tree_is_as_it_was() {
    for (name, text) in rendered() {
        let path = folder().join(&name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let mut set = "";
        for (line, (new, old)) in text.lines().zip(golden.lines()).enumerate() {
            set = if new.starts_with("==") { new } else { set };
            assert_eq!(
                new,
                old,
                "{name}:{} ({set}); if it is meant, run `UPDATE=1 cargo test --test golden`",
                line + 1
            );
        }
        assert_eq!(text.len(), golden.len(), "{name} has another length");
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    for blueprint in catalog::blueprints(None).unwrap() {
        let largest = combinations(&blueprint).pop().unwrap();
        let once = || render(&blueprint, &largest, &SHAPES[1]).unwrap();
        assert!(once() == once());
    }
}

#[test]
fn what_is_embedded_is_what_git_tracks() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args(["ls-files", "-s", "blueprints"])
        .current_dir(repository)
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let mut tracked: Vec<String> = Vec::new();
    for line in text.lines() {
        let (entry, path) = line.split_once('\t').unwrap();
        assert!(!entry.starts_with("120000"), "{path} is a link");
        tracked.push(path.trim_start_matches("blueprints/").to_owned());
    }
    let mut embedded: Vec<String> = catalog::embedded_paths().collect();
    tracked.sort();
    embedded.sort();
    assert_eq!(embedded, tracked);
}
