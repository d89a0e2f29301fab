//! `~/.config/gantline/contexts.yaml`: which kube context each environment is reached through.
//! Names of contexts are personal, so they stand in no workspace.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::edit::scalar;
use super::node::Value;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::name::Name;

/// The file that holds the contexts of this user: below `XDG_CONFIG_HOME`, else `~/.config`.
///
/// # Errors
/// When neither the variable nor a home folder is known.
pub fn file() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let configuration = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let configuration = configuration
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".config")));
    configuration
        .map(|folder| folder.join("gantline/contexts.yaml"))
        .ok_or_else(|| {
            Error::missing("there is no home folder to keep the names of contexts in")
                .hint("Set HOME, or name the context with `--context`")
        })
}

/// The context that an environment of a workspace is reached through; `None` when none is known.
///
/// # Errors
/// When the file cannot be read, or is no map of texts.
pub fn context(path: &Path, workspace: &Name, environment: &Name) -> Result<Option<String>> {
    Ok(read(path)?.remove(&key(workspace, environment)))
}

/// Keeps the context of an environment.
///
/// # Errors
/// When the file cannot be read or written.
pub fn keep(path: &Path, (workspace, environment): (&Name, &Name), context: &str) -> Result<()> {
    let mut contexts = read(path)?;
    contexts.insert(key(workspace, environment), context.to_owned());
    let mut text = String::from("# Kube contexts by WORKSPACE/ENVIRONMENT; `--context` wins.\n");
    for (key, context) in &contexts {
        text.push_str(&format!("{}: {}\n", scalar(key), scalar(context)));
    }
    write(path, &text).map_err(|cause| {
        Error::failed(format!("{} cannot be written", path.display())).because(cause)
    })
}

fn key(workspace: &Name, environment: &Name) -> String {
    format!("{workspace}/{environment}")
}

fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    let Some(document) = Document::read_if_there(path)? else {
        return Ok(BTreeMap::new());
    };
    let entry_is = "an entry is WORKSPACE/ENVIRONMENT: CONTEXT";
    if !matches!(document.root().value, Value::Map(_)) {
        return Err(Error::invalid(format!("expected a map: {entry_is}")).at(document.place(&[])));
    }
    let mut contexts = BTreeMap::new();
    let mut errors = Vec::new();
    for entry in document.root().entries() {
        let keys = [entry.key.as_str()];
        match document.text_at(&keys) {
            Some(context) if entry.key.split('/').count() == 2 => {
                contexts.insert(entry.key.clone(), context.to_owned());
            }
            _ => errors.push(Error::invalid(entry_is).at(document.key_place(&keys))),
        }
    }
    document.none_of(errors)?;
    Ok(contexts)
}

/// Replaces the file at once; it and its folder are the user's alone.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let new = path.with_extension(format!("yaml.{}", std::process::id()));
    let result = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        // Best effort: what is reported is why the writing failed.
        let _ = fs::remove_file(&new);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn contexts_are_kept_privately_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gantline/contexts.yaml");
        let name = |text: &str| Name::new(text).unwrap();
        let (shop, staging) = (name("shop"), name("staging"));
        assert_eq!(context(&path, &shop, &staging).unwrap(), None);
        keep(&path, (&shop, &staging), "kind@local: 1").unwrap();
        keep(&path, (&shop, &name("live")), "prod").unwrap();
        assert_eq!(
            context(&path, &shop, &staging).unwrap().as_deref(),
            Some("kind@local: 1")
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "shop: x\nshop/live: [1]\n").unwrap();
        assert_eq!(
            context(&path, &shop, &staging).unwrap_err().related().len(),
            2
        );
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    /// What such a file is made of, also where it makes no sense.
    const PIECES: &[&str] = &[
        "shop/live: prod\n",
        "shop/live: 1\n",
        "shop/dev: \"kind@local: 1\"\n",
        "\"a/b\": [1]\n",
        "\"\": x\n",
        "shop: x\n",
        "a/b/c: d\n",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "#",
        "&a ",
        "*a",
        "~",
        "'",
        "\t",
        "\u{e9}",
    ];

    proptest! {
        #[test]
        fn no_file_makes_its_reader_panic_and_one_that_is_read_keeps_another_context(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12),
            kept in "[ -~\u{e9}]{0,20}",
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("contexts.yaml");
            fs::write(&path, pieces.concat()).unwrap();
            let [shop, live, dev] = ["shop", "live", "dev"].map(|text| Name::new(text).unwrap());
            if let Ok(before) = context(&path, &shop, &dev) {
                keep(&path, (&shop, &live), &kept).unwrap();
                prop_assert_eq!(context(&path, &shop, &live).unwrap(), Some(kept));
                prop_assert_eq!(context(&path, &shop, &dev).unwrap(), before);
            }
        }
    }
}
