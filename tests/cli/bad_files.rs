//! Files that nobody meant to write: whatever stands in them, the message names the file and
//! says what is wrong, in a few lines, and nothing is changed.

mod every_fault;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use snapbox::{assert_data_eq, str};

use super::workspace::{Run, Workspace};

/// Every message fits on a few screens.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// A file, and a command that reads it.
struct Read {
    path: &'static str,
    command: &'static [&'static str],
}

const GENERATE: &[&str] = &["generate", "--dry-run"];
const RENDER: &[&str] = &["render", "staging"];

/// All files in YAML that people write or keep.
const YAML_FILES: [Read; 8] = [
    Read {
        path: "gantline.yaml",
        command: GENERATE,
    },
    Read {
        path: "services/orders/service.yaml",
        command: GENERATE,
    },
    Read {
        path: "environments/staging.yaml",
        command: RENDER,
    },
    Read {
        path: "services/orders/service.staging.yaml",
        command: RENDER,
    },
    Read {
        path: ".gantline/lock.yaml",
        command: GENERATE,
    },
    Read {
        path: "config/gantline/contexts.yaml",
        command: &["diff", "staging"],
    },
    Read {
        path: "mine/blueprint.yaml",
        command: &["blueprint", "check", "mine"],
    },
    Read {
        path: "mine/pins.yaml",
        command: &["blueprint", "check", "mine/it"],
    },
];

/// A shop with an environment and a blueprint of its own.
fn shop() -> Workspace {
    Workspace::shop_with_orders()
        .file(
            "environments/staging.yaml",
            "namespace: shop\nresources: {orders-db: {secret: db}, events: {secret: events}}\n",
        )
        .file(
            "mine/it/blueprint.yaml",
            "name: it\nversion: 1\nsummary: Mine\n",
        )
}

fn run(workspace: &Workspace, command: &[&str]) -> Run {
    let configuration = workspace.path("config").display().to_string();
    workspace.gantline_with(&[("XDG_CONFIG_HOME", &configuration)], command)
}

/// Contents that are no YAML of ours, and what is said about each.
fn contents() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let aliases: String = (1..60)
        .map(|number| {
            let before = format!("*a{}, ", number - 1).repeat(9);
            format!("a{number}: &a{number} [{before}]\n")
        })
        .collect();
    vec![
        ("10 MB", vec![b'a'; 10 << 20], "is larger than"),
        (
            "one line of a megabyte",
            vec![b'['; 1 << 20],
            "recursion limit",
        ),
        ("binary", (0..=255).cycle().take(4096).collect(), "no UTF-8"),
        ("zeros", vec![0; 4096], "zero byte"),
        ("not UTF-8", b"name: caf\xe9\n".to_vec(), "no UTF-8"),
        ("UTF-16", b"\xff\xfen\0a\0".to_vec(), "UTF-16"),
        ("a tab", b"name:\n\tx: y\n".to_vec(), "indented with a tab"),
        ("an anchor", b"&x name: y\n".to_vec(), "anchors"),
        (
            "an alias bomb",
            format!("a0: &a0 lol\n{aliases}").into_bytes(),
            "anchors",
        ),
        ("a tag", b"!!python/object name: x\n".to_vec(), "tags"),
        ("a depth bomb", b"- ".repeat(100_000), "nested"),
        (
            "two documents",
            b"a: 1\n---\nb: 2\n".to_vec(),
            "second document",
        ),
        ("nothing", Vec::new(), "is empty"),
        ("a list", b"- name\n".to_vec(), "expected"),
        ("an escape", b"\x1b[2J: 1\n".to_vec(), "error:"),
    ]
}

#[test]
fn every_file_in_yaml_is_refused_in_words_whatever_it_holds() {
    for file in &YAML_FILES {
        for (content, bytes, said) in contents() {
            let workspace = shop().file(file.path, bytes);
            let run = run(&workspace, file.command);
            let place = format!("{content} in {}: {run:.2000}", file.path);
            assert_eq!(run.code, 2, "{place}");
            let too_large = content == "10 MB" && run.stderr.contains("too large");
            assert!(run.stderr.contains(said) || too_large, "{place}");
            assert!(run.stderr.contains(file.path), "{place}");
            assert!(!run.stderr.contains('\u{1b}'), "{place}");
            assert!(run.stderr.len() < LONGEST_MESSAGE, "{place}");
        }
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    for file in &YAML_FILES[..4] {
        let workspace = shop().file(
            "services/orders/service.staging.yaml",
            "env: {LOG_LEVEL: debug}\n",
        );
        workspace.gantline(&["generate"]).succeeds();
        let before = run(&workspace, file.command);
        let text = workspace.read(file.path).replace('\n', "\r\n");
        let workspace = workspace.file(file.path, format!("\u{feff}{text}"));
        let after = run(&workspace, file.command);
        assert_eq!(before.code, 0, "{}: {before}", file.path);
        assert_eq!(after.to_string(), before.to_string(), "{}", file.path);
    }
}

#[test]
fn a_folder_or_a_link_to_nowhere_in_a_files_place_is_said() {
    for file in &YAML_FILES[..6] {
        let workspace = shop();
        let place = workspace.path(file.path);
        let _absent = fs::remove_file(&place);
        fs::create_dir_all(&place).unwrap();
        let found = run(&workspace, file.command);
        assert_eq!(found.code, 2, "{}: {found}", file.path);
        let said = format!("{} is a folder, and must be a text file", file.path);
        assert!(found.stderr.contains(&said), "{}: {found}", file.path);

        fs::remove_dir(&place).unwrap();
        symlink("nowhere", &place).unwrap();
        let found = run(&workspace, file.command);
        assert_eq!(found.code, 2, "{}: {found}", file.path);
        assert!(found.stderr.contains(file.path), "{}: {found}", file.path);
        assert!(
            found.stderr.contains("does not exist"),
            "{}: {found}",
            file.path
        );
    }
}

#[test]
fn local_secrets_that_cannot_be_read_are_named_and_not_shown() {
    let shop = || {
        Workspace::shop_with_orders().replace(
            "services/orders/service.yaml",
            "publishes:",
            "secrets: {PAYMENT_KEY: payment/api-key}\npublishes:",
        )
    };
    let up = ["up", "--dry-run", "--runtime", "process"];
    let file = ".gantline/local.env";
    for bytes in [
        vec![b'h'; 10 << 20],
        b"PAYMENT_KEY=hunter2\xff\n".to_vec(),
        b"PAYMENT_KEY=hunter2\0\n".to_vec(),
        b"\xff\xfeP\0".to_vec(),
        b"PAYMENT_KEY hunter2\n".to_vec(),
    ] {
        let run = shop().file(file, bytes).gantline(&up).fails(2);
        assert!(run.stderr.contains(file), "{run}");
        assert!(!run.stderr.contains("hunter2"), "{run}");
    }
    let folder = shop();
    fs::create_dir_all(folder.path(file)).unwrap();
    let run = folder.gantline(&up);
    assert!(run.stderr.contains("local.env is a folder"), "{run}");
    let marked = shop().file(file, b"\xef\xbb\xbfPAYMENT_KEY=x\r\n");
    marked.gantline(&up).succeeds();
}

/// A shop with a generated service, whose blueprint is pinned.
fn pinned() -> (Workspace, String) {
    let workspace = Workspace::shop();
    let add = ["add", "service", "orders", "--blueprint", "go-service"];
    workspace
        .gantline(&[&add[..], &["--with", "entity=order"]].concat())
        .succeeds();
    let folder = workspace.path(".gantline/blueprints");
    let mut archives = fs::read_dir(folder).unwrap();
    let archive = archives.next().unwrap().unwrap().file_name();
    let archive = format!(".gantline/blueprints/{}", archive.to_str().unwrap());
    (workspace, archive)
}

#[test]
fn a_pinned_archive_that_is_another_or_none_is_refused() {
    let (workspace, archive) = pinned();
    let whole = fs::read(workspace.path(&archive)).unwrap();
    let mut workspace = workspace;
    for (content, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("no archive", b"PK\x03\x04".repeat(100)),
        ("too large", vec![0; 17 << 20]),
    ] {
        workspace = workspace.file(&archive, bytes);
        let run = workspace.gantline(GENERATE);
        assert_eq!(run.code, 2, "{content}: {run}");
        assert!(run.stderr.contains(&archive), "{content}: {run}");
        assert!(
            run.stderr.contains("Restore it from git"),
            "{content}: {run}"
        );
    }
    fs::remove_file(workspace.path(&archive)).unwrap();
    fs::create_dir(workspace.path(&archive)).unwrap();
    let run = workspace.gantline(GENERATE).fails(2);
    assert!(run.stderr.contains(&archive), "{run}");
}

#[test]
fn a_base_that_is_no_index_is_refused_and_never_taken_for_an_empty_one() {
    let (workspace, _) = pinned();
    let index = ".gantline/base/index/orders";
    let mut workspace = workspace;
    for bytes in [
        vec![b'x'; 10 << 20],
        (0..=255).cycle().take(4096).collect(),
        b"../../etc/passwd 00\n".to_vec(),
    ] {
        workspace = workspace.file(index, bytes);
        let run = workspace.gantline(&["generate"]);
        assert_eq!(run.code, 2, "{run:.2000}");
        assert!(run.stderr.contains(index), "{run:.2000}");
        assert!(run.stderr.contains("git checkout"), "{run:.2000}");
        assert!(run.stderr.len() < LONGEST_MESSAGE, "{run:.2000}");
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let workspace = Workspace::shop();
    let file = workspace.path("gantline.yaml");
    let elsewhere = outside.path().join("gantline.yaml");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    let run = workspace
        .gantline(&["add", "resource", "more", "--type", "nats"])
        .fails(1);
    assert!(run.stderr.contains("a symbolic link is there"), "{run}");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);

    let workspace = Workspace::shop_with_orders();
    symlink(outside.path(), workspace.path(".gantline")).unwrap();
    let run = workspace.gantline(&["generate"]).fails(2);
    assert!(run.stderr.contains("`.gantline` is a link"), "{run}");
    assert!(!workspace.path("services/orders/go.mod").exists());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);

    let workspace = Workspace::shop_with_orders().file(".gantline/run/.gitignore", "*\n");
    let lock = workspace.path(".gantline/run/change.lock");
    symlink(&elsewhere, &lock).unwrap();
    let run = workspace.gantline(&["generate"]).fails(2);
    assert!(run.stderr.contains("change.lock` is a link"), "{run}");
    assert!(!run.stderr.contains("waiting"), "{run}");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
}

#[test]
fn names_that_differ_in_case_alone_are_refused_before_one_hides_the_other() {
    let workspace = Workspace::shop_with_orders().file("services/orders/readme.md", "Mine.\n");
    let run = workspace.gantline(&["generate"]).fails(2);
    assert!(
        run.stderr
            .contains("both are one file where case does not count"),
        "{run}"
    );
    assert!(!workspace.path("services/orders/go.mod").exists());

    let workspace =
        Workspace::shop_with_orders().file("services/Orders/service.yaml", "name: orders\n");
    let run = workspace.gantline(GENERATE).fails(2);
    assert!(run.stderr.contains("Rename it to `orders`"), "{run}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_or_written_is_said_with_the_way_out() {
    let mut said = String::new();
    let cases: [(&str, &str, u32, &[&str]); 4] = [
        (
            "an unreadable file",
            "services/orders/service.yaml",
            0,
            GENERATE,
        ),
        ("an unreadable folder", "services/orders", 0, GENERATE),
        ("a read-only workspace", ".", 0o555, &["generate"]),
        (
            "a read-only folder",
            "services/orders",
            0o555,
            &["generate"],
        ),
    ];
    for (case, path, bits, command) in cases {
        let workspace = Workspace::shop_with_orders();
        workspace.belongs_to_nobody();
        mode(&workspace.path(path), bits);
        let run = workspace.gantline_as_nobody(&[], command);
        mode(&workspace.path(path), 0o755);
        said += &format!("== {case}: {run}");
        assert!(!workspace.path("services/orders/go.mod").exists(), "{run}");
    }
    assert_data_eq!(
        said,
        str![[r#"
== an unreadable file: exit code 2
--- stderr
error: services/orders/service.yaml cannot be read
  why: Permission denied (os error 13)
 next: Make it readable for you: `chmod u+r services/orders/service.yaml`
== an unreadable folder: exit code 2
--- stderr
error: services/orders cannot be read
  why: Permission denied (os error 13)
 next: Make it readable for you: `chmod u+rx services/orders`
== a read-only workspace: exit code 1
--- stderr
error: cannot lock the workspace at `[ROOT]/.gantline/run/lock`
  why: Permission denied (os error 13)
 next: Make the folder writable for you, then run this again
== a read-only folder: exit code 1
--- stderr
error: nothing was changed in `[ROOT]`: writing failed
  why: Permission denied (os error 13)
 next: Make the folder writable for you, then run this again

"#]]
    );
}
