//! The tests that services are generated with, against the servers that they are for.

use std::process::{Command, Stdio};

use crate::shop;

#[test]
#[ignore = "needs Go, a C compiler, NATS, and PostgreSQL or npm"]
fn every_test_of_the_shop_passes_with_its_servers_and_the_race_detector() {
    let shop = shop::copy();
    let run = Command::new(env!("CARGO_BIN_EXE_gantline"))
        .args(["test", "--runtime", "process"])
        .args(["--", "-race", "-v", "-count=1", "./..."])
        .current_dir(shop.path().join("shop"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    for test in [
        "TestARealBrokerDeliversUntilAMessageIsSettled",
        "TestAnEventIsPublishedOnce",
        "TestWhatWasPublishedIsForgottenAndNothingElse",
    ] {
        assert!(said.contains(&format!("--- PASS: {test} (")), "{said}");
    }
    let skipped: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("--- SKIP") || line.contains("NOT TESTED"))
        .collect();
    assert!(skipped.is_empty(), "{skipped:#?}");
}
