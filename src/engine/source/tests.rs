use super::*;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn listed(folder: &tempfile::TempDir) -> Vec<String> {
    source_paths(folder.path())
        .unwrap()
        .into_iter()
        .map(|source| source.path.display().to_string())
        .collect()
}

#[tokio::test]
async fn a_copy_holds_what_the_hash_is_of_and_nothing_else() {
    let folder = tree(&[
        (".gitignore", "local.go\n"),
        ("Dockerfile", "FROM scratch"),
        ("cmd/orders/main.go", "package main"),
        ("cmd/orders/local.go", "package main"),
    ]);
    let copy = tempfile::tempdir().unwrap();
    let hash = copy_source(folder.path(), copy.path()).await.unwrap();
    assert_eq!(hash, source_hash(folder.path()).unwrap());
    assert!(copy.path().join("cmd/orders/main.go").is_file());
    assert!(!copy.path().join("cmd/orders/local.go").exists());
}

#[test]
fn what_git_ignores_is_told_and_what_docker_ignores_is_not() {
    let folder = tree(&[
        (".dockerignore", "docs\n"),
        (".gitignore", "local.go\nbin/\n"),
        ("bin/orders", ""),
        ("cmd/orders/local.go", ""),
        ("cmd/orders/main.go", ""),
        ("docs/page.md", ""),
    ]);
    let ignored = ignored_files(folder.path()).unwrap();
    let expected = ["bin/orders", "cmd/orders/local.go"].map(PathBuf::from);
    assert_eq!(ignored, expected);
}

#[test]
fn ignored_files_are_no_source() {
    let folder = tree(&[
        (
            ".dockerignore",
            "chart\nDockerfile\n*.md\n!README.md\n.git*\n# no\n",
        ),
        (".gitignore", "bin/\n"),
        ("Dockerfile", "FROM scratch"),
        ("README.md", ""),
        ("NOTES.md", ""),
        ("bin/orders", ""),
        ("chart/values.yaml", ""),
        ("internal/chart/x.go", ""),
        ("main.go", ""),
    ]);
    assert_eq!(
        listed(&folder),
        [
            ".dockerignore",
            "Dockerfile",
            "README.md",
            "internal/chart/x.go",
            "main.go"
        ]
    );
}

#[test]
fn a_file_comes_back_from_an_ignored_folder() {
    let folder = tree(&[
        (".dockerignore", "docs\n!docs/api.yaml\n"),
        ("docs/api.yaml", ""),
        ("docs/guide.md", ""),
    ]);
    assert_eq!(listed(&folder), [".dockerignore", "docs/api.yaml"]);
}

#[test]
fn the_hash_changes_with_content_name_and_mode_and_nothing_else() {
    let folder = tree(&[("main.go", "package main"), ("a", "")]);
    let first = source_hash(folder.path()).unwrap();
    fs::write(folder.path().join("main.go"), "package main").unwrap();
    assert_eq!(source_hash(folder.path()).unwrap(), first);
    fs::write(folder.path().join("main.go"), "package other").unwrap();
    let second = source_hash(folder.path()).unwrap();
    assert_ne!(second, first);
    fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
    let third = source_hash(folder.path()).unwrap();
    assert_ne!(third, second);
    let program = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path().join("b"), program).unwrap();
    assert_ne!(source_hash(folder.path()).unwrap(), third);
}

#[test]
fn what_gantline_keeps_beside_a_manifest_is_no_source() {
    let files = [
        ("Dockerfile", ""),
        ("chart/values.yaml", ""),
        ("service.staging.yaml", ""),
        ("charts.js", ""),
        ("service.d/a.yaml", ""),
    ];
    let folder = tree(&files);
    assert_eq!(listed(&folder).len(), files.len());
    fs::write(folder.path().join("service.yaml"), "").unwrap();
    assert_eq!(
        listed(&folder),
        ["Dockerfile", "charts.js", "service.d/a.yaml"]
    );
}

#[test]
fn target_and_arguments_are_part_of_an_images_source() {
    let folder = tree(&[("Dockerfile", "FROM scratch"), ("a", "")]);
    let plain = plain_source(folder.path());
    assert_eq!(
        hash_of(&plain).unwrap(),
        source_hash(folder.path()).unwrap()
    );
    let with_target = BuildSource {
        target: Some("web".to_owned()),
        ..plain.clone()
    };
    let with_argument = BuildSource {
        args: [("VERSION".to_owned(), "1".to_owned())].into(),
        ..plain.clone()
    };
    let hashes = [&plain, &with_target, &with_argument].map(|it| hash_of(it).unwrap());
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2]);
}

#[test]
fn a_link_is_not_followed() {
    let folder = tree(&[("main.go", "")]);
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    let paths = source_paths(folder.path()).unwrap();
    let target = PathBuf::from("/etc/passwd");
    assert_eq!(paths[0].kind, SourceKind::Link { target });
}
