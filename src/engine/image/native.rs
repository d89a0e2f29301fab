//! The native builder: Go of this host builds the program, which becomes a layer upon the base
//! that the Dockerfile names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use futures::future::try_join;

use super::base::Bases;
use super::settings::set_label;
use super::{Packed, Settings, compressed, pack, program_archive, uncompressed};
use crate::engine::docker::dockerfile::LastStage;
use crate::engine::go::{self, GoBuild, GoPlatform};
use crate::engine::runtime::Progress;
use crate::engine::source::{changed_meanwhile, copy_source};
use crate::error::{Error, Result};
use crate::model::image::Platform;

/// A native build of a service's image.
#[derive(Debug, Clone, Copy)]
pub struct NativeBuild<'a> {
    /// The service.
    pub service: &'a str,
    /// Its folder.
    pub directory: &'a Path,
    /// The hash of its source: what the image is called by.
    pub hash: &'a str,
    /// The last stage of its Dockerfile.
    pub stage: &'a LastStage,
    /// What the images are to run on.
    pub platforms: &'a [Platform],
    /// Labels besides those of the Dockerfile; the manifest carries them, too.
    pub labels: &'a BTreeMap<String, String>,
    /// Whether they go to a registry, and so over a network.
    pub for_registry: bool,
    /// A folder for what is made on the way.
    pub scratch: &'a Path,
}

impl NativeBuild<'_> {
    /// Builds an image for each platform, in their order.
    ///
    /// # Errors
    /// When Go or the base is missing, or the program does not build.
    pub async fn run(&self, bases: &Bases, progress: &Progress) -> Result<Vec<Packed>> {
        let failed = || Error::failed(format!("cannot make {}", self.scratch.display()));
        fs::create_dir_all(self.scratch).map_err(|error| failed().because(error))?;
        let scratch =
            tempfile::tempdir_in(self.scratch).map_err(|error| failed().because(error))?;
        let source = scratch.path().join("source");
        // Exactly what the hash is of: a file that it leaves out must not get into the program.
        if copy_source(self.directory, &source).await? != self.hash {
            return Err(changed_meanwhile(self.service));
        }
        let mut images = Vec::new();
        for platform in self.platforms {
            let output = scratch.path().join(platform.to_string().replace('/', "-"));
            let program = self.compile(&source, output, platform, progress);
            let base = bases.obtain(&self.stage.base, platform, progress);
            let (base, program) = try_join(base, program).await?;
            let mut image = (*base).clone();
            let settings = self.stage.settings().unwrap_or_default();
            self.configure(&mut image, &settings);
            let path = self.stage.program.clone();
            let bytes = fs::read(&program).map_err(|error| {
                Error::failed("cannot read the program just built").because(error)
            })?;
            progress.say(format!("packing the image for {platform}"));
            let how = format!("COPY program {} # gantline", path.display());
            let for_registry = self.for_registry;
            let packed = tokio::task::spawn_blocking(move || {
                let archive = program_archive(&path, &bytes)?;
                let layer = match for_registry {
                    true => compressed(archive)?,
                    false => uncompressed(archive),
                };
                image.add(layer, &how);
                pack(image)
            });
            let packed = packed
                .await
                .map_err(|error| Error::failed("packing the image was cut off").because(error))?;
            images.push(packed?);
        }
        Ok(images)
    }

    fn configure(&self, image: &mut super::Image, settings: &Settings) {
        settings.apply(&mut image.settings);
        for (name, value) in self.labels {
            set_label(&mut image.settings, name, value);
            image.annotations.insert(name.clone(), value.clone());
        }
    }

    async fn compile(
        &self,
        source: &Path,
        output: PathBuf,
        platform: &Platform,
        progress: &Progress,
    ) -> Result<PathBuf> {
        progress.say(format!("go build for {platform}"));
        let request = GoBuild {
            directory: source.to_path_buf(),
            package: format!("./cmd/{}", self.service),
            output,
            platform: Some(GoPlatform {
                system: platform.system.clone(),
                architecture: platform.architecture.clone(),
                variant: platform.variant.clone(),
            }),
            strip: true,
        };
        go::build(&request, progress).await
    }
}
