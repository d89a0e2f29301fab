//! The shop of the tutorial, made once and copied for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What makes it, line by line.
const LINES: [&str; 4] = [
    "new shop",
    "--project shop add service orders --blueprint go-service --with entity=order --with store=postgres --with messaging=nats --publishes order-placed",
    "--project shop add service storefront --blueprint go-service --with entity=checkout --needs orders",
    "--project shop add service billing --blueprint go-worker --with entity=invoice --consumes order-placed=orders",
];

/// A folder with a copy of the workspace in it, named `shop`.
pub fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let done = Command::new("cp")
        .arg("-r")
        .arg(made())
        .arg(copy.path())
        .status()
        .unwrap();
    assert!(done.success());
    copy
}

/// The workspace itself, which nobody may change.
pub fn made() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        // Left to the system's cleaning: a static is never dropped.
        let folder = tempfile::tempdir().unwrap().keep();
        for line in LINES {
            let done = Command::new(env!("CARGO_BIN_EXE_gantline"))
                .args(line.split(' '))
                .arg("--yes")
                .current_dir(&folder)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{line}: {errors}");
        }
        folder.join("shop")
    })
}
