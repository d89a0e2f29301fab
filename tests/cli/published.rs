//! A small web server of release archives, and `install.sh` run against it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The release that the tests install.
pub const NAME: &str = "gantline-1.2.3-linux-amd64";
/// Its archive's file name.
pub const ARCHIVE: &str = "gantline-1.2.3-linux-amd64.tar.gz";
/// What the script may find on PATH; a downloader comes besides.
const PROGRAMS: [&str; 15] = [
    "sh",
    "cat",
    "chmod",
    "cut",
    "dirname",
    "env",
    "grep",
    "gzip",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "rmdir",
    "sha256sum",
    "tar",
];
/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;
/// A machine whose archive is asked for.
const LINUX: &str = "#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac\n";

/// An archive whose program says its version.
pub fn good_archive() -> Vec<u8> {
    let program = b"#!/bin/sh\necho gantline 1.2.3\n";
    archive(&[(&format!("{NAME}/gantline"), Member::File(program))])
}

/// What an entry of an archive is.
pub enum Member<'a> {
    File(&'a [u8]),
    Link(&'a str),
}

/// A compressed archive of these entries, whatever their paths are.
pub fn archive(members: &[(&str, Member<'_>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, member) in members {
        let mut header = tar::Header::new_gnu();
        // Past the checks of the library, which would refuse what an attacker writes.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(0o755);
        let content = match member {
            Member::File(content) => *content,
            Member::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(target).unwrap();
                &[]
            }
        };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// The line of SHA256SUMS for the archive.
pub fn sums(archive: &[u8]) -> Vec<u8> {
    let digits: String = Sha256::digest(archive)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}  other.tar.gz\n{digits}  {ARCHIVE}\n", "0".repeat(64)).into_bytes()
}

/// Files that are served on this machine until the test ends.
pub struct Server {
    address: String,
}

/// How a file is served.
pub enum Served {
    Whole(Vec<u8>),
    /// The connection closes in the middle of it.
    Half(Vec<u8>),
}

impl Server {
    /// Serves an archive with its checksum.
    pub fn of(archive: Vec<u8>) -> Self {
        let sums = Served::Whole(sums(&archive));
        Self::start([(ARCHIVE, Served::Whole(archive)), ("SHA256SUMS", sums)])
    }

    /// Serves these files; others are not found.
    pub fn start(files: impl IntoIterator<Item = (&'static str, Served)>) -> Self {
        let files: BTreeMap<String, Served> = files
            .into_iter()
            .map(|(name, file)| (format!("/{name}"), file))
            .collect();
        let files = Arc::new(files);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        // Ends with the test's process; a request of a client that went away is its own affair.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let files = Arc::clone(&files);
                std::thread::spawn(move || answer(&connection, &files));
            }
        });
        Self { address }
    }
}

fn answer(mut connection: &TcpStream, files: &BTreeMap<String, Served>) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    let (head, body) = match files.get(path) {
        Some(Served::Whole(bytes)) => (head("200 OK", bytes.len()), &bytes[..]),
        Some(Served::Half(bytes)) => (head("200 OK", bytes.len()), &bytes[..bytes.len() / 2]),
        None => (head("404 Not Found", 0), &[][..]),
    };
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)
}

/// A user's machine: a home, and a PATH with nothing on it but what is put there.
pub struct Machine {
    folder: tempfile::TempDir,
    downloader: &'static str,
    /// Whose it is, when not of the user who runs the tests.
    user: Option<u32>,
}

/// How a run of the script ended.
pub struct Installed {
    /// The exit code.
    pub code: i32,
    /// Standard output and error, with the machine's folder as `[ROOT]`.
    pub text: String,
}

impl fmt::Display for Installed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {}\n{}", self.code, self.text)
    }
}

impl Machine {
    /// A Linux machine with this program for downloads.
    pub fn with(downloader: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "path", "tmp", "current"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let machine = Self {
            folder,
            downloader,
            user: None,
        };
        for name in PROGRAMS.iter().copied().chain([downloader]) {
            symlink(on_path(name), machine.path("path").join(name)).unwrap();
        }
        machine.program("uname", LINUX);
        machine
    }

    /// The same of a user whom modes hinder: of `nobody`, where root runs the tests.
    pub fn of_somebody(downloader: &'static str) -> Self {
        let machine = Self::with(downloader);
        if !nix::unistd::geteuid().is_root() {
            return machine;
        }
        let everybody = fs::Permissions::from_mode(0o755);
        fs::set_permissions(machine.folder.path(), everybody).unwrap();
        for name in ["home", "tmp", "current"] {
            chown(machine.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        // The checkout may lie where only root can look.
        fs::copy(checkout_script(), machine.path("install.sh")).unwrap();
        Self {
            user: Some(NOBODY),
            ..machine
        }
    }

    /// Puts a script on PATH.
    pub fn program(&self, name: &str, text: &str) {
        script(&self.path("path").join(name), text);
    }

    /// A path on the machine.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Where the program goes when nothing is said.
    pub fn target(&self) -> PathBuf {
        self.path("home/.local/bin/gantline")
    }

    /// What is on the machine besides PATH: every file and link, and folders that are empty.
    pub fn traces(&self) -> Vec<String> {
        let mut found = Vec::new();
        for below in ["home", "tmp", "current"] {
            list(&self.path(below), &mut found);
        }
        found
            .iter()
            .map(|path| self.shown(&path.display().to_string()))
            .collect()
    }

    /// Installs release 1.2.3 from a server.
    pub fn install(&self, server: &Server, arguments: &[&str]) -> Installed {
        let url = ["--version", "1.2.3", "--url", server.address.as_str()];
        self.run(&[&url, arguments].concat())
    }

    /// Runs the script in the folder `current`.
    pub fn run(&self, arguments: &[&str]) -> Installed {
        self.run_with(&[], arguments)
    }

    /// Runs the script with further variables.
    pub fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Installed {
        let mut command = Command::new(on_path("sh"));
        let script = match self.user {
            Some(user) => {
                command.uid(user).gid(user);
                self.path("install.sh")
            }
            None => checkout_script(),
        };
        let output = command
            .arg(script)
            .args(arguments)
            .current_dir(self.path("current"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", self.path("path"))
            .env("TMPDIR", self.path("tmp"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        Installed {
            code: output.status.code().unwrap_or(-1),
            text: self.shown(&String::from_utf8(text).unwrap()),
        }
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "[ROOT]")
    }

    /// The program for downloads.
    pub fn downloader(&self) -> &str {
        self.downloader
    }
}

impl Server {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// The script of this checkout.
fn checkout_script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh")
}

/// Writes a program.
pub fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn on_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is not on PATH"))
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() && fs::read_dir(&path).unwrap().next().is_some() {
            list(&path, found);
        } else {
            found.push(path);
        }
    }
}
