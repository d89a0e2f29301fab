//! Programs that `tests/setup` installs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cache folder that `tests/setup` fills.
pub fn cache() -> PathBuf {
    match std::env::var_os("GANTLINE_TEST_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let home = std::env::var_os("HOME").expect("HOME is set");
            Path::new(&home).join(".cache/gantline-test")
        }
    }
}

/// A version out of `tests/versions`.
pub fn version(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/versions");
    let text = std::fs::read_to_string(path).expect("tests/versions is readable");
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("tests/versions has no {name}"))
        .to_owned()
}

/// One run of a program.
pub struct Tool {
    program: &'static str,
    arguments: Vec<OsString>,
}

impl Tool {
    pub fn new(program: &'static str) -> Self {
        Self {
            program,
            arguments: Vec::new(),
        }
    }

    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it and returns its standard output; anything but success fails the test.
    pub fn passes(self) -> String {
        let (succeeded, stdout, stderr) = self.run();
        assert!(
            succeeded,
            "{} {:?} found:\n{stdout}\n{stderr}",
            self.program, self.arguments
        );
        stdout
    }

    /// Runs it and returns what it complained of; success fails the test.
    pub fn fails(self) -> String {
        let (succeeded, stdout, stderr) = self.run();
        assert!(
            !succeeded,
            "{} {:?} should have failed",
            self.program, self.arguments
        );
        stdout + &stderr
    }

    /// Copies a folder below another one, and gives its new place.
    pub fn copy(from: &Path, below: &Path) -> PathBuf {
        let status = Command::new("cp")
            .arg("-R")
            .arg(from)
            .arg(below)
            .status()
            .expect("cp can be run");
        assert!(status.success());
        below.join(from.file_name().expect("a name"))
    }

    /// Runs it and returns its standard output, or what it complained of.
    pub fn outcome(self) -> Result<String, String> {
        let (succeeded, stdout, stderr) = self.run();
        if succeeded { Ok(stdout) } else { Err(stderr) }
    }

    fn run(&self) -> (bool, String, String) {
        let output = Command::new("timeout")
            .arg("300")
            .arg(cache().join("bin").join(self.program))
            .args(&self.arguments)
            .output()
            .expect("timeout can be run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}
