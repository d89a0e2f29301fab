//! Nothing that `docker login` or a helper left makes who looks for credentials panic or tell them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_json};

/// A password that no message may hold.
const PASSWORD: &str = "hunter2";
/// What means something in the file.
const WORDS: &[&str] = &[
    "auths",
    "ghcr.io",
    "https://index.docker.io/v1/",
    "http://",
    "auth",
    "username",
    "identitytoken",
    "credsStore",
    "credHelpers",
    "dXNlcjo=",
    "Og==",
    "/w==",
    "",
];

fn sound() -> Value {
    json!({
        "auths": {
            "ghcr.io": {"auth": base64::Engine::encode(&STANDARD, format!("user:{PASSWORD}"))},
            "https://index.docker.io/v1/": {"username": "hub", "password": PASSWORD}
        },
        "credHelpers": {"localhost:5000": "none"}
    })
}

fn files(sound: Value) -> impl Strategy<Value = Vec<u8>> {
    damaged_bytes(damaged_json(sound, WORDS).prop_map(|file| file.to_string().into_bytes()))
}

/// What the file says of a registry, no helper asked.
fn of_file(bytes: &[u8], host: &str) -> Result<Option<Credentials>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, bytes).unwrap();
    let file = read(&path)?;
    let entry = stored(&file, host);
    entry.map(|entry| of_entry(entry, &path)).transpose()
}

#[test]
fn the_file_that_is_damaged_below_is_sound() {
    let file = sound().to_string();
    for host in ["ghcr.io", "docker.io"] {
        let found = of_file(file.as_bytes(), host).unwrap().unwrap();
        let expected = Secret::new(PASSWORD);
        assert!(matches!(found.login, Some(Login::Password(_, found)) if found == expected));
    }
}

proptest! {
    #[test]
    fn no_configuration_makes_who_reads_credentials_panic_or_tell_them(bytes in files(sound())) {
        for host in ["ghcr.io", "docker.io", "localhost:5000", ""] {
            let told = match of_file(&bytes, host) {
                Ok(found) => format!("{found:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!told.contains(PASSWORD), "{told}");
        }
    }

    #[test]
    fn no_answer_of_a_helper_makes_its_reader_panic(
        bytes in files(json!({"ServerURL": "ghcr.io", "Username": "<token>", "Secret": PASSWORD})),
    ) {
        let _ = serde_json::from_slice::<Given>(&bytes);
    }

    #[test]
    fn no_text_makes_the_decoder_of_logins_panic(text in "[A-Za-z0-9+/= ]{0,40}") {
        let _ = decoded(&text);
    }
}
