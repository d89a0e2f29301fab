//! Nothing in the configuration of Docker makes who looks for the daemon panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_json};

/// The context that is configured.
const CONTEXT: &str = "colima";
/// What means something in these files.
const WORDS: &[&str] = &[
    "currentContext",
    CONTEXT,
    "default",
    "../../x",
    "Endpoints",
    "docker",
    "Host",
    "unix:///x",
    "ssh://a@b:c:d/e",
    "",
];

fn files(sound: Value) -> impl Strategy<Value = Vec<u8>> {
    damaged_bytes(damaged_json(sound, WORDS).prop_map(|file| file.to_string().into_bytes()))
}

fn configurations() -> impl Strategy<Value = Vec<u8>> {
    files(json!({"auths": {}, "currentContext": CONTEXT}))
}

fn contexts() -> impl Strategy<Value = Vec<u8>> {
    files(json!({"Name": CONTEXT, "Endpoints": {"docker": {"Host": "unix:///colima.sock"}}}))
}

/// The daemon that these files lead to.
fn found(configuration: &[u8], context: &[u8]) -> Result<Daemon> {
    let folder = tempfile::tempdir().unwrap();
    let digest = Sha256::digest(CONTEXT.as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = folder.path().join("contexts/meta").join(name);
    std::fs::create_dir_all(&meta).unwrap();
    std::fs::write(meta.join("meta.json"), context).unwrap();
    std::fs::write(folder.path().join("config.json"), configuration).unwrap();
    find_daemon(&DockerEnvironment {
        configuration: Some(folder.path().to_path_buf()),
        ..DockerEnvironment::default()
    })
}

proptest! {
    #[test]
    fn no_configuration_makes_who_looks_for_the_daemon_panic(
        configuration in configurations(), context in contexts(),
    ) {
        if let Ok(daemon) = found(&configuration, &context) {
            prop_assert!(!daemon.host.is_empty());
            if let Some(address) = daemon.host.strip_prefix("ssh://") {
                let _ = behind_ssh(&daemon, address);
            }
        }
    }
}
