//! Files that git ignores, and Go compiles all the same.

use gantline::engine::go::warning_of_ignored;

#[tokio::test]
#[ignore = "needs Go"]
async fn files_that_git_ignores_are_told_when_go_compiles_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("go.mod", "module example.com/shop\n\ngo 1.26\n");
    write(".gitignore", "local*.go\nscratch/\n");
    write("cmd/shop/main.go", "package main\n\nfunc main() {}\n");
    write("cmd/shop/local_test.go", "package main\n");
    write("scratch/notes.go", "package scratch\n");
    let warning = async || warning_of_ignored("shop", &root, "./cmd/shop").await;
    assert_eq!(warning().await, None);

    write("cmd/shop/local.go", "package main\n");
    write(
        "cmd/shop/local_other.go",
        "//go:build never\n\npackage main\n",
    );
    let expected = "shop: git ignores cmd/shop/local.go, compiled here and into no image";
    assert_eq!(warning().await.as_deref(), Some(expected));
}
