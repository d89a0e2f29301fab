//! A temporary home and workspace, and the binary run in it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;

/// The `gantline.yaml` of the tests' shop.
const SHOP: &str = "\
version: 1
name: shop
module: github.com/acme/shop
registry: ghcr.io/acme/shop
resources:
  orders-db: {type: postgres, version: \"17\"}
  events: {type: nats}
";

/// A service that publishes an event.
const ORDERS: &str = "\
name: orders
blueprint: go-service
options: {entity: order, store: postgres, messaging: nats}
uses: {store: orders-db, messaging: events}
publishes: [order-placed]
";

/// A folder with a home and a place for workspaces, removed at the end.
pub struct Workspace {
    /// Keeps the folder.
    _folder: tempfile::TempDir,
    home: PathBuf,
    root: PathBuf,
}

/// How a run of the binary ended.
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output, with the temporary folder as `[ROOT]`.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Workspace {
    /// No workspace yet.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(folder.path()).unwrap();
        let (home, root) = (base.join("home"), base.join("work"));
        fs::create_dir(&home).unwrap();
        fs::create_dir(&root).unwrap();
        Self {
            _folder: folder,
            home,
            root,
        }
    }

    /// A shop with two resources and no service.
    pub fn shop() -> Self {
        Self::empty().file("gantline.yaml", SHOP)
    }

    /// A shop with the service `orders`, which publishes `order-placed`.
    pub fn shop_with_orders() -> Self {
        Self::shop().file("services/orders/service.yaml", ORDERS)
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Replaces a text that must be in a file.
    #[must_use]
    pub fn replace(self, path: &str, from: &str, to: &str) -> Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} holds no {from:?}");
        self.file(path, text.replace(from, to))
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// A path in the workspace.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Runs the binary in the workspace.
    pub fn gantline(&self, arguments: &[&str]) -> Run {
        self.gantline_in(".", arguments)
    }

    /// Runs the binary in a folder of the workspace, without a terminal and without what the
    /// user's environment would bring.
    pub fn gantline_in(&self, folder: &str, arguments: &[&str]) -> Run {
        self.run(folder, &[], arguments)
    }

    /// Runs the binary in the workspace with these variables besides, or instead.
    pub fn gantline_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        self.run(".", environment, arguments)
    }

    /// Gives everything to the user `nobody`, when root runs the tests: no mode hinders root.
    pub fn belongs_to_nobody(&self) {
        if nix::unistd::geteuid().is_root() {
            let base = self.root.parent().unwrap();
            give_to_nobody(base);
            // By another process: one that is forked here meanwhile would hold the copy open for
            // writing, and such a program cannot be run.
            let copy = Command::new("cp")
                .arg(env!("CARGO_BIN_EXE_gantline"))
                .arg(base.join("gantline"))
                .status();
            assert!(copy.unwrap().success());
        }
    }

    /// Runs the binary in the workspace as the user whom modes apply to.
    pub fn gantline_as_nobody(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        let program = self.root.with_file_name("gantline");
        let mut command = match program.exists() {
            true => Command::new(program),
            false => Command::new(env!("CARGO_BIN_EXE_gantline")),
        };
        if nix::unistd::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.args(arguments).envs(environment.iter().copied());
        self.finish(command.current_dir(&self.root))
    }

    fn run(&self, folder: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        command
            .args(arguments)
            .current_dir(self.root.join(folder))
            .envs(environment.iter().copied());
        self.finish(&mut command)
    }

    /// Starts the binary in the workspace with these variables.
    pub fn start(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        command
            .args(arguments)
            .current_dir(&self.root)
            .envs(environment.iter().copied());
        let prepared = self.prepare(&mut command);
        prepared.stdout(Stdio::piped()).stderr(Stdio::piped());
        prepared.spawn().unwrap()
    }

    /// Starts the binary in the workspace at a terminal.
    pub fn start_at(
        &self,
        terminal: &OwnedFd,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Child {
        let side = || Stdio::from(terminal.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantline"));
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("TERM", "xterm-256color")
            .envs(environment.iter().copied());
        let prepared = self.prepare(&mut command);
        prepared.stdin(side()).stdout(side()).stderr(side());
        prepared.spawn().unwrap()
    }

    /// Every file below the workspace, but for the lock of the running program.
    pub fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        tree_of(&self.root)
    }

    fn finish(&self, command: &mut Command) -> Run {
        self.ended(&self.prepare(command).output().unwrap())
    }

    /// What came of a run.
    pub fn ended(&self, output: &Output) -> Run {
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: shown(&output.stdout, &self.root),
            stderr: shown(&output.stderr, &self.root),
        }
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let chosen: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(chosen)
            .stdin(Stdio::null())
    }
}

/// Every file below a workspace's folder, but for what belongs to running programs.
pub fn tree_of(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(root, root, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let below = path.strip_prefix(root).unwrap().display().to_string();
        if below == ".gantline/run" {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.insert(below, fs::read(&path).unwrap());
        }
    }
}

fn give_to_nobody(place: &Path) {
    chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            give_to_nobody(&entry.unwrap().path());
        }
    }
}

fn shown(bytes: &[u8], root: &Path) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    text.replace(&root.display().to_string(), "[ROOT]")
}

impl Run {
    /// The same run, which must have exit code 0.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// The same run, which must have this exit code.
    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    fn text(&self) -> String {
        let mut text = format!("exit code {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text += &format!("--- {name}\n{}\n", stream.trim_end());
            }
        }
        text
    }
}

impl fmt::Display for Run {
    /// All of it, or as many characters as the precision says.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = formatter.precision().unwrap_or(usize::MAX);
        formatter.write_str(&self.text().chars().take(longest).collect::<String>())
    }
}
