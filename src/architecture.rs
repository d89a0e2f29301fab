//! Keeps the folders' dependencies as `docs/architecture.md` draws them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who may use whom. Every part may also use `error` and itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", &["cli", "app", "report"]),
    ("cli", &["commands", "app", "report"]),
    (
        "commands",
        &["config", "actions", "app", "model", "cli", "report"],
    ),
    ("app", &["actions", "config", "engine", "report", "model"]),
    (
        "actions",
        &["config", "render", "contract", "engine", "report", "model"],
    ),
    ("config", &["model"]),
    ("render", &["model"]),
    ("contract", &["model"]),
    ("engine", &["model"]),
    ("report", &["model"]),
    ("model", &[]),
    ("error", &[]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The parts that a source names: `crate::PART`, `gantline::PART` and `crate::{PART, ...}`.
fn parts_used(source: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for line in source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for root in ["crate::", "gantline::"] {
            for (at, _) in line.match_indices(root) {
                let rest = &line[at + root.len()..];
                let identifier = |text: &str| -> String {
                    text.chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect()
                };
                match rest.strip_prefix('{') {
                    Some(group) => {
                        parts.extend(group.split(',').map(|item| identifier(item.trim_start())));
                    }
                    None => {
                        parts.insert(identifier(rest));
                    }
                }
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn a_folder_uses_only_what_the_architecture_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    for path in sources(&root) {
        let relative = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let part = relative
            .split('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        if part == "lib" || part == "architecture" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == part);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{part} is not in the table"));
        for used in parts_used(&std::fs::read_to_string(&path).unwrap()) {
            if used != part && used != "error" && !allowed.contains(&used.as_str()) {
                violations.push(format!("src/{relative} uses {used}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn the_scan_finds_every_way_to_name_a_part() {
    let source = "use crate::model::x;\nlet y = crate::engine::z();\nuse crate::{config, render};\n// crate::report";
    let found = parts_used(source);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["config", "engine", "model", "render"]
    );
}
