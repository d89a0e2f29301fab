//! What is known of clusters in several files, which `KUBECONFIG` lists.

use serde_json::Value;

use super::namespace::kubeconfig;
use super::shop::Shop;
use crate::docker::workspace::text;

/// The same configuration without some of its parts.
fn without(parts: &[&str]) -> String {
    let whole = std::fs::read_to_string(kubeconfig()).expect("the cluster runs");
    let mut value: Value = serde_yaml::from_str(&whole).unwrap();
    let configuration = value.as_object_mut().unwrap();
    for part in parts {
        assert!(configuration.remove(*part).is_some(), "{part} is not there");
    }
    value.to_string()
}

#[test]
#[ignore = "needs the cluster"]
fn a_context_whose_cluster_and_user_stand_in_other_files_is_deployed_to() {
    let shop = Shop::new(&["pages"]);
    let files = [
        ("contexts", without(&["clusters", "users"])),
        ("clusters", without(&["contexts", "users"])),
        ("users", without(&["contexts", "clusters"])),
    ];
    let mut listed = vec![shop.path("no-such-file")];
    for (name, content) in &files {
        shop.write(name, content);
        listed.push(shop.path(name));
    }
    let deploy = |listed: &[std::path::PathBuf]| {
        let mut deploy = shop.command(&["deploy", "live", "--yes"]);
        let list = std::env::join_paths(listed).unwrap();
        deploy.env("KUBECONFIG", list).output().unwrap()
    };
    let part = deploy(&listed[..2]);
    let said = text(&part);
    assert_eq!(part.status.code(), Some(4), "{said}");
    assert!(said.contains("next: "), "{said}");

    let whole = deploy(&listed);
    assert!(whole.status.success(), "{}", text(&whole));
    assert_eq!(shop.found(&["deployments"]), ["deployment.apps/pages"]);
}
