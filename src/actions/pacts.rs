//! Finds the pacts of a workspace and the providers that they are about. Every invalid file is
//! reported in one run, before anything is compiled.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::config::project::{Selection, load};
use crate::config::yaml;
use crate::contract::document::{self, DocumentError};
use crate::contract::pact_file::{PactFile, PactPath, misnamed, parse};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::project::{Project, Service};
use crate::model::suggest;

/// The folder of a consumer that holds its pacts.
const CONTRACTS: &str = "contracts";
/// The document of a provider that its responses are held to.
pub(super) const OPENAPI: &str = "api/openapi.yaml";
/// The largest pact that is read, in bytes.
const LARGEST_PACT: u64 = 16 << 20;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The pacts, by consumer and provider.
    pub(super) pacts: Vec<Pact>,
    /// The providers of pacts that are not skipped.
    pub(super) providers: BTreeMap<Name, Provider>,
}

/// A pact of the workspace.
#[derive(Debug)]
pub(super) struct Pact {
    /// The file, relative to the workspace.
    pub(super) path: PathBuf,
    pub(super) consumer: Name,
    pub(super) provider: Name,
    pub(super) file: PactFile,
    /// Why it is left out.
    pub(super) skipped: Option<String>,
}

/// A provider of this workspace.
#[derive(Debug)]
pub(super) struct Provider {
    /// Its folder.
    pub(super) directory: PathBuf,
    /// Its folder, relative to the workspace.
    pub(super) shown: PathBuf,
    /// What it promises, when it has a document that says so.
    pub(super) document: Option<Described>,
    /// Whether it is made from a blueprint, which brings a harness.
    pub(super) is_made: bool,
}

/// A document of a provider.
#[derive(Debug)]
pub(super) struct Described {
    /// The file, relative to the workspace.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) document: document::Document,
    /// How that is written.
    pub(super) written: yaml::Document,
}

/// Reads the pacts in which these services take part, or all.
pub(super) fn read(directory: &Path, services: &[Name], events: &dyn EventSink) -> Result<Read> {
    let project = load(directory, &Selection::All)?;
    for name in services {
        project.service(name)?;
    }
    let mut errors = Vec::new();
    let mut pacts = Vec::new();
    for consumer in project.services.values() {
        match of_consumer(&project, consumer, services, events) {
            Ok((found, faults)) => {
                pacts.extend(found);
                errors.extend(faults);
            }
            Err(error) => errors.push(error),
        }
    }
    let mut providers = BTreeMap::new();
    for pact in pacts.iter().filter(|pact| pact.skipped.is_none()) {
        if let Some(service) = project.services.get(&pact.provider)
            && !providers.contains_key(&pact.provider)
        {
            match provider(&project, service) {
                Ok(found) => {
                    providers.insert(pact.provider.clone(), found);
                }
                Err(error) => errors.push(error),
            }
        }
    }
    let message = |count| format!("{count} files are invalid, and no contract was looked at");
    Error::none_of(message, errors)?;
    Ok(Read { pacts, providers })
}

fn of_consumer(
    project: &Project,
    consumer: &Service,
    services: &[Name],
    events: &dyn EventSink,
) -> Result<(Vec<Pact>, Vec<Error>)> {
    let folder = project
        .root
        .join(consumer.directory.as_str())
        .join(CONTRACTS);
    let mut found = Vec::new();
    let mut faults = Vec::new();
    for path in pact_files(&folder)? {
        let shown = path
            .strip_prefix(&project.root)
            .unwrap_or(&path)
            .to_path_buf();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let Some((first, second)) = stem.split_once("--") else {
            events.note(format!(
                "{} is left out: a pact is named CONSUMER--PROVIDER.json",
                shown.display()
            ));
            continue;
        };
        let parties = Name::new(first).and_then(|first| Ok((first, Name::new(second)?)));
        let Ok((_, provider)) = parties.as_ref() else {
            let error = Error::invalid(format!("{} is not named by two services", shown.display()));
            faults
                .push(error.hint("Name it CONSUMER--PROVIDER.json, by the names of the services"));
            continue;
        };
        let asked =
            services.is_empty() || services.contains(&consumer.name) || services.contains(provider);
        if !asked {
            continue;
        }
        let named = PactPath {
            file: &shown,
            consumer: consumer.name.as_str(),
            provider: provider.as_str(),
        };
        match pact(&path, &named) {
            Ok(_) if first != consumer.name.as_str() => faults.push(
                Error::invalid(format!(
                    "{} lies in the folder of {}",
                    shown.display(),
                    consumer.name
                ))
                .hint(
                    "A pact lies in its consumer's folder, and its name begins with the consumer's",
                ),
            ),
            Ok(file) => found.push(Pact {
                path: shown.clone(),
                consumer: consumer.name.clone(),
                provider: provider.clone(),
                file,
                skipped: absent(project, provider, events),
            }),
            Err(error) => faults.push(error),
        }
    }
    Ok((found, faults))
}

/// Why a pact is skipped: its provider is somewhere else.
fn absent(project: &Project, provider: &Name, events: &dyn EventSink) -> Option<String> {
    if project.services.contains_key(provider) {
        return None;
    }
    let known = project.services.keys().map(Name::as_str);
    let meant = suggest::nearest(provider.as_str(), known);
    let meant = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    let reason = format!("{provider} is no service of this workspace{meant}");
    events.warn(format!("left out: {reason}"));
    Some(reason)
}

fn pact_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error: io::Error| {
        Error::invalid(format!("{} cannot be read", folder.display())).because(error)
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn pact(path: &Path, named: &PactPath<'_>) -> Result<PactFile> {
    let unreadable = |error: io::Error| {
        Error::invalid(format!("{} cannot be read", named.file.display())).because(error)
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_PACT + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_PACT {
        return Err(Error::invalid(format!(
            "{} is larger than 16 MiB, which no pact is",
            named.file.display()
        )));
    }
    let pact = parse(named.file, &bytes)?;
    match misnamed(&pact, named, &bytes) {
        Some(error) => Err(error),
        None => Ok(pact),
    }
}

fn provider(project: &Project, service: &Service) -> Result<Provider> {
    let directory = project.root.join(service.directory.as_str());
    let path = directory.join(OPENAPI);
    let document = match path.is_file() {
        false => None,
        true => Some(described(project, &path)?),
    };
    Ok(Provider {
        directory,
        shown: PathBuf::from(service.directory.as_str()),
        document,
        is_made: service.container.is_none(),
    })
}

/// Why a document cannot be used that should be of this kind: `OpenAPI`.
pub(super) fn unusable(written: &yaml::Document, kind: &str, error: DocumentError) -> Error {
    let file = written.file().display();
    Error::invalid(format!("{file} is no {kind} document"))
        .at(written.place(&[&kind.to_lowercase()]))
        .because(error)
}

fn described(project: &Project, path: &Path) -> Result<Described> {
    let written = yaml::Document::read_api(path)?.faultless()?;
    let document = document::Document::new(written.root().to_json(false))
        .map_err(|error| unusable(&written, "OpenAPI", error))?;
    Ok(Described {
        path: path
            .strip_prefix(&project.root)
            .unwrap_or(path)
            .to_path_buf(),
        document,
        written,
    })
}
