//! The pipelines of the CI guide, as a reader copies them.

use std::path::{Path, PathBuf};

use super::tool::Tool;

/// The `yaml` block that follows the line which names its file.
fn pipeline(name: &str) -> (tempfile::TempDir, PathBuf) {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let guide = std::fs::read_to_string(guide).expect("docs/ci.md is readable");
    let (_, after) = guide
        .split_once(&format!("`{name}`:\n\n```yaml\n"))
        .unwrap_or_else(|| panic!("docs/ci.md has no {name}"));
    let (block, _) = after.split_once("\n```").expect("the block ends");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(&path, format!("{block}\n")).expect("written");
    (folder, path)
}

#[test]
#[ignore = "needs the linters"]
fn actionlint_finds_nothing_in_the_workflow() {
    let (_folder, path) = pipeline(".github/workflows/services.yml");
    Tool::new("actionlint").argument(path).passes();
}

#[test]
#[ignore = "needs the linters"]
fn the_pipelines_fit_the_schemas_of_their_makers() {
    for (name, schema) in [
        (".github/workflows/services.yml", "vendor.github-workflows"),
        (".gitlab-ci.yml", "vendor.gitlab-ci"),
    ] {
        let (_folder, path) = pipeline(name);
        Tool::new("check-jsonschema")
            .arguments(["--builtin-schema", schema])
            .argument(path)
            .passes();
    }
}

#[test]
#[ignore = "needs the linters"]
fn a_pipeline_with_an_unknown_key_is_found() {
    let (_folder, path) = pipeline(".gitlab-ci.yml");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("  stage: build", "  stagee: build")).expect("written");
    let schema = ["--builtin-schema", "vendor.gitlab-ci"];
    let found = Tool::new("check-jsonschema")
        .arguments(schema)
        .argument(path);
    assert!(found.fails().contains("stagee"));
}
