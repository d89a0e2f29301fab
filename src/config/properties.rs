//! No file makes a reader panic: whole files with pieces of them cut, doubled or replaced.

use std::path::Path;

use proptest::prelude::*;

use super::blueprint_file::BlueprintFile;
use super::lock_file::LockFile;
use super::service_file::ServiceFile;
use super::yaml::Document;
use super::{catalog, environment, resource_file, workspace};
use crate::model::name::Name;

const WORKSPACE: &str = "version: 1\ngantline: \">=0.1\"\nname: shop\nmodule: example.com/shop\nregistry: localhost:5000/shop\nservices: services/*\nplatforms: [linux/amd64]\nresources:\n  db: {type: postgres, version: \"17\", owner: us, dedicated: true}\n  events: nats\n";
const SERVICE: &str = "name: orders\nowner: us\nblueprint: go-service@1\noptions: {entity: order, store: postgres}\nports: {http: 8080, admin: 9090}\nuses: {store: db}\nneeds: [{service: billing, wait: true}, stock]\npublishes: [order-placed]\nconsumes: {paid: billing}\nenv: {LOG_LEVEL: info}\nsecrets: {KEY: payment/api-key}\ncompute: {cpu: 100m, memory: 256Mi}\nscale: {min: 2, max: 10, on: {cpu: 70}}\nexpose: [{path: /}]\nrollout: {strategy: rolling}\n";
const ENVIRONMENT: &str = "namespace: shop\ncluster: {uid: 8f1c6f0e-0000-4000-8000-000000000000}\ndomain: shop.example\ngateway: {name: public, namespace: gateways}\nprotected: true\nresources:\n  db: {secret: db}\n  events: {}\n";
const BLUEPRINT: &str = "name: go-service\nversion: 1\nsummary: A service\noptions:\n  entity: {summary: What, name: true}\n  store:\n    summary: Where\n    choices:\n      none: {summary: Nowhere}\n      postgres: {summary: There, kind: sql}\n    default: none\norder: [base]\n";
const LOCK: &str = "version: 1\nblueprints:\n  go-service@1: sha256:0000000000000000000000000000000000000000000000000000000000000000\n";
const RESOURCE: &str = include_str!("../../templates/resources/postgres.yaml");

/// What takes a piece's place.
const PIECES: [&str; 24] = [
    "",
    " ",
    "\n",
    "\t",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!x ",
    "~",
    "-1",
    "1e999",
    "\u{feff}",
    "\u{e9}\u{301}",
    "../",
    "99999999999999999999",
];

/// A file of which some pieces became others.
fn damaged() -> impl Strategy<Value = String> {
    let files = [WORKSPACE, SERVICE, ENVIRONMENT, BLUEPRINT, LOCK, RESOURCE];
    let change = (
        any::<prop::sample::Index>(),
        0..12_usize,
        any::<prop::sample::Index>(),
    );
    (
        prop::sample::select(files.to_vec()),
        prop::collection::vec(change, 0..6),
    )
        .prop_map(|(file, changes)| {
            let mut letters: Vec<char> = file.chars().collect();
            for (at, length, piece) in changes {
                let at = at.index(letters.len() + 1);
                let end = (at + length).min(letters.len());
                letters.splice(at..end, piece.get(&PIECES).chars());
            }
            letters.into_iter().collect()
        })
}

#[test]
fn the_files_that_are_damaged_below_are_sound() {
    let document = |text: &str| Document::parse(Path::new("x.yaml"), text.as_bytes()).unwrap();
    let types = catalog::resource_types().unwrap();
    let workspace = workspace::parse(&document(WORKSPACE), &types).unwrap();
    document(SERVICE).decode::<ServiceFile>().unwrap();
    let name = Name::new("live").unwrap();
    environment::parse(&document(ENVIRONMENT), &name, &workspace).unwrap();
    BlueprintFile::parse(&document(BLUEPRINT)).unwrap();
    document(LOCK).decode::<LockFile>().unwrap();
    resource_file::parse(&document(RESOURCE)).unwrap();
}

proptest! {
    #[test]
    fn no_file_makes_its_reader_panic(text in damaged()) {
        let Ok(document) = Document::parse(Path::new("x.yaml"), text.as_bytes()) else {
            return Ok(());
        };
        let types = catalog::resource_types().unwrap();
        let shop = Document::parse(Path::new("gantline.yaml"), WORKSPACE.as_bytes()).unwrap();
        let shop = workspace::parse(&shop, &types).unwrap();
        let _ = workspace::parse(&document, &types);
        let _ = environment::parse(&document, &Name::new("live").unwrap(), &shop);
        let _ = BlueprintFile::parse(&document);
        let _ = document.decode::<LockFile>();
        let _ = resource_file::parse(&document);
        if let Ok(file) = document.decode::<ServiceFile>() {
            let _ = (file.compute(), file.scale(), file.expose(), file.secrets());
        }
    }

    #[test]
    fn a_name_has_all_its_forms_or_is_none(text in "[a-zA-Z0-9 _.\\-\u{e9}]{0,70}") {
        if let Ok(name) = Name::new(text.as_str()) {
            let _ = (name.snake(), name.package(), name.pascal(), name.camel(), name.plural());
        }
        if let Some(nearest) = Name::nearest(&text) {
            prop_assert!(Name::new(nearest.as_str()).is_ok());
        }
    }
}
