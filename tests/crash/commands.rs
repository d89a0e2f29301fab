//! The real program, killed at every change that a command makes to the disk: the workspace is
//! the old one or the new one, the next command says so, and the work can be done again.
//!
//! A few changes of each command are tried; every one when `GANTLINE_SOAK_KILLS` is set.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::tracer::{Ended, run_killed_at, waiting};

/// How many changes of a command are tried when not all are.
const SAMPLE: usize = 5;
/// What a command says that finds the work of one that was killed.
const RECOVERED: &str = "an earlier command was killed";

const WORKSPACE: &str =
    "version: 1\nname: shop\nmodule: github.com/acme/shop\nregistry: ghcr.io/acme/shop\n";
const RESOURCES: &str = "resources:\n  orders-db: {type: postgres, version: \"17\"}\n";
const ORDERS: &str = "name: orders\nblueprint: go-service\noptions: {entity: order, store: postgres}\nuses: {store: orders-db}\n";
const STOREFRONT: &str =
    "name: storefront\nblueprint: go-service\noptions: {entity: checkout, store: none}\n";
const ADD_SERVICE: [&str; 7] = [
    "add",
    "service",
    "orders",
    "--blueprint",
    "go-service",
    "--with",
    "entity=order",
];

type Tree = BTreeMap<String, Vec<u8>>;

/// A command, and where it is run.
struct Case {
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    /// Folders that come before those of PATH.
    path: Option<PathBuf>,
}

impl Case {
    fn new(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let work = folder.path().join("before");
        fs::create_dir(&work).unwrap();
        for (path, text) in files {
            let place = work.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
        Self {
            folder,
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            path: None,
        }
    }

    /// Runs another command first.
    fn after(self, arguments: &[&str]) -> Self {
        let run = self.gantline(&self.before(), arguments);
        assert!(run.status.success(), "{}", text(&run));
        self
    }

    fn before(&self) -> PathBuf {
        self.folder.path().join("before")
    }

    /// A copy of the workspace as it is before the command.
    fn copy(&self) -> PathBuf {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let copy = self.folder.path().join(format!("{number}/work"));
        copy_folder(&self.before(), &copy);
        copy
    }

    fn in_folder<'a>(&self, command: &'a mut Command, work: &Path) -> &'a mut Command {
        let known = std::env::var_os("PATH").unwrap_or_default();
        let before = self.path.iter().cloned();
        let path = std::env::join_paths(before.chain(std::env::split_paths(&known))).unwrap();
        let home = self.folder.path().join("home");
        command
            .current_dir(work)
            .env_clear()
            .env("PATH", path)
            .env("KUBECONFIG", home.join("kubeconfig"))
            .env("HOME", home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
    }

    fn gantline(&self, work: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        self.in_folder(command.args(arguments), work)
            .output()
            .unwrap()
    }

    fn again(&self, work: &Path) -> Output {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.gantline(work, &arguments)
    }

    fn killed_at(&self, work: &Path, at: usize) -> Ended {
        let mut command = waiting(env!("CARGO_BIN_EXE_gantline"));
        self.in_folder(command.args(&self.arguments), work)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        run_killed_at(&mut command, at)
    }

    /// Kills the command at its changes, and looks at what is left each time.
    fn is_all_or_nothing(&self) {
        let whole = self.copy();
        let Ended::Itself { code: 0, changes } = self.killed_at(&whole, usize::MAX) else {
            let run = self.again(&self.copy());
            panic!("the command fails: {}", text(&run));
        };
        assert!(changes > 10, "only {changes} changes");
        let (old, new) = (tree(&self.before()), tree(&whole));
        assert_ne!(old, new);
        let every = match std::env::var_os("GANTLINE_SOAK_KILLS") {
            Some(_) => 1,
            None => changes.div_ceil(SAMPLE),
        };
        let mut seen = (0, 0);
        for at in (1..=changes).step_by(every) {
            let work = self.copy();
            let ended = self.killed_at(&work, at);
            match self.look_after(&work, (&old, &new), at) {
                true => seen.1 += 1,
                false => seen.0 += 1,
            }
            fs::remove_dir_all(work.parent().unwrap()).unwrap();
            // How many writes wake the program's own threads differs by a few.
            assert!(ended == Ended::Killed || at + 20 > changes, "{ended:?}");
        }
        assert!(seen.0 > 0, "no kill came before the end");
        println!("{changes} changes, every {every}th tried: {seen:?} before and after the end");
    }

    /// Whether the new tree was there before the next command.
    fn look_after(&self, work: &Path, (old, new): (&Tree, &Tree), at: usize) -> bool {
        let place = format!("killed at {at}");
        let was_new = tree(work) == *new;
        let interrupted = work.join(".gantline/run/journal.json").exists();
        let is_workspace = work.join("gantline.yaml").exists();
        let next = match is_workspace {
            true => self.gantline(work, &["blueprint", "list"]),
            false => self.again(work),
        };
        let found = tree(work);
        let said = text(&next);
        assert!(found == *old || found == *new, "{place}: {said}");
        assert_eq!(said.contains(RECOVERED), interrupted, "{place}: {said}");
        if is_workspace {
            assert!(next.status.success(), "{place}: {said}");
        }
        if found == *old {
            let again = self.again(work);
            assert!(again.status.success(), "{place}: {}", text(&again));
        }
        assert!(tree(work) == *new, "{place}: not as without the kill");
        was_new
    }
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|it| String::from_utf8_lossy(it)).concat()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The files of a workspace, without git's and without what belongs to running commands.
fn tree(root: &Path) -> Tree {
    let mut files = Tree::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let place = entry.unwrap().path();
            let path = place.strip_prefix(root).unwrap().to_str().unwrap();
            let is_apart = place.ends_with(".git") || place.ends_with(".gantline/run");
            match path {
                _ if is_apart => {}
                _ if place.is_dir() => folders.push(place),
                path => drop(files.insert(path.to_owned(), fs::read(&place).unwrap())),
            }
        }
    }
    files
}

#[test]
fn new_in_a_folder_of_its_own() {
    Case::new(&[], &["new", "shop"]).is_all_or_nothing();
}

#[test]
fn new_in_this_folder() {
    Case::new(&[], &["new", "."]).is_all_or_nothing();
}

#[test]
fn add_service() {
    Case::new(&[("gantline.yaml", WORKSPACE)], &ADD_SERVICE).is_all_or_nothing();
}

#[test]
fn add_resource() {
    Case::new(
        &[("gantline.yaml", WORKSPACE)],
        &["add", "resource", "events", "--type", "nats"],
    )
    .is_all_or_nothing();
}

#[test]
fn generate() {
    let workspace = format!("{WORKSPACE}{RESOURCES}");
    Case::new(
        &[
            ("gantline.yaml", &workspace),
            ("services/orders/service.yaml", ORDERS),
        ],
        &["generate"],
    )
    .is_all_or_nothing();
}

#[test]
fn generate_after_a_change_of_the_manifest() {
    let case = Case::new(
        &[
            ("gantline.yaml", WORKSPACE),
            ("services/storefront/service.yaml", STOREFRONT),
        ],
        &["generate"],
    )
    .after(&["generate"]);
    let manifest = case.before().join("services/storefront/service.yaml");
    fs::write(&manifest, STOREFRONT.replace("checkout", "basket")).unwrap();
    case.is_all_or_nothing();
}

#[test]
fn add_client() {
    let workspace = format!("{WORKSPACE}{RESOURCES}");
    let mut case = Case::new(
        &[
            ("gantline.yaml", &workspace),
            ("services/orders/service.yaml", ORDERS),
            ("services/storefront/service.yaml", STOREFRONT),
        ],
        &["add", "client", "orders", "--in", "storefront"],
    )
    .after(&["generate"]);
    // Stands in for the generator of clients, which Go would build.
    let folder = case.folder.path().join("programs");
    fs::create_dir(&folder).unwrap();
    let go = folder.join("go");
    fs::write(&go, "#!/bin/sh\necho 'package gen' >gen/client.gen.go\n").unwrap();
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
    case.path = Some(folder);
    case.is_all_or_nothing();
}

#[test]
fn add_environment() {
    let workspace = format!("{WORKSPACE}{RESOURCES}");
    let case = Case::new(
        &[
            ("gantline.yaml", &workspace),
            ("services/orders/service.yaml", ORDERS),
        ],
        &[
            "add",
            "environment",
            "staging",
            "--context",
            "test",
            "--namespace",
            "shop",
        ],
    )
    .after(&["generate"]);
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: \"http://{}\"}}\n\
         users:\n- name: u\n  user: {{}}\ncontexts:\n- name: test\n  context: {{cluster: c, user: u}}\n",
        cluster()
    );
    fs::write(case.folder.path().join("home/kubeconfig"), kubeconfig).unwrap();
    case.is_all_or_nothing();
}

/// The address of a server that knows which cluster it is, and nothing else.
fn cluster() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let body = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"8f1c6f0e-0000-4000-8000-000000000000"}}"#;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A client that was killed asks nothing.
            let _asked = stream.read(&mut [0; 4096]);
            let _answered = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}
