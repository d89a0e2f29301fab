//! Keeps the folders' dependencies as `docs/architecture.md` draws them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may use whom, as the page has it. Every part may also use `error` and itself.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `src/")?.split('|');
        let part = cells.next()?.trim().trim_matches(['`', '/']);
        let used = cells.nth(1)?.split(',').map(|part| part.trim().to_owned());
        let used = used.filter(|part| part != "nothing").collect();
        Some((part.trim_end_matches(".rs").to_owned(), used))
    });
    rows.collect()
}

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
    let table = allowed();
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
        let allowed = table.get(&part);
        let allowed = allowed.unwrap_or_else(|| panic!("{part} is not in the table"));
        for used in parts_used(&std::fs::read_to_string(&path).unwrap()) {
            if used != part && used != "error" && !allowed.contains(&used) {
                violations.push(format!("src/{relative} uses {used}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn every_dependency_of_the_program_is_used_by_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let begins = manifest.find("\n[dependencies]\n").unwrap();
    let ends = manifest.find("\n[dev-dependencies]\n").unwrap();
    let program: String = sources(&root.join("src"))
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let names = manifest[begins..ends].lines().filter_map(|line| {
        let (name, _) = line.split_once(" = ")?;
        Some(name.replace('-', "_"))
    });
    let unused: Vec<String> = names
        .filter(|name| !names_the_crate(&program, name))
        .collect();
    assert!(unused.is_empty(), "not used in src: {}", unused.join(", "));
}

/// Whether a source has `NAME::` or `NAME!` that is not the end of a longer path or name.
fn names_the_crate(source: &str, name: &str) -> bool {
    source.match_indices(name).any(|(at, _)| {
        let before = source[..at].chars().next_back();
        let after = &source[at + name.len()..];
        let begins = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
        begins && (after.starts_with("::") || after.starts_with('!'))
    })
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

/// The properties of a source, each behind the module in it that it stands in.
fn properties_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut module = String::new();
    let mut block: Option<String> = None;
    for line in source.lines() {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        if let Some(name) = text
            .strip_prefix("mod ")
            .and_then(|rest| rest.strip_suffix(" {"))
        {
            module = name.to_owned();
        } else if text.ends_with("proptest! {") {
            block = Some(format!("{indent}}}"));
        } else if block.as_deref() == Some(line) {
            block = None;
        } else if let (Some(_), Some(rest)) = (&block, text.strip_prefix("fn ")) {
            let name = rest.split('(').next().unwrap_or_default();
            found.push(format!("{module}::{name}"));
        }
    }
    found
}

/// `tests/run soak` chooses by name what it repeats for hours. One that is called otherwise would be
/// left out, and nobody would notice.
#[test]
fn every_property_is_one_that_the_soak_repeats() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("tests/run")).unwrap();
    assert!(script.contains("--lib -- properties never_panic"));
    let mut seen = 0;
    let mut left_out = Vec::new();
    for path in sources(&root.join("src")) {
        let file = path.strip_prefix(root).unwrap().display().to_string();
        for property in properties_in(&std::fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let name = format!("{file} {property}");
            if !["properties", "never_panic"]
                .iter()
                .any(|it| name.contains(it))
            {
                left_out.push(name);
            }
        }
    }
    assert!(seen > 50, "only {seen} were found");
    assert!(left_out.is_empty(), "{}", left_out.join("\n"));
}

#[test]
fn the_scan_finds_properties_with_their_modules() {
    let block =
        "    proptest::proptest! {\n        fn one(a in 0..2) {}\n    }\n    fn helper() {}\n";
    let source = format!("mod tests {{\n{block}}}\nmod properties {{\n{block}}}\n");
    assert_eq!(properties_in(&source), ["tests::one", "properties::one"]);
}
