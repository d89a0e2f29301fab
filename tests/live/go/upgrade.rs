//! A service that its owner edited, and the next version of its blueprint.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the owner adds at the end of a generated file.
const MINE: &str = "\n// Mine is what the owner added.\nfunc Mine() int { return 1 }\n";
/// What the next version adds at the beginning of the same file.
const NEWER: &str = "// Newer is what version 2 added.\nconst Newer = 2\n\n// Service is";
/// A test of both.
const BOTH: &str = "package checkout_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/shop/services/storefront/internal/checkout\"\n)\n\nfunc TestBothAreThere(t *testing.T) {\n\tt.Parallel()\n\n\tif checkout.Mine() != 1 || checkout.Newer != 2 {\n\t\tt.Fatal(\"an edit is lost\")\n\t}\n}\n";

fn run(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}\n{text}");
    text
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} holds no {from:?}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The blueprint of the program as the workspace's own, one version later.
fn next_version(workspace: &Path) {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints");
    let folder = workspace.join("blueprints");
    for name in ["go-base", "go-service"] {
        copy_folder(&ours.join(name), &folder.join(name));
    }
    fs::copy(ours.join("pins.yaml"), folder.join("pins.yaml")).unwrap();
    let service = folder.join("go-service");
    edit(&service.join("blueprint.yaml"), "version: 1", "version: 2");
    let source = "store=none/internal/{entity.package}/service.go.tera";
    edit(&service.join(source), "// Service is", NEWER);
    let readme = folder.join("go-base/base/README.md.tera");
    let text = fs::read_to_string(&readme).unwrap();
    fs::write(readme, text + "\nVersion 2 says more.\n").unwrap();
}

#[test]
#[ignore = "needs Go"]
fn an_edited_service_builds_and_passes_its_tests_after_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let gantline = env!("CARGO_BIN_EXE_gantline");
    run(gantline, folder.path(), &["new", "shop", "--yes"]);
    let workspace = folder.path().join("shop");
    let add = ["add", "service", "storefront", "--blueprint", "go-service"];
    let add = [add.as_slice(), &["--with", "entity=checkout"]].concat();
    run(gantline, &workspace, &add);
    let service = workspace.join("services/storefront");
    let source = service.join("internal/checkout/service.go");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text + MINE).unwrap();

    next_version(&workspace);
    run(gantline, &workspace, &["generate", "--check"]);
    let said = run(gantline, &workspace, &["upgrade", "--yes"]);
    let merged = "merged   services/storefront/internal/checkout/service.go";
    assert!(said.contains(merged), "{said}");
    fs::write(service.join("internal/checkout/both_test.go"), BOTH).unwrap();
    run("go", &service, &["build", "./..."]);
    run("go", &service, &["vet", "./..."]);
    run("go", &service, &["test", "./..."]);
    run(gantline, &workspace, &["generate", "--check"]);
}
