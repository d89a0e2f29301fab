//! The Go toolchain of this machine: building a service's program, and running its tests.

mod ignored;

pub use ignored::warning_of_ignored;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::{CallError, ProgramCall, Streams, on_path};
use super::runtime::Progress;
use crate::error::{Error, Result};
use crate::model::secret::Secret;

/// The Go that the blueprints are written for.
pub const OLDEST_GO: (u32, u32) = (1, 26);

/// How long a build may take, downloads of modules included.
const BUILD: Duration = Duration::from_secs(1200);
/// How long `go` may take to tell about itself.
const QUESTION: Duration = Duration::from_secs(60);
/// How many lines of the compiler's output an error carries.
const LINES_OF_OUTPUT: usize = 40;

/// A build of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoBuild {
    /// The folder of the module.
    pub directory: PathBuf,
    /// The package, such as `./cmd/orders`.
    pub package: String,
    /// Where the program goes; its folder exists. A program that is there and up to date is
    /// left as it is.
    pub output: PathBuf,
    /// The platform of an image, for which the program is made to need nothing but a kernel.
    /// `None` is this host: built as `go build` and `go test` build, whose cache it then shares.
    pub platform: Option<GoPlatform>,
    /// Whether symbols and debug information are left out, as in an image.
    pub strip: bool,
}

/// A platform, as Go calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoPlatform {
    /// `linux`.
    pub system: String,
    /// `amd64`.
    pub architecture: String,
    /// `v7`, of `arm`.
    pub variant: Option<String>,
}

/// Builds a program. One for an image holds no C library, no path of this machine and no state of
/// version control, so that the same source gives the same bytes.
///
/// # Errors
/// When Go is absent ([`crate::error::ErrorKind::Missing`]) or the build fails, with what the
/// compiler wrote.
pub async fn build(request: &GoBuild, progress: &Progress) -> Result<PathBuf> {
    let finished = command(request)
        .run(|line| progress.log(line))
        .await
        .map_err(absent_or("go build cannot be run"))?;
    if finished.code == 0 {
        return Ok(request.output.clone());
    }
    // Its folder may be a copy of what the user edits.
    Err(Error::failed(format!("{} does not build", request.package))
        .since(finished.last_words(LINES_OF_OUTPUT)))
}

/// Compiles a package's tests into a program, without running them. A program that is there and
/// up to date is left as it is; where there is no test, none is made.
///
/// # Errors
/// When Go is absent ([`crate::error::ErrorKind::Missing`]) or they do not compile, with what the
/// compiler wrote as the cause.
pub async fn build_test(directory: &Path, package: &str, output: &Path) -> Result<()> {
    let finished = ProgramCall::new("go", BUILD)
        // Vetting would take longer than all else, and judge what nobody asked about here.
        .arguments(["test", "-c", "-vet=off", "-buildvcs=false"])
        // Without symbols, linking takes half the time; traces have names all the same.
        .arguments(["-ldflags=-s -w", "-o"])
        .argument(output)
        .argument(package)
        .directory(directory)
        .run(|_line| {})
        .await
        .map_err(absent_or("go test cannot be run"))?;
    if finished.code == 0 {
        return Ok(());
    }
    Err(Error::failed(format!(
        "the tests in {package} do not compile in {}",
        directory.display()
    ))
    .since(finished.last_words(LINES_OF_OUTPUT)))
}

fn command(request: &GoBuild) -> ProgramCall {
    let mut call = ProgramCall::new("go", BUILD)
        .arguments(["build", "-buildvcs=false"])
        .directory(&request.directory);
    let for_image = request.platform.is_some();
    match (request.strip, for_image) {
        // An id of the build would only repeat what the digest of the image says.
        (true, true) => call = call.argument("-ldflags=-s -w -buildid="),
        (true, false) => call = call.argument("-ldflags=-s -w"),
        (false, true) => call = call.argument("-ldflags=-buildid="),
        (false, false) => {}
    }
    if let Some(platform) = &request.platform {
        call = call
            .argument("-trimpath")
            .variable("CGO_ENABLED", "0")
            // A workspace of Go would bring in source from elsewhere.
            .variable("GOWORK", "off")
            .variable("GOOS", &platform.system)
            .variable("GOARCH", &platform.architecture)
            .variable("GOAMD64", "v1")
            .variable("GOARM64", "v8.0");
        if let Some(variant) = &platform.variant {
            call = call.variable("GOARM", variant.trim_start_matches('v'));
        }
    }
    call.argument("-o")
        .argument(&request.output)
        .argument(&request.package)
}

/// A run of the tests of a module.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// The folder of the module.
    pub directory: PathBuf,
    /// Arguments of `go test`.
    pub arguments: Vec<String>,
    /// Variables besides those of this program; they may hold passwords.
    pub environment: BTreeMap<String, Secret>,
    /// Where what Go writes goes.
    pub streams: Streams,
    /// How long all of it may take.
    pub patience: Duration,
}

/// Runs tests, and returns the exit code of `go test`; hands on what Go writes where that comes to us.
///
/// # Errors
/// When Go is absent ([`crate::error::ErrorKind::Missing`]) or takes too long.
pub async fn test(run: &TestRun, on_line: impl FnMut(&str)) -> Result<i32> {
    let environment = run.environment.iter();
    let environment = environment.map(|(name, value)| (name.clone(), value.reveal().to_owned()));
    let finished = ProgramCall::new("go", run.patience)
        .argument("test")
        .arguments(&run.arguments)
        .directory(&run.directory)
        .variables(environment)
        .streams(run.streams)
        .run(on_line)
        .await
        .map_err(absent_or("go test cannot be run"))?;
    Ok(finished.code)
}

/// The version of the toolchain that would build in this folder, such as `go1.26.8`.
///
/// # Errors
/// When Go is absent, or cannot tell.
pub async fn version(directory: &Path) -> Result<String> {
    let finished = ProgramCall::new("go", QUESTION)
        .arguments(["env", "GOVERSION"])
        .directory(directory)
        .run(|_line| {})
        .await
        .map_err(absent_or("go does not tell its version"))?;
    if finished.code == 0 {
        return Ok(finished.output.trim().to_owned());
    }
    Err(Error::failed("go does not tell its version").since(finished.last_words(4)))
}

/// Whether a version such as `go1.26.8` is one that the blueprints are written for.
pub fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches("go")
        .split(['.', '-', ' '])
        .map_while(|number| {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()
        });
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    found >= OLDEST_GO
}

/// Looks for Go before work begins that needs it later.
///
/// # Errors
/// When it is absent ([`crate::error::ErrorKind::Missing`]).
pub fn require() -> Result<()> {
    match on_path("go").is_empty() {
        true => Err(absent()),
        false => Ok(()),
    }
}

fn absent() -> Error {
    Error::missing("Go is not on PATH, and services are built with it").hint(format!(
        "Install Go {}.{} or newer: https://go.dev/dl",
        OLDEST_GO.0, OLDEST_GO.1
    ))
}

fn absent_or(otherwise: &'static str) -> impl Fn(CallError) -> Error {
    move |error| match error {
        CallError::Absent(_) => absent(),
        other => Error::failed(otherwise).because(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_compared_by_number() {
        for new in ["go1.26.8", "go1.27", "go1.26rc1", "go2.0"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["go1.25.9", "go1.9", "", "devel"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }
}
