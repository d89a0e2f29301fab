//! The native builder: Go of this host builds the program, and the image is the last stage of
//! the Dockerfile around it. No base image needs to be pulled, and the host's build cache is
//! used.

use std::path::{Path, PathBuf};

use bollard::Docker;
use tempfile::TempDir;

use super::archive::{append_bytes, append_program, of_files_at};
use super::build::{BUILDKIT, Build};
use super::context::{Context, Parcel};
use super::dockerfile::{LastStage, PROGRAM, Standing, standing};
use super::failure;
use super::images::identity;
use crate::engine::go::{self, GoBuild, GoPlatform};
use crate::engine::runtime::Progress;
use crate::engine::source::{changed_meanwhile, copy_source};
use crate::error::{Error, Result};

/// What builds, as the output calls it.
const NATIVE: &str = "Go of this host";
/// Where hosts keep the certificates of certificate authorities, in order of search (Debian,
/// Fedora, OpenSUSE, macOS).
const CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Where hosts keep time zones.
const TIME_ZONES: &str = "/usr/share/zoneinfo";
/// The folder of the context with what a base would have brought.
const ROOT: &str = "root";

/// The archive that is sent to the daemon, and what builds it: BuildKit as soon as the Dockerfile
/// is not as generated, since only it knows what an edit means.
pub async fn context(
    build: &Build<'_>,
    hash: &str,
    (client, progress): (&Docker, &Progress),
) -> Result<(Context, &'static str)> {
    let workspace = &build.options.workspace;
    let Standing::Same(stage) = standing(workspace, build.service, &build.source.context)? else {
        let file = build.source.context.join("Dockerfile");
        let file = file.display();
        progress.warn(format!("{file} is not as generated: BuildKit builds it"));
        return Ok((build.docker_context(hash), BUILDKIT));
    };
    let scratch = scratch_in(&build.options.scratch)?;
    let source = scratch.path().join("source");
    if copy_source(&build.source.context, &source).await? != hash {
        return Err(changed_meanwhile(build.service));
    }
    let program = compile(build, &source, (client, progress)).await?;
    let base = identity(client, &stage.base)
        .await?
        .map(|_| stage.base.clone());
    if base.is_none() {
        progress.warn(format!(
            "{} is not at hand: {} is built on certificates and time zones alone",
            stage.base, build.service
        ));
    }
    let context = Context::new(move |parcel| {
        // The program goes with this folder.
        let _scratch = &scratch;
        pack(parcel, (&stage, base.as_deref()), &program)
    });
    Ok((context, NATIVE))
}

/// A folder for a copy of the source and for the program; it goes with its owner.
fn scratch_in(folder: &Path) -> Result<TempDir> {
    let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempdir_in(folder));
    made.map_err(|error| {
        Error::failed(format!("cannot make a folder in {}", folder.display())).because(error)
    })
}

async fn compile(
    build: &Build<'_>,
    source: &Path,
    (client, progress): (&Docker, &Progress),
) -> Result<PathBuf> {
    let version = client
        .version()
        .await
        .map_err(|error| failure("cannot ask Docker for its platform", error))?;
    let request = GoBuild {
        directory: source.to_path_buf(),
        package: format!("./cmd/{}", build.service),
        output: source.with_file_name("program"),
        platform: Some(GoPlatform {
            system: "linux".to_owned(),
            architecture: version.arch.unwrap_or_else(|| "amd64".to_owned()),
            variant: None,
        }),
        strip: true,
    };
    go::build(&request, progress).await
}

fn pack(
    parcel: &mut Parcel,
    (stage, base): (&LastStage, Option<&str>),
    program: &Path,
) -> Result<()> {
    append_program(parcel, Path::new(PROGRAM), program)?;
    let dockerfile = match base {
        Some(base) => stage.on(base, &[]),
        None => {
            append_root(parcel)?;
            stage.on("scratch", &[format!("COPY {ROOT}/ /")])
        }
    };
    let path = Path::new("Dockerfile");
    append_bytes(parcel, path, dockerfile.as_bytes(), false)
}

/// Certificates and time zones of this host, as far as it has them.
fn append_root(archive: &mut Parcel) -> Result<()> {
    let root = Path::new(ROOT);
    // Present even when the host has neither, since the Dockerfile copies the folder.
    append_bytes(
        archive,
        &root.join("etc/nsswitch.conf"),
        b"hosts: files dns\n",
        false,
    )?;
    if let Some(bytes) = CERTIFICATES
        .iter()
        .find_map(|path| std::fs::read(path).ok())
    {
        let target = root.join(CERTIFICATES[0].trim_start_matches('/'));
        append_bytes(archive, &target, &bytes, false)?;
    }
    let zones = Path::new(TIME_ZONES);
    if zones.is_dir() {
        let target = root.join(TIME_ZONES.trim_start_matches('/'));
        of_files_at(archive, zones, &target)?;
    }
    Ok(())
}
