//! `scripts/dist`: what is published. The program in it is a stand-in that calls the one under
//! test, so that nothing has to be built for it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::published::{Machine, script};
use super::workspace::Workspace;

/// What `make dist` makes with a small program in the place of its own.
struct Published {
    folder: tempfile::TempDir,
    name: String,
}

impl Published {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let real = env!("CARGO_BIN_EXE_gantline");
        script(&program, &format!("#!/bin/sh\nexec '{real}' \"$@\"\n"));
        let output = Command::new(repository().join("scripts/dist"))
            .args(["--output", "out", "--program"])
            .arg(&program)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let mut published = Self {
            folder,
            name: String::new(),
        };
        let mut names = published.files().into_keys();
        let archive = names.find_map(|name| Some(name.strip_suffix(".tar.gz")?.to_owned()));
        published.name = archive.unwrap();
        published
    }

    /// What was written, by name.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder.path().join("out")).unwrap();
        entries
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    /// The files of the archive below its folder, by path.
    fn members(&self) -> BTreeMap<String, String> {
        let bytes = &self.files()[&format!("{}.tar.gz", self.name)];
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let mut members = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            let owner = (header.uid().unwrap(), header.gid().unwrap());
            assert_eq!((owner, header.mtime().unwrap()), ((0, 0), 1_700_000_000));
            if !header.entry_type().is_file() {
                continue;
            }
            let path = entry.path().unwrap().display().to_string();
            let below = path
                .strip_prefix(&format!("{}/", self.name))
                .unwrap()
                .to_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            members.insert(below, text);
        }
        members
    }

    fn materials(&self) -> Value {
        serde_json::from_slice(&self.files()[&format!("{}.cdx.json", self.name)]).unwrap()
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_archive_holds_the_program_with_all_that_belongs_to_it() {
    let members = Published::make().members();
    for name in [
        "gantline",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(members.contains_key(name), "{name}");
    }
    assert!(members["completions/gantline.bash"].contains("complete -F"));
    assert!(members["completions/_gantline"].starts_with("#compdef gantline"));
    assert!(members["completions/gantline.fish"].contains("complete -c gantline"));
    assert!(members["man/man1/gantline-add-service.1"].contains("\\-\\-blueprint"));
}

#[test]
fn the_program_that_was_built_is_packed_wherever_cargo_is_set_to_write_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("path"), folder.path().join("target"));
    fs::create_dir_all(&path).unwrap();
    fs::create_dir_all(target.join("dist")).unwrap();
    script(&target.join("dist/gantline"), "#!/bin/sh\nexit 9\n");
    // A cargo that writes where the real one would.
    let real = env!("CARGO_BIN_EXE_gantline");
    let cargo = env!("CARGO");
    script(
        &path.join("cargo"),
        &format!(
            "#!/bin/sh\n\
             [ \"$1\" = build ] || exec '{cargo}' \"$@\"\n\
             into=$CARGO_TARGET_DIR/platform-of-a-configuration/dist\n\
             mkdir -p \"$into\"\n\
             printf '#!/bin/sh\\nexec %s \"$@\"\\n' '{real}' >\"$into/gantline\"\n\
             chmod +x \"$into/gantline\"\n\
             printf '{{\"reason\":\"compiler-artifact\",\"executable\":null,\"fresh\":true}}\\n'\n\
             printf '{{\"reason\":\"compiler-artifact\",\"filenames\":[\"%s\"],\"executable\":\"%s\",\"fresh\":false}}\\n' \"$into/gantline\" \"$into/gantline\"\n\
             printf '{{\"reason\":\"build-finished\",\"success\":true}}\\n'\n"
        ),
    );
    let inherited = std::env::var("PATH").unwrap();
    let output = Command::new(repository().join("scripts/dist"))
        .args(["--output", "out"])
        .env("PATH", format!("{}:{inherited}", path.display()))
        .env("CARGO_TARGET_DIR", &target)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    assert_eq!(Published::make().files(), Published::make().files());
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_nothing_that_only_tests_use() {
    let materials = Published::make().materials();
    assert_eq!(materials["bomFormat"], "CycloneDX");
    assert_eq!(
        materials["metadata"]["component"]["version"],
        env!("CARGO_PKG_VERSION")
    );
    let components = materials["components"].as_array().unwrap();
    let found = |name: &str| {
        components
            .iter()
            .find(|component| component["name"] == name)
    };
    let clap = found("clap").unwrap();
    assert_eq!(clap["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(clap["hashes"][0]["content"].as_str().unwrap().len(), 64);
    for absent in ["gantline", "insta", "proptest", "serde_derive"] {
        assert!(found(absent).is_none(), "{absent}");
    }
    let text = materials.to_string();
    assert!(
        !text.contains(env!("CARGO_MANIFEST_DIR")),
        "it holds a path of this machine"
    );
}

#[test]
fn the_bill_of_materials_says_what_each_part_is_made_of() {
    let materials = Published::make().materials();
    let dependencies = materials["dependencies"].as_array().unwrap();
    let program = materials["metadata"]["component"]["bom-ref"]
        .as_str()
        .unwrap();
    let own = dependencies
        .iter()
        .find(|entry| entry["ref"] == program)
        .unwrap();
    let direct = own["dependsOn"].as_array().unwrap();
    assert!(
        direct
            .iter()
            .any(|part| part.as_str().unwrap().starts_with("pkg:cargo/clap@"))
    );
    let known: Vec<&Value> = dependencies.iter().map(|entry| &entry["ref"]).collect();
    for part in dependencies
        .iter()
        .flat_map(|entry| entry["dependsOn"].as_array().unwrap())
    {
        assert!(known.contains(&part), "{part}");
    }
}

#[test]
fn what_is_published_can_be_installed() {
    let published = Published::make();
    let machine = Machine::with("curl");
    let archive = published
        .folder
        .path()
        .join("out")
        .join(format!("{}.tar.gz", published.name));
    let run = machine.run(&["--archive", archive.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    let version = format!("(gantline {})", env!("CARGO_PKG_VERSION"));
    assert!(run.text.contains(&version), "{run}");
}

#[test]
fn every_command_that_the_help_shows_has_a_man_page() {
    let workspace = Workspace::empty();
    let run = workspace.gantline(&["manual", "man"]);
    assert_eq!(run.code, 0, "{run}");
    let pages: Vec<String> = fs::read_dir(workspace.path("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in [
        "gantline.1",
        "gantline-up.1",
        "gantline-add-client.1",
        "gantline-contract-verify.1",
    ] {
        assert!(pages.contains(&page.to_owned()), "{page} of {pages:?}");
    }
    for hidden in ["manual", "supervise", "help"] {
        assert!(!pages.contains(&format!("gantline-{hidden}.1")), "{hidden}");
    }
    assert!(
        workspace
            .read("man/gantline-up.1")
            .contains(".TH gantline-up 1")
    );
}
