//! A service under another name, as Go sees it.

use std::fs;

use super::client::run;

/// Code of the user's that imports the service's own packages.
const MINE: &str = "package main\n\nimport _ \"example.com/shop/services/orders/api\"\n";

#[test]
#[ignore = "needs Go"]
fn a_renamed_service_builds_with_what_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let gantline = env!("CARGO_BIN_EXE_gantline");
    run(gantline, folder.path(), &["new", "shop", "--yes"]);
    let workspace = folder.path().join("shop");
    let add = |flags: &str| {
        let words = format!("add service {flags}");
        let words: Vec<&str> = words.split(' ').collect();
        run(gantline, &workspace, &words)
    };
    add("orders --blueprint go-service --with entity=order --with store=postgres");
    add("storefront --blueprint go-service --with entity=checkout --needs orders");
    let services = workspace.join("services");
    fs::write(services.join("orders/cmd/orders/mine.go"), MINE).unwrap();
    fs::rename(services.join("orders"), services.join("sales")).unwrap();
    for (service, from, to) in [
        ("sales", "name: orders", "name: sales"),
        ("storefront", "needs: [orders]", "needs: [sales]"),
    ] {
        let manifest = services.join(service).join("service.yaml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&manifest, text.replace(from, to)).unwrap();
    }
    run(gantline, &workspace, &["generate"]);
    for service in ["sales", "storefront"] {
        run("go", &services.join(service), &["vet", "./..."]);
    }
    assert!(services.join("sales/cmd/sales/mine.go").is_file());
    run(gantline, &workspace, &["generate", "--check"]);
}
