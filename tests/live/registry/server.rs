//! A registry of a test's own: the real docker-registry, on a free port and in a folder that go
//! with it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user `ci` with the password `correct`, as htpasswd writes it.
const USERS: &str = "ci:$2b$05$r/ze9PoDfaO6zm3VQcalxutlG80DKBp2WdsfSjAt/BfXqIbNn5sQq\n";

/// A running registry.
pub struct Registry {
    server: Child,
    folder: tempfile::TempDir,
    pub address: String,
}

impl Registry {
    /// One that everybody may write to.
    pub fn open() -> Self {
        Self::start("")
    }

    /// One that knows the user `ci` alone.
    pub fn guarded() -> Self {
        Self::start("auth: {htpasswd: {realm: tests, path: FOLDER/users}}\n")
    }

    fn start(authentication: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let path = folder.path().display().to_string();
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\n\
             storage: {{filesystem: {{rootdirectory: FOLDER/images}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"{address}\"}}\n{authentication}"
        )
        .replace("FOLDER", &path);
        std::fs::write(folder.path().join("users"), USERS).unwrap();
        let file = folder.path().join("registry.yml");
        std::fs::write(&file, configuration).unwrap();
        let server = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is on PATH: tests/setup registry");
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            server,
            folder,
            address,
        }
    }

    /// The prefix of the images of a test.
    pub fn prefix(&self) -> String {
        format!("{}/acme/live", self.address)
    }

    /// Takes everything out of the registry.
    pub fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join("images")).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ended = self.server.kill();
        let _status = self.server.wait();
    }
}
